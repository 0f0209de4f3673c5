"""Convolution and pooling by their definitions, in plain loops over every window."""

from collections.abc import Iterator

import numpy as np

Cells = list[tuple[int, int, int, int]]  # (row, column in the window, row, column in the picture)


def windows(extent: tuple[int, int], size: tuple[int, int], strides: tuple[int, int], padding: str) -> Iterator[
    tuple[int, int, Cells]
]:  # fmt: skip
    """(row, column of the output, the cells of its window that lie in the picture)."""
    out, before = [], []
    for n, k, s in zip(extent, size, strides, strict=True):
        out.append((n - k) // s + 1 if padding == "valid" else -(-n // s))
        before.append(0 if padding == "valid" else max((out[-1] - 1) * s + k - n, 0) // 2)
    for i in range(out[0]):
        for j in range(out[1]):
            rows = [(a, i * strides[0] + a - before[0]) for a in range(size[0])]
            columns = [(b, j * strides[1] + b - before[1]) for b in range(size[1])]
            inside = [(a, b, r, c) for a, r in rows for b, c in columns if 0 <= r < extent[0] and 0 <= c < extent[1]]
            yield i, j, inside


def output_shape(x, size, strides, padding, channels):
    i, j = list(windows(x[1:3], size, strides, padding))[-1][:2]
    return (x[0], i + 1, j + 1, channels)


def conv2d(x, kernel, strides, padding):
    y = np.zeros(output_shape(x.shape, kernel.shape[:2], strides, padding, kernel.shape[3]))
    for i, j, cells in windows(x.shape[1:3], kernel.shape[:2], strides, padding):
        for a, b, r, c in cells:
            y[:, i, j] += x[:, r, c] @ kernel[a, b]
    return y


def conv2d_input_grad(upstream, kernel, shape, strides, padding):
    x = np.zeros(shape)
    for i, j, cells in windows(shape[1:3], kernel.shape[:2], strides, padding):
        for a, b, r, c in cells:
            x[:, r, c] += upstream[:, i, j] @ kernel[a, b].T
    return x


def conv2d_kernel_grad(x, upstream, shape, strides, padding):
    kernel = np.zeros(shape)
    for i, j, cells in windows(x.shape[1:3], shape[:2], strides, padding):
        for a, b, r, c in cells:
            kernel[a, b] += x[:, r, c].T @ upstream[:, i, j]
    return kernel


def depthwise_conv2d(x, kernel, strides, padding):
    y = np.zeros((*output_shape(x.shape, kernel.shape[:2], strides, padding, x.shape[3]), kernel.shape[3]))
    for i, j, cells in windows(x.shape[1:3], kernel.shape[:2], strides, padding):
        for a, b, r, c in cells:
            y[:, i, j] += x[:, r, c, :, None] * kernel[a, b]
    return y.reshape(*y.shape[:3], -1)


def depthwise_conv2d_input_grad(upstream, kernel, shape, strides, padding):
    x, upstream = np.zeros(shape), upstream.reshape(*upstream.shape[:3], *kernel.shape[2:])
    for i, j, cells in windows(shape[1:3], kernel.shape[:2], strides, padding):
        for a, b, r, c in cells:
            x[:, r, c] += (upstream[:, i, j] * kernel[a, b]).sum(-1)
    return x


def depthwise_conv2d_kernel_grad(x, upstream, shape, strides, padding):
    kernel, upstream = np.zeros(shape), upstream.reshape(*upstream.shape[:3], *shape[2:])
    for i, j, cells in windows(x.shape[1:3], shape[:2], strides, padding):
        for a, b, r, c in cells:
            kernel[a, b] += (x[:, r, c, :, None] * upstream[:, i, j]).sum(0)
    return kernel


def _winners(x, pool_size, strides, padding):
    """(where in the output, where in x) for the first largest cell of every window."""
    for i, j, cells in windows(x.shape[1:3], pool_size, strides, padding):
        for n in range(x.shape[0]):
            for f in range(x.shape[3]):
                best = max(cells, key=lambda cell: x[n, cell[2], cell[3], f])  # the first of equals
                yield (n, i, j, f), (n, best[2], best[3], f)


def max_pool_gather(values, x, pool_size, strides, padding):
    y = np.zeros(output_shape(x.shape, pool_size, strides, padding, x.shape[3]))
    for out, place in _winners(x, pool_size, strides, padding):
        y[out] = values[place]
    return y


def max_pool(x, pool_size, strides, padding):
    return max_pool_gather(x, x, pool_size, strides, padding)


def max_pool_scatter(upstream, x, pool_size, strides, padding):
    found = np.zeros(x.shape)
    for out, place in _winners(x, pool_size, strides, padding):
        found[place] += upstream[out]
    return found


def average_pool(x, pool_size, strides, padding):
    y = np.zeros(output_shape(x.shape, pool_size, strides, padding, x.shape[3]))
    for i, j, cells in windows(x.shape[1:3], pool_size, strides, padding):
        y[:, i, j] = np.mean([x[:, r, c] for _, _, r, c in cells], axis=0)
    return y


def average_pool_grad(upstream, shape, pool_size, strides, padding):
    found = np.zeros(shape)
    for i, j, cells in windows(shape[1:3], pool_size, strides, padding):
        for _, _, r, c in cells:
            found[:, r, c] += upstream[:, i, j] / len(cells)
    return found
