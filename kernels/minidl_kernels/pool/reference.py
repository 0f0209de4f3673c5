"""The definitions, as plain loops over the windows."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..conv.geometry import padding_pairs
from . import average_pool, average_pool_grad, max_pool, max_pool_gather, max_pool_scatter

Pair = tuple[int, int]
Cells = list[tuple[int, int]]


def _windows(picture: Any, output: Any, pool_size: Pair, strides: Pair, padding: str) -> Iterator[tuple[Pair, Cells]]:
    """Every output pixel (i, j) and the cells of its window that lie in the picture, in row-major order."""
    (top, _), (left, _) = padding_pairs(picture, pool_size, strides, padding)
    for i, j in np.ndindex(output):
        first_row, first_column = i * strides[0] - top, j * strides[1] - left
        rows = [r for r in range(first_row, first_row + pool_size[0]) if 0 <= r < picture[0]]
        columns = [c for c in range(first_column, first_column + pool_size[1]) if 0 <= c < picture[1]]
        yield (i, j), [(r, c) for r in rows for c in columns]


def _winner(x: np.ndarray, image: int, cells: Cells, channel: int) -> tuple[int, int, int, int]:
    """Where the first maximum of a window stands in x; the first NaN beats everything."""
    best = None
    for row, column in cells:
        cell = (image, row, column, channel)
        if best is None or x[cell] > x[best] or (np.isnan(x[cell]) and not np.isnan(x[best])):
            best = cell
    assert best is not None
    return best


@max_pool.implementation("reference", on="numpy")
def max_pool_reference(x: np.ndarray, *, pool_size: Pair, strides: Pair, padding: str, out: np.ndarray) -> None:
    for (i, j), cells in _windows(x.shape[1:3], out.shape[1:3], pool_size, strides, padding):
        for image, channel in np.ndindex(x.shape[0], x.shape[3]):
            out[image, i, j, channel] = x[_winner(x, image, cells, channel)]


@max_pool_scatter.implementation("reference", on="numpy")
def max_pool_scatter_reference(
    g: np.ndarray, x: np.ndarray, *, pool_size: Pair, strides: Pair, padding: str, out: np.ndarray
) -> None:
    out[...] = 0
    for (i, j), cells in _windows(x.shape[1:3], g.shape[1:3], pool_size, strides, padding):
        for image, channel in np.ndindex(x.shape[0], x.shape[3]):
            out[_winner(x, image, cells, channel)] += g[image, i, j, channel]


@max_pool_gather.implementation("reference", on="numpy")
def max_pool_gather_reference(
    v: np.ndarray, x: np.ndarray, *, pool_size: Pair, strides: Pair, padding: str, out: np.ndarray
) -> None:
    for (i, j), cells in _windows(x.shape[1:3], out.shape[1:3], pool_size, strides, padding):
        for image, channel in np.ndindex(x.shape[0], x.shape[3]):
            out[image, i, j, channel] = v[_winner(x, image, cells, channel)]


@average_pool.implementation("reference", on="numpy")
def average_pool_reference(x: np.ndarray, *, pool_size: Pair, strides: Pair, padding: str, out: np.ndarray) -> None:
    for (i, j), cells in _windows(x.shape[1:3], out.shape[1:3], pool_size, strides, padding):
        for image, channel in np.ndindex(x.shape[0], x.shape[3]):
            out[image, i, j, channel] = sum(float(x[image, r, c, channel]) for r, c in cells) / len(cells)


@average_pool_grad.implementation("reference", on="numpy")
def average_pool_grad_reference(
    g: np.ndarray, *, input_shape: tuple[int, ...], pool_size: Pair, strides: Pair, padding: str, out: np.ndarray
) -> None:
    out[...] = 0
    for (i, j), cells in _windows(input_shape[1:3], g.shape[1:3], pool_size, strides, padding):
        for image, channel in np.ndindex(g.shape[0], g.shape[3]):
            for r, c in cells:
                out[image, r, c, channel] += g[image, i, j, channel] / len(cells)
