"""The definitions, as plain loops: the same pairs of cells in all three kernels. Sums are kept in float64."""

from collections.abc import Iterator

import numpy as np

from ..arrays import Array
from ..conv.geometry import Pair, Shape, padding_pairs
from . import depthwise_conv2d, depthwise_conv2d_input_grad, depthwise_conv2d_kernel_grad

Cell = tuple[int, ...]


def _triples(x: Shape, w: Shape, y: Shape, strides: Pair, padding: str) -> Iterator[tuple[Cell, Cell, Cell]]:
    """All (index in y, index in x, index in w) where that output sees that input through that kernel cell."""
    (top, _), (left, _) = padding_pairs(x[1:3], w[:2], strides, padding)
    for n, i, j, di, dj, c, m in np.ndindex(x[0], y[1], y[2], *w):
        row, column = i * strides[0] + di - top, j * strides[1] + dj - left
        if 0 <= row < x[1] and 0 <= column < x[2]:  # cells of the padding are zeros
            yield (n, i, j, c * w[3] + m), (n, row, column, c), (di, dj, c, m)


@depthwise_conv2d.implementation("reference", on="numpy")
def depthwise_conv2d_reference(x: Array, w: Array, *, strides: Pair, padding: str, out: Array) -> None:
    y = np.zeros(out.shape)
    for of_y, of_x, of_w in _triples(x.shape, w.shape, out.shape, strides, padding):
        y[of_y] += float(x[of_x]) * float(w[of_w])
    out[...] = y


@depthwise_conv2d_input_grad.implementation("reference", on="numpy")
def depthwise_conv2d_input_grad_reference(
    g: Array, w: Array, *, input_shape: Shape, strides: Pair, padding: str, out: Array
) -> None:
    dx = np.zeros(out.shape)
    for of_y, of_x, of_w in _triples(input_shape, w.shape, g.shape, strides, padding):
        dx[of_x] += float(g[of_y]) * float(w[of_w])
    out[...] = dx


@depthwise_conv2d_kernel_grad.implementation("reference", on="numpy")
def depthwise_conv2d_kernel_grad_reference(
    x: Array, g: Array, *, kernel_shape: Shape, strides: Pair, padding: str, out: Array
) -> None:
    dw = np.zeros(out.shape)
    for of_y, of_x, of_w in _triples(x.shape, kernel_shape, g.shape, strides, padding):
        dw[of_w] += float(x[of_x]) * float(g[of_y])
    out[...] = dw
