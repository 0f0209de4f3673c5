"""Hypotheses about elementwise functions and softmax: what is used of the input, the output and the mask."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from .case import Case, Guess, close

__all__ = ["ACTIVATIONS", "Activation", "guesses", "recognise", "softmax", "softmax_backward", "wrong_slopes"]

Array = np.ndarray
Elementwise = Callable[[Array], Array]


class Activation(NamedTuple):
    """A function, its derivative at the input, and the derivative written with the output (None: not done)."""

    name: str
    f: Elementwise
    slope: Elementwise
    by_output: Elementwise | None


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    with np.errstate(over="ignore"):
        found: Array = 1 / (1 + np.exp(-x))
    return found


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) / sum(exp(x)) along an axis, shifted so that nothing overflows."""
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    found: Array = e / e.sum(axis=axis, keepdims=True)
    return found


def softmax_backward(g: Array, s: Array, axis: int = -1) -> Array:
    """The right gradient, from the upstream gradient and the output."""
    found: Array = s * (g - (g * s).sum(axis=axis, keepdims=True))
    return found


def _leaky(slope: float) -> Activation:
    return Activation(
        "leaky",
        lambda x: np.where(x > 0, x, slope * x),
        lambda x: np.where(x > 0, 1.0, slope),
        lambda y: np.where(y > 0, 1.0, slope),
    )


def _elu(alpha: float) -> Activation:
    return Activation(
        "elu",
        lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
        lambda x: np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0))),
        lambda y: np.where(y > 0, 1.0, y + alpha),
    )


def _gelu_slope(x: Array) -> Array:
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    found: Array = 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x)
    return found


ACTIVATIONS = (
    Activation("relu", lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0, lambda y: (y > 0) * 1.0),
    Activation("sigmoid", sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x)), lambda y: y * (1 - y)),
    Activation("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2, lambda y: 1 - y * y),
    Activation("softplus", lambda x: np.logaddexp(0, x), sigmoid, lambda y: 1 - np.exp(-y)),
    Activation("swish", lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x))), None),
    Activation(
        "gelu", lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))), _gelu_slope, None
    ),
    Activation("square", np.square, lambda x: 2 * x, None),
    Activation("exp", np.exp, np.exp, lambda y: y),
    Activation("abs", np.abs, np.sign, None),
    Activation("log", lambda x: np.log(np.abs(x)), lambda x: 1 / x, None),
    Activation("softsign", lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + np.abs(x)) ** 2, None),
    *(_leaky(a) for a in (0.01, 0.1, 0.2, 0.3, 0.05, 0.02, 0.25, 0.5)),
    *(_elu(a) for a in (1.0, 0.5, 0.1, 0.2, 2.0)),
)


def recognise(z: Array, y: Array) -> Activation | None:
    """The activation that makes y of z."""
    if z.shape != y.shape or not z.size or close(y, z):
        return None
    with np.errstate(all="ignore"):
        return next((one for one in ACTIVATIONS if close(y, one.f(z))), None)


def wrong_slopes(one: Activation, z: Array, y: Array, g: Array) -> Iterator[tuple[str, Array, float]]:
    """(cause, what stands in for the derivative, weight)."""
    right = one.slope(z)
    yield "derivative_missing", np.ones_like(z), 2.2
    yield "derivative_twice", right**2, 2.0
    at_output = one.slope(y)
    if not np.allclose(at_output, right):
        yield "derivative_of_output", at_output, 2.2
    if one.by_output is not None:
        yield "derivative_of_input", one.by_output(z), 2.1
    if one.name in ("relu", "leaky", "elu", "abs"):
        yield "mask_inverted", (z < 0) * 1.0, 2.0
        yield "mask_inverted", (z <= 0) * 1.0, 1.9
    for mask in (g > 0, (g > 0) & (z > 0), g < 0):
        yield "mask_array", mask * 1.0, 2.0
    if one.name in ("leaky", "elu"):
        low = one.slope(np.full(1, -1.0))[0] if one.name == "leaky" else 1.0
        yield "slope_missing", (z > 0) * 1.0, 2.3
        yield "mask_inverted", np.where(z > 0, low, 1.0), 2.2
        yield "mask_array", np.where(g > 0, 1.0, low), 2.0
        yield "derivative_formula", np.where(z > 0, 1.0, -low), 2.0
    if one.name == "elu":
        alpha = -float(one.f(np.full(1, -50.0))[0])
        yield "derivative_formula", np.where(z > 0, 1.0, y), 2.0  # without the + alpha
        yield "derivative_formula", np.where(z > 0, 1.0, alpha), 2.0
        yield "derivative_formula", np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))), 2.0  # without alpha
    formulas: dict[str, list[Array]] = {
        "sigmoid": [y, 1 - y, y * (1 + y), y * y, 1 - y * y, y - 1, y * (y - 1), (1 - y) ** 2],
        "tanh": [1 - y, 1 + y * y, y * (1 - y), 1 + y, y * y, (1 - y) ** 2, y],
        "softplus": [y * (1 - y), 1 - np.exp(-z), sigmoid(-z), np.exp(z), 1 / (1 + np.exp(z))],
        "swish": [sigmoid(z), sigmoid(z) * (1 - sigmoid(z)), sigmoid(z) + z * sigmoid(z), y * (1 - y),
                  z * sigmoid(z) * (1 - sigmoid(z))],
        "square": [2 * y, y],
        "exp": [z, z * y],
        "log": [z, y, -1 / z, 1 / z**2],
        "gelu": [0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))), (z > 0) * 1.0, sigmoid(1.702 * z)],
        "softsign": [1 / (1 + np.abs(z)), 1 / (1 + z) ** 2, 1 / (1 + z * z)],
        "abs": [(z > 0) * 1.0, z],
    }  # fmt: skip
    for formula in formulas.get(one.name, []):
        yield "derivative_formula", formula, 1.9


def guesses(case: Case) -> Iterator[Guess]:
    """For one elementwise function, or softmax, of the first input."""
    z, y, g = case.x[0], case.y, case.g
    if z.shape != y.shape or not z.ndim:
        return
    one = recognise(z, y)
    if one is not None:
        for cause, slope, weight in wrong_slopes(one, z, y, g):
            yield Guess(cause, 0, g * slope, weight)
            if cause == "derivative_of_output" or cause.startswith("mask"):
                yield Guess(cause, 0, y * slope if cause == "mask_array" else g * slope, weight)
        yield Guess("no_upstream", 0, one.slope(z), 2.1)
        if (z == 0).any():
            yield Guess("tie", 0, np.where(z == 0, case.analytic[0] if _whole(case) else 0, g * one.slope(z)), 2.1)
    for axis in range(z.ndim):
        yield from _softmax(case, z, y, g, axis)


def _whole(case: Case) -> bool:
    return case.analytic[0] is not None and case.analytic[0].shape == case.x[0].shape


def _softmax(case: Case, z: Array, y: Array, g: Array, axis: int) -> Iterator[Guess]:
    s = softmax(z, axis)
    if z.shape[axis] < 2:
        return
    if close(y, s):
        other = [k for k in range(z.ndim) if k != axis]
        yield Guess("jacobian_diagonal", 0, g * s * (1 - s), 2.3)
        yield Guess("jacobian_diagonal", 0, g * s, 2.2)
        yield Guess("jacobian_off_diagonal", 0, -s * (g * s).sum(axis=axis, keepdims=True), 2.3)
        yield Guess("jacobian_off_diagonal", 0, softmax_backward(g, s, axis) - g * s * (1 - s), 2.3)
        yield Guess("double_softmax", 0, softmax_backward(g, softmax(s, axis), axis), 2.3)
        yield Guess("derivative_formula", 0, s * (g - g.sum(axis=axis, keepdims=True)), 2.0)
        yield Guess("derivative_formula", 0, g - (g * s).sum(axis=axis, keepdims=True), 2.0)
        yield Guess("derivative_formula", 0, g - s * (g * s).sum(axis=axis, keepdims=True), 2.0)
        yield Guess("derivative_formula", 0, s * (g + (g * s).sum(axis=axis, keepdims=True)), 2.0)
        yield Guess("softmax_axis", 0, s * (g - (g * s).sum()), 2.2)
        for k in other:
            yield Guess("softmax_axis", 0, softmax_backward(g, s, k), 2.3)
            yield Guess("softmax_axis", 0, softmax_backward(g, softmax(z, k), k), 2.2)
    elif close(y, np.log(s + 1e-300)):
        total = g.sum(axis=axis, keepdims=True)
        yield Guess("derivative_formula", 0, g - s, 2.0)
        yield Guess("derivative_formula", 0, g + s * total, 2.0)
        yield Guess("derivative_missing", 0, g, 2.0)
        yield Guess("term_missing", 0, -s * total, 2.0)
        yield Guess("softmax_missing", 0, g - z * total, 2.2)
        yield Guess("derivative_of_output", 0, g - y * total, 2.2)  # log softmax where softmax was meant
        yield Guess("double_softmax", 0, g - softmax(s, axis) * total, 2.2)
        yield Guess("jacobian_diagonal", 0, g * (1 - s), 2.2)
        for k in range(z.ndim):
            if k != axis:
                yield Guess("softmax_axis", 0, g - s * g.sum(axis=k, keepdims=True), 2.3)
