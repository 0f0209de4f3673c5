"""The checksum of the newer structures: Jenkins' lookup3.

HDF5 File Format Specification version 3.0, sections II.A (superblock 2 and 3), III.A.2 (v2 B-trees), III.G (fractal
heaps) and IV.A.1.b (object headers 2); the function is "hashlittle" of http://burtleburtle.net/bob/c/lookup3.c.
"""

import struct

from .storage import Damage

__all__ = ["check", "lookup3"]

MASK = 0xFFFFFFFF


def check(data: bytes, stored: int, at: int) -> None:
    """Raise Damage where the checksum of these bytes is another than the stored one."""
    if lookup3(data) != stored:
        raise Damage(at, "the checksum is wrong")


def lookup3(data: bytes) -> int:
    """The checksum of some bytes."""
    if not data:
        return 0xDEADBEEF
    a = b = c = (0xDEADBEEF + len(data)) & MASK
    words = struct.unpack(f"<{(len(data) + 11) // 12 * 3}I", data + bytes(-len(data) % 12))
    for i in range(0, len(words) - 3, 3):
        a, b, c = a + words[i] & MASK, b + words[i + 1] & MASK, c + words[i + 2] & MASK
        a, c = (a - c ^ (c << 4 | c >> 28)) & MASK, c + b & MASK
        b, a = (b - a ^ (a << 6 | a >> 26)) & MASK, a + c & MASK
        c, b = (c - b ^ (b << 8 | b >> 24)) & MASK, b + a & MASK
        a, c = (a - c ^ (c << 16 | c >> 16)) & MASK, c + b & MASK
        b, a = (b - a ^ (a << 19 | a >> 13)) & MASK, a + c & MASK
        c, b = (c - b ^ (b << 4 | b >> 28)) & MASK, b + a & MASK
    a, b, c = a + words[-3] & MASK, b + words[-2] & MASK, c + words[-1] & MASK
    c = (c ^ b) - (b << 14 | b >> 18) & MASK
    a = (a ^ c) - (c << 11 | c >> 21) & MASK
    b = (b ^ a) - (a << 25 | a >> 7) & MASK
    c = (c ^ b) - (b << 16 | b >> 16) & MASK
    a = (a ^ c) - (c << 4 | c >> 28) & MASK
    b = (b ^ a) - (a << 14 | a >> 18) & MASK
    return (c ^ b) - (b << 24 | b >> 8) & MASK
