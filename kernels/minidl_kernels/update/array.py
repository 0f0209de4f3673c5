"""NumPy and CuPy: one array after the other. Python's floats are rounded to the dtype of the array they meet."""

from collections.abc import Sequence

from ..arrays import Array, namespace
from . import adam, adam_rate, rmsprop, sgd, sgd_momentum


@sgd.implementation("array", on=("numpy", "cupy"))
def sgd_array(ws: Sequence[Array], gs: Sequence[Array], *, learning_rate: float) -> None:
    for w, g in zip(ws, gs, strict=True):
        w -= float(learning_rate) * g


@sgd_momentum.implementation("array", on=("numpy", "cupy"))
def sgd_momentum_array(
    ws: Sequence[Array],
    gs: Sequence[Array],
    ms: Sequence[Array],
    *,
    learning_rate: float,
    momentum: float,
    nesterov: bool,
) -> None:
    for w, g, m in zip(ws, gs, ms, strict=True):
        step = float(learning_rate) * g
        m *= float(momentum)
        m -= step
        w += float(momentum) * m - step if nesterov else m


@adam.implementation("array", on=("numpy", "cupy"))
def adam_array(
    ws: Sequence[Array],
    gs: Sequence[Array],
    ms: Sequence[Array],
    vs: Sequence[Array],
    *,
    learning_rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int | None,
) -> None:
    rate = adam_rate(learning_rate, beta_1, beta_2, step)
    for w, g, m, v in zip(ws, gs, ms, vs, strict=True):
        m += (g - m) * float(1 - beta_1)
        v += (g * g - v) * float(1 - beta_2)
        w -= m * rate / (namespace(w).sqrt(v) + float(epsilon))


@rmsprop.implementation("array", on=("numpy", "cupy"))
def rmsprop_array(
    ws: Sequence[Array],
    gs: Sequence[Array],
    vs: Sequence[Array],
    *,
    learning_rate: float,
    rho: float,
    epsilon: float,
) -> None:
    for w, g, v in zip(ws, gs, vs, strict=True):
        v *= float(rho)
        v += (g * g) * float(1 - rho)
        w -= float(learning_rate) * g / namespace(w).sqrt(v + float(epsilon))
