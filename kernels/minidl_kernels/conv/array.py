"""NumPy and CuPy: lay the windows out as rows of a matrix (im2col) and let the library's matrix product do the rest.

Every input cell is copied once for each kernel cell, so the pictures are taken a few at a time.
"""

from collections.abc import Iterator

from ..arrays import Array, namespace
from . import conv2d, conv2d_input_grad, conv2d_kernel_grad
from .geometry import Pair, Shape, padding_pairs

CHUNK = 4 << 20  # elements of the matrix of windows held at a time


def _windows(x: Array, window: Shape, size: Shape, strides: Pair, padding: str) -> Iterator[tuple[slice, Array]]:
    """For a few pictures at a time: which, and their windows as a matrix (pictures * H' * W', kh * kw * C)."""
    xp = namespace(x)
    (kh, kw), (height, width), (sh, sw), channels = window, size, strides, x.shape[3]
    pictures = max(1, CHUNK // max(1, height * width * kh * kw * channels))
    for first in range(0, x.shape[0], pictures):
        some = slice(first, first + pictures)
        padded = xp.pad(x[some], ((0, 0), *padding_pairs(x.shape[1:3], window, strides, padding), (0, 0)))
        n, row, column, channel = padded.strides
        view = xp.lib.stride_tricks.as_strided(
            padded,
            (padded.shape[0], height, width, kh, kw, channels),
            (n, sh * row, sw * column, row, column, channel),
        )
        yield some, view.reshape(-1, kh * kw * channels)


def no_products(b: Array | None, activation: str | None, out: Array) -> None:
    """The result where there is nothing to multiply: a batch, channels or filters of none."""
    out.fill(0)
    _finish(b, activation, out)


def _finish(b: Array | None, activation: str | None, out: Array) -> None:
    if b is not None:
        out += b
    if activation == "relu":
        namespace(out).maximum(out, 0, out=out)


@conv2d.implementation("array", on=("numpy", "cupy"))
def conv2d_array(
    x: Array, w: Array, b: Array | None = None, *, strides: Pair, padding: str, activation: str | None, out: Array
) -> None:
    if not x.size or not w.size:
        return no_products(b, activation, out)
    matrix = w.reshape(-1, w.shape[3])
    for some, windows in _windows(x, w.shape[:2], out.shape[1:3], strides, padding):
        out[some] = (windows @ matrix).reshape(out[some].shape)
        _finish(b, activation, out[some])


@conv2d_input_grad.implementation("array", on=("numpy", "cupy"))
def conv2d_input_grad_array(g: Array, w: Array, *, input_shape: Shape, strides: Pair, padding: str, out: Array) -> None:
    if not g.size or not w.size:
        out.fill(0)
        return
    xp = namespace(g)
    (kh, kw, channels, filters), (sh, sw), (height, width) = w.shape, strides, g.shape[1:3]
    (top, bottom), (left, right) = padding_pairs(input_shape[1:3], (kh, kw), strides, padding)
    pictures = max(1, CHUNK // max(1, height * width * kh * kw * channels))
    for first in range(0, g.shape[0], pictures):
        some = slice(first, first + pictures)
        rows = g[some].reshape(-1, filters)
        n, rest_h, rest_w = g[some].shape[0], input_shape[1] + top + bottom, input_shape[2] + left + right
        padded = xp.zeros((n, rest_h, rest_w, channels), g.dtype)
        for di in range(kh):
            for dj in range(kw):
                share = (rows @ w[di, dj].T).reshape(n, height, width, channels)
                padded[:, di : di + sh * height : sh, dj : dj + sw * width : sw] += share
        out[some] = padded[:, top : rest_h - bottom, left : rest_w - right]


@conv2d_kernel_grad.implementation("array", on=("numpy", "cupy"))
def conv2d_kernel_grad_array(
    x: Array, g: Array, *, kernel_shape: Shape, strides: Pair, padding: str, out: Array
) -> None:
    filters = kernel_shape[3]
    out.fill(0)
    if not x.size or not g.size:
        return
    for some, windows in _windows(x, tuple(kernel_shape[:2]), g.shape[1:3], strides, padding):
        out += (windows.T @ g[some].reshape(-1, filters)).reshape(kernel_shape)
