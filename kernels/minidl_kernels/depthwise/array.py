"""NumPy and CuPy: one strided slice of the padded pictures for each kernel cell, taken of all windows at once."""

from collections.abc import Iterator

from ..arrays import Array, namespace
from ..conv.geometry import Pair, Shape, padding_pairs
from . import depthwise_conv2d, depthwise_conv2d_input_grad, depthwise_conv2d_kernel_grad


def _cuts(window: Shape, size: Shape, strides: Pair) -> Iterator[tuple[Pair, tuple[slice, ...]]]:
    """For each kernel cell: which, and where all windows have it in the padded pictures."""
    for di in range(window[0]):
        for dj in range(window[1]):
            rows = slice(di, di + strides[0] * size[0], strides[0])
            columns = slice(dj, dj + strides[1] * size[1], strides[1])
            yield (di, dj), (slice(None), rows, columns)


def _padded(x: Array, window: Shape, strides: Pair, padding: str) -> Array:
    pairs = padding_pairs(x.shape[1:3], window, strides, padding)
    return namespace(x).pad(x, ((0, 0), *pairs, (0, 0)))[..., None]  # an axis for the multiplier


@depthwise_conv2d.implementation("array", on=("numpy", "cupy"))
def depthwise_conv2d_array(x: Array, w: Array, *, strides: Pair, padding: str, out: Array) -> None:
    y = namespace(x).zeros((*out.shape[:3], *w.shape[2:]), x.dtype)
    padded = _padded(x, w.shape[:2], strides, padding)
    for (di, dj), cut in _cuts(w.shape[:2], out.shape[1:3], strides):
        y += padded[cut] * w[di, dj]
    out[...] = y.reshape(out.shape)


@depthwise_conv2d_input_grad.implementation("array", on=("numpy", "cupy"))
def depthwise_conv2d_input_grad_array(
    g: Array, w: Array, *, input_shape: Shape, strides: Pair, padding: str, out: Array
) -> None:
    (top, bottom), (left, right) = padding_pairs(input_shape[1:3], w.shape[:2], strides, padding)
    n, height, width, channels = input_shape
    total = namespace(g).zeros((n, height + top + bottom, width + left + right, channels), g.dtype)
    upstream = g.reshape(*g.shape[:3], *w.shape[2:])
    for (di, dj), cut in _cuts(w.shape[:2], g.shape[1:3], strides):
        total[cut] += (upstream * w[di, dj]).sum(-1)
    out[...] = total[:, top : top + height, left : left + width]


@depthwise_conv2d_kernel_grad.implementation("array", on=("numpy", "cupy"))
def depthwise_conv2d_kernel_grad_array(
    x: Array, g: Array, *, kernel_shape: Shape, strides: Pair, padding: str, out: Array
) -> None:
    window, channels = tuple(kernel_shape[:2]), tuple(kernel_shape[2:])
    padded, upstream = _padded(x, window, strides, padding), g.reshape(*g.shape[:3], *channels)
    for (di, dj), cut in _cuts(window, g.shape[1:3], strides):
        out[di, dj] = (padded[cut] * upstream).sum((0, 1, 2))
