"""The definitions, as plain loops: seven of them, and the same line in the middle of all three kernels.

Output cell (i, j) looks at input cell (i*sh + di - top, j*sw + dj - left) through kernel cell (di, dj). The forward
pass sums over the window, the gradients hand g back along the same pairs. Sums are kept in float64 and rounded once.
"""

from collections.abc import Iterator

import numpy as np

from ..arrays import Array
from . import conv2d, conv2d_input_grad, conv2d_kernel_grad
from .geometry import Pair, Shape, padding_pairs


def _pairs(
    x_shape: Shape, w_shape: Shape, y_shape: Shape, strides: Pair, padding: str
) -> Iterator[tuple[int, int, int, int, int, int]]:
    """All (i, j, di, dj, row, column) where output (i, j) sees input (row, column) through kernel cell (di, dj)."""
    (top, _), (left, _) = padding_pairs(x_shape[1:3], w_shape[:2], strides, padding)
    for i in range(y_shape[1]):
        for j in range(y_shape[2]):
            for di in range(w_shape[0]):
                for dj in range(w_shape[1]):
                    row, column = i * strides[0] + di - top, j * strides[1] + dj - left
                    if 0 <= row < x_shape[1] and 0 <= column < x_shape[2]:  # cells of the padding are zeros
                        yield i, j, di, dj, row, column


@conv2d.implementation("reference", on="numpy")
def conv2d_reference(
    x: Array, w: Array, b: Array | None = None, *, strides: Pair, padding: str, activation: str | None, out: Array
) -> None:
    y = np.zeros(out.shape)
    for i, j, di, dj, row, column in _pairs(x.shape, w.shape, out.shape, strides, padding):
        for n in range(x.shape[0]):
            for c in range(w.shape[2]):
                for f in range(w.shape[3]):
                    y[n, i, j, f] += float(x[n, row, column, c]) * float(w[di, dj, c, f])
    for place in np.ndindex(y.shape):
        if b is not None:
            y[place] += float(b[place[3]])
        if activation == "relu" and y[place] < 0:
            y[place] = 0.0
    out[...] = y


@conv2d_input_grad.implementation("reference", on="numpy")
def conv2d_input_grad_reference(
    g: Array, w: Array, *, input_shape: Shape, strides: Pair, padding: str, out: Array
) -> None:
    dx = np.zeros(out.shape)
    for i, j, di, dj, row, column in _pairs(input_shape, w.shape, g.shape, strides, padding):
        for n in range(g.shape[0]):
            for c in range(w.shape[2]):
                for f in range(w.shape[3]):
                    dx[n, row, column, c] += float(g[n, i, j, f]) * float(w[di, dj, c, f])
    out[...] = dx


@conv2d_kernel_grad.implementation("reference", on="numpy")
def conv2d_kernel_grad_reference(
    x: Array, g: Array, *, kernel_shape: Shape, strides: Pair, padding: str, out: Array
) -> None:
    dw = np.zeros(out.shape)
    for i, j, di, dj, row, column in _pairs(x.shape, kernel_shape, g.shape, strides, padding):
        for n in range(g.shape[0]):
            for c in range(kernel_shape[2]):
                for f in range(kernel_shape[3]):
                    dw[di, dj, c, f] += float(x[n, row, column, c]) * float(g[n, i, j, f])
    out[...] = dw
