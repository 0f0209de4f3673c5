"""Sorting, searching and counting; sums along the way; sums of segments."""

import builtins
import math
from typing import Any

import numpy as np

from minidl.engine.op import op
from minidl.engine.tensor import Tensor, raw
from minidl_kernels.arrays import Array, namespace, to_numpy

from .arithmetic import cast, floating, multiply, subtract, where
from .custom import of_extents
from .reductions import argsort, max, min, prod, sum
from .shaping import (
    axes_of,
    expand_dims,
    flip,
    getitem,
    moveaxis,
    ravel,
    scatter_add,
    stack,
    take_along_axis,
)  # fmt: skip

__all__ = [
    "argpartition", "bincount", "cumprod", "cumsum", "diff", "digitize", "histogram", "in_top_k", "isin", "nonzero",
    "searchsorted", "segment_max", "segment_min", "segment_prod", "segment_sum", "sort", "top_k", "trapezoid",
    "unique",
]  # fmt: skip


@of_extents
def sort(x: Any, axis: int = -1) -> Any:
    """The elements along an axis from the least to the largest."""
    return take_along_axis(x, argsort(x, axis=axis), axis=axis)


@of_extents
def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """The k largest along the last axis, largest first, and where they stand (int32); of equal ones the first.

    Args:
        sorted: is taken, but the result is always sorted.
    """
    if not 0 < k <= x.shape[-1]:
        raise ValueError(f"top_k: k must be from 1 to {x.shape[-1]}, the extent of the last axis, not {k}")
    places = getitem(_from_the_largest(x), (Ellipsis, slice(k)))
    return take_along_axis(x, places, axis=-1), places


@op(constant=True)
def _from_the_largest(x: Any) -> Array:
    """The order from the largest element of the last axis to the least."""
    # A stable sort from behind, so that of equal elements the first stays the first.
    backwards = namespace(x).argsort(x[..., ::-1], axis=-1, kind="stable")[..., ::-1]
    return (x.shape[-1] - 1 - backwards).astype("int32")


@op(constant=True)
def in_top_k(targets: Any, predictions: Any, k: int) -> Array:
    """Whether each target class, (n,), is among the k largest predictions, (n, classes); ties with the k-th count."""
    xp = namespace(predictions)
    targets = xp.asarray(targets)
    mine = xp.take_along_axis(predictions, targets[..., None].astype("int64"), axis=-1)
    return xp.asarray((predictions > mine).sum(axis=-1) < k)


def argpartition(x: Any, kth: int, axis: int = -1) -> Any:
    """An order along the axis in which element ``kth`` stands where sorting puts it, lesser ones before it."""
    return argsort(x, axis=axis)


@of_extents
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Sums of the elements up to each place of an axis (of all in one row, without axis)."""
    x = x if dtype is None else cast(x, dtype)
    return running_sum(ravel(x), 0) if axis is None else running_sum(x, axis)


@op
def running_sum(x: Any, axis: int) -> Array:
    """Sums of the elements up to each place of an axis."""
    return namespace(x).cumsum(x, axis=axis, dtype=x.dtype)


@running_sum.grad("x")
def _(g, axis):
    return flip(running_sum(flip(g, axis), axis), axis)  # x_i is in the sums from i on


@of_extents
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Products of the elements up to each place of an axis (of all in one row, without axis)."""
    x = x if dtype is None else cast(x, dtype)
    if axis is None:
        x, axis = ravel(x), 0
    # A product of a triangle: its gradient holds at zeros too, where x_1 ... x_n / x_i would not.
    (axis,) = axes_of(axis, len(x.shape))
    rows = expand_dims(moveaxis(x, axis, -1), -2)
    lower = np.tri(x.shape[axis], dtype=bool)
    return moveaxis(prod(where(lower, rows, 1), axis=-1), -1, axis)


def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours along an axis, n times over."""
    (axis,) = axes_of(axis, len(a.shape))
    before = (slice(None),) * axis
    for _ in range(n):
        a = subtract(getitem(a, (*before, slice(1, None))), getitem(a, (*before, slice(None, -1))))
    return a


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral of samples y along an axis by trapezoids, at places x or in steps of dx."""
    (axis,) = axes_of(axis, len(y.shape))
    y = moveaxis(y, axis, -1)
    steps = dx if x is None else diff(moveaxis(x, axis, -1) if len(x.shape) == len(y.shape) else x)
    return sum(multiply((y[..., 1:] + y[..., :-1]) * 0.5, steps), axis=-1)


@op(constant=True)
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Array:
    """Where each value would go into a sorted row, as int32; among equal ones on the "left" or "right"."""
    return namespace(values).asarray(namespace(values).searchsorted(sorted_sequence, values, side), dtype="int32")


@op(constant=True)
def digitize(x: Any, bins: Any) -> Array:
    """The number of the bin of each element, as int32: 0 below the first edge, len(bins) from the last on."""
    return namespace(x).asarray(namespace(x).digitize(x, bins), dtype="int32")


def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each number from 0 on occurs (or the sum of its weights) along the last axis."""
    if sparse:
        raise ValueError("bincount: sparse=True is not supported; the result is dense")
    numbers = to_numpy(raw(x))  # how long the result is follows from the numbers themselves
    length = builtins.max(int(numbers.max(initial=-1)) + 1, minlength)
    if weights is None:
        weights = np.ones(numbers.shape, "int32")
    if numbers.ndim == 1:
        return scatter_add(weights, numbers, (length,))
    rows = np.indices(numbers.shape)[0]
    return scatter_add(weights, (rows, numbers), (numbers.shape[0], length))


def histogram(x: Any, bins: int = 10, range: tuple[float, float] | None = None) -> tuple[Tensor, Tensor]:
    """How many elements fall into each of equal bins, and the edges of the bins.

    Raises:
        ValueError: ``bins`` is not a positive whole number, or ``range`` is not (least, largest).
    """
    if not isinstance(bins, int) or bins <= 0:
        raise ValueError(f"histogram: bins must be a positive whole number, not {bins!r}")
    if range is not None and (len(range) != 2 or range[0] >= range[1]):
        raise ValueError(f"histogram: range must be (least, largest), not {range!r}")
    counts, edges = np.histogram(to_numpy(raw(x)), bins, range)
    return Tensor(counts.astype("int32")), Tensor(edges.astype(floating(raw(x)).dtype))


def nonzero(x: Any) -> tuple[Any, ...]:
    """The indices, an array an axis, of the elements that are not 0."""
    return tuple(Tensor(one.astype("int32")) for one in namespace(raw(x)).nonzero(raw(x)))


@op(constant=True)
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Array:
    """Whether each element of x1 is among those of x2 (``invert``: is not)."""
    return namespace(x1, x2).isin(x1, x2, assume_unique=assume_unique, invert=invert)


def unique(
    x: Any, sorted: bool = True, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, size: int | None = None, fill_value: Any = None,
) -> Any:  # fmt: skip
    """The different elements, sorted; with their first places, the way back, and how often each occurs.

    Args:
        size: cut or fill the result to so many; ``fill_value`` (default: the least element) stands in the rest.
    """
    elements, *more = np.unique(to_numpy(raw(x)), return_index=True, return_inverse=True, return_counts=True, axis=axis)
    wanted = {"index": return_index, "inverse": return_inverse, "counts": return_counts}
    parts = {"elements": elements, **{name: one for name, one in zip(wanted, more, strict=True) if wanted[name]}}
    if size is not None:
        for name in parts.keys() - {"inverse"}:  # the way back has a place for each element of x
            parts[name] = _of_size(parts[name], size, fill_value if name == "elements" else 0, axis or 0)
    results = [Tensor(one if name == "elements" else one.astype("int32")) for name, one in parts.items()]
    return results[0] if len(results) == 1 else tuple(results)


def _of_size(x: np.ndarray, size: int, fill_value: Any, axis: int) -> np.ndarray:
    x = np.take(x, np.arange(builtins.min(size, x.shape[axis])), axis)
    missing = [(0, size - n if i == axis else 0) for i, n in enumerate(x.shape)]
    return np.pad(x, missing, constant_values=x.min() if fill_value is None else fill_value)


def _segments(segment_ids: Any, num_segments: int | None) -> tuple[np.ndarray, int]:
    ids = to_numpy(raw(segment_ids))
    return ids, int(ids.max(initial=-1)) + 1 if num_segments is None else num_segments


def segment_sum(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The sums of the rows of ``data`` with the same id; ids that are not there give 0."""
    ids, n = _segments(segment_ids, num_segments)
    inside = np.flatnonzero((ids >= 0) & (ids < n))
    return scatter_add(getitem(data, inside), ids[inside], (n, *data.shape[1:]))


def _segment_extreme(data: Any, segment_ids: Any, num_segments: int | None, reduce: Any, empty: Any) -> Any:
    ids, n = _segments(segment_ids, num_segments)
    found = []
    for one in range(n):
        places = np.flatnonzero(ids == one)
        found.append(
            reduce(getitem(data, places), axis=0) if len(places) else np.full(data.shape[1:], empty, data.dtype)
        )
    return stack(found)


def segment_max(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The largest of the rows of ``data`` with the same id; ids that are not there give minus infinity."""
    return _segment_extreme(data, segment_ids, num_segments, max, -math.inf)


def segment_min(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The least of the rows of ``data`` with the same id; ids that are not there give infinity."""
    return _segment_extreme(data, segment_ids, num_segments, min, math.inf)


def segment_prod(data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False) -> Any:
    """The products of the rows of ``data`` with the same id; ids that are not there give 1."""
    return _segment_extreme(data, segment_ids, num_segments, prod, 1)
