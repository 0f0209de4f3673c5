"""Numba: one launch for all weights of a list.

A task takes a share of every weight, so that a core changes the rows of a matrix that it reads in products (see
``_blocks`` in matmul/cpu.py). The arrays of a launch are all weights, then all gradients, then what else there is.
"""

import functools
import math

import numpy as np

from .. import config
from ..on_cpu import tasks_for
from ..parallel import floats_of_launch, integer, integers, njit, number, share, task
from . import adam, adam_rate, rmsprop, sgd, sgd_momentum

LINE = 16  # float32 of a cache line


@njit(cache=True, inline="always")
def _piece(sizes, weight, task, tasks):
    """The size of a weight, and a task's share of it in whole cache lines."""
    n = sizes[weight]
    first, last = share((n + LINE - 1) // LINE, task, tasks)
    return n, first * LINE, min(last * LINE, n)


@task(fastmath={"contract"})
def _sgd(args, task, tasks):
    weights, numbers = integer(args, 0), integer(args, 2)
    sizes = integers(args, 1, weights)
    rate = np.float32(number(numbers, 0))
    for weight in range(weights):
        n, begin, end = _piece(sizes, weight, task, tasks)
        if begin < end:
            w, g = floats_of_launch(args, weight, n)[begin:end], floats_of_launch(args, weight + weights, n)[begin:end]
            for i in range(w.size):
                w[i] -= rate * g[i]


@task(fastmath={"contract"})
def _sgd_momentum(args, task, tasks):
    weights, numbers = integer(args, 0), integer(args, 2)
    sizes = integers(args, 1, weights)
    rate, momentum, nesterov = np.float32(number(numbers, 0)), np.float32(number(numbers, 1)), number(numbers, 2)
    for weight in range(weights):
        n, begin, end = _piece(sizes, weight, task, tasks)
        if begin < end:
            w, g, m = (
                floats_of_launch(args, weight, n)[begin:end],
                floats_of_launch(args, weight + weights, n)[begin:end],
                floats_of_launch(args, weight + 2 * weights, n)[begin:end],
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
    weights, numbers = integer(args, 0), integer(args, 2)
    sizes = integers(args, 1, weights)
    rate, epsilon = np.float32(number(numbers, 0)), np.float32(number(numbers, 1))
    fresh_m, fresh_v = np.float32(number(numbers, 2)), np.float32(number(numbers, 3))
    for weight in range(weights):
        n, begin, end = _piece(sizes, weight, task, tasks)
        if begin < end:
            w, g = floats_of_launch(args, weight, n)[begin:end], floats_of_launch(args, weight + weights, n)[begin:end]
            m, v = (
                floats_of_launch(args, weight + 2 * weights, n)[begin:end],
                floats_of_launch(args, weight + 3 * weights, n)[begin:end],
            )
            for i in range(w.size):
                gradient = g[i]
                new_m = m[i] + (gradient - m[i]) * fresh_m
                new_v = v[i] + (gradient * gradient - v[i]) * fresh_v
                m[i], v[i] = new_m, new_v
                w[i] -= new_m * rate / (np.float32(math.sqrt(new_v)) + epsilon)


@task(fastmath={"contract"})
def _rmsprop(args, task, tasks):
    weights, numbers = integer(args, 0), integer(args, 2)
    sizes = integers(args, 1, weights)
    rate, rho = np.float32(number(numbers, 0)), np.float32(number(numbers, 1))
    fresh, epsilon = np.float32(number(numbers, 2)), np.float32(number(numbers, 3))
    for weight in range(weights):
        n, begin, end = _piece(sizes, weight, task, tasks)
        if begin < end:
            w, g, v = (
                floats_of_launch(args, weight, n)[begin:end],
                floats_of_launch(args, weight + weights, n)[begin:end],
                floats_of_launch(args, weight + 2 * weights, n)[begin:end],
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
def _launch(task, sizes, lists, changes):
    """The launch of a task for so many lists of weights of these sizes, and what it reads besides."""
    table, numbers = np.array(sizes, np.int64), np.empty(0)
    launch = task.launch(len(sizes), table, numbers, tasks=tasks_for(sum(sizes)))
    places = [object() for _ in range(lists * len(sizes))]  # of arrays that each call has
    return launch.again((*places, table, numbers)), table


def _run(task, numbers, ws, gs, *slots):
    """Run a task over all weights."""
    gs = [g if g.flags.c_contiguous else np.ascontiguousarray(g) for g in gs]
    launch, table = _launch(task, tuple([w.size for w in ws]), 2 + len(slots), config.changes)
    launch((*ws, *gs, *[one for several in slots for one in several], table, np.array(numbers, np.float64)))


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
