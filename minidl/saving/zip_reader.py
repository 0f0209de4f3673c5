"""The members of a zip archive that a stranger made: where their bytes are, checked before any is read.

Written after PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7 (local headers), 4.3.12 (the directory), 4.3.14 to 4.3.16
(its end, also of archives beyond 4 GiB). Nothing is ever unpacked into a folder. Members that overlap, that stand twice
in the directory, that are encrypted, or that have names no honest writer gives (absolute, "..", links) are refused.
"""

import io
import zlib
from typing import BinaryIO, NamedTuple

__all__ = ["Member", "members", "opened"]

END, END_64, LOCATOR_64, ENTRY, LOCAL = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4"
FULL_16, FULL_32 = 0xFFFF, 0xFFFFFFFF  # the number stands in the fields for large archives
MOST_MEMBERS, MOST_DIRECTORY = 10_000, 4 << 20
STORED, DEFLATED = 0, 8
ENCRYPTED = 0x0001 | 0x0040 | 0x2000
LINK = 0o120000
EXTRA_64 = 1
PIECE = 1 << 20
MOST_BASE, MOST_FACTOR = 8 << 20, 6  # what a packed member may grow to: 6 times the archive, and 8 MiB


class Member(NamedTuple):
    """A member as the directory describes it: sizes in bytes, and where its local header is."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    header: int


def members(file: BinaryIO) -> dict[str, Member]:
    """The members of an archive by name.

    Raises:
        ValueError: it is none, or one that no honest writer makes.
    """
    total = file.seek(0, 2)
    begin, size, count = _directory(file, total)
    if count > MOST_MEMBERS or size > MOST_DIRECTORY:
        raise ValueError(f"the archive claims {count} members, in a directory of {size} bytes")
    raw = _read(file, begin, size)
    found: dict[str, Member] = {}
    position = 0
    for _ in range(count):
        member, position = _entry(raw, position)
        if member.name in found:
            raise ValueError(f"the archive has two members {member.name!r}")
        found[member.name] = member
    last = 0
    for member in sorted(found.values(), key=lambda member: member.header):
        if member.header < last or member.header + 30 + member.packed > begin:
            raise ValueError(f"the member {member.name!r} lies over others, or outside of the archive")
        last = member.header + 30 + member.packed
    return found


def opened(file: BinaryIO, member: Member) -> tuple[BinaryIO, int, int]:
    """(file, start, size): where the bytes of a member can be read, after their checksum was found right.

    A member that is stored as it is stays where it is; a packed one is unpacked in memory.

    Raises:
        ValueError: it is damaged, or claims too much.
    """
    local = _read(file, member.header, 30)
    if local[:4] != LOCAL:
        raise ValueError(f"there should be the member {member.name!r}")
    name_size, extra_size = _number(local, 26, 2), _number(local, 28, 2)
    if _read(file, member.header + 30, name_size) != member.name.encode():
        raise ValueError(f"the member {member.name!r} has another name in its place")
    start = member.header + 30 + name_size + extra_size
    if start + member.packed > file.seek(0, 2):
        raise ValueError(f"the member {member.name!r} ends outside of the archive")
    if member.method == STORED:
        if member.size != member.packed:
            raise ValueError(f"{member.name} claims {member.size} bytes, stored in {member.packed}")
        crc = 0
        for place in range(start, start + member.size, PIECE):
            crc = zlib.crc32(_read(file, place, min(PIECE, start + member.size - place)), crc)
        _same(crc, member)
        return file, start, member.size
    most = MOST_FACTOR * file.seek(0, 2) + MOST_BASE
    if member.size > most:
        raise ValueError(f"{member.name} claims {member.size} bytes, packed into {member.packed}")
    unpacked = _inflated(file, start, member)
    return unpacked, 0, member.size


def _inflated(file: BinaryIO, start: int, member: Member) -> BinaryIO:
    stream, crc, target = zlib.decompressobj(-zlib.MAX_WBITS), 0, io.BytesIO()
    for place in range(start, start + member.packed, PIECE):
        raw = _read(file, place, min(PIECE, start + member.packed - place))
        while raw and not stream.eof:
            try:
                part = stream.decompress(raw, PIECE)
            except zlib.error as error:
                raise ValueError(f"the member {member.name!r} cannot be unpacked: {error}") from None
            raw = stream.unconsumed_tail
            crc = zlib.crc32(part, crc)
            target.write(part)
            if target.tell() > member.size:
                raise ValueError(f"the member {member.name!r} is larger than the {member.size} bytes it claims")
    if not stream.eof or target.tell() != member.size:
        raise ValueError(f"the member {member.name!r} has {target.tell()} of its {member.size} bytes")
    _same(crc, member)
    return target


def _same(crc: int, member: Member) -> None:
    if crc != member.crc:
        raise ValueError(f"the member {member.name!r} is damaged: its checksum is wrong")


def _directory(file: BinaryIO, total: int) -> tuple[int, int, int]:
    """Where the directory begins, its size, and how many members it lists."""
    tail_size = min(total, 22 + FULL_16)
    tail = _read(file, total - tail_size, tail_size)
    place = tail.rfind(END)
    while place >= 0 and place + 22 + _number(tail, place + 20, 2) != len(tail):  # inside of a comment
        place = tail.rfind(END, 0, place)
    if place < 0:
        raise ValueError("it does not end as a zip archive does")
    count, size, begin = (_number(tail, place + at, width) for at, width in ((10, 2), (12, 4), (16, 4)))
    end = total - tail_size + place
    if FULL_16 == count or FULL_32 in (size, begin):
        locator = _read(file, end - 20, 20) if end >= 20 else b""
        if locator[:4] == LOCATOR_64:
            end = _number(locator, 8, 8)
            large = _read(file, end, 56)
            if large[:4] != END_64:
                raise ValueError("the directory of a large archive is not where it should be")
            count, size, begin = (_number(large, at, 8) for at in (32, 40, 48))
    if begin + size > end:
        raise ValueError("the directory of the archive lies outside of it")
    return begin, size, count


def _entry(raw: bytes, position: int) -> tuple[Member, int]:
    head = raw[position : position + 46]
    if len(head) < 46 or head[:4] != ENTRY:
        raise ValueError("the directory of the archive is damaged")
    flags, method, crc = _number(head, 8, 2), _number(head, 10, 2), _number(head, 16, 4)
    packed, size, header = _number(head, 20, 4), _number(head, 24, 4), _number(head, 42, 4)
    name_size, extra_size, comment_size = (_number(head, at, 2) for at in (28, 30, 32))
    end = position + 46 + name_size + extra_size + comment_size
    if end > len(raw):
        raise ValueError("the directory of the archive is damaged")
    at = position + 46
    name = raw[at : at + name_size].decode("utf-8")  # of the members that are read; others are not asked for
    size, packed, header = _large(raw[at + name_size : at + name_size + extra_size], [size, packed, header])
    parts = name.replace("\\", "/").split("/")
    if not parts[0] or "\0" in name or ":" in parts[0] or ".." in parts:
        raise ValueError(f"the archive has a member of the name {name!r}, which would lie outside of a folder")
    if _number(head, 40, 2) & 0o170000 == LINK:
        raise ValueError(f"the member {name!r} is a link")
    if flags & ENCRYPTED or method not in (STORED, DEFLATED):
        raise ValueError(f"the member {name!r} is encrypted, or packed by method {method}")
    return Member(name, method, crc, packed, size, header), end


def _large(extra: bytes, fields: list[int]) -> list[int]:
    """Fields that are too large for 32 bits, from the extra field that holds them."""
    position = 0
    while position + 4 <= len(extra):
        kind, size = _number(extra, position, 2), _number(extra, position + 2, 2)
        if kind == EXTRA_64:
            place = position + 4
            for i, field in enumerate(fields):
                if field == FULL_32:
                    if place + 8 > min(position + 4 + size, len(extra)):
                        raise ValueError("a member of the archive lacks its size")
                    fields[i], place = _number(extra, place, 8), place + 8
        position += 4 + size
    return fields


def _number(raw: bytes, at: int, width: int) -> int:
    return int.from_bytes(raw[at : at + width], "little")


def _read(file: BinaryIO, start: int, size: int) -> bytes:
    if start < 0 or size < 0 or start + size > file.seek(0, 2):
        raise ValueError("it was cut off: a part lies outside of the file")
    file.seek(start)
    found = file.read(size)
    if len(found) != size:
        raise ValueError("it was cut off while it was read")
    return found
