# mypy: ignore-errors
"""Sums over the rows of a matrix, in an order that follows from the sizes alone."""

import numpy as np

from .parallel import njit  # not from numba itself: parallel.py sets the cache folder first

__all__ = ["RUN", "add_rows", "tasks_for_sums"]

RUN = 64  # rows that are summed by themselves: a sum of sums has fewer roundings in a row
SERIAL = 1 << 16  # numbers below which starting the threads costs more than they save
MOST_TASKS = 16  # each leaves a sum that is added to the others


@njit(cache=True, inline="always")
def add_rows(g, start, end, total):
    """total = the sum of the rows from start to before end, eight of them at a time."""
    whole = start + (end - start) // 8 * 8
    total[:] = np.float32(0)
    for i in range(start, whole, 8):
        for j in range(total.size):
            total[j] += ((g[i, j] + g[i + 1, j]) + (g[i + 2, j] + g[i + 3, j])) + (
                (g[i + 4, j] + g[i + 5, j]) + (g[i + 6, j] + g[i + 7, j])
            )
    for i in range(whole, end):
        for j in range(total.size):
            total[j] += g[i, j]


def tasks_for_sums(rows, columns):
    """In how many parts so many rows are summed."""
    return max(1, min(MOST_TASKS, rows // RUN)) if rows * columns >= SERIAL else 1
