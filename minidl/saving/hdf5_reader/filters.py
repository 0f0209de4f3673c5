"""What was done to the chunks of a dataset before they were written, undone: deflate, shuffle, fletcher32.

HDF5 File Format Specification version 3.0, section IV.A.2.l "The Data Storage - Filter Pipeline Message", versions 1
and 2.
"""

import zlib
from typing import NamedTuple

import numpy as np

from .headers import Message
from .storage import Block, Damage

__all__ = ["Filter", "filters_of", "unpacked"]

DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3
NAMED = 256  # filters from here on have names in version 2
OTHERS = {4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf"}
MOST = 32


class Filter(NamedTuple):
    """One step: its number, and its settings."""

    kind: int
    settings: tuple[int, ...]


def filters_of(message: Message | None) -> list[Filter]:
    """The steps in the order in which they were made.

    Raises:
        Damage: one that is not supported.
    """
    if message is None:
        return []
    body = message.body()
    version = body.version((1, 2), "a filter pipeline")
    count = body.number(1)
    body.take(6 if version == 1 else 0)
    if count > MOST:
        raise Damage(message.at, f"a dataset cannot have {count} filters")
    return [_filter(body, version) for _ in range(count)]


def _filter(body: Block, version: int) -> Filter:
    at, kind = body.at, body.number(2)
    name_size = body.number(2) if version == 1 or kind >= NAMED else 0
    body.take(2)
    count = body.number(2)
    body.take(name_size + (-name_size % 8 if version == 1 else 0))
    settings = tuple(body.number(4) for _ in range(count))
    body.take(4 if version == 1 and count % 2 else 0)
    if kind not in (DEFLATE, SHUFFLE, FLETCHER32):
        raise Damage(at, f"the filter {OTHERS.get(kind, kind)} is not supported; save with compression='gzip'")
    return Filter(kind, settings)


def unpacked(raw: bytes, size: int, steps: list[Filter], mask: int, at: int) -> bytes:
    """The bytes of a chunk.

    Args:
        raw: what is in the file.
        size: how many bytes there must be in the end.
        steps: from ``filters_of``.
        mask: which of them this chunk was written without, a bit each.
        at: the address of the chunk, for messages.

    Raises:
        Damage: there are more or fewer, or a checksum is wrong.
    """
    for place in reversed(range(len(steps))):
        step = steps[place]
        if mask >> place & 1:
            continue
        if step.kind == DEFLATE:
            raw = _inflated(raw, size + 4 * place, at)  # a checksum may have been put behind
        elif step.kind == SHUFFLE:
            raw = _sorted(raw, step.settings[0] if step.settings else 1)
        else:
            raw = _checked(raw, at)
    if len(raw) != size:
        raise Damage(at, f"a chunk has {len(raw)} bytes, not {size}")
    return raw


def _inflated(raw: bytes, most: int, at: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(raw, most + 1)
    except zlib.error as error:
        raise Damage(at, f"a chunk cannot be decompressed: {error}") from None
    if len(found) > most or not stream.eof:
        raise Damage(at, f"a chunk does not end after {most} bytes")
    return found


def _sorted(raw: bytes, width: int) -> bytes:
    """First bytes of all elements stand first, then their second bytes, ...; what is over stands at the end."""
    count = len(raw) // width if width else 0
    if width <= 1 or not count:
        return raw
    planes = np.frombuffer(raw, np.uint8, count * width).reshape(width, count)
    return planes.T.tobytes() + raw[count * width :]


def _checked(raw: bytes, at: int) -> bytes:
    """Without Fletcher's checksum of 32 bits, which counts in words of 16 bits, the high byte first."""
    data, stored = raw[:-4], int.from_bytes(raw[-4:], "little")
    words = np.frombuffer(data + b"\0" * (len(data) % 2), ">u2").astype(np.uint64)
    first = second = 0
    for start in range(0, len(words), 360):  # as many as 32 bits hold the sums of
        part = words[start : start + 360]
        second += len(part) * first + int(part.cumsum().sum())
        first += int(part.sum())
        first, second = _folded(first), _folded(second)
    if len(raw) < 4 or (_folded(second) << 16 | _folded(first)) != stored:
        raise Damage(at, "the checksum of a chunk is wrong")
    return data


def _folded(value: int) -> int:
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value
