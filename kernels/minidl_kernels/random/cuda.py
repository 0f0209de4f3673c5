"""CuPy: one thread for four words of the stream (random.cu). The key stays on the device."""

import numpy as np

from ..arrays import Array, namespace
from ..cuda import Program, blocks
from ..on_cpu import contiguous
from . import block_range, dropout, dropout_scale, dropout_threshold, random_bits

stream = Program("random.cu", __file__)
THREADS = 256


def _range(size: int, offset: int) -> tuple[tuple[int, ...], tuple[np.generic | int, ...]]:
    """The grid, and where the words stand in the stream."""
    first, count = block_range(offset, size)
    return (blocks(count if size else 0, THREADS),), (np.int64(first), offset % 4, np.int64(size))


@random_bits.implementation("cuda", on="cupy")
@contiguous
def random_bits_cuda(key: Array, *, size: int, offset: int, out: Array) -> None:
    grid, place = _range(size, offset)
    stream.launch(np.dtype("float32"), "random_words", grid, (THREADS,), (key, out, *place))


@dropout.implementation("cuda", on="cupy")
@contiguous
def dropout_cuda(x: Array, key: Array, *, rate: float, offset: int, out: Array) -> None:
    grid, place = _range(x.size, offset)
    threshold = np.uint32(dropout_threshold(rate))
    key = namespace(x).asarray(key)
    stream("drop", grid, (THREADS,), x, key, out, *place, threshold, dropout_scale(rate))
