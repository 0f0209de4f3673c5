"""Numba: window after window, the channels of a window's cells as vectors.

Forward passes and the gather share out output rows among the tasks, the scatters share out pictures: windows of one
picture may overlap, so two tasks could add to one cell.

Inner loops load all they need before they choose, and choose by single comparisons: from a load in one branch, or
from conditions joined by "and", LLVM makes conditional stores, which are four times slower than vector selects.
"""

import numpy as np

from ..conv.geometry import padding_pairs
from ..on_cpu import contiguous, only_float32, tasks_for
from ..parallel import floats, integer, njit, share, task
from ..streaming import goes_past_caches, settle, stream
from . import average_pool, average_pool_grad, max_pool, max_pool_gather, max_pool_scatter

ZERO = np.float32(0)


@njit(cache=True, inline="always")
def _span(i, stride, before, window, cells):
    """First and last (exclusive) cell of window ``i`` along one axis, cut at the picture's edges."""
    start = i * stride - before
    return max(start, 0), min(start + window, cells)


@njit(cache=True, inline="always")
def _larger(value, best):
    """The larger one; NaN if one of them is."""
    larger = value if value > best else best
    return larger if value == value else value + best


@njit(cache=True, inline="always")
def _choose(value, best, later, earlier):
    """``later`` where ``value`` wins over an earlier ``best``, being larger or the first NaN; else ``earlier``."""
    by_size = later if value > best else earlier
    by_nan = earlier if best != best else later
    return by_size if value == value else by_nan


@task
def _max_pool(args, task, tasks):
    n, height, width, channels = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rows, columns, ph, pw = integer(args, 4), integer(args, 5), integer(args, 6), integer(args, 7)
    sh, sw, top, left = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    x, y = floats(args, 12, (n * height, width, channels)), floats(args, 13, (n * rows, columns, channels))
    first_line, last_line = share(n * rows, task, tasks)
    for line in range(first_line, last_line):
        r0, r1 = _span(line % rows, sh, top, ph, height)
        picture = line // rows * height
        for j in range(columns):
            c0, c1 = _span(j, sw, left, pw, width)
            best = y[line, j]
            if r1 - r0 == 2 and c1 - c0 == 2:  # nearly all pooling there is: one pass, the maximum stays in a register
                x0, x1 = x[picture + r0, c0], x[picture + r0, c0 + 1]
                x2, x3 = x[picture + r0 + 1, c0], x[picture + r0 + 1, c0 + 1]
                for c in range(channels):
                    a0, a1, a2, a3 = x0[c], x1[c], x2[c], x3[c]
                    best[c] = _larger(_larger(a0, a1), _larger(a2, a3))
                continue
            cell = x[picture + r0, c0]
            for c in range(channels):
                best[c] = cell[c]
            for r in range(r0, r1):
                for k in range(c0, c1):
                    cell = x[picture + r, k]
                    for c in range(channels):
                        best[c] = _larger(cell[c], best[c])


@task
def _max_pool_gather(args, task, tasks):
    n, height, width, channels = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rows, columns, ph, pw = integer(args, 4), integer(args, 5), integer(args, 6), integer(args, 7)
    sh, sw, top, left = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    x, v = floats(args, 12, (n * height, width, channels)), floats(args, 13, (n * height, width, channels))
    y = floats(args, 14, (n * rows, columns, channels))
    best = np.empty(channels, np.float32)
    first_line, last_line = share(n * rows, task, tasks)
    for line in range(first_line, last_line):
        r0, r1 = _span(line % rows, sh, top, ph, height)
        picture = line // rows * height
        for j in range(columns):
            c0, c1 = _span(j, sw, left, pw, width)
            cell, value, target = x[picture + r0, c0], v[picture + r0, c0], y[line, j]
            for c in range(channels):
                best[c], target[c] = cell[c], value[c]
            for r in range(r0, r1):
                for k in range(c0, c1):
                    cell, value = x[picture + r, k], v[picture + r, k]
                    for c in range(channels):
                        here, so_far, picked, before = cell[c], best[c], value[c], target[c]
                        best[c] = _larger(here, so_far)
                        target[c] = _choose(here, so_far, picked, before)


@task
def _max_pool_scatter(args, task, tasks):
    n, height, width, channels = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rows, columns, ph, pw = integer(args, 4), integer(args, 5), integer(args, 6), integer(args, 7)
    sh, sw, top, left = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    x, g = floats(args, 12, (n * height, width, channels)), floats(args, 13, (n * rows, columns, channels))
    dx, exact, past = floats(args, 14, (n * height, width, channels)), integer(args, 15), integer(args, 16)
    best, winner, room = np.empty(channels, np.float32), np.empty(channels, np.int32), np.empty(channels, np.float32)
    first_image, last_image = share(n, task, tasks)
    if exact == 0:
        dx[first_image * height : last_image * height] = ZERO
    for line in range(first_image * rows, last_image * rows):
        r0, r1 = _span(line % rows, sh, top, ph, height)
        picture = line // rows * height
        for j in range(columns):
            c0, c1 = _span(j, sw, left, pw, width)
            cell, upstream = x[picture + r0, c0], g[line, j]
            for c in range(channels):
                best[c], winner[c] = cell[c], 0
            for r in range(r0, r1):
                for k in range(c0, c1):
                    cell, index = x[picture + r, k], np.int32((r - r0) * pw + k - c0)
                    for c in range(channels):
                        here, so_far, leader = cell[c], best[c], winner[c]
                        best[c] = _larger(here, so_far)
                        winner[c] = _choose(here, so_far, index, leader)
            for r in range(r0, r1):
                for k in range(c0, c1):
                    target, index = dx[picture + r, k], np.int32((r - r0) * pw + k - c0)
                    if exact != 0:
                        piece = room if past else target
                        for c in range(channels):
                            gradient = upstream[c]
                            piece[c] = gradient if winner[c] == index else ZERO
                        if past:
                            stream(target.ctypes.data, room.ctypes.data, channels)
                    else:
                        for c in range(channels):
                            gradient = upstream[c]
                            target[c] += gradient if winner[c] == index else ZERO
    settle(past)


@task
def _average_pool(args, task, tasks):
    n, height, width, channels = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rows, columns, ph, pw = integer(args, 4), integer(args, 5), integer(args, 6), integer(args, 7)
    sh, sw, top, left = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    x, y = floats(args, 12, (n * height, width, channels)), floats(args, 13, (n * rows, columns, channels))
    first_line, last_line = share(n * rows, task, tasks)
    for line in range(first_line, last_line):
        r0, r1 = _span(line % rows, sh, top, ph, height)
        picture = line // rows * height
        for j in range(columns):
            c0, c1 = _span(j, sw, left, pw, width)
            total = y[line, j]
            for c in range(channels):
                total[c] = ZERO
            for r in range(r0, r1):
                for k in range(c0, c1):
                    cell = x[picture + r, k]
                    for c in range(channels):
                        total[c] += cell[c]
            count = np.float32((r1 - r0) * (c1 - c0))
            for c in range(channels):
                total[c] /= count


@task
def _average_pool_grad(args, task, tasks):
    n, height, width, channels = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rows, columns, ph, pw = integer(args, 4), integer(args, 5), integer(args, 6), integer(args, 7)
    sh, sw, top, left = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    g, dx = floats(args, 12, (n * rows, columns, channels)), floats(args, 13, (n * height, width, channels))
    first_image, last_image = share(n, task, tasks)
    dx[first_image * height : last_image * height] = ZERO
    for line in range(first_image * rows, last_image * rows):
        r0, r1 = _span(line % rows, sh, top, ph, height)
        picture = line // rows * height
        for j in range(columns):
            c0, c1 = _span(j, sw, left, pw, width)
            upstream, count = g[line, j], np.float32((r1 - r0) * (c1 - c0))
            for r in range(r0, r1):
                for k in range(c0, c1):
                    target = dx[picture + r, k]
                    for c in range(channels):
                        target[c] += upstream[c] / count


def _geometry(shape, pooled, pool_size, strides, padding):
    """The first twelve arguments of every task."""
    (top, _), (left, _) = padding_pairs(shape[1:3], pool_size, strides, padding)
    return (*shape, *pooled[1:3], *pool_size, *strides, top, left)


def _is_exact(shape, pooled, pool_size, strides, padding):
    """Whether every cell of the picture lies in exactly one window: then it is written once, and never added to."""
    return strides == pool_size and all(
        padding == "same" or o * s == n for n, o, s in zip(shape[1:3], pooled[1:3], strides, strict=True)
    )


@max_pool.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def max_pool_cpu(x, *, pool_size, strides, padding, out):
    if out.size:
        geometry = _geometry(x.shape, out.shape, pool_size, strides, padding)
        return _max_pool.launch(*geometry, x, out, tasks=tasks_for(x.size))


@max_pool_gather.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def max_pool_gather_cpu(v, x, *, pool_size, strides, padding, out):
    if out.size:
        geometry = _geometry(x.shape, out.shape, pool_size, strides, padding)
        return _max_pool_gather.launch(*geometry, x, v, out, tasks=tasks_for(x.size))


@max_pool_scatter.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def max_pool_scatter_cpu(g, x, *, pool_size, strides, padding, out):
    if out.size:
        geometry = _geometry(x.shape, g.shape, pool_size, strides, padding)
        exact = _is_exact(x.shape, g.shape, pool_size, strides, padding)
        past = exact and goes_past_caches(out, out.shape[-1])
        return _max_pool_scatter.launch(*geometry, x, g, out, exact, past, tasks=min(x.shape[0], tasks_for(x.size)))


@average_pool.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def average_pool_cpu(x, *, pool_size, strides, padding, out):
    if out.size:
        geometry = _geometry(x.shape, out.shape, pool_size, strides, padding)
        return _average_pool.launch(*geometry, x, out, tasks=tasks_for(x.size))


@average_pool_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def average_pool_grad_cpu(g, *, input_shape, pool_size, strides, padding, out):
    if out.size:
        geometry = _geometry(out.shape, g.shape, pool_size, strides, padding)
        return _average_pool_grad.launch(*geometry, g, out, tasks=min(out.shape[0], tasks_for(out.size)))
