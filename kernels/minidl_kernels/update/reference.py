"""The definitions, weight by weight: numbers rounded to the dtype once, arithmetic in float64, results rounded."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from . import adam, adam_rate, rmsprop, sgd, sgd_momentum

Arrays = Sequence[np.ndarray]


def _elements(*lists: Arrays) -> Iterator[tuple[tuple[int, ...], tuple[np.ndarray, ...]]]:
    for arrays in zip(*lists, strict=True):
        for i in np.ndindex(arrays[0].shape):
            yield i, arrays


def _rounded(value: float, like: np.ndarray) -> float:
    return float(like.dtype.type(value))


@sgd.implementation("reference", on="numpy")
def sgd_reference(ws: Arrays, gs: Arrays, *, learning_rate: float) -> None:
    for i, (w, g) in _elements(ws, gs):
        w[i] = float(w[i]) - _rounded(learning_rate, w) * float(g[i])


@sgd_momentum.implementation("reference", on="numpy")
def sgd_momentum_reference(
    ws: Arrays, gs: Arrays, ms: Arrays, *, learning_rate: float, momentum: float, nesterov: bool
) -> None:
    for i, (w, g, m) in _elements(ws, gs, ms):
        step = _rounded(learning_rate, w) * float(g[i])
        m[i] = _rounded(momentum, w) * float(m[i]) - step
        w[i] = float(w[i]) + (_rounded(momentum, w) * float(m[i]) - step if nesterov else float(m[i]))


@adam.implementation("reference", on="numpy")
def adam_reference(
    ws: Arrays,
    gs: Arrays,
    ms: Arrays,
    vs: Arrays,
    *,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int | None,
) -> None:
    rate = adam_rate(learning_rate, beta_1, beta_2, step)
    for i, (w, g, m, v) in _elements(ws, gs, ms, vs):
        m[i] = float(m[i]) + (float(g[i]) - float(m[i])) * _rounded(1 - beta_1, w)
        v[i] = float(v[i]) + (float(g[i]) ** 2 - float(v[i])) * _rounded(1 - beta_2, w)
        w[i] = float(w[i]) - float(m[i]) * _rounded(rate, w) / (math.sqrt(float(v[i])) + _rounded(epsilon, w))


@rmsprop.implementation("reference", on="numpy")
def rmsprop_reference(ws: Arrays, gs: Arrays, vs: Arrays, *, learning_rate: float, rho: float, epsilon: float) -> None:
    for i, (w, g, v) in _elements(ws, gs, vs):
        v[i] = _rounded(rho, w) * float(v[i]) + _rounded(1 - rho, w) * float(g[i]) ** 2
        root = math.sqrt(float(v[i]) + _rounded(epsilon, w))
        w[i] = float(w[i]) - _rounded(learning_rate, w) * float(g[i]) / root
