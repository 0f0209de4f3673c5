"""Numba: blocks of Philox side by side in vector code, a cache-sized piece of words at a time.

Every number stays in 32 bits (products: 64), written out in uint32 and uint64: Numba would make int64 of mixed ones.
"""

import numpy as np

from ..arrays import to_numpy
from ..on_cpu import contiguous, only_float32, tasks_for
from ..parallel import floats, integer, njit, number, share, task, unsigned
from . import MULTIPLIERS, WEYL, dropout, dropout_scale, dropout_threshold, random_bits

PIECE = 1024  # words drawn at a time: 4 KiB, which stay in the first cache
M0, M1 = np.uint64(MULTIPLIERS[0]), np.uint64(MULTIPLIERS[1])
W0, W1 = np.uint32(WEYL[0]), np.uint32(WEYL[1])
HALF = np.uint64(32)
ZERO = np.float32(0)


@njit(cache=True, inline="always")
def _round(c0, c1, c2, c3, k0, k1):
    p0, p1 = np.uint64(c0) * M0, np.uint64(c2) * M1
    high0, high1 = np.uint32(p0 >> HALF), np.uint32(p1 >> HALF)
    return np.uint32(high1 ^ c1 ^ k0), np.uint32(p1), np.uint32(high0 ^ c3 ^ k1), np.uint32(p0)


@njit(cache=True)
def _draw(first, words, key0, key1):
    """Fill ``words`` (a multiple of four) with blocks ``first``, ``first + 1``, ... of the key's stream."""
    for b in range(words.size // 4):
        block = np.uint64(first + b)
        c0, c1, c2, c3 = np.uint32(block), np.uint32(block >> HALF), np.uint32(0), np.uint32(0)
        k0, k1 = key0, key1
        for _ in range(10):
            c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
            k0, k1 = np.uint32(k0 + W0), np.uint32(k1 + W1)
        words[4 * b], words[4 * b + 1], words[4 * b + 2], words[4 * b + 3] = c0, c1, c2, c3


@task
def _random_bits(args, task, tasks):
    size, offset = integer(args, 0), integer(args, 1)
    key0, key1, out = np.uint32(integer(args, 2)), np.uint32(integer(args, 3)), unsigned(args, 4, size)
    words = np.empty(PIECE + 4, np.uint32)
    first, last = share(size, task, tasks)
    for start in range(first, last, PIECE):
        target = out[start : min(start + PIECE, last)]
        skip = (offset + start) % 4
        _draw((offset + start) // 4, words[: (skip + target.size + 3) // 4 * 4], key0, key1)
        for i in range(target.size):
            target[i] = words[skip + i]


@task
def _dropout(args, task, tasks):
    size, offset = integer(args, 0), integer(args, 1)
    key0, key1 = np.uint32(integer(args, 2)), np.uint32(integer(args, 3))
    x, y = floats(args, 4, size), floats(args, 5, size)
    threshold, scale = np.uint32(integer(args, 6)), np.float32(number(args, 7))
    words = np.empty(PIECE + 4, np.uint32)
    first, last = share(size, task, tasks)
    for start in range(first, last, PIECE):
        source, target = x[start : min(start + PIECE, last)], y[start : min(start + PIECE, last)]
        skip = (offset + start) % 4
        _draw((offset + start) // 4, words[: (skip + target.size + 3) // 4 * 4], key0, key1)
        drawn = words[skip:]
        for i in range(target.size):
            kept = source[i] * scale
            target[i] = kept if drawn[i] >= threshold else ZERO


@random_bits.implementation("cpu", on="numpy")
@contiguous
def random_bits_cpu(key, *, size, offset, out):
    _random_bits(size, offset, key[0], key[1], out, tasks=tasks_for(size))


@dropout.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def dropout_cpu(x, key, *, rate, offset, out):
    key = to_numpy(key)
    _dropout(
        x.size, offset, key[0], key[1], x, out, dropout_threshold(rate), dropout_scale(rate), tasks=tasks_for(x.size)
    )
