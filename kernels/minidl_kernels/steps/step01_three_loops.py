"""Step 1: the definition, in Python. c[i, j] is the sum over k of a[i, k] * b[k, j]."""

import numpy as np

__all__ = ["matmul"]


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a (m, k) times b (k, n). Python looks up every number, every multiplication and every addition anew."""
    rows, columns = a.tolist(), b.tolist()
    c = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for i in range(c.shape[0]):
        for j in range(c.shape[1]):
            total = 0.0
            for k in range(len(columns)):
                total += rows[i][k] * columns[k][j]
            c[i, j] = total
    return c
