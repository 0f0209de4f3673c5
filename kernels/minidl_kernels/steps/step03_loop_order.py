# mypy: ignore-errors
"""Step 3: the loops in the order i, k, j. The inner loop runs along rows, whose numbers lie side by side."""

import numpy as np

from ..parallel import njit

__all__ = ["matmul"]


@njit(cache=True, fastmath={"contract"})
def matmul(a, b):
    """a (m, k) times b (k, n). The sums of a row do not wait for each other, so the compiler takes a vector at a time.

    "contract" lets it make one instruction of a multiplication and an addition.
    """
    c = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for i in range(c.shape[0]):
        for k in range(b.shape[0]):
            factor = a[i, k]
            for j in range(c.shape[1]):
                c[i, j] += factor * b[k, j]
    return c
