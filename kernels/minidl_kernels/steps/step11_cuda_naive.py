"""Step 11: on a GPU, the definition again. The two outer loops are gone: for each number of c there is a thread.

A kernel is the inside of a loop, written in C++ (``matmul_naive`` in ``matmul/matmul.cu``), and a GPU runs it for
thousands of threads at once. Each fetches a row of a and a column of b from memory: two numbers for one multiply-add,
while an H200 does about thirty of these in the time of one number. Nothing is shared, so nobody waits for anybody.

From here on there is no speed to measure without a GPU. What decides it can be counted, though: the text runs on the
processor, thread by thread (``cuda/shim.py``), and what its threads ask of memory is noted (``cuda/counts.py``).
"""

import numpy as np

from .. import matmul as kernel
from ..arrays import Array

__all__ = ["launch", "matmul"]


def launch(name: str, a: Array, b: Array) -> Array:
    """a (m, k) times b (k, n) by one of the CUDA implementations, in the shim."""
    kernel.get("cuda")  # the file that has them
    c = np.empty((a.shape[0], b.shape[1]), a.dtype)
    kernel.get(name).run(a, b, transpose_a=False, transpose_b=False, out=c)
    return c


def matmul(a: Array, b: Array) -> Array:
    """a (m, k) times b (k, n), a thread for each result."""
    return launch("cuda_naive", a, b)
