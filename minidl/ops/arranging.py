"""Arranging further: rolls, stacks by rows and columns, triangles and diagonals, slices and updates."""

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.engine.op import op
from minidl.engine.tensor import Tensor, raw
from minidl_kernels.arrays import Array, is_array, namespace, to_numpy

from .arithmetic import add, cast, multiply, where
from .custom import of_extents
from .reductions import sum
from .shaping import (
    axes_of,
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    getitem,
    moveaxis,
    ravel,
    reshape,
    scatter_add,
    split,
    swapaxes,
    transpose,
    zeros_like,
)  # fmt: skip

__all__ = [
    "append", "array_split", "copy", "depth_to_space", "diag", "diagflat", "diagonal", "dsplit", "dstack",
    "empty_like", "fliplr", "flipud", "full_like", "get_item", "hsplit", "hstack", "meshgrid", "ndim", "roll",
    "rot90", "scatter", "scatter_update", "select", "size", "slice", "slice_update", "space_to_depth", "trace",
    "tril", "triu", "unravel_index", "unstack", "vsplit", "vstack",
]  # fmt: skip


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(x.shape)


def size(x: Any) -> int:
    """The number of elements."""
    return int(np.prod(x.shape, dtype=int))


def copy(x: Any) -> Any:
    """x itself in new memory."""
    return multiply(x, 1) if isinstance(x, Tensor) else namespace(x).array(x)


@op(constant=True)
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Array:
    """``fill_value`` in x's shape."""
    return namespace(x).full_like(x, fill_value, dtype=dtype)


def empty_like(x: Any, dtype: Any = None) -> Any:
    """Zeros of x's shape: memory that was not set would show what was there before."""
    return zeros_like(x, dtype=dtype)


def get_item(x: Any, key: Any) -> Any:
    """x[key]."""
    return getitem(x, key)


@of_extents
def roll(x: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Any:
    """x moved by ``shift`` places along an axis (over all elements, without axis); what leaves comes back in."""
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), tuple(x.shape))
    axes = axes_of(axis if isinstance(axis, int) else tuple(axis), len(x.shape))
    shifts = (shift,) * len(axes) if isinstance(shift, int) else tuple(shift)
    for one, by in zip(axes, shifts, strict=True):
        extent = x.shape[one]
        by = by % extent if extent else 0
        if by:
            x = concatenate([_along(x, one, extent - by, extent), _along(x, one, 0, extent - by)], axis=one)
    return x


def _along(x: Any, axis: int, start: int, stop: int) -> Any:
    return getitem(x, (builtins.slice(None),) * axis + (builtins.slice(start, stop),))


def fliplr(x: Any) -> Any:
    """x with its columns (axis 1) in reversed order."""
    return flip(x, 1)


def flipud(x: Any) -> Any:
    """x with its rows (axis 0) in reversed order."""
    return flip(x, 0)


def rot90(array: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """x turned by ``k`` quarter turns from the first to the second of ``axes``."""
    a, b = axes_of(tuple(axes), len(array.shape))
    if a == b:
        raise ValueError(f"rot90: axes must be two different axes, not {axes}")
    k %= 4
    if k == 2:
        return flip(array, (a, b))
    if k == 1:
        return swapaxes(flip(array, b), a, b)
    return flip(swapaxes(array, a, b), b) if k else array


@of_extents
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """x2 after x1 along an axis (both as one row, without axis)."""
    if axis is None:
        return concatenate([ravel(x1), ravel(x2)], axis=0)
    return concatenate([x1, x2], axis=axis)


@of_extents
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """The parts of x along an axis, without it.

    Raises:
        ValueError: the axis has not ``num`` parts.
    """
    (axis,) = axes_of(axis, len(x.shape))
    if num is not None and num != x.shape[axis]:
        raise ValueError(f"unstack: axis {axis} of shape {tuple(x.shape)} has {x.shape[axis]} parts, not num={num}")
    return [getitem(x, (builtins.slice(None),) * axis + (i,)) for i in range(x.shape[axis])]


@of_extents
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """x cut into sections that are as equal as can be (the first ones larger by one), or before given indices."""
    if isinstance(indices_or_sections, int):
        whole, rest = divmod(x.shape[axis], indices_or_sections)
        sizes = [whole + 1] * rest + [whole] * (indices_or_sections - rest)
        indices_or_sections = np.cumsum(sizes)[:-1].tolist()
    return split(x, list(indices_or_sections), axis=axis)


@of_extents
def vsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """x cut along axis 0."""
    return split(x, indices_or_sections, axis=0)


@of_extents
def hsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """x cut along axis 1 (axis 0 of a row)."""
    return split(x, indices_or_sections, axis=0 if len(x.shape) == 1 else 1)


@of_extents
def dsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """x cut along axis 2."""
    return split(x, indices_or_sections, axis=2)


def _with_axes(x: Any, least: int) -> Any:
    """Numbers and rows with axes added as NumPy's atleast_2d and atleast_3d do."""
    if len(x.shape) == 0:
        return reshape(x, (1,) * least)
    if len(x.shape) == 1:
        return reshape(x, (1, -1) if least == 2 else (1, -1, 1))
    return expand_dims(x, -1) if len(x.shape) < least else x


@of_extents
def vstack(xs: Any) -> Any:
    """The arrays one below the other: rows as (1, n), joined along axis 0."""
    return concatenate([_with_axes(x, 2) for x in xs], axis=0)


@of_extents
def hstack(xs: Any) -> Any:
    """The arrays side by side: along axis 1, rows along axis 0."""
    xs = [reshape(x, (1,)) if len(x.shape) == 0 else x for x in xs]
    return concatenate(xs, axis=0 if len(xs[0].shape) == 1 else 1)


@of_extents
def dstack(xs: Any) -> Any:
    """The arrays one behind the other: along axis 2."""
    return concatenate([_with_axes(x, 3) for x in xs], axis=2)


@of_extents
def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    """Coordinates of a grid: each of the rows ``x``, repeated over the extents of the others.

    Args:
        indexing: "xy" exchanges the first two axes of the result, "ij" does not.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}")
    shape = tuple(size(one) for one in x)
    grids = []
    for i, one in enumerate(x):
        grid = broadcast_to(reshape(one, (1,) * i + (-1,) + (1,) * (len(x) - 1 - i)), shape)
        grids.append(swapaxes(grid, 0, 1) if indexing == "xy" and len(x) > 1 else grid)
    return grids


def _triangle(x: Any, k: int, upper: bool) -> Any:
    rows, columns = np.indices(tuple(x.shape[-2:]), sparse=True)
    return where(columns - rows >= k if upper else columns - rows <= k, x, 0)


@of_extents
def tril(x: Any, k: int = 0) -> Any:
    """Every matrix of a stack with zeros above its k-th diagonal."""
    return _triangle(x, k, upper=False)


@of_extents
def triu(x: Any, k: int = 0) -> Any:
    """Every matrix of a stack with zeros below its k-th diagonal."""
    return _triangle(x, k, upper=True)


def _places(rows: int, columns: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the k-th diagonal of a matrix stands."""
    n = max(0, min(rows + min(k, 0), columns - max(k, 0)))
    return np.arange(n) - min(k, 0), np.arange(n) + max(k, 0)


@of_extents
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The elements of a diagonal over two axes; they stand along the last axis of the result."""
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    return getitem(x, (Ellipsis, *_places(x.shape[-2], x.shape[-1], offset)))


@of_extents
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a diagonal over two axes."""
    return sum(diagonal(x, offset, axis1, axis2), axis=-1)


@of_extents
def diag(x: Any, k: int = 0) -> Any:
    """The k-th diagonal of a matrix; of a row the matrix that has it as its k-th diagonal."""
    if len(x.shape) not in (1, 2):
        raise ValueError(f"diag: x must have 1 or 2 axes, not shape {tuple(x.shape)}")
    return diagflat(x, k) if len(x.shape) == 1 else diagonal(x, k)


@of_extents
def diagflat(x: Any, k: int = 0) -> Any:
    """The matrix whose k-th diagonal holds all elements of x."""
    extent = size(x) + builtins.abs(k)
    return scatter_add(ravel(x), _places(extent, extent, k), (extent, extent))


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each element the first choice whose condition holds, else ``default``."""
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(f"select: {len(condlist)} conditions for {len(choicelist)} choices")
    chosen = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        chosen = where(condition, choice, chosen)
    return chosen


@of_extents
def slice(inputs: Any, start_indices: Sequence[int], shape: Sequence[int]) -> Any:
    """The block of ``inputs`` that begins at ``start_indices`` and has ``shape`` (-1: to the end)."""
    return getitem(inputs, _block(start_indices, shape, tuple(inputs.shape)))


@of_extents
def slice_update(inputs: Any, start_indices: Sequence[int], updates: Any) -> Any:
    """``inputs`` with the block that begins at ``start_indices`` replaced."""
    block = _block(start_indices, tuple(updates.shape), tuple(inputs.shape))
    kept = np.ones(tuple(inputs.shape), bool)
    kept[block] = False
    placed = cast(scatter_add(updates, block, tuple(inputs.shape)), inputs.dtype)
    return where(kept, inputs, placed)


def _block(start: Any, shape: Any, whole: tuple[int, ...]) -> tuple[builtins.slice, ...]:
    starts = [int(i) for i in to_numpy(raw(start)).ravel()]
    if len(starts) != len(whole) or len(shape) != len(whole):
        raise ValueError(f"start_indices {starts} and shape {tuple(shape)} must name all {len(whole)} axes of {whole}")
    ends = [extent if n == -1 else first + int(n) for first, n, extent in zip(starts, shape, whole, strict=True)]
    if any(first < 0 or end > extent for first, end, extent in zip(starts, ends, whole, strict=True)):
        raise ValueError(f"the block from {starts} to {ends} reaches out of shape {whole}")
    return tuple(builtins.slice(a, b) for a, b in zip(starts, ends, strict=True))


def _columns(indices: Any) -> tuple[Any, ...]:
    """Rows of indices, (..., axes), as one array of indices an axis."""
    indices = to_numpy(raw(indices)) if not is_array(raw(indices)) else raw(indices)
    return tuple(indices[..., i] for i in range(indices.shape[-1]))


def scatter(indices: Any, values: Any, shape: Sequence[int]) -> Any:
    """Zeros of ``shape`` to which values were added at ``indices``, (n, axes)."""
    return scatter_add(values, _columns(indices), tuple(shape))


@of_extents
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """``inputs`` with the elements at ``indices``, (n, axes), replaced, or combined by ``reduction``.

    Args:
        reduction: None (replace; of several updates of one element the last counts), "add" or "mul".
    """
    columns, shape = _columns(indices), tuple(inputs.shape)
    if reduction == "add":
        return add(inputs, scatter_add(updates, columns, shape))
    columns = tuple(map(to_numpy, columns))
    if reduction == "mul":
        for i in range(len(columns[0])):
            one = tuple(column[i] for column in columns)
            inputs = scatter_update(inputs, np.array([one]), multiply(getitem(inputs, one), updates[i])[None])
        return inputs
    if reduction is not None:
        raise ValueError(f"scatter_update: reduction must be None, 'add' or 'mul', not {reduction!r}")
    flat = np.ravel_multi_index(columns, shape[: len(columns)])
    _, last = np.unique(flat[::-1], return_index=True)
    last = len(flat) - 1 - last
    columns = tuple(column[last] for column in columns)
    touched = np.zeros(shape, bool)
    touched[columns] = True
    return where(touched, scatter_add(getitem(updates, last), columns, shape), inputs)


def unravel_index(indices: Any, shape: Sequence[int]) -> tuple[Any, ...]:
    """For places among all elements in one row, their index along each axis of ``shape``."""
    return tuple(Tensor(one.astype("int32")) for one in np.unravel_index(to_numpy(raw(indices)), tuple(shape)))


@of_extents
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """(n, h, w, c b b) as (n, h b, w b, c): groups of channels become the pixels of b by b blocks."""
    if data_format == "channels_first":
        return transpose(depth_to_space(transpose(x, (0, 2, 3, 1)), block_size), (0, 3, 1, 2))
    n, h, w, c = x.shape
    blocks = reshape(x, (n, h, w, block_size, block_size, c // block_size**2))
    return reshape(transpose(blocks, (0, 1, 3, 2, 4, 5)), (n, h * block_size, w * block_size, -1))


@of_extents
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    """(n, h b, w b, c) as (n, h, w, c b b): the pixels of b by b blocks become channels."""
    if data_format == "channels_first":
        return transpose(space_to_depth(transpose(x, (0, 2, 3, 1)), block_size), (0, 3, 1, 2))
    n, h, w, c = x.shape
    blocks = reshape(x, (n, h // block_size, block_size, w // block_size, block_size, c))
    return reshape(transpose(blocks, (0, 1, 3, 2, 4, 5)), (n, h // block_size, w // block_size, -1))
