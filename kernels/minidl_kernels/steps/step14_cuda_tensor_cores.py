"""Step 14: tensor cores. The 32 threads of a warp make one step together: 16 x 8 by 8 x 8 numbers, 1024 multiply-adds.

Each thread holds four numbers of the one factor, two of the other and four sums, spread as the hardware wants them
(``cuda/tensor_core.cuh``). For these six numbers that a thread reads, it gets 32 multiply-adds; with 2 x 4 such steps
side by side, 16 numbers are good for 256 (``cuda/tensor_tile.cuh``). Fetching becomes what takes time, so the next slab
is fetched while this one is multiplied.

The price is paid in digits: the factors are rounded to TF32, with 10 bits of mantissa in place of 23. That is a matter
for those who train a net, so it runs only where it is asked for: ``config.enable_tf32()``.
"""

from ..arrays import Array
from .step11_cuda_naive import launch

__all__ = ["matmul"]


def matmul(a: Array, b: Array) -> Array:
    """a (m, k) times b (k, n), in tiles of 128 x 64, on tensor cores."""
    return launch("cuda_tf32", a, b)
