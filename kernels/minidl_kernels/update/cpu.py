"""Numba: one launch for all weights of a list.

A table holds, for every weight, its size, and where it starts if all were laid end to end. The tasks share out that
imagined line: one large weight is cut into many pieces, many small ones make up one. What they read and write they find
in a tuple of all arrays: weights, gradients, and what else there is, in the same order.
"""

import functools
import math
from array import array

import numpy as np

from ..on_cpu import tasks_for
from ..parallel import floats_in, integer, integers, njit, number, share, task
from . import adam, adam_rate, rmsprop, sgd, sgd_momentum


@njit(cache=True, inline="always")
def _piece(table, weight, first, last):
    """Which elements of a weight lie between ``first`` and ``last`` of the line."""
    n, start = table[weight, 0], table[weight, 1]
    return n, max(first - start, 0), min(last - start, n)


@task(fastmath={"contract"})
def _sgd(args, task, tasks):
    weights, total = integer(args, 0), integer(args, 3)
    table = integers(args, 1, (weights, 2))
    rate = np.float32(number(args, 4))
    first, last = share(total, task, tasks)
    for weight in range(weights):
        n, begin, end = _piece(table, weight, first, last)
        if begin < end:
            w, g = floats_in(args, 2, weight, n)[begin:end], floats_in(args, 2, weight + weights, n)[begin:end]
            for i in range(w.size):
                w[i] -= rate * g[i]


@task(fastmath={"contract"})
def _sgd_momentum(args, task, tasks):
    weights, total = integer(args, 0), integer(args, 3)
    table = integers(args, 1, (weights, 2))
    rate, momentum, nesterov = np.float32(number(args, 4)), np.float32(number(args, 5)), integer(args, 6)
    first, last = share(total, task, tasks)
    for weight in range(weights):
        n, begin, end = _piece(table, weight, first, last)
        if begin < end:
            w, g, m = (
                floats_in(args, 2, weight, n)[begin:end],
                floats_in(args, 2, weight + weights, n)[begin:end],
                floats_in(args, 2, weight + 2 * weights, n)[begin:end],
            )
            if nesterov != 0:
                for i in range(w.size):
                    step = rate * g[i]
                    new = momentum * m[i] - step
                    m[i] = new
                    w[i] += momentum * new - step
            else:
                for i in range(w.size):
                    new = momentum * m[i] - rate * g[i]
                    m[i] = new
                    w[i] += new


@task(fastmath={"contract"})
def _adam(args, task, tasks):
    weights, total = integer(args, 0), integer(args, 3)
    table = integers(args, 1, (weights, 2))
    rate, epsilon = np.float32(number(args, 4)), np.float32(number(args, 5))
    fresh_m, fresh_v = np.float32(number(args, 6)), np.float32(number(args, 7))
    first, last = share(total, task, tasks)
    for weight in range(weights):
        n, begin, end = _piece(table, weight, first, last)
        if begin < end:
            w, g = floats_in(args, 2, weight, n)[begin:end], floats_in(args, 2, weight + weights, n)[begin:end]
            m, v = (
                floats_in(args, 2, weight + 2 * weights, n)[begin:end],
                floats_in(args, 2, weight + 3 * weights, n)[begin:end],
            )
            for i in range(w.size):
                gradient = g[i]
                new_m = m[i] + (gradient - m[i]) * fresh_m
                new_v = v[i] + (gradient * gradient - v[i]) * fresh_v
                m[i], v[i] = new_m, new_v
                w[i] -= new_m * rate / (np.float32(math.sqrt(new_v)) + epsilon)


@task(fastmath={"contract"})
def _rmsprop(args, task, tasks):
    weights, total = integer(args, 0), integer(args, 3)
    table = integers(args, 1, (weights, 2))
    rate, rho = np.float32(number(args, 4)), np.float32(number(args, 5))
    fresh, epsilon = np.float32(number(args, 6)), np.float32(number(args, 7))
    first, last = share(total, task, tasks)
    for weight in range(weights):
        n, begin, end = _piece(table, weight, first, last)
        if begin < end:
            w, g, v = (
                floats_in(args, 2, weight, n)[begin:end],
                floats_in(args, 2, weight + weights, n)[begin:end],
                floats_in(args, 2, weight + 2 * weights, n)[begin:end],
            )
            for i in range(w.size):
                gradient = g[i]
                new_v = rho * v[i] + fresh * (gradient * gradient)
                v[i] = new_v
                w[i] -= rate * gradient / np.float32(math.sqrt(new_v + epsilon))


def _only_float32(*lists, **settings):
    for several in lists:
        for one in several:
            if one.dtype != np.float32:
                return f"computes in float32, not {one.dtype}"
            if not isinstance(one, np.ndarray):  # the mean of a single number is no array, and has no address
                return f"takes arrays, not {type(one).__name__}"
    return None


@functools.lru_cache(maxsize=64)
def _table(sizes):
    """Size and start of each weight, and how long the line is."""
    table, total = array("q"), 0
    for size in sizes:
        table.extend((size, total))
        total += size
    return table, total


def _run(kernel, numbers, ws, gs, *slots):
    """Run ``kernel`` over all weights."""
    gs = [g if g.flags.c_contiguous else np.ascontiguousarray(g) for g in gs]
    arrays = (*ws, *gs, *[one for several in slots for one in several])  # held here: the task knows its id only
    table, total = _table(tuple([w.size for w in ws]))
    if total:
        kernel(len(ws), table.buffer_info()[0], id(arrays), total, *numbers, tasks=tasks_for(total))


@sgd.implementation("cpu", on="numpy", accepts=_only_float32)
def sgd_cpu(ws, gs, *, learning_rate):
    _run(_sgd, (float(learning_rate),), ws, gs)


@sgd_momentum.implementation("cpu", on="numpy", accepts=_only_float32)
def sgd_momentum_cpu(ws, gs, ms, *, learning_rate, momentum, nesterov):
    _run(_sgd_momentum, (float(learning_rate), float(momentum), bool(nesterov)), ws, gs, ms)


@adam.implementation("cpu", on="numpy", accepts=_only_float32)
def adam_cpu(ws, gs, ms, vs, *, learning_rate, beta_1, beta_2, epsilon, step):
    rate = float(adam_rate(learning_rate, beta_1, beta_2, step))
    _run(_adam, (rate, float(epsilon), float(1 - beta_1), float(1 - beta_2)), ws, gs, ms, vs)


@rmsprop.implementation("cpu", on="numpy", accepts=_only_float32)
def rmsprop_cpu(ws, gs, vs, *, learning_rate, rho, epsilon):
    _run(_rmsprop, (float(learning_rate), float(rho), float(1 - rho), float(epsilon)), ws, gs, vs)
