"""Depthwise convolutions with Numba: kernel cell after kernel cell, the channels of a picture's cell as vectors.

The tasks know a multiplier of 1 only: with more, every channel is repeated before, and the input gradient's repeats
are added up after. Every task writes rows (or a partial sum) of its own, so that the results are the same bits on any
number of threads.
"""

import numpy as np

from ..conv.geometry import padding_pairs
from ..on_cpu import contiguous, only_float32, tasks_for
from ..parallel import floats, integer, njit, share, task
from . import depthwise_conv2d, depthwise_conv2d_input_grad, depthwise_conv2d_kernel_grad

ZERO = np.float32(0)
GROUPS = 16  # partial sums of the kernel gradient, at most


@njit(cache=True, inline="always")
def _targets(shift, stride, size, extent):
    """First and last (exclusive) i of range(size) with 0 <= i * stride + shift < extent."""
    first = max(0, -(shift // stride))  # ceil(-shift / stride)
    return first, max(first, min(size, (extent - 1 - shift) // stride + 1))


@task
def _forward(args, task, tasks):
    n, height, width, channels = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rows, columns, kh, kw = integer(args, 4), integer(args, 5), integer(args, 6), integer(args, 7)
    sh, sw, top, left = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    x, w = floats(args, 12, (n * height, width, channels)), floats(args, 13, (kh, kw, channels))
    y = floats(args, 14, (n * rows, columns, channels))
    first_line, last_line = share(n * rows, task, tasks)
    for line in range(first_line, last_line):
        y[line] = ZERO
        for di in range(kh):
            row = line % rows * sh + di - top
            if 0 <= row < height:
                source = x[line // rows * height + row]
                for dj in range(kw):
                    first, last = _targets(dj - left, sw, columns, width)
                    weights = w[di, dj]
                    for j in range(first, last):
                        cell, target = source[j * sw + dj - left], y[line, j]
                        for c in range(channels):
                            target[c] += cell[c] * weights[c]


@task
def _backward(args, task, tasks):
    n, height, width, channels = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rows, columns, kh, kw = integer(args, 4), integer(args, 5), integer(args, 6), integer(args, 7)
    sh, sw, top, left = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    g, w = floats(args, 12, (n * rows, columns, channels)), floats(args, 13, (kh, kw, channels))
    dx = floats(args, 14, (n * height, width, channels))
    first_line, last_line = share(n * height, task, tasks)
    for line in range(first_line, last_line):
        dx[line] = ZERO
        for di in range(kh):
            place = line % height + top - di  # the row of the window that meets this row through kernel row di
            if place % sh == 0 and 0 <= place // sh < rows:
                upstream = g[line // height * rows + place // sh]
                for dj in range(kw):
                    first, last = _targets(dj - left, sw, columns, width)
                    weights = w[di, dj]
                    for j in range(first, last):
                        cell, target = upstream[j], dx[line, j * sw + dj - left]
                        for c in range(channels):
                            target[c] += cell[c] * weights[c]


@task
def _kernel_gradient(args, task, tasks):
    n, height, width, channels = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rows, columns, kh, kw = integer(args, 4), integer(args, 5), integer(args, 6), integer(args, 7)
    sh, sw, top, left = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    x, g = floats(args, 12, (n * height, width, channels)), floats(args, 13, (n * rows, columns, channels))
    dw = floats(args, 14, (tasks, kh, kw, channels))[task]
    dw[...] = ZERO
    sums = np.empty(channels, np.float32)  # of one row: long sums lose digits
    first_line, last_line = share(n * rows, task, tasks)
    for line in range(first_line, last_line):
        for di in range(kh):
            row = line % rows * sh + di - top
            if 0 <= row < height:
                source = x[line // rows * height + row]
                for dj in range(kw):
                    first, last = _targets(dj - left, sw, columns, width)
                    sums[:] = ZERO
                    for j in range(first, last):
                        cell, upstream = source[j * sw + dj - left], g[line, j]
                        for c in range(channels):
                            sums[c] += cell[c] * upstream[c]
                    target = dw[di, dj]
                    for c in range(channels):
                        target[c] += sums[c]


def _settings(x_shape, w_shape, size, strides, padding):
    """The leading arguments of all three tasks."""
    (top, _), (left, _) = padding_pairs(x_shape[1:3], w_shape[:2], strides, padding)
    return *x_shape[:3], w_shape[2] * w_shape[3], *size, *w_shape[:2], *strides, top, left


def _repeated(x, multiplier):
    return x if multiplier == 1 else np.repeat(x, multiplier, axis=3)


@depthwise_conv2d.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def depthwise_conv2d_cpu(x, w, *, strides, padding, out):
    settings = _settings(x.shape, w.shape, out.shape[1:3], strides, padding)
    _forward(*settings, _repeated(x, w.shape[3]), w, out, tasks=tasks_for(out.size * w.shape[0] * w.shape[1]))


@depthwise_conv2d_input_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def depthwise_conv2d_input_grad_cpu(g, w, *, input_shape, strides, padding, out):
    multiplier = w.shape[3]
    dx = out if multiplier == 1 else np.empty((*input_shape[:3], g.shape[3]), np.float32)
    settings = _settings(input_shape, w.shape, g.shape[1:3], strides, padding)
    _backward(*settings, g, w, dx, tasks=tasks_for(g.size * w.shape[0] * w.shape[1]))
    if multiplier != 1:
        np.sum(dx.reshape(*input_shape, multiplier), axis=-1, out=out)


@depthwise_conv2d_kernel_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def depthwise_conv2d_kernel_grad_cpu(x, g, *, kernel_shape, strides, padding, out):
    groups = min(GROUPS, tasks_for(g.size * kernel_shape[0] * kernel_shape[1]))  # from the sizes alone
    partial = np.empty((groups, *kernel_shape), np.float32)
    settings = _settings(x.shape, kernel_shape, g.shape[1:3], strides, padding)
    _kernel_gradient(*settings, _repeated(x, kernel_shape[3]), g, partial, tasks=groups)
    np.sum(partial, axis=0, out=out)
