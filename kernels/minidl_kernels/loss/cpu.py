"""Numba: row by row, each row a few loops over cached numbers, exp as a polynomial (see activation/exponential.py)."""

import math

import numpy as np

from ..activation.exponential import exp
from ..on_cpu import contiguous, only_float32, tasks_for
from ..parallel import floats, integer, integers, njit, number, share, task
from . import (
    log_softmax,
    log_softmax_grad,
    probability_cross_entropy,
    probability_cross_entropy_grad,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_grad,
    softmax_grad,
)

REORDER = {"reassoc", "contract", "nsz"}  # lets a sum run in vector lanes; only in functions without exp
ZERO, ONE = np.float32(0), np.float32(1)
LOWEST = np.float32(-np.inf)


@njit(cache=True, fastmath=REORDER)
def _sum(row):
    total = ZERO
    for k in range(row.size):
        total += row[k]
    return total


@njit(cache=True, fastmath=REORDER)
def _dot(a, b):
    total = ZERO
    for k in range(a.size):
        total += a[k] * b[k]
    return total


@njit(cache=True)
def _top(row):
    """The maximum; NaN is passed over, it comes back in the sum. (In one chain, each comparison waits for the last.)"""
    m0, m1, m2, m3 = LOWEST, LOWEST, LOWEST, LOWEST
    whole = row.size // 4 * 4
    for k in range(0, whole, 4):
        m0 = row[k] if row[k] > m0 else m0
        m1 = row[k + 1] if row[k + 1] > m1 else m1
        m2 = row[k + 2] if row[k + 2] > m2 else m2
        m3 = row[k + 3] if row[k + 3] > m3 else m3
    for k in range(whole, row.size):
        m0 = row[k] if row[k] > m0 else m0
    m0, m2 = (m0 if m0 > m1 else m1), (m2 if m2 > m3 else m3)
    return m0 if m0 > m2 else m2


@njit(cache=True, fastmath={"contract"})
def _exponentials(row, top, target):
    """target = exp(row - top); its sum."""
    for k in range(row.size):
        target[k] = exp(row[k] - top)
    return _sum(target)


@task
def _softmax(args, task, tasks):
    rows, classes = integer(args, 0), integer(args, 1)
    x, y = floats(args, 2, (rows, classes)), floats(args, 3, (rows, classes))
    first, last = share(rows, task, tasks)
    for i in range(first, last):
        target = y[i]
        scale = ONE / _exponentials(x[i], _top(x[i]), target)
        for k in range(classes):
            target[k] *= scale


@task
def _softmax_grad(args, task, tasks):
    rows, classes = integer(args, 0), integer(args, 1)
    g, y, out = floats(args, 2, (rows, classes)), floats(args, 3, (rows, classes)), floats(args, 4, (rows, classes))
    first, last = share(rows, task, tasks)
    for i in range(first, last):
        upstream, values, target = g[i], y[i], out[i]
        total = _dot(upstream, values)
        for k in range(classes):
            target[k] = values[k] * (upstream[k] - total)


@task
def _log_softmax(args, task, tasks):
    rows, classes = integer(args, 0), integer(args, 1)
    x, y = floats(args, 2, (rows, classes)), floats(args, 3, (rows, classes))
    first, last = share(rows, task, tasks)
    for i in range(first, last):
        source, target, top = x[i], y[i], _top(x[i])
        logarithm = np.float32(math.log(_exponentials(source, top, target)))
        for k in range(classes):
            target[k] = (source[k] - top) - logarithm


@task(fastmath={"contract"})
def _log_softmax_grad(args, task, tasks):
    rows, classes = integer(args, 0), integer(args, 1)
    g, y, out = floats(args, 2, (rows, classes)), floats(args, 3, (rows, classes)), floats(args, 4, (rows, classes))
    first, last = share(rows, task, tasks)
    for i in range(first, last):
        upstream, values, target = g[i], y[i], out[i]
        total = _sum(upstream)
        for k in range(classes):
            target[k] = upstream[k] - exp(values[k]) * total


@task
def _cross_entropy(args, task, tasks):
    rows, classes = integer(args, 0), integer(args, 1)
    x, labels = floats(args, 2, (rows, classes)), integers(args, 3, rows)
    loss, probabilities = floats(args, 4, rows), floats(args, 5, (rows, classes))
    first, last = share(rows, task, tasks)
    for i in range(first, last):
        source, target, top = x[i], probabilities[i], _top(x[i])
        total = _exponentials(source, top, target)
        loss[i] = np.float32(math.log(total)) - (source[labels[i]] - top)
        scale = ONE / total
        for k in range(classes):
            target[k] *= scale


@task
def _cross_entropy_grad(args, task, tasks):
    rows, classes = integer(args, 0), integer(args, 1)
    g, probabilities, labels = floats(args, 2, rows), floats(args, 3, (rows, classes)), integers(args, 4, rows)
    out = floats(args, 5, (rows, classes))
    first, last = share(rows, task, tasks)
    for i in range(first, last):
        values, target, upstream, label = probabilities[i], out[i], g[i], labels[i]
        for k in range(classes):
            target[k] = values[k] * upstream
        target[label] = (values[label] - ONE) * upstream


@task
def _probability_cross_entropy(args, task, tasks):
    rows, classes, epsilon = integer(args, 0), integer(args, 1), np.float32(number(args, 2))
    x, labels = floats(args, 3, (rows, classes)), integers(args, 4, rows)
    loss, p = floats(args, 5, rows), floats(args, 6, rows)
    highest = np.float32(1 - number(args, 2))
    first, last = share(rows, task, tasks)
    for i in range(first, last):
        p[i] = x[i][labels[i]] / _sum(x[i])
        loss[i] = -np.float32(math.log(min(max(p[i], epsilon), highest)))


@task
def _probability_cross_entropy_grad(args, task, tasks):
    rows, classes, epsilon = integer(args, 0), integer(args, 1), np.float32(number(args, 2))
    g, x, p = floats(args, 3, rows), floats(args, 4, (rows, classes)), floats(args, 5, rows)
    labels, out = integers(args, 6, rows), floats(args, 7, (rows, classes))
    highest = np.float32(1 - number(args, 2))
    first, last = share(rows, task, tasks)
    for i in range(first, last):
        values, target, label = x[i], out[i], labels[i]
        inside = p[i] >= epsilon and p[i] <= highest
        of_sum = g[i] / _sum(values) if inside else ZERO
        for k in range(classes):
            target[k] = of_sum
        if inside:
            target[label] -= g[i] / values[label]


def _rows(x):
    return x.size // x.shape[-1] if x.size else 0, x.shape[-1]


@softmax.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def softmax_cpu(x, *, out):
    return _softmax.launch(*_rows(x), x, out, tasks=tasks_for(x.size))


@softmax_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def softmax_grad_cpu(g, y, *, out):
    return _softmax_grad.launch(*_rows(g), g, y, out, tasks=tasks_for(g.size))


@log_softmax.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def log_softmax_cpu(x, *, out):
    return _log_softmax.launch(*_rows(x), x, out, tasks=tasks_for(x.size))


@log_softmax_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def log_softmax_grad_cpu(g, y, *, out):
    return _log_softmax_grad.launch(*_rows(g), g, y, out, tasks=tasks_for(g.size))


@softmax_cross_entropy.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def softmax_cross_entropy_cpu(logits, labels, *, out):
    labels = labels.astype(np.int64, copy=False)
    return _cross_entropy.launch(*_rows(logits), logits, labels, *out, tasks=tasks_for(logits.size))


@softmax_cross_entropy_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def softmax_cross_entropy_grad_cpu(g, probabilities, labels, *, out):
    labels = labels.astype(np.int64, copy=False)
    return _cross_entropy_grad.launch(
        *_rows(probabilities), g, probabilities, labels, out, tasks=tasks_for(probabilities.size)
    )


@probability_cross_entropy.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def probability_cross_entropy_cpu(output, labels, *, epsilon, out):
    labels = labels.astype(np.int64, copy=False)
    return _probability_cross_entropy.launch(
        *_rows(output), float(epsilon), output, labels, *out, tasks=tasks_for(output.size)
    )


@probability_cross_entropy_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def probability_cross_entropy_grad_cpu(g, output, p, labels, *, epsilon, out):
    labels = labels.astype(np.int64, copy=False)
    sizes = (*_rows(output), float(epsilon))
    return _probability_cross_entropy_grad.launch(*sizes, g, output, p, labels, out, tasks=tasks_for(output.size))
