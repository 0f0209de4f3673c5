# mypy: ignore-errors
"""Step 2: the same three loops, compiled. No lookups any more, but one addition has to wait for the one before."""

import numpy as np

from ..parallel import njit

__all__ = ["matmul"]


@njit(cache=True)
def matmul(a, b):
    """a (m, k) times b (k, n). The inner loop walks down a column of b: each number is in another cache line."""
    c = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            total = np.float32(0)
            for k in range(b.shape[0]):
                total += a[i, k] * b[k, j]
            c[i, j] = total
    return c
