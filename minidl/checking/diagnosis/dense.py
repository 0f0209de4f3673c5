"""Hypotheses about act(x w + b): operands, sums, and the derivative of the activation."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .activations import Activation, recognise, softmax, softmax_backward, wrong_slopes
from .case import Case, Guess, close

__all__ = ["guesses"]

Array = np.ndarray


class Dense(NamedTuple):
    """Which leaves are weight and bias, the product before the activation, and whether w is (out, in)."""

    weight: int
    bias: int | None
    z: Array
    turned: bool
    activation: Activation | None


def _recognise(case: Case) -> Dense | None:
    x = case.x[0]
    if x.ndim < 2 or case.y.ndim != x.ndim:
        return None
    for w, weight in enumerate(case.x):
        if w == 0 or weight.ndim != 2:
            continue
        for turned in (False, True):
            matrix = weight.T if turned else weight
            if matrix.shape[0] != x.shape[-1] or matrix.shape[1] != case.y.shape[-1]:
                continue
            plain = x @ matrix
            biases = [i for i, b in enumerate(case.x) if i not in (0, w) and b.size == matrix.shape[1]]
            for bias in [*biases, None]:
                z = plain if bias is None else plain + case.x[bias].reshape(-1)
                if close(case.y, z):
                    return Dense(w, bias, z, turned, None)
                one = recognise(z, case.y)
                if one is not None:
                    return Dense(w, bias, z, turned, one)
                if close(case.y, softmax(z)):
                    return Dense(w, bias, z, turned, Activation("softmax", softmax, softmax, None))
    return None


def guesses(case: Case) -> Iterator[Guess]:
    """For a dense layer, with or without an activation."""
    found = _recognise(case)
    if found is None:
        return
    x, g, w = case.x[0], case.g, case.x[found.weight]
    flat, matrix = x.reshape(-1, x.shape[-1]), w.T if found.turned else w
    deltas: list[tuple[str, Array, float]] = []
    right = g
    one = found.activation
    if one is not None and one.name == "softmax":
        s = case.y
        right = softmax_backward(g, s)
        deltas = [("derivative_missing", g, 2.2), ("jacobian_diagonal", g * s * (1 - s), 2.3)]
    elif one is not None:
        right = g * one.slope(found.z)
        deltas = [(c, g * slope, weight) for c, slope, weight in wrong_slopes(one, found.z, case.y, g)]
        if x.shape == case.y.shape:
            deltas.append(("mask_array", g * one.slope(x), 2.2))
    for cause, delta, weight in deltas:
        yield from _with(found, cause, flat, delta, matrix, case, weight)
    d = right.reshape(-1, right.shape[-1])
    if matrix.shape[0] == matrix.shape[1]:
        yield Guess("weight_not_transposed", 0, (d @ matrix).reshape(x.shape), 2.2)

    def weights(value: Array) -> Array:
        return value.T if found.turned else value

    for wrong in (matrix, np.ones_like(matrix)):
        if wrong.shape[0] == flat.shape[1] and matrix.shape == flat.shape:
            yield Guess("wrong_operand", found.weight, weights(wrong * d.sum()), 1.0)
    y = case.y.reshape(-1, case.y.shape[-1])
    yield Guess("wrong_operand", found.weight, weights(flat.T @ y), 2.0)
    yield Guess("wrong_operand", found.weight, weights(flat.T @ (d * y)), 1.5)
    if one is not None:
        z = found.z.reshape(y.shape)
        yield Guess("wrong_operand", found.weight, weights(flat.T @ z), 2.0)
        if flat.shape[1] == y.shape[1]:
            yield Guess("wrong_operand", found.weight, weights(y.T @ d), 2.0)
            yield Guess("wrong_operand", found.weight, weights(z.T @ d), 2.0)
    if flat.shape[1] == y.shape[1]:
        yield Guess("wrong_operand", 0, (y @ matrix.T).reshape(x.shape), 1.0)
    if found.bias is not None:
        shape, bias = case.x[found.bias].shape, found.bias
        yield Guess("not_summed", bias, d, 2.2)
        for axis in range(right.ndim - 1):
            yield Guess("not_summed", bias, right.sum(axis=axis), 2.2)
        yield Guess("overwritten", bias, d[-1].reshape(shape), 2.2)
        yield Guess("first_only", bias, d[0].reshape(shape), 2.2)
        yield Guess("summed_wrong_axis", bias, d.sum(axis=1), 2.2)
        yield Guess("summed_wrong_axis", bias, np.full(shape, d.sum()), 2.2)
        yield Guess("wrong_operand", bias, y.sum(axis=0).reshape(shape), 1.5)
        yield Guess("wrong_operand", bias, (case.x[bias].reshape(-1) * d.sum(axis=0)).reshape(shape), 1.5)
        yield Guess("mean_for_sum", bias, d.mean(axis=0).reshape(shape), 2.2)


def _with(
    found: Dense, cause: str, flat: Array, delta: Array, matrix: Array, case: Case, weight: float
) -> Iterator[Guess]:
    """The three gradients that a wrong delta gives."""
    d = delta.reshape(-1, delta.shape[-1])
    product = flat.T @ d
    yield Guess(cause, found.weight, product.T if found.turned else product, weight)
    yield Guess(cause, 0, (d @ matrix.T).reshape(case.x[0].shape), weight)
    if found.bias is not None:
        yield Guess(cause, found.bias, d.sum(axis=0).reshape(case.x[found.bias].shape), weight)
