"""Step 12: shared memory. The 256 threads of a block fetch a square of a and one of b together.

Each thread fetches two numbers and uses what all others fetched, so a number that came from memory is used 16 times
(``matmul_tiled`` in ``matmul/matmul.cu``). The price is to wait: at a barrier nobody goes on before all are there. One
stands after fetching, or a thread would multiply what is not there yet, and one after multiplying, or a quick thread
would fetch the next square over what a slow one still needs::

    python -m minidl_kernels.cuda tiled --without-barrier 1
"""

from ..arrays import Array
from .step11_cuda_naive import launch

__all__ = ["matmul"]


def matmul(a: Array, b: Array) -> Array:
    """a (m, k) times b (k, n), in squares of 16 x 16."""
    return launch("cuda_tiled", a, b)
