"""Reading pictures (or volumes) between their pixels: every output is a weighted sum of its 2^k neighbours."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minidl.engine.op import op
from minidl.engine.tensor import raw
from minidl_kernels.arrays import Array, namespace

from .arithmetic import where
from .reductions import sum
from .shaping import expand_dims, getitem, reshape, scatter_add, stack

__all__ = ["FILL_MODES", "ORDERS", "sample", "saturated"]

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
ORDERS = {"nearest": 0, "bilinear": 1}


@op
def sample(inputs: Any, coordinates: Any, order: int, fill_mode: str, fill_value: float = 0.0) -> Array:
    """The values of inputs at places given by real numbers.

    Args:
        inputs: (n, s1, ..., sk, channels).
        coordinates: (k, n, ...), counted in pixels from the middle of the first one.
        order: 0, the nearest pixel (halves are rounded away from 0); 1, linear between neighbours.
        fill_mode: what stands outside. "constant": fill_value; "nearest": the edge (a a | a b c | c c); "wrap":
            (b c | a b c | a b); "mirror": (c b | a b c | b a); "reflect": (b a | a b c | c b).

    Returns:
        (n, ..., channels), of the dtype of inputs; whole numbers are rounded, halves away from 0.
    """
    xp, pixels = namespace(inputs), _pixels(inputs)
    terms = [(corner, corner.weight(coordinates)) for corner in _corners(coordinates, inputs.shape, order, fill_mode)]
    y = xp.empty((*coordinates.shape[1:], inputs.shape[-1]), inputs.dtype)
    for channel in range(inputs.shape[-1]):  # one plane after the other: long rows instead of a few channels at a time
        plane, total = xp.ascontiguousarray(pixels[:, channel]), None
        for corner, weight in terms:
            values = xp.take(plane, corner.place)
            if corner.inside is not None:
                values = xp.where(corner.inside, values, xp.asarray(fill_value, values.dtype))
            term = values if weight is None else values * weight
            total = term if total is None else total + term
        y[..., channel] = _rounded(total) if order and inputs.dtype.kind in "iu" else total
    return y


@sample.grad("inputs")
def _(g, inputs, coordinates, order, fill_mode):
    total = None
    rows = (math.prod(inputs.shape[:-1]), inputs.shape[-1])
    for corner in _corners(raw(coordinates), inputs.shape, order, fill_mode):
        weight = corner.weight(coordinates)
        term = g if weight is None else g * expand_dims(weight, -1)
        if corner.inside is not None:
            term = where(corner.inside[..., None], term, 0)
        term = scatter_add(term, corner.place, rows)
        total = term if total is None else total + term
    return reshape(total, inputs.shape)


@sample.grad("coordinates")
def _(g, inputs, coordinates, order, fill_mode, fill_value):
    if order == 0:
        return None
    pixels = _pixels(inputs)
    slopes: list[Any] = [None] * coordinates.shape[0]
    for corner in _corners(raw(coordinates), inputs.shape, order, fill_mode):
        values = getitem(pixels, corner.place)
        if corner.inside is not None:
            values = where(corner.inside[..., None], values, fill_value)
        values = sum(g * values, axis=-1)
        for axis, side in enumerate(corner.sides):
            others = corner.weight(coordinates, without=axis)
            term = values if others is None else values * others
            term = term if side else -term
            slopes[axis] = term if slopes[axis] is None else slopes[axis] + term
    return stack(slopes)


class _Corner:
    """One of the 2^k neighbours: where it stands, and how its weight follows from the coordinates."""

    def __init__(self, place: Array, inside: Array | None, lower: list[Array], sides: tuple[int, ...], order: int):
        self.place, self.inside, self.lower, self.sides, self.order = place, inside, lower, sides, order

    def weight(self, coordinates: Any, without: int = -1) -> Any:
        """The product over the axes (one may be left out) of the parts u or 1 - u; None where that is 1."""
        weight = None
        for axis, side in enumerate(self.sides if self.order else ()):
            if axis != without:
                u = getitem(coordinates, axis) - self.lower[axis]
                part = u if side else 1 - u
                weight = part if weight is None else weight * part
        return weight


def _pixels(inputs: Any) -> Any:
    return reshape(inputs, (math.prod(inputs.shape[:-1]), inputs.shape[-1]))


def _corners(coordinates: Array, shape: Any, order: int, fill_mode: str) -> Iterator[_Corner]:
    xp, extents = namespace(coordinates), shape[1:-1]
    lower = [xp.floor(c) if order else _rounded(c) for c in coordinates]
    whole = [one.astype("int64") for one in lower]
    batch = xp.arange(shape[0]).reshape(-1, *[1] * (coordinates.ndim - 2))
    both = (0, 1) if order else (0,)
    fixed = [[_FIXED[fill_mode](xp, start + side, n) for side in both] for start, n in zip(whole, extents, strict=True)]
    inner: Any = None
    if fill_mode == "constant":
        inner = [[(start + side == at[side]) for side in both] for start, at in zip(whole, fixed, strict=True)]
    for sides in itertools.product(both, repeat=len(extents)):
        place, inside = batch, None
        for axis, (side, extent) in enumerate(zip(sides, extents, strict=True)):
            place = place * extent + fixed[axis][side]
            if inner is not None:
                inside = inner[axis][side] if inside is None else inside & inner[axis][side]
        yield _Corner(place, inside, lower, sides, order)


def _clipped(xp: Any, index: Array, extent: int) -> Array:
    return xp.clip(index, 0, extent - 1)


def _wrapped(xp: Any, index: Array, extent: int) -> Array:
    return index % extent


def _mirrored(xp: Any, index: Array, extent: int) -> Array:
    turn = max(extent - 1, 1)  # one pixel mirrors into itself
    return xp.minimum(xp.abs((index + turn) % (2 * turn) - turn), extent - 1)


def _reflected(xp: Any, index: Array, extent: int) -> Array:
    place = index % (2 * extent)
    return xp.minimum(place, 2 * extent - 1 - place)


# "constant" reads the edge as well, and is then masked.
_FIXED = {"constant": _clipped, "nearest": _clipped, "wrap": _wrapped, "mirror": _mirrored, "reflect": _reflected}


def _rounded(x: Array) -> Array:
    """To the nearest whole number, halves away from 0; x + 0.5 would itself be rounded, up to 1 from just below 0.5."""
    xp = namespace(x)
    towards_zero = xp.trunc(x)
    return xp.where(xp.abs(x - towards_zero) >= 0.5, towards_zero + xp.sign(x), towards_zero)


@op(constant=True)
def saturated(x: Any, dtype: Any) -> Array:
    """x rounded to whole numbers (halves to even) and limited to what the integer ``dtype`` holds."""
    limits = np.iinfo(dtype)
    return namespace(x).clip(namespace(x).round(x), limits.min, limits.max).astype(dtype)
