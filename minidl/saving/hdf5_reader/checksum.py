"""The checksum of the newer structures: Jenkins' lookup3.

HDF5 File Format Specification version 3.0, sections II.A (superblock 2 and 3), III.A.2 (v2 B-trees), III.G (fractal
heaps) and IV.A.1.b (object headers 2); the function is "hashlittle" of http://burtleburtle.net/bob/c/lookup3.c.
"""

from .storage import Damage

__all__ = ["check", "lookup3"]

MASK = 0xFFFFFFFF
MIXES = ((0, 2, 4), (1, 0, 6), (2, 1, 8), (0, 2, 16), (1, 0, 19), (2, 1, 4))  # (x, y, bits): x -= y; x ^= y <<< bits
FINALS = ((2, 1, 14), (0, 2, 11), (1, 0, 25), (2, 1, 16), (0, 2, 4), (1, 0, 14), (2, 1, 24))


def check(data: bytes, stored: int, at: int) -> None:
    """Raise Damage where the checksum of these bytes is another than the stored one."""
    if lookup3(data) != stored:
        raise Damage(at, "the checksum is wrong")


def lookup3(data: bytes) -> int:
    """The checksum of some bytes."""
    state = [(0xDEADBEEF + len(data)) & MASK] * 3
    last = (len(data) - 1) // 12 * 12 if data else 0
    for start in range(0, last, 12):
        _add(state, data[start : start + 12])
        for x, y, bits in MIXES:
            state[x] = (state[x] - state[y]) & MASK ^ _rotated(state[y], bits)
            state[y] = (state[y] + state[3 - x - y]) & MASK
    if data:
        _add(state, data[last:].ljust(12, b"\0"))
        for x, y, bits in FINALS:
            state[x] = ((state[x] ^ state[y]) - _rotated(state[y], bits)) & MASK
    return state[2]


def _add(state: list[int], words: bytes) -> None:
    for i in range(3):
        state[i] = (state[i] + int.from_bytes(words[4 * i : 4 * i + 4], "little")) & MASK


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> 32 - bits) & MASK
