"""Reshaping, joining, cutting and picking: every element goes somewhere, and its gradient comes back the same way."""

from typing import Any

import numpy as np

from minidl.engine.op import op
from minidl.engine.tensor import operations, raw
from minidl_kernels import graphs
from minidl_kernels.arrays import Array, is_array, namespace

__all__ = [
    "broadcast_to", "concatenate", "expand_dims", "flip", "getitem", "matrix_transpose", "moveaxis", "ones_like",
    "pad", "ravel", "repeat", "reshape", "scatter_add", "shape", "split", "squeeze", "stack", "swapaxes", "take",
    "take_along_axis", "tile", "transpose", "zeros_like",
]  # fmt: skip


def shape(x: Any) -> tuple[int | None, ...]:
    """The shape of x."""
    return tuple(x.shape)


@op
def reshape(x: Any, newshape: Any) -> Array:
    """The same elements, row by row, in another shape; one extent may be -1."""
    try:
        return namespace(x).reshape(x, newshape)
    except ValueError as error:
        raise ValueError(
            f"reshape: x of shape {tuple(x.shape)} holds {x.size} numbers, which do not fill newshape {newshape}"
        ) from error


@reshape.grad("x")
def _(g, x):
    return reshape(g, x.shape)


def ravel(x: Any) -> Any:
    """All elements in one row."""
    return reshape(x, (-1,))


@op
def expand_dims(x: Any, axis: int | tuple[int, ...]) -> Array:
    """x with new axes of extent 1 at the places ``axis`` of the result."""
    return namespace(x).expand_dims(x, axis)


@expand_dims.grad("x")
def _(g, x):
    return reshape(g, x.shape)


@op
def squeeze(x: Any, axis: int | tuple[int, ...] | None = None) -> Array:
    """x without axes of extent 1 (all of them, or those named).

    Raises:
        ValueError: a named axis has another extent.
    """
    return namespace(x).squeeze(x, axis)


@squeeze.grad("x")
def _(g, x):
    return reshape(g, x.shape)


@op
def transpose(x: Any, axes: Any = None) -> Array:
    """The axes in another order; reversed where ``axes`` is left out."""
    return namespace(x).transpose(x, axes)


@transpose.grad("x")
def _(g, axes):
    return transpose(g, None if axes is None else tuple(int(i) for i in np.argsort([a % len(axes) for a in axes])))


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes (None: all) as positive numbers.

    Raises:
        ValueError: an axis that is out of range.
    """
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ValueError(f"axis {a} is out of range for an array of {ndim} axes")
    return tuple(a % ndim for a in axes)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """x with two axes exchanged."""
    order = list(range(len(x.shape)))
    a, b = axes_of((axis1, axis2), len(order))
    order[a], order[b] = b, a
    return transpose(x, tuple(order))


def matrix_transpose(x: Any) -> Any:
    """Every matrix of a stack transposed."""
    return transpose(x) if len(x.shape) == 2 else swapaxes(x, -1, -2)


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """x with the axes ``source`` moved to ``destination``."""
    ndim = len(x.shape)
    sources, places = axes_of(source, ndim), axes_of(destination, ndim)
    order = [a for a in range(ndim) if a not in sources]
    for place, one in sorted(zip(places, sources, strict=True)):
        order.insert(place, one)
    return transpose(x, tuple(order))


@op
def broadcast_to(x: Any, shape: Any) -> Array:
    """x repeated to a larger shape by the rules of broadcasting; the walk sums the gradient."""
    if x.size == 1:
        return namespace(x).full(shape, x, x.dtype)  # of one number a copy costs less than the view
    return namespace(x).broadcast_to(x, shape)


@broadcast_to.grad("x")
def _(g):
    return g


@op
def concatenate(xs: Any, axis: int = 0) -> Array:
    """The arrays of a list joined along an axis."""
    try:
        while len(xs) > 8 and graphs.recording():  # of more, CuPy sends the places to the GPU
            xs = [namespace(xs[0]).concatenate(xs[:8], axis=axis), *xs[8:]]
        return namespace(xs[0]).concatenate(xs, axis=axis)
    except np.exceptions.AxisError:
        raise
    except ValueError as error:
        shapes = [tuple(x.shape) for x in xs]
        raise ValueError(f"concatenate: of the shapes {shapes} only axis={axis} may differ") from error


@concatenate.grad("xs")
def _(g, xs, axis):
    ends = np.cumsum([x.shape[axis] for x in xs])
    before = (slice(None),) * (axis % len(g.shape))
    return [getitem(g, (*before, slice(int(e) - x.shape[axis], int(e)))) for x, e in zip(xs, ends, strict=True)]


def stack(x: Any, axis: int = 0) -> Any:
    """Arrays of one shape, joined along a new axis."""
    return concatenate([expand_dims(one, axis) for one in x], axis=axis)


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """x cut along an axis: into equal sections, or before the given indices.

    Raises:
        ValueError: the extent cannot be cut into so many equal sections.
    """
    extent = x.shape[axis]
    if isinstance(indices_or_sections, int):
        if extent % indices_or_sections:
            raise ValueError(f"cannot split axis {axis} of extent {extent} into {indices_or_sections} equal sections")
        step = extent // indices_or_sections
        cuts = list(range(0, extent + 1, step))
    else:
        cuts = [0, *(int(i) for i in indices_or_sections), extent]
    before = (slice(None),) * (axis % len(x.shape))
    return [getitem(x, (*before, slice(a, b))) for a, b in zip(cuts[:-1], cuts[1:], strict=True)]


@op
def getitem(x: Any, index: Any) -> Array:
    """x[index]: slices, numbers, None, Ellipsis, arrays of integers or booleans."""
    return x[_raw_index(index)]


@getitem.grad("x")
def _(g, x, index):
    return scatter_add(g, index, x.shape)


@op
def scatter_add(x: Any, index: Any, shape: Any) -> Array:
    """Zeros of ``shape`` to which x was added at ``index``: the other way of ``getitem``."""
    xp = namespace(x)
    out = xp.zeros(shape, x.dtype)
    index = _raw_index(index)
    if _is_basic(index):
        out[index] = x  # no place is named twice
    else:
        xp.add.at(out, index, x)
    return out


@scatter_add.grad("x")
def _(g, index):
    return getitem(g, index)


def _is_basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is None or i is Ellipsis or isinstance(i, (int, slice, np.integer)) for i in parts)


def _raw_index(index: Any) -> Any:
    return tuple(raw(i) for i in index) if isinstance(index, tuple) else raw(index)


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The elements of x at ``indices`` along an axis (of all elements in one row, without axis)."""
    if axis is None:
        return getitem(ravel(x), _indices(indices))
    return getitem(x, (slice(None),) * axes_of(axis, len(x.shape))[0] + (_indices(indices),))


def take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    """For every position, the element of x that ``indices`` names along ``axis``; they broadcast along the others."""
    indices = _indices(indices)
    shape = list(x.shape)
    shape[axis] = indices.shape[axis]
    indices = namespace(indices).broadcast_to(indices, shape)
    xp = namespace(indices)
    sides = (tuple(-1 if j == i else 1 for j in range(len(shape))) for i in range(len(shape)))
    grid = [xp.arange(n).reshape(side) for n, side in zip(indices.shape, sides, strict=True)]
    grid[axis] = indices
    return getitem(x, tuple(grid))


def _indices(indices: Any) -> Any:
    indices = raw(indices)
    return indices if is_array(indices) else np.asarray(indices)


@op
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0) -> Array:
    """x with cells added around it; ``pad_width`` is ((before, after), ...), (before, after) for all axes, or a number.

    Raises:
        ValueError: a mode other than "constant".
    """
    if mode != "constant":
        raise ValueError(f"pad: mode must be 'constant', not {mode!r}")
    return namespace(x).pad(x, pad_width, mode=mode, constant_values=constant_values)


@pad.grad("x")
def _(g, x, pad_width):
    widths = np.broadcast_to(np.asarray(pad_width), (len(x.shape), 2))
    return getitem(g, tuple(slice(int(a), int(a) + n) for (a, _), n in zip(widths, x.shape, strict=True)))


def repeat(x: Any, repeats: int, axis: int | None = None) -> Any:
    """Every element ``repeats`` times, along an axis."""
    if axis is None:
        x, axis = ravel(x), 0
    return take(x, np.repeat(np.arange(x.shape[axis]), repeats), axis=axis)


@op
def tile(x: Any, repeats: Any) -> Array:
    """The whole of x, repeated along each axis."""
    return namespace(x).tile(x, repeats)


@tile.grad("x")
def _(g, x, repeats):
    times = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    ndim = len(g.shape)
    times = (1,) * (ndim - len(times)) + times
    extents = (1,) * (ndim - len(x.shape)) + tuple(x.shape)
    copies = reshape(g, tuple(n for pair in zip(times, extents, strict=True) for n in pair))
    return reshape(operations.sum(copies, axis=tuple(range(0, 2 * ndim, 2))), x.shape)


def flip(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """x with the order along ``axis`` (all axes, where left out) reversed."""
    axes = axes_of(axis, len(x.shape))
    return getitem(x, tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(len(x.shape))))


@op(constant=True)
def zeros_like(x: Any, dtype: Any = None) -> Array:
    """Zeros of x's shape."""
    return namespace(x).zeros_like(x, dtype=dtype)


@op(constant=True)
def ones_like(x: Any, dtype: Any = None) -> Array:
    """Ones of x's shape."""
    return namespace(x).ones_like(x, dtype=dtype)


operations.reshape, operations.transpose, operations.getitem = reshape, transpose, getitem
