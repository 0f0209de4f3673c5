# mypy: ignore-errors
"""Step 5: four rows of the result at a time, so that a number of b that was loaded is used four times."""

import numpy as np

from ..parallel import njit

__all__ = ["matmul"]

DEPTH, ROWS, COLUMNS = 128, 4, 128


@njit(cache=True, fastmath={"contract"})
def matmul(a, b):
    """a (m, k) times b (k, n), in tiles of ROWS x COLUMNS sums. Not faster than step 4, for all its care.

    The sums belong into registers for the whole loop over k. But they are an array like the others, and for all that
    the compiler knows they are too many, and writing to one might change ``piece``. So every multiply-add loads a sum
    from memory and stores it there again, and these two, not the arithmetic, take the time.
    """
    (m, depth), n = a.shape, b.shape[1]
    c = np.zeros((m, n), np.float32)
    rows, piece = np.zeros((ROWS, DEPTH), np.float32), np.zeros((DEPTH, COLUMNS), np.float32)
    sums = np.empty((ROWS, COLUMNS), np.float32)
    s0, s1, s2, s3 = sums[0], sums[1], sums[2], sums[3]
    for first_k in range(0, depth, DEPTH):
        deep = min(DEPTH, depth - first_k)
        for first in range(0, n, COLUMNS):
            wide = min(COLUMNS, n - first)
            for k in range(deep):
                for j in range(wide):
                    piece[k, j] = b[first_k + k, first + j]
            for top in range(0, m, ROWS):
                high = min(ROWS, m - top)
                for r in range(high):
                    for k in range(deep):
                        rows[r, k] = a[top + r, first_k + k]
                sums[:] = np.float32(0)
                for k in range(deep):
                    line = piece[k]
                    a0, a1, a2, a3 = rows[0, k], rows[1, k], rows[2, k], rows[3, k]
                    for j in range(COLUMNS):
                        s0[j] += a0 * line[j]
                        s1[j] += a1 * line[j]
                        s2[j] += a2 * line[j]
                        s3[j] += a3 * line[j]
                for r in range(high):
                    for j in range(wide):
                        c[top + r, first + j] += sums[r, j]
    return c
