# mypy: ignore-errors
"""Step 5: a tile of the result at a time, so that a number that was loaded is used several times."""

import numpy as np

from ..parallel import njit

__all__ = ["matmul"]

DEPTH, ROWS, COLUMNS = 128, 4, 32


@njit(cache=True, fastmath={"contract"})
def matmul(a, b):
    """a (m, k) times b (k, n), in tiles of ROWS x COLUMNS sums.

    The sums belong into registers for the whole loop over k. But ``sums`` is an array like the others, and for all that
    the compiler knows, writing to it might change ``piece`` or ``a``. So every multiply-add loads a sum from memory and
    stores it there again, and these two, not the arithmetic, take the time.
    """
    (m, depth), n = a.shape, b.shape[1]
    c = np.zeros((m, n), np.float32)
    piece, sums = np.zeros((DEPTH, COLUMNS), np.float32), np.empty((ROWS, COLUMNS), np.float32)
    for first_k in range(0, depth, DEPTH):
        deep = min(DEPTH, depth - first_k)
        for first in range(0, n, COLUMNS):
            wide = min(COLUMNS, n - first)
            for k in range(deep):
                for j in range(wide):
                    piece[k, j] = b[first_k + k, first + j]
            for top in range(0, m, ROWS):
                high = min(ROWS, m - top)
                sums[:] = np.float32(0)
                for k in range(deep):
                    for r in range(high):
                        factor = a[top + r, first_k + k]
                        for j in range(COLUMNS):
                            sums[r, j] += factor * piece[k, j]
                for r in range(high):
                    for j in range(wide):
                        c[top + r, first + j] += sums[r, j]
    return c
