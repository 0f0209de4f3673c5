"""Where the elements of a dataset are: inside its header, in one piece, or in chunks that a B-tree lists.

HDF5 File Format Specification version 3.0, sections IV.A.2.e/f "Fill Value", IV.A.2.i "The Data Layout Message"
(version 3, and those layouts of versions 4 and 5 that are the same) and III.A.1 (the keys of chunks).
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .btree import CHUNKS, leaves
from .filters import Filter, unpacked
from .headers import Message
from .storage import Damage, Storage

__all__ = ["Layout", "chunks_of", "fill_value", "layout_of"]

COMPACT, CONTIGUOUS, CHUNKED, VIRTUAL = 0, 1, 2, 3


class Layout(NamedTuple):
    """Where elements are.

    Attributes:
        kind: COMPACT, CONTIGUOUS or CHUNKED.
        at: the address of the message.
        address: of the elements, or of the B-tree; None: nothing was ever written.
        size: bytes of the elements.
        chunk: the shape of a chunk.
    """

    kind: int
    at: int
    address: int | None
    size: int
    chunk: tuple[int, ...] = ()


def layout_of(message: Message, itemsize: int, rank: int) -> Layout:
    """Read a layout.

    Raises:
        Damage: one that is not supported.
    """
    body = message.body()
    version, kind = body.version((3, 4, 5), "a data layout"), body.number(1)
    if kind == COMPACT:
        size = body.number(2)
        at = body.at
        body.take(size)
        return Layout(kind, message.at, at, size)
    if kind == CONTIGUOUS:
        return Layout(kind, message.at, body.offset(), body.length())
    if kind == CHUNKED and version == 3:
        axes = body.number(1)
        address = body.offset()
        *chunk, width = [body.number(4) for _ in range(axes)] or [0]
        if len(chunk) != rank or not rank or width != itemsize or 0 in chunk:
            raise Damage(message.at, f"chunks of {chunk} elements of {width} bytes do not fit the dataset")
        return Layout(kind, message.at, address, 0, tuple(chunk))
    what = {CHUNKED: "chunks with a newer index (written with libver='latest')", VIRTUAL: "virtual datasets"}
    raise Damage(message.at, f"{what.get(kind, f'layout {kind}')}: not supported")


def fill_value(message: Message | None, itemsize: int) -> bytes | None:
    """The bytes of the element that stands where none was written; None: zeros."""
    if message is None:
        return None
    body = message.body()
    version = body.version((1, 2, 3), "a fill value")
    if version == 3:
        defined = body.number(1) & 0x20
    else:
        body.take(2)
        defined = body.number(1) or version == 1
    size = body.number(4) if defined else 0
    value = body.take(size)
    if size not in (0, itemsize):
        raise Damage(message.at, f"the fill value has {size} bytes, the elements {itemsize}")
    return value if any(value) else None


def chunks_of(
    storage: Storage, layout: Layout, shape: tuple[int, ...], itemsize: int, steps: list[Filter], charged: bool
) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
    """(where, bytes) of every chunk that was written; the bytes have an axis of their own, the last.

    Args:
        charged: whether the bytes were counted before.

    Raises:
        Damage: a chunk lies outside, is there twice, or cannot be unpacked.
    """
    if layout.address is None:
        return
    size = math.prod(layout.chunk) * itemsize
    seen: set[tuple[int, ...]] = set()
    for key, address in leaves(storage, layout.address, CHUNKS, 8 + 8 * (len(shape) + 1)):
        packed, mask = key.number(4), key.number(4)
        place = tuple(key.number(8) for _ in shape)
        inside = all(p < n and p % c == 0 for p, n, c in zip(place, shape, layout.chunk, strict=True))
        if place in seen or not inside:
            raise Damage(key.address, f"a chunk at {place} is there twice, or lies outside of the shape {shape}")
        seen.add(place)
        if not charged:
            storage.charge(address, size)
        storage.must_hold(address, packed)
        raw = np.empty(packed, np.uint8)
        storage.read_into(address, raw)
        found = unpacked(raw.tobytes() if steps else raw.data, size, steps, mask, address)  # type: ignore[arg-type]
        whole = np.frombuffer(found, np.uint8).reshape(*layout.chunk, itemsize)
        ends = tuple(min(p + c, n) for p, c, n in zip(place, layout.chunk, shape, strict=True))
        kept = tuple(slice(0, end - p) for p, end in zip(place, ends, strict=True))
        yield tuple(slice(p, end) for p, end in zip(place, ends, strict=True)), whole[kept]
