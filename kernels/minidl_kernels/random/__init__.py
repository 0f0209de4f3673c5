"""Random numbers that are a function of a key and a position: Philox-4x32-10 (Salmon et al. 2011, "Parallel random
numbers: as easy as 1, 2, 3").

Block b of the stream of a key is Philox of the counter (b mod 2^32, b // 2^32, 0, 0): four 32-bit words. Word i of the
stream is word i % 4 of block i // 4. So every part of a stream can be computed alone, in any order, on any number of
threads, and drawn again in a backward pass: the same bits everywhere.
"""

import math

from ..arrays import Array, is_array
from ..kernel import Output, kernel

__all__ = ["dropout", "dropout_scale", "dropout_threshold", "philox", "random_bits"]

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)  # of the two words that are multiplied in a round
WEYL = (0x9E3779B9, 0xBB67AE85)  # added to the key after each round: the golden ratio, and sqrt(3) - 1
ROUNDS = 10
WORD = 0xFFFFFFFF


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """One block of Philox-4x32-10: four random 32-bit words, in plain Python.

    Args:
        counter: four 32-bit words.
        key: two 32-bit words.
    """
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(ROUNDS):
        p0, p1 = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & WORD, (p0 >> 32) ^ c3 ^ k1, p0 & WORD
        k0, k1 = (k0 + WEYL[0]) & WORD, (k1 + WEYL[1]) & WORD
    return c0, c1, c2, c3


def dropout_threshold(rate: float) -> int:
    """The integer part of rate * 2^32: a word below it drops its element. (The product is exact in float64.)"""
    return int(rate * 2.0**32)


def dropout_scale(rate: float) -> float:
    """What kept elements are multiplied by: 1 / (1 - rate), in float64; kernels round it to the dtype of x."""
    return 1.0 / (1.0 - rate)


def _check_stream(name: str, key: Array, offset: int) -> None:
    if not is_array(key) or key.dtype != "uint32" or key.shape != (2,):
        came = f"dtype {key.dtype} and shape {key.shape}" if is_array(key) else f"a {type(key).__name__}"
        raise ValueError(f"{name}: key must be an array of dtype uint32 and shape (2,), not {came}")
    if not isinstance(offset, int) or not 0 <= offset < 2**62:
        raise ValueError(f"{name}: offset must be a whole number from 0 to 2^62, not {offset!r}")


@kernel(arrays=0)
def random_bits(key: Array, *, size: int, offset: int = 0) -> Output:
    """Words ``offset`` to ``offset + size - 1`` of the Philox stream of ``key``.

    Args:
        key: uint32, (2,).
        size: how many words.
        offset: where to start; any whole number.

    Returns:
        uint32, (size,), on the key's array library.
    """
    _check_stream("random_bits", key, offset)
    if not isinstance(size, int) or size < 0:
        raise ValueError(f"random_bits: size must be a whole number, at least 0, not {size!r}")
    return Output((size,), key.dtype)


@kernel(arrays=1)
def dropout(x: Array, key: Array, *, rate: float, offset: int = 0) -> Output:
    """Each element is 0 with probability ``rate``, else x * scale with scale = 1 / (1 - rate).

    Element i (row-major) is kept where word[offset + i] of the key's stream is at least ``dropout_threshold(rate)`` =
    floor(rate * 2^32). A dropped element is 0 whatever it was, NaN too. The mask does not depend on x, so
    the gradient is the same kernel, with the same key, on the upstream gradient.

    Args:
        x: any shape.
        key: uint32, (2,).
        rate: in [0, 1).
        offset: the word of the stream for element 0.
    """
    _check_stream("dropout", key, offset)
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: rate must be at least 0 and less than 1, not {rate!r}")
    return Output(x.shape, x.dtype)


def block_range(offset: int, size: int) -> tuple[int, int]:
    """The first block that words offset to offset + size - 1 need, and how many blocks."""
    return offset // 4, math.ceil((offset % 4 + size) / 4)
