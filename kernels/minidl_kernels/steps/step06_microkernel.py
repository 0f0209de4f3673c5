# mypy: ignore-errors
"""Step 6: the tile in registers. What compilers cannot be told in loops is written as vector instructions.

``microkernel.py`` has the text: a tile of so many rows and vectors of columns that the sums fill the registers of
the processor at hand, and leave room for the numbers that come in. Here is what stands around it: three loops.
"""

import numpy as np

from ..microkernel import ACCUMULATE, WIDTH, heart, keep, multiply
from ..panels import pack_panel
from ..parallel import integer, share, task

__all__ = ["matmul", "product"]

DEPTH = 256


@task
def _product(args, task, tasks):
    """The rows of c that fall to this task."""
    heart, m, n, k = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    a, b, c = integer(args, 4), integer(args, 5), integer(args, 6)  # addresses
    top, bottom = share(m, task, tasks)
    panel = np.empty(DEPTH * WIDTH, np.float32)
    place = panel.ctypes.data
    for k0 in range(0, k, DEPTH):
        depth = min(DEPTH, k - k0)
        for column in range(0, n, WIDTH):
            wide = min(WIDTH, n - column)
            pack_panel(place, WIDTH, b + (k0 * n + column) * 4, depth, n * 4, wide, 4)
            multiply(
                heart, bottom - top, a + (top * k + k0) * 4, k * 4, 1, 0, depth, 4, place, WIDTH * 4,
                c + (top * n + column) * 4, n * 4, 0, wide, 0, ACCUMULATE if k0 > 0 else 0,
            )  # fmt: skip
    keep(panel)


def product(a, b, tasks):
    """a (m, k) times b (k, n), C-contiguous, by so many tasks."""
    (m, k), n = a.shape, b.shape[1]
    c = np.empty((m, n), np.float32)
    _product(heart.address, m, n, k, a, b, c, tasks=tasks)
    return c


def matmul(a, b):
    """a (m, k) times b (k, n), by one task."""
    return product(a, b, tasks=1)
