"""Step 13: registers. What step 6 does on a processor: a thread makes 4 x 4 results, and keeps their sums in registers.

Step 12 reads two numbers of shared memory for each multiply-add. A multiprocessor reads 32 in a cycle, in which it
could do 64 or 128 multiply-adds. With 4 x 4 results in a thread, 8 numbers that were read are good for 16; and with
64 x 64 in a block, a number that was fetched is used 64 times, with fewer barriers on the way (``cuda/tile.cuh``).
The convolutions of ``conv/conv.cu`` are the same text around functions that look into pictures: no matrix of windows is
made.
"""

from ..arrays import Array
from .step11_cuda_naive import launch

__all__ = ["matmul"]


def matmul(a: Array, b: Array) -> Array:
    """a (m, k) times b (k, n), in tiles of 64 x 64, 4 x 4 a thread."""
    return launch("cuda", a, b)
