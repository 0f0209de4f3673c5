"""Numba: one pass over memory, in vector code.

Loops run from 0 over slices, not from first to last: Numba cannot know that ``first`` is not negative, and the check
of a negative index would keep the loop from being vectorised.
"""

import numpy as np

from ..matmul import column_sum
from ..on_cpu import contiguous, only_float32, tasks_for
from ..parallel import floats, integer, number, share, task
from ..streaming import PIECE, goes_past_caches, settle, stream
from ..sums import RUN, add_rows, tasks_for_sums
from . import (
    bias_relu,
    leaky_relu,
    leaky_relu_grad,
    relu,
    relu_bias_grad,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    tanh,
    tanh_grad,
)
from .exponential import exp, expm1

FASTMATH = {"contract", "nsz", "arcp"}
ZERO, ONE, TWO = np.float32(0), np.float32(1), np.float32(2)
HIGHEST = np.float32(20)  # tanh of half of it is 1 in float32


@task
def _relu(args, task, tasks):
    n = integer(args, 0)
    first, last = share(n, task, tasks)
    x, y = floats(args, 1, n)[first:last], floats(args, 2, n)[first:last]
    for i in range(last - first):
        y[i] = ZERO if x[i] <= ZERO else x[i]


@task
def _relu_grad(args, task, tasks):
    n = integer(args, 0)
    first, last = share(n, task, tasks)
    past = integer(args, 4)
    room = np.empty(PIECE if past else 0, np.float32)
    for start in range(first, last, PIECE):
        end = min(start + PIECE, last)
        g, y, out = floats(args, 1, n)[start:end], floats(args, 2, n)[start:end], floats(args, 3, n)[start:end]
        target = room[: end - start] if past else out
        for i in range(end - start):
            target[i] = g[i] if y[i] > ZERO else ZERO
        if past:
            stream(out.ctypes.data, room.ctypes.data, end - start)
    settle(past)


@task
def _relu_bias_grad(args, task, tasks):
    """A share of the rows, and its sum, a few rows at a time: the sum finds them in the first cache."""
    rows, channels = integer(args, 0), integer(args, 1)
    n = rows * channels
    first, last = share(rows, task, tasks)
    sums = floats(args, 5, (tasks, channels))[task]
    sums[:] = ZERO
    run = np.empty(channels, np.float32)
    past = integer(args, 6)
    room = np.empty(RUN * channels if past else 0, np.float32)
    for start in range(first, last, RUN):
        end = min(start + RUN, last)
        count = (end - start) * channels
        g = floats(args, 2, n)[start * channels : end * channels]
        y = floats(args, 3, n)[start * channels : end * channels]
        out = floats(args, 4, n)[start * channels : end * channels]
        target = room[:count] if past else out
        for i in range(count):
            target[i] = g[i] if y[i] > ZERO else ZERO
        add_rows(target.reshape((end - start, channels)), 0, end - start, run)
        for c in range(channels):
            sums[c] += run[c]
        if past:
            stream(out.ctypes.data, room.ctypes.data, count)
    settle(past)


@task
def _leaky_relu(args, task, tasks):
    n, slope = integer(args, 0), np.float32(number(args, 1))
    first, last = share(n, task, tasks)
    x, y = floats(args, 2, n)[first:last], floats(args, 3, n)[first:last]
    for i in range(last - first):
        y[i] = x[i] if x[i] >= ZERO else slope * x[i]


@task
def _leaky_relu_grad(args, task, tasks):
    n, slope = integer(args, 0), np.float32(number(args, 1))
    first, last = share(n, task, tasks)
    g, x, out = floats(args, 2, n)[first:last], floats(args, 3, n)[first:last], floats(args, 4, n)[first:last]
    for i in range(last - first):
        out[i] = g[i] if x[i] >= ZERO else slope * g[i]


@task(fastmath=FASTMATH)
def _sigmoid(args, task, tasks):
    n = integer(args, 0)
    first, last = share(n, task, tasks)
    x, y = floats(args, 1, n)[first:last], floats(args, 2, n)[first:last]
    for i in range(last - first):
        y[i] = ONE / (ONE + exp(-x[i]))


@task(fastmath=FASTMATH)
def _sigmoid_grad(args, task, tasks):
    n = integer(args, 0)
    first, last = share(n, task, tasks)
    g, y, out = floats(args, 1, n)[first:last], floats(args, 2, n)[first:last], floats(args, 3, n)[first:last]
    for i in range(last - first):
        out[i] = g[i] * y[i] * (ONE - y[i])


@task(fastmath=FASTMATH)
def _tanh(args, task, tasks):
    n = integer(args, 0)
    first, last = share(n, task, tasks)
    x, y = floats(args, 1, n)[first:last], floats(args, 2, n)[first:last]
    for i in range(last - first):
        size = TWO * abs(x[i])
        e = expm1(HIGHEST if size > HIGHEST else size)
        t = e / (e + TWO)
        y[i] = -t if x[i] < ZERO else t


@task(fastmath=FASTMATH)
def _tanh_grad(args, task, tasks):
    n = integer(args, 0)
    first, last = share(n, task, tasks)
    g, y, out = floats(args, 1, n)[first:last], floats(args, 2, n)[first:last], floats(args, 3, n)[first:last]
    for i in range(last - first):
        out[i] = g[i] * (ONE - y[i] * y[i])


@task
def _bias_relu(args, task, tasks):
    rows, channels = integer(args, 0), integer(args, 1)
    x, b, y = floats(args, 2, (rows, channels)), floats(args, 3, channels), floats(args, 4, (rows, channels))
    first, last = share(rows, task, tasks)
    for row in range(first, last):
        source, target = x[row], y[row]
        for c in range(channels):
            value = source[c] + b[c]
            target[c] = ZERO if value <= ZERO else value


@relu.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def relu_cpu(x, *, out):
    return _relu.launch(x.size, x, out, tasks=tasks_for(x.size))


@relu_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def relu_grad_cpu(g, y, *, out):
    return _relu_grad.launch(g.size, g, y, out, goes_past_caches(out), tasks=tasks_for(g.size))


@relu_bias_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def relu_bias_grad_cpu(g, y, *, out):
    count = g.shape[-1]
    rows = g.size // count if count else 0
    tasks = tasks_for_sums(rows, count)
    partial = out[1] if tasks == 1 else np.empty((tasks, count), np.float32)
    launch = _relu_bias_grad.launch(
        rows, count, g, y, out[0], partial, goes_past_caches(out[0], RUN * count), tasks=tasks
    )
    if tasks == 1:
        return launch
    launch(launch.arrays)
    column_sum(partial, out=out[1])


@leaky_relu.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def leaky_relu_cpu(x, *, negative_slope, out):
    return _leaky_relu.launch(x.size, float(negative_slope), x, out, tasks=tasks_for(x.size))


@leaky_relu_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def leaky_relu_grad_cpu(g, x, *, negative_slope, out):
    return _leaky_relu_grad.launch(g.size, float(negative_slope), g, x, out, tasks=tasks_for(g.size))


@sigmoid.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def sigmoid_cpu(x, *, out):
    return _sigmoid.launch(x.size, x, out, tasks=tasks_for(x.size))


@sigmoid_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def sigmoid_grad_cpu(g, y, *, out):
    return _sigmoid_grad.launch(g.size, g, y, out, tasks=tasks_for(g.size))


@tanh.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def tanh_cpu(x, *, out):
    return _tanh.launch(x.size, x, out, tasks=tasks_for(x.size))


@tanh_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def tanh_grad_cpu(g, y, *, out):
    return _tanh_grad.launch(g.size, g, y, out, tasks=tasks_for(g.size))


@bias_relu.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def bias_relu_cpu(x, b, *, out):
    return _bias_relu.launch(x.size // b.size if b.size else 0, b.size, x, b, out, tasks=tasks_for(x.size))
