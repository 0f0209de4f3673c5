"""CuPy: all weights in one launch (update.cu)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import Array, is_array, namespace
from ..cuda import Program, blocks
from . import adam, adam_rate, rmsprop, sgd, sgd_momentum

update = Program("update.cu", __file__)
THREADS = 256
MOST = 64  # arrays of one launch, as in update.cu
EXTENTS = np.dtype([("size", np.int64, (MOST,)), ("first", np.int32, (MOST,)), ("count", np.int32)], align=True)

Arrays = Sequence[Array]


def _contiguous(array: Array) -> Array:
    """The array itself, which may be written to; a copy only of gradients, which alone may have other strides."""
    return array if array.flags.c_contiguous else namespace(array).ascontiguousarray(array)


def _rate(value: Any) -> tuple[float, list[Any]]:
    """The number and no place for it; or, of an array that holds it, the place."""
    return (0.0, [value]) if is_array(value) else (float(value), [None])


def _each_weight(name: str, lists: tuple[Arrays, ...], *numbers: Any) -> None:
    """Launch for up to 64 arrays of one dtype at a time; empty ones have nothing to update."""
    for dtype in {w.dtype for w in lists[0]}:
        kept = [i for i, w in enumerate(lists[0]) if w.size and w.dtype == dtype]
        for start in range(0, len(kept), MOST):
            some = kept[start : start + MOST]
            columns = [[_contiguous(arrays[i]) for i in some] for arrays in lists]
            extents = np.zeros((), EXTENTS)
            sizes = [w.size for w in columns[0]]
            needed = [blocks(size, THREADS) for size in sizes]
            extents["size"][: len(some)] = sizes
            extents["first"][: len(some)] = np.cumsum([0, *needed[:-1]])
            extents["count"] = len(some)
            tables = [column + [None] * (MOST - len(some)) for column in columns]
            update.launch(dtype, name, (sum(needed),), (THREADS,), (*tables, extents, *numbers))


@sgd.implementation("cuda", on="cupy")
def sgd_cuda(ws: Arrays, gs: Arrays, *, learning_rate: float) -> None:
    _each_weight("sgd_step", (ws, gs), *_rate(learning_rate))


@sgd_momentum.implementation("cuda", on="cupy")
def sgd_momentum_cuda(
    ws: Arrays, gs: Arrays, ms: Arrays, *, learning_rate: float, momentum: float, nesterov: bool
) -> None:
    _each_weight("momentum_step", (ws, gs, ms), *_rate(learning_rate), float(momentum), bool(nesterov))


@adam.implementation("cuda", on="cupy")
def adam_cuda(
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
    rate = _rate(adam_rate(learning_rate, beta_1, beta_2, step))
    _each_weight("adam_step", (ws, gs, ms, vs), *rate, 1 - float(beta_1), 1 - float(beta_2), float(epsilon))


@rmsprop.implementation("cuda", on="cupy")
def rmsprop_cuda(ws: Arrays, gs: Arrays, vs: Arrays, *, learning_rate: float, rho: float, epsilon: float) -> None:
    _each_weight("rmsprop_step", (ws, gs, vs), *_rate(learning_rate), float(rho), 1 - float(rho), float(epsilon))
