"""Hypotheses about a net of two dense layers, up to its scores or up to its loss."""

from collections.abc import Iterator
from itertools import permutations
from typing import NamedTuple

import numpy as np

from .activations import ACTIVATIONS, Activation, wrong_slopes
from .case import Case, Guess, close
from .losses import scored

__all__ = ["guesses"]

Array = np.ndarray


class Net(NamedTuple):
    """Leaves of the two layers, the hidden values before and after the activation, and the scores."""

    weights: tuple[int, int]
    biases: tuple[int | None, int | None]
    z: Array
    h: Array
    scores: Array
    activation: Activation


def _nets(case: Case) -> Iterator[Net]:
    x = case.x[0]
    matrices = [i for i, p in enumerate(case.x) if i and p.ndim == 2]
    vectors = [i for i, p in enumerate(case.x) if i and (p.ndim == 1 or p.shape[0] == 1)]
    for first, second in permutations(matrices, 2):
        one, two = case.x[first], case.x[second]
        if x.ndim != 2 or one.shape[0] != x.shape[1] or two.shape[0] != one.shape[1]:
            continue
        for b1 in [*(i for i in vectors if case.x[i].size == one.shape[1]), None]:
            for b2 in [*(i for i in vectors if i != b1 and case.x[i].size == two.shape[1]), None]:
                z = x @ one + (0 if b1 is None else case.x[b1].reshape(-1))
                for activation in ACTIVATIONS:
                    h = activation.f(z)
                    scores = h @ two + (0 if b2 is None else case.x[b2].reshape(-1))
                    yield Net((first, second), (b1, b2), z, h, scores, activation)


def guesses(case: Case) -> Iterator[Guess]:
    """For act(x w1 + b1) w2 + b2, or a loss of that."""
    if len(case.x) < 3:
        return
    with np.errstate(all="ignore"):
        for net in _nets(case):
            if case.y.shape == net.scores.shape and close(case.y, net.scores):
                yield from _with(case, net, case.g, [])
                return
            if case.y.size == 1:
                found = scored(case, net.scores)
                if found is not None:
                    yield from _with(case, net, *found)
                    return


def _with(case: Case, net: Net, delta: Array, wrongs: list[tuple[str, Array]]) -> Iterator[Guess]:
    """Guesses from the right gradient of the scores, and from wrong ones."""
    for cause, wrong in wrongs:
        yield from _all(case, net, cause, wrong, wrong @ case.x[net.weights[1]].T * net.activation.slope(net.z), 2.3)
    below = delta @ case.x[net.weights[1]].T
    for cause, slope, weight in wrong_slopes(net.activation, net.z, net.h, below):
        yield from _first(case, net, cause, below * slope, weight)
    two = case.x[net.weights[1]]
    if two.shape[0] == two.shape[1]:
        yield from _first(case, net, "weight_not_transposed", (delta @ two) * net.activation.slope(net.z), 2.2)
    yield Guess("wrong_operand", net.weights[1], net.z.T @ delta, 2.2)
    if case.x[0].shape[1] == net.h.shape[1]:
        yield Guess("wrong_operand", net.weights[1], case.x[0].T @ delta, 2.2)


def _all(case: Case, net: Net, cause: str, delta: Array, below: Array, weight: float) -> Iterator[Guess]:
    yield Guess(cause, net.weights[1], net.h.T @ delta, weight)
    if net.biases[1] is not None:
        yield Guess(cause, net.biases[1], delta.sum(axis=0).reshape(case.x[net.biases[1]].shape), weight)
    yield from _first(case, net, cause, below, weight)


def _first(case: Case, net: Net, cause: str, below: Array, weight: float) -> Iterator[Guess]:
    yield Guess(cause, net.weights[0], case.x[0].T @ below, weight)
    if net.biases[0] is not None:
        yield Guess(cause, net.biases[0], below.sum(axis=0).reshape(case.x[net.biases[0]].shape), weight)
    yield Guess(cause, 0, below @ case.x[net.weights[0]].T, weight)
