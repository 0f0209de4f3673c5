"""Bounded reading of an open file: every byte that the other modules see comes through here, checked and counted.

Reads nothing of the format itself but the widths of addresses and lengths, which the superblock gives
(HDF5 File Format Specification version 3.0, sections I and II.A).
"""

from typing import BinaryIO

import numpy as np

__all__ = ["Block", "Damage", "Storage"]

WORK_BASE, WORK_FACTOR = 1 << 18, 2  # structure that is read: each byte of a file twice at most, and 256 KiB
LONGEST_NAME = 1 << 12
DATA_BASE, DATA_FACTOR = 16 << 20, 8  # arrays and texts that are made of a file: 8 times its size, and 16 MiB


class Damage(Exception):
    """Something wrong at one byte of a file; who knows the path inside the file makes a FormatError of it."""

    def __init__(self, at: int, what: str):
        super().__init__(at, what)
        self.at, self.what = at, what


class Storage:
    """A file, or a part of one, with all limits on what a hostile one can cost.

    Args:
        file: open for reading in binary mode.
        start: where the part begins.
        size: how many bytes it has; default: to the end of the file.
        packed: how many bytes the file has outside of memory, where this one was unpacked; then it counts as data.
    """

    def __init__(self, file: BinaryIO, start: int = 0, size: int | None = None, packed: int | None = None):
        self.file, self.start = file, start
        self.size = file.seek(0, 2) - start if size is None else size
        self.base = 0  # what addresses count from
        self.offset_size = self.length_size = 8
        self._work_left = WORK_FACTOR * self.size + WORK_BASE
        unpacked = 0 if packed is None else self.size
        self.most_data = DATA_FACTOR * (self.size if packed is None else packed) + DATA_BASE - unpacked
        self._data_left = self.most_data

    def block(self, address: int, size: int) -> "Block":
        """Bytes of the structure, as something to take numbers from.

        Raises:
            Damage: they are not all inside the file, or more was read than the file can honestly ask for.
        """
        self.must_hold(address, size)
        self._work_left -= size + 16
        if self._work_left < 0:
            raise Damage(address, "its structures overlap, so that reading them would never end")
        raw = bytearray(size)
        self._fill(address, memoryview(raw))
        return Block(self, address, bytes(raw))

    def read_into(self, address: int, target: np.ndarray, first: int = 0) -> None:
        """Fill a C-contiguous array with the bytes at an address, ``first`` bytes on."""
        if target.nbytes:
            self.must_hold(address, first + target.nbytes)
            self._fill(address + first, target.reshape(-1).view(np.uint8).data)

    def must_hold(self, address: int, size: int) -> None:
        """Raise Damage unless so many bytes from an address on lie inside the file."""
        if address < 0 or size < 0 or self.base + address + size > self.size:
            raise Damage(address, f"{size} bytes should be here, but the file ends at {self.size}")

    def charge(self, at: int, size: int) -> None:
        """Count bytes of arrays or texts that are about to be made.

        Raises:
            Damage: more than a file of this size may ask for; then nothing has been allocated.
        """
        self._data_left -= size
        if self._data_left < 0:
            raise Damage(at, f"with it, the arrays take more than the {self.most_data} bytes allowed for this file")

    def _fill(self, address: int, target: memoryview) -> None:
        self.file.seek(self.start + self.base + address)
        done = 0
        while done < len(target):
            count = self.file.readinto(target[done:])  # type: ignore[attr-defined]
            if not count:
                raise Damage(address + done, "the file ends here")
            done += count


class Block:
    """Bytes from one place of a file; whatever is taken is checked to be there."""

    __slots__ = ("address", "data", "position", "storage")

    def __init__(self, storage: Storage, address: int, data: bytes):
        self.storage, self.address, self.data, self.position = storage, address, data, 0

    @property
    def at(self) -> int:
        """The address of the next byte."""
        return self.address + self.position

    @property
    def left(self) -> int:
        """How many bytes there are still."""
        return len(self.data) - self.position

    def take(self, size: int) -> bytes:
        """The next bytes."""
        end = self.position + size
        if size < 0 or end > len(self.data):
            raise Damage(self.at, f"{size} bytes should follow, but there are {self.left}")
        found = self.data[self.position : end]
        self.position = end
        return found

    def part(self, size: int) -> "Block":
        """The next bytes as a block of their own."""
        at = self.at
        return Block(self.storage, at, self.take(size))

    def number(self, size: int) -> int:
        """An unsigned number, its least byte first."""
        return int.from_bytes(self.take(size), "little")

    def offset(self) -> int | None:
        """An address; None where it is undefined (all bits set)."""
        size = self.storage.offset_size
        found = self.number(size)
        return None if found == (1 << 8 * size) - 1 else found

    def length(self) -> int:
        """A size, as wide as the superblock says."""
        return self.number(self.storage.length_size)

    def address_of(self, what: str) -> int:
        """An address that must be defined."""
        at, found = self.at, self.offset()
        if found is None:
            raise Damage(at, f"the address of {what} is undefined")
        return found

    def expect(self, signature: bytes, what: str) -> None:
        """The bytes that structures of a kind begin with."""
        at = self.at
        if self.take(len(signature)) != signature:
            raise Damage(at, f"there should be {what} ({signature.decode('latin-1')!r})")

    def version(self, known: tuple[int, ...], what: str) -> int:
        """A version number that must be among those known."""
        at, found = self.at, self.number(1)
        if found not in known:
            raise Damage(at, f"version {found} of {what} is not supported, only {', '.join(map(str, known))}")
        return found

    def text(self, size: int) -> str:
        """A name of so many bytes, which may end earlier with a zero."""
        at, raw = self.at, self.take(size)
        return decoded(raw.partition(b"\0")[0], at)

    def text_to_zero(self) -> str:
        """A name that a zero ends."""
        end = self.data.find(b"\0", self.position, self.position + LONGEST_NAME)
        if end < 0:
            raise Damage(self.at, f"a name does not end after {LONGEST_NAME} bytes")
        found = self.text(end - self.position)
        self.position = end + 1
        return found


def decoded(raw: bytes, at: int) -> str:
    """A name in UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Damage(at, f"a name is not UTF-8: {raw[:40]!r}") from None
