"""Statistics: weighted means, quantiles, and reductions that leave out what is not a number."""

import math
from typing import Any

import numpy as np

from minidl import config
from minidl.engine.tensor import raw
from minidl_kernels.arrays import namespace, to_numpy

from .arithmetic import cast, divide, isnan, logical_not, multiply, sqrt, square, subtract, where
from .custom import of_extents
from .order import cumprod, cumsum, sort
from .reductions import all, argmax, max, mean, min, prod, sum
from .shaping import axes_of, moveaxis, reshape, stack, take_along_axis

__all__ = [
    "amax", "amin", "average", "median", "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean",
    "nanmedian", "nanmin", "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "percentile",
    "ptp", "quantile",
]  # fmt: skip

amax, amin = max, min


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest less the least."""
    return subtract(max(x, axis=axis, keepdims=keepdims), min(x, axis=axis, keepdims=keepdims))


@of_extents
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """The mean, or where weights are given sum(w x) / sum(w)."""
    if weights is None:
        return mean(x, axis=axis)
    if len(weights.shape) != len(x.shape):  # a weight for each place of one axis
        places = [1] * len(x.shape)
        places[axes_of(axis, len(x.shape))[0]] = -1
        weights = reshape(weights, tuple(places))
    weights = multiply(weights, np.ones(tuple(x.shape), weights.dtype))
    return divide(sum(multiply(x, weights), axis=axis), sum(weights, axis=axis))


@of_extents
def quantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """The value below which the share q of the elements lies; several q make a first axis of the result.

    Args:
        method: between two elements "linear", "lower", "higher", "midpoint" or "nearest".
    """
    return _quantile_of(_sorted_last(x, axis), q, tuple(x.shape), axis, method, keepdims, None)


@of_extents
def percentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """As ``quantile``, with q in percent."""
    return quantile(x, np.asarray(to_numpy(raw(q)), float) / 100, axis, method, keepdims)


@of_extents
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle element; of an even number the mean of the two in the middle."""
    return quantile(x, 0.5, axis=axis, keepdims=keepdims)


@of_extents
def nanquantile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """As ``quantile``, of the elements that are numbers."""
    rows = _sorted_last(x, axis)  # NaN is sorted to the end
    numbers = sum(cast(logical_not(isnan(rows)), "int64"), axis=-1)
    return _quantile_of(rows, q, tuple(x.shape), axis, method, keepdims, raw(numbers))


@of_extents
def nanpercentile(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
    """As ``percentile``, of the elements that are numbers."""
    return nanquantile(x, np.asarray(to_numpy(raw(q)), float) / 100, axis, method, keepdims)


@of_extents
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """As ``median``, of the elements that are numbers."""
    return nanquantile(x, 0.5, axis=axis, keepdims=keepdims)


def _sorted_last(x: Any, axis: Any) -> Any:
    axes = axes_of(axis, len(x.shape))
    rest = tuple(i for i in range(len(x.shape)) if i not in axes)
    x = moveaxis(x if np.dtype(x.dtype).kind == "f" else cast(x, config.floatx()), rest, tuple(range(len(rest))))
    return sort(reshape(x, (*(x.shape[i] for i in range(len(rest))), -1)))


def _quantile_of(rows: Any, q: Any, shape: Any, axis: Any, method: str, keepdims: bool, numbers: Any) -> Any:
    xp = namespace(raw(rows) if numbers is None else numbers)
    shares = np.asarray(to_numpy(raw(q)), float)
    if shares.size and not (shares.min() >= 0 and shares.max() <= 1):
        raise ValueError(f"q must lie from 0 to 1 (percent: 0 to 100), but is {q!r}")
    last = (xp.asarray(rows.shape[-1]) if numbers is None else xp.maximum(numbers, 1)) - 1
    found = []
    for share in shares.ravel().tolist():
        place = xp.broadcast_to(share * last, rows.shape[:-1])
        low = xp.floor(place)
        part = {
            "linear": place - low, "lower": 0 * low, "higher": xp.ceil(place) - low,
            "midpoint": 0.5 * (xp.ceil(place) - low), "nearest": xp.round(place) - low,
        }.get(method)  # fmt: skip
        if part is None:
            raise ValueError(f"method must be linear, lower, higher, midpoint or nearest, not {method!r}")
        below = take_along_axis(rows, low.astype(int)[..., None])[..., 0]
        above = take_along_axis(rows, xp.ceil(place).astype(int)[..., None])[..., 0]
        part = part.astype(rows.dtype)
        found.append(below * (1 - part) + above * part)
    if keepdims:
        axes = axes_of(axis, len(shape))
        kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
        found = [reshape(one, kept) for one in found]
    return reshape(stack(found), shares.shape + tuple(found[0].shape))


def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of the elements that are numbers."""
    return sum(where(isnan(x), 0, x), axis=axis, keepdims=keepdims)


def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product of the elements that are numbers."""
    return prod(where(isnan(x), 1, x), axis=axis, keepdims=keepdims)


def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """As ``cumsum``, with 0 in place of NaN."""
    return cumsum(where(isnan(x), 0, x), axis, dtype)


def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """As ``cumprod``, with 1 in place of NaN."""
    return cumprod(where(isnan(x), 1, x), axis, dtype)


def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of the elements that are numbers; NaN where there are none."""
    numbers = sum(cast(logical_not(isnan(x)), x.dtype), axis=axis, keepdims=keepdims)
    return divide(nansum(x, axis=axis, keepdims=keepdims), numbers)


def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The biased variance of the elements that are numbers."""
    return nanmean(square(subtract(x, nanmean(x, axis=axis, keepdims=True))), axis=axis, keepdims=keepdims)


def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The square root of ``nanvar``."""
    return sqrt(nanvar(x, axis=axis, keepdims=keepdims))


def _nan_extreme(x: Any, axis: Any, keepdims: bool, reduce: Any, filler: float) -> Any:
    empty = all(isnan(x), axis=axis, keepdims=keepdims)
    return where(empty, math.nan, reduce(where(isnan(x), filler, x), axis=axis, keepdims=keepdims))


def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest of the elements that are numbers; NaN where there are none."""
    return _nan_extreme(x, axis, keepdims, max, -math.inf)


def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The least of the elements that are numbers; NaN where there are none."""
    return _nan_extreme(x, axis, keepdims, min, math.inf)


@of_extents
def nanargmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the largest of the elements that are numbers stands, int32; -1 where there are none."""
    return _nan_place(where(isnan(x), -math.inf, x), x, axis, keepdims)


@of_extents
def nanargmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the least of the elements that are numbers stands, int32; -1 where there are none."""
    return _nan_place(where(isnan(x), -math.inf, -x), x, axis, keepdims)


def _nan_place(filled: Any, x: Any, axis: int | None, keepdims: bool) -> Any:
    place = where(all(isnan(x), axis=axis), np.int32(-1), argmax(filled, axis=axis))
    if not keepdims:
        return cast(place, "int32")
    kept = axes_of(axis, len(x.shape))
    return cast(reshape(place, tuple(1 if i in kept else n for i, n in enumerate(x.shape))), "int32")
