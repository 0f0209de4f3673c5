"""Texts of any length, which stand in global heaps.

HDF5 File Format Specification version 3.0, sections III.E "Disk Format: Level 1E - Global Heap" and IV.A.2.d (class 9:
how an element refers to it).
"""

import numpy as np

from .storage import Block, Damage, Storage

__all__ = ["Texts"]

ENTRY = 200  # bytes of memory that it takes to remember an object


class Texts:
    """The global heaps of a file, each read once."""

    def __init__(self, storage: Storage):
        self.storage = storage
        self._heaps: dict[int, dict[int, Block]] = {}

    def read(self, references: Block, count: int) -> np.ndarray:
        """The texts that so many elements refer to.

        Raises:
            Damage: there is no such heap or object.
        """
        found = np.empty(count, object)
        for i in range(count):
            size, address, number = references.number(4), references.offset(), references.number(4)
            found[i] = "" if not size or address is None else self._text(address, number, size, references.at)
        return found

    def _text(self, address: int, number: int, size: int, at: int) -> str:
        if address not in self._heaps:
            self._heaps[address] = self._heap(address)
        block = self._heaps[address].get(number)
        if block is None or size > len(block.data):
            raise Damage(at, f"a text of {size} bytes is not in its heap")
        self.storage.charge(at, 64 + 2 * size)
        return block.data[:size].decode("utf-8", "surrogateescape")

    def _heap(self, address: int) -> dict[int, Block]:
        storage = self.storage
        head = storage.block(address, 8 + storage.length_size)
        head.expect(b"GCOL", "a global heap")
        head.version((1,), "a global heap")
        head.take(3)
        size = head.length() - head.position
        body = storage.block(address + head.position, size)
        found: dict[int, Block] = {}
        while body.left >= 8 + storage.length_size:
            number = body.number(2)
            body.take(6)
            size = body.length()
            if not number:  # the rest is free
                break
            storage.charge(body.at, ENTRY)
            found[number] = body.part(size)
            body.take(min(-size % 8, body.left))
        return found
