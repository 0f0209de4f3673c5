# mypy: ignore-errors
"""Step 7: on all cores. The rows of c are shared out; nobody waits for anybody, as no two tasks write to one place.

The shares follow from the sizes, not from the number of cores: so the result has the same bits on any machine. There
are more tasks than cores, and whoever is done takes the next one (``parallel.py``). ``matmul/cpu.py`` is this with
bias, ReLU, transposed factors, and shares of columns too.
"""

from .step06_microkernel import product

__all__ = ["matmul"]

ROWS = 96  # of a task: enough to make up for packing b anew


def matmul(a, b):
    """a (m, k) times b (k, n)."""
    return product(a, b, tasks=-(-a.shape[0] // ROWS))
