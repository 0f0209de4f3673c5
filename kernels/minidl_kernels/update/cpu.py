"""Numba: one launch for all weights of a list.

A table holds, for every weight, its size, where it starts if all were laid end to end, and the addresses of its
arrays. The tasks share out that imagined line: one large weight is cut into many pieces, many small ones make up one.
"""

import math
from array import array

import numpy as np

from ..on_cpu import tasks_for
from ..parallel import addresses_of, floats, integer, njit, number, share, task
from . import adam, adam_rate, rmsprop, sgd, sgd_momentum


@njit(cache=True, inline="always")
def _piece(row, first, last):
    """Which elements of the weight of a row of the table lie between ``first`` and ``last`` of the line."""
    n, start = integer(row, 0), integer(row, 1)
    return n, max(first - start, 0), min(last - start, n)


@task(fastmath={"contract"})
def _sgd(args, task, tasks):
    weights, table, row_bytes, total = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rate = np.float32(number(args, 4))
    first, last = share(total, task, tasks)
    for row in range(table, table + weights * row_bytes, row_bytes):
        n, begin, end = _piece(row, first, last)
        if begin < end:
            w, g = floats(row, 2, n)[begin:end], floats(row, 3, n)[begin:end]
            for i in range(w.size):
                w[i] -= rate * g[i]


@task(fastmath={"contract"})
def _sgd_momentum(args, task, tasks):
    weights, table, row_bytes, total = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rate, momentum, nesterov = np.float32(number(args, 4)), np.float32(number(args, 5)), integer(args, 6)
    first, last = share(total, task, tasks)
    for row in range(table, table + weights * row_bytes, row_bytes):
        n, begin, end = _piece(row, first, last)
        if begin < end:
            w, g, m = floats(row, 2, n)[begin:end], floats(row, 3, n)[begin:end], floats(row, 4, n)[begin:end]
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
    weights, table, row_bytes, total = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rate, epsilon = np.float32(number(args, 4)), np.float32(number(args, 5))
    fresh_m, fresh_v = np.float32(number(args, 6)), np.float32(number(args, 7))
    first, last = share(total, task, tasks)
    for row in range(table, table + weights * row_bytes, row_bytes):
        n, begin, end = _piece(row, first, last)
        if begin < end:
            w, g = floats(row, 2, n)[begin:end], floats(row, 3, n)[begin:end]
            m, v = floats(row, 4, n)[begin:end], floats(row, 5, n)[begin:end]
            for i in range(w.size):
                gradient = g[i]
                new_m = m[i] + (gradient - m[i]) * fresh_m
                new_v = v[i] + (gradient * gradient - v[i]) * fresh_v
                m[i], v[i] = new_m, new_v
                w[i] -= new_m * rate / (np.float32(math.sqrt(new_v)) + epsilon)


@task(fastmath={"contract"})
def _rmsprop(args, task, tasks):
    weights, table, row_bytes, total = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    rate, rho = np.float32(number(args, 4)), np.float32(number(args, 5))
    fresh, epsilon = np.float32(number(args, 6)), np.float32(number(args, 7))
    first, last = share(total, task, tasks)
    for row in range(table, table + weights * row_bytes, row_bytes):
        n, begin, end = _piece(row, first, last)
        if begin < end:
            w, g, v = floats(row, 2, n)[begin:end], floats(row, 3, n)[begin:end], floats(row, 4, n)[begin:end]
            for i in range(w.size):
                gradient = g[i]
                new_v = rho * v[i] + fresh * (gradient * gradient)
                v[i] = new_v
                w[i] -= rate * gradient / np.float32(math.sqrt(new_v + epsilon))


def _only_float32(ws, *lists, **settings):
    for w in ws:
        if w.dtype != np.float32:
            return f"computes in float32, not {w.dtype}"
    return None


def _run(kernel, numbers, ws, gs, *slots):
    """Build the table and run ``kernel`` over all weights."""
    gs = [np.ascontiguousarray(g) for g in gs]  # held here: the table knows addresses only
    lists = (ws, gs, *slots)
    addresses = [addresses_of(arrays) for arrays in lists]
    sizes = [w.size for w in ws]
    table = array("q")
    total = 0
    for size, *row in zip(sizes, *addresses, strict=True):
        table.extend((size, total, *row))
        total += size
    if total:
        kernel(
            len(ws), table.buffer_info()[0], (2 + len(lists)) * table.itemsize, total, *numbers, tasks=tasks_for(total)
        )


@sgd.implementation("cpu", on="numpy", accepts=_only_float32)
def sgd_cpu(ws, gs, *, learning_rate):
    _run(_sgd, (float(learning_rate),), ws, gs)


@sgd_momentum.implementation("cpu", on="numpy", accepts=_only_float32)
def sgd_momentum_cpu(ws, gs, ms, *, learning_rate, momentum, nesterov):
    _run(_sgd_momentum, (float(learning_rate), float(momentum), bool(nesterov)), ws, gs, ms)


@adam.implementation("cpu", on="numpy", accepts=_only_float32)
def adam_cpu(ws, gs, ms, vs, *, learning_rate, beta_1, beta_2, epsilon, step):
    rate = adam_rate(learning_rate, beta_1, beta_2, step)
    _run(_adam, (rate, float(epsilon), float(1 - beta_1), float(1 - beta_2)), ws, gs, ms, vs)


@rmsprop.implementation("cpu", on="numpy", accepts=_only_float32)
def rmsprop_cpu(ws, gs, vs, *, learning_rate, rho, epsilon):
    _run(_rmsprop, (float(learning_rate), float(rho), float(1 - rho), float(epsilon)), ws, gs, vs)
