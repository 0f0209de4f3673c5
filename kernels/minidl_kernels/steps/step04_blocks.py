# mypy: ignore-errors
"""Step 4: in blocks. A piece of b that fits into the caches of a core is copied, and used by all rows of a."""

import numpy as np

from ..parallel import njit

__all__ = ["matmul"]

DEPTH, COLUMNS = 256, 128  # of the piece: 128 KiB


@njit(cache=True, fastmath={"contract"})
def matmul(a, b):
    """a (m, k) times b (k, n). Step 3 fetched all of b from afar for each row of a.

    The copy ("packing") costs one pass over b. Where it lies, the rows of a piece are a whole row of b apart: they
    would share few places of the cache and drive each other out.
    """
    (m, depth), n = a.shape, b.shape[1]
    c = np.zeros((m, n), np.float32)
    piece = np.zeros((DEPTH, COLUMNS), np.float32)
    for first_k in range(0, depth, DEPTH):
        deep = min(DEPTH, depth - first_k)
        for first in range(0, n, COLUMNS):
            wide = min(COLUMNS, n - first)
            for k in range(deep):
                for j in range(wide):
                    piece[k, j] = b[first_k + k, first + j]
            for i in range(m):
                sums = c[i, first : first + wide]
                for k in range(deep):
                    factor, row = a[i, first_k + k], piece[k]
                    for j in range(wide):
                        sums[j] += factor * row[j]
    return c
