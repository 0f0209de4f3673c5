"""Numba: x is read once for the statistics and once for the result; channels are the vectors.

Sums run over blocks of rows that stay in the first cache, in float32, and the blocks are put together in float64. The
variance of a block is taken about the block's own mean (a second pass, but over cached numbers, which also finds what
rounding left out of that mean), and two blocks are merged by the formula of Chan, Golub and LeVeque 1979; so a mean
that is large against the spread does no harm.
"""

import math

import numpy as np

from ..on_cpu import contiguous, only_float32, tasks_for
from ..parallel import floats, integer, njit, number, share, task
from ..streaming import goes_past_caches, settle, stream
from . import batch_norm, batch_norm_grad, batch_norm_relu, batch_norm_relu_grad, scale_shift

MOST_PARTS = 16  # tasks that sum; each leaves a part to be merged
FEWEST_ROWS = 32  # of such a task: with fewer, merging takes longer than summing
ZERO = np.float32(0)
LEAST = 2.0**-126  # the smallest positive float32: denormals count as 0
# What a ReLU behind it adds: from which value on numbers pass, and the slope below. Without one all pass.
NO_RELU = (-math.inf, 1.0)


@njit(cache=True, inline="always")
def _block_rows(channels):
    """Rows that are summed in float32 before they go to float64: about 16 KiB, and at least 32."""
    return max(32, 4096 // channels)


@njit(cache=True, inline="always")
def _doubles(args, i, shape):
    """Argument ``i`` as a float64 array."""
    return floats(args, i, (*shape[:-1], shape[-1] * 2)).view(np.float64)


@task(fastmath={"contract"})
def _moments(args, task, tasks):
    """Row t of parts: means, and sums of squared distances from them, of the rows of task t."""
    rows, channels = integer(args, 0), integer(args, 1)
    x, parts = floats(args, 2, (rows, channels)), _doubles(args, 3, (tasks, 2 * channels))
    mean, spread = parts[task, :channels], parts[task, channels:]
    room = np.empty((3, channels), np.float32)
    block_mean, rest, block_spread = room[0], room[1], room[2]
    mean[:], spread[:] = 0.0, 0.0
    first, last = share(rows, task, tasks)
    step = _block_rows(channels)
    for start in range(first, last, step):
        block = x[start : min(start + step, last)]
        n, done = block.shape[0], start - first
        whole = n // 4 * 4
        block_mean[:], rest[:], block_spread[:] = ZERO, ZERO, ZERO
        for i in range(0, whole, 4):
            for c in range(channels):
                block_mean[c] += (block[i, c] + block[i + 1, c]) + (block[i + 2, c] + block[i + 3, c])
        for i in range(whole, n):
            for c in range(channels):
                block_mean[c] += block[i, c]
        for c in range(channels):
            block_mean[c] /= np.float32(n)
        for i in range(0, whole, 4):
            for c in range(channels):
                d0, d1 = block[i, c] - block_mean[c], block[i + 1, c] - block_mean[c]
                d2, d3 = block[i + 2, c] - block_mean[c], block[i + 3, c] - block_mean[c]
                rest[c] += (d0 + d1) + (d2 + d3)
                block_spread[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)
        for i in range(whole, n):
            for c in range(channels):
                d0 = block[i, c] - block_mean[c]
                rest[c] += d0
                block_spread[c] += d0 * d0
        part = n / (done + n)
        for c in range(channels):
            off = np.float64(rest[c]) / n  # how far the rounded block_mean is from the mean
            apart = block_mean[c] + off - mean[c]
            mean[c] += apart * part
            spread[c] += block_spread[c] - off * rest[c] + apart * apart * (part * done)


@task
def _merge_moments(args, task, tasks):
    """All parts together: mean, variance, and scale = gamma / sqrt(variance + epsilon)."""
    rows, channels, count, epsilon = integer(args, 0), integer(args, 1), integer(args, 2), number(args, 3)
    parts, gamma = _doubles(args, 4, (count, 2 * channels)), floats(args, 5, channels)
    mean, variance, scale = floats(args, 6, channels), floats(args, 7, channels), floats(args, 8, channels)
    total_mean, total_spread = np.zeros(channels), np.zeros(channels)
    for t in range(count):
        first, last = share(rows, t, count)
        part = (last - first) / max(last, 1)
        for c in range(channels):
            apart = parts[t, c] - total_mean[c]
            total_mean[c] += apart * part
            total_spread[c] += parts[t, channels + c] + apart * apart * (part * first)
    for c in range(channels):
        mean[c], variance[c] = total_mean[c], total_spread[c] / rows
        scale[c] = gamma[c] / math.sqrt(total_spread[c] / rows + epsilon)


@task(fastmath={"contract"})
def _normalize(args, task, tasks):
    """y = (x - mean) * scale + beta, and below 0 a slope times that."""
    rows, channels = integer(args, 0), integer(args, 1)
    x, mean, scale = floats(args, 2, (rows, channels)), floats(args, 3, channels), floats(args, 4, channels)
    beta, y = floats(args, 5, channels), floats(args, 6, (rows, channels))
    slope, past = np.float32(number(args, 8)), integer(args, 9)
    room = np.empty(channels if past else 0, np.float32)
    first, last = share(rows, task, tasks)
    for row in range(first, last):
        source, target = x[row], room if past else y[row]
        for c in range(channels):
            value = (source[c] - mean[c]) * scale[c] + beta[c]
            target[c] = slope * value if value < ZERO else value
        if past:
            stream(y[row].ctypes.data, room.ctypes.data, channels)
    settle(past)


@njit(cache=True, inline="always")
def _through(g, y, least, slope):
    """g where the output is at least ``least``, else slope * g (which of an infinite g and 0 would be NaN)."""
    return g if y >= least else (slope * g if slope != ZERO else ZERO)


@task(fastmath={"contract"})
def _gradient_sums(args, task, tasks):
    """Row t of parts: sum(g) and sum(g * (x - mean)) over the rows of task t, with g as it came through the ReLU."""
    rows, channels = integer(args, 0), integer(args, 1)
    g, x, mean = floats(args, 2, (rows, channels)), floats(args, 3, (rows, channels)), floats(args, 4, channels)
    parts = _doubles(args, 5, (tasks, 2 * channels))[task]
    y, least, slope = floats(args, 6, (rows, channels)), np.float32(number(args, 7)), np.float32(number(args, 8))
    sum_g, sum_gx = np.empty(channels, np.float32), np.empty(channels, np.float32)
    parts[:] = 0.0
    first, last = share(rows, task, tasks)
    step = _block_rows(channels)
    for start in range(first, last, step):
        block_g, block_x = g[start : min(start + step, last)], x[start : min(start + step, last)]
        block_y = y[start : min(start + step, last)]
        n = block_g.shape[0]
        whole = n // 2 * 2
        sum_g[:], sum_gx[:] = ZERO, ZERO
        for i in range(0, whole, 2):
            for c in range(channels):
                g0 = _through(block_g[i, c], block_y[i, c], least, slope)
                g1 = _through(block_g[i + 1, c], block_y[i + 1, c], least, slope)
                sum_g[c] += g0 + g1
                sum_gx[c] += g0 * (block_x[i, c] - mean[c]) + g1 * (block_x[i + 1, c] - mean[c])
        for i in range(whole, n):
            for c in range(channels):
                g0 = _through(block_g[i, c], block_y[i, c], least, slope)
                sum_g[c] += g0
                sum_gx[c] += g0 * (block_x[i, c] - mean[c])
        for c in range(channels):
            parts[c] += sum_g[c]
            parts[channels + c] += sum_gx[c]


@task
def _merge_gradients(args, task, tasks):
    """All parts together: dgamma, dbeta, and the numbers of dx = a * g + e * (x - mean) + b for each channel."""
    rows, channels, count, epsilon = integer(args, 0), integer(args, 1), integer(args, 2), number(args, 3)
    parts = _doubles(args, 4, (count, 2 * channels))
    gamma, variance = floats(args, 5, channels), floats(args, 6, channels)
    dgamma, dbeta, factors = floats(args, 7, channels), floats(args, 8, channels), floats(args, 9, (3, channels))
    for c in range(channels):
        sum_g, sum_gx = 0.0, 0.0
        for t in range(count):
            sum_g += parts[t, c]
            sum_gx += parts[t, channels + c]
        r = 1.0 / math.sqrt(variance[c] + epsilon)
        a = gamma[c] * r
        dgamma[c], dbeta[c] = sum_gx * r, sum_g
        factors[0, c], factors[1, c], factors[2, c] = a, -a * r * r * sum_gx / rows, -a * sum_g / rows


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _input_gradient_of_row(g, x, y, mean, factors, least, slope, target):
    a, e, b = factors[0], factors[1], factors[2]
    for c in range(target.size):
        came = _through(g[c], y[c], least, slope)
        target[c] = a[c] * came + (e[c] * (x[c] - mean[c]) + b[c])


@task(fastmath={"contract"})
def _input_gradient(args, task, tasks):
    rows, channels = integer(args, 0), integer(args, 1)
    g, x, mean = floats(args, 2, (rows, channels)), floats(args, 3, (rows, channels)), floats(args, 4, channels)
    factors, dx = floats(args, 5, (3, channels)), floats(args, 6, (rows, channels))
    y, least, slope = floats(args, 7, (rows, channels)), np.float32(number(args, 8)), np.float32(number(args, 9))
    past = integer(args, 10)
    room = np.empty(channels if past else 0, np.float32)
    first, last = share(rows, task, tasks)
    for row in range(first, last):
        if past:
            _input_gradient_of_row(g[row], x[row], y[row], mean, factors, least, slope, room)
            stream(dx[row].ctypes.data, room.ctypes.data, channels)
        else:
            _input_gradient_of_row(g[row], x[row], y[row], mean, factors, least, slope, dx[row])
    settle(past)


@task(fastmath={"contract"})
def _scale_shift(args, task, tasks):
    rows, channels = integer(args, 0), integer(args, 1)
    x, scale, shift = floats(args, 2, (rows, channels)), floats(args, 3, channels), floats(args, 4, channels)
    y = floats(args, 5, (rows, channels))
    first, last = share(rows, task, tasks)
    for row in range(first, last):
        source, target = x[row], y[row]
        for c in range(channels):
            target[c] = source[c] * scale[c] + shift[c]


def _parts(x):
    """(rows, channels), and room for the sums of as many tasks as the size is worth."""
    channels = x.shape[-1]
    rows = x.size // channels
    count = max(1, min(MOST_PARTS, tasks_for(x.size), rows // FEWEST_ROWS))
    return (rows, channels), np.empty((count, 2 * channels), np.float64), count


def _relu(slope):
    """What the tasks need to know of a ReLU of this slope."""
    return (0.0, float(slope)) if slope else (LEAST, 0.0)


def _forward(x, gamma, beta, epsilon, relu, out):
    y, mean, variance = out
    if not x.size:
        mean[...], variance[...] = 0, 0
        return
    extents, parts, count = _parts(x)
    scale = np.empty_like(mean)
    _moments(*extents, x, parts, tasks=count)
    _merge_moments(*extents, count, float(epsilon), parts, gamma, mean, variance, scale)
    _normalize(*extents, x, mean, scale, beta, y, *relu, goes_past_caches(y, x.shape[-1]), tasks=tasks_for(x.size))


@batch_norm.implementation("cpu", on="numpy", accepts=only_float32, from_size=1024)
@contiguous
def batch_norm_cpu(x, gamma, beta, *, epsilon, out):
    _forward(x, gamma, beta, epsilon, NO_RELU, out)


@batch_norm_relu.implementation("cpu", on="numpy", accepts=only_float32, from_size=1024)
@contiguous
def batch_norm_relu_cpu(x, gamma, beta, *, epsilon, negative_slope, out):
    _forward(x, gamma, beta, epsilon, _relu(negative_slope), out)


def _backward(g, y, x, gamma, mean, variance, epsilon, relu, out):
    dx, dgamma, dbeta = out
    if not x.size:
        dgamma[...], dbeta[...] = 0, 0
        return
    extents, parts, count = _parts(x)
    factors = np.empty((3, x.shape[-1]), np.float32)
    _gradient_sums(*extents, g, x, mean, parts, y, *relu, tasks=count)
    _merge_gradients(*extents, count, float(epsilon), parts, gamma, variance, dgamma, dbeta, factors)
    _input_gradient(
        *extents, g, x, mean, factors, dx, y, *relu, goes_past_caches(dx, x.shape[-1]), tasks=tasks_for(x.size)
    )


@batch_norm_grad.implementation("cpu", on="numpy", accepts=only_float32, from_size=1024)
@contiguous
def batch_norm_grad_cpu(g, x, gamma, mean, variance, *, epsilon, out):
    _backward(g, x, x, gamma, mean, variance, epsilon, NO_RELU, out)  # any array serves for y: all passes


@batch_norm_relu_grad.implementation("cpu", on="numpy", accepts=only_float32, from_size=1024)
@contiguous
def batch_norm_relu_grad_cpu(g, y, x, gamma, mean, variance, *, epsilon, negative_slope, out):
    _backward(g, y, x, gamma, mean, variance, epsilon, _relu(negative_slope), out)


@scale_shift.implementation("cpu", on="numpy", accepts=only_float32, from_size=4096)
@contiguous
def scale_shift_cpu(x, scale, shift, *, out):
    if x.size:
        return _scale_shift.launch(x.size // scale.size, scale.size, x, scale, shift, out, tasks=tasks_for(x.size))
