"""NumPy and CuPy: all blocks at once. Words are held in uint64, so that the product of two fits."""

from typing import Any

from ..arrays import Array, namespace, to_numpy
from . import MULTIPLIERS, ROUNDS, WEYL, WORD, block_range, dropout, dropout_scale, dropout_threshold, random_bits


def _words(xp: Any, key: Array, size: int, offset: int) -> Array:
    """Words offset to offset + size - 1 of the key's stream, uint32."""
    first, blocks = block_range(offset, size)
    k0, k1 = (int(word) for word in to_numpy(key))
    half, mask = xp.uint64(32), xp.uint64(WORD)
    block = xp.arange(blocks, dtype="uint64") + xp.uint64(first)
    c0, c1 = block & mask, block >> half
    c2 = c3 = xp.zeros_like(c0)
    for _ in range(ROUNDS):
        p0, p1 = c0 * xp.uint64(MULTIPLIERS[0]), c2 * xp.uint64(MULTIPLIERS[1])
        c0, c1 = (p1 >> half) ^ c1 ^ xp.uint64(k0), p1 & mask
        c2, c3 = (p0 >> half) ^ c3 ^ xp.uint64(k1), p0 & mask
        k0, k1 = (k0 + WEYL[0]) & WORD, (k1 + WEYL[1]) & WORD
    words = xp.stack([c0, c1, c2, c3], axis=1).astype("uint32").reshape(-1)
    return words[offset % 4 : offset % 4 + size]


@random_bits.implementation("array", on=("numpy", "cupy"))
def random_bits_array(key: Array, *, size: int, offset: int, out: Array) -> None:
    out[...] = _words(namespace(key), key, size, offset)


@dropout.implementation("array", on=("numpy", "cupy"))
def dropout_array(x: Array, key: Array, *, rate: float, offset: int, out: Array) -> None:
    xp = namespace(x)
    kept = (_words(xp, key, x.size, offset) >= dropout_threshold(rate)).reshape(x.shape)
    # where, not a product with the mask: NaN * 0 would stay NaN.
    out[...] = xp.where(kept, x * x.dtype.type(dropout_scale(rate)), 0)
