"""The idx files of MNIST and its successors: a header of sizes, then the bytes of an array."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

__all__ = ["parse_idx", "read_bytes"]

_UINT8 = 8  # the code of the element type, the only one that data sets of pictures use


def read_bytes(path: Path) -> bytes:
    """The content of ``path``, decompressed when its name ends in ``.gz``.

    Raises:
        ValueError: the file is no gzip file, or is cut short or damaged.
    """
    packed = path.read_bytes()
    return decompress(packed, str(path)) if path.suffix == ".gz" else packed


def decompress(packed: bytes, name: str) -> bytes:
    """``packed`` without its gzip compression; ``name`` is what an error calls it."""
    try:
        return gzip.decompress(packed)
    except (EOFError, OSError, zlib.error) as error:  # EOFError: cut short; OSError: no gzip, or a wrong checksum
        raise ValueError(f"{name} is not a whole gzip file: {error}") from error


def parse_idx(content: bytes, name: str) -> np.ndarray:
    """The uint8 array, freshly made, in the idx file with this content.

    The header is two zero bytes, the element type, the number of axes, then each size as a big-endian uint32
    (http://yann.lecun.com/exdb/mnist). ``name`` is what an error calls the file.

    Raises:
        ValueError: it is no idx file of uint8, or its length is not what its header says.
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise ValueError(f"{name} is not an idx file: it starts with {content[:4].hex(' ')!r}, expected '00 00 08 ..'")
    kind, axes = content[2], content[3]
    if kind != _UINT8:
        raise ValueError(f"{name}: elements have idx type 0x{kind:02x}; expected 0x08 (uint8)")
    start = 4 + 4 * axes
    if len(content) < start:
        raise ValueError(f"{name} ends inside its header: {len(content)} bytes, the header alone takes {start}")
    shape = struct.unpack_from(f">{axes}I", content, 4)
    size = int(np.prod(shape, dtype=object))  # Python's integers: a false header may overflow an int64
    if len(content) - start != size:
        raise ValueError(f"{name}: header says shape {shape}, {size} bytes; {len(content) - start} bytes follow it")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()
