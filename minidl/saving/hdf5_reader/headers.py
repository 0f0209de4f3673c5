"""Object headers: the messages that say what an object is.

HDF5 File Format Specification version 3.0, section IV.A "Disk Format: Level 2A - Data Object Headers", versions 1 and
2, with the continuation blocks of IV.A.2.q.
"""

from typing import NamedTuple

from .checksum import check
from .storage import Block, Damage, Storage

__all__ = [
    "ATTRIBUTE", "ATTRIBUTE_INFO", "DATASPACE", "DATATYPE", "EXTERNAL_FILES", "FILL_VALUE", "FILTERS", "LAYOUT", "LINK",
    "LINK_INFO", "SYMBOL_TABLE", "Message", "first", "messages_of",
]  # fmt: skip

DATASPACE, LINK_INFO, DATATYPE, FILL_VALUE, LINK, EXTERNAL_FILES, LAYOUT = 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x08
FILTERS, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 0x0B, 0x0C, 0x10, 0x11, 0x15

SHARED, UNKNOWN_IS_AN_ERROR = 0x02, 0x80  # flags of a message
TIMES, ATTRIBUTE_PHASES, ORDER_OF_CREATION = 0x20, 0x10, 0x04  # flags of a header of version 2
MEMORY = 250  # bytes that a message takes when it is read
KNOWN = 0x18  # the first type of message that the specification does not define


class Message(NamedTuple):
    """One message: its type, and its bytes."""

    kind: int
    flags: int
    at: int
    size: int
    block: Block

    def body(self) -> Block:
        """The bytes, from their beginning.

        Raises:
            Damage: they stand elsewhere.
        """
        if self.flags & SHARED:
            raise Damage(self.at, "it shares a datatype or the like with other objects, which is not supported")
        return Block(self.block.storage, self.block.address, self.block.data)


def first(messages: list[Message], kind: int) -> Message | None:
    """The first message of a type."""
    return next((message for message in messages if message.kind == kind), None)


def messages_of(storage: Storage, address: int) -> list[Message]:
    """All messages of the header at an address.

    Raises:
        Damage: there is no header, or its blocks lie over each other.
    """
    start = storage.block(address, min(4, max(storage.size - storage.base - address, 1)))
    found = _second(storage, address) if start.data == b"OHDR" else _first(storage, address)
    for message in found:
        if message.kind >= KNOWN and message.flags & UNKNOWN_IS_AN_ERROR:
            raise Damage(message.at, f"a message of type {message.kind} has to be understood, but is not known")
    return found


def _first(storage: Storage, address: int) -> list[Message]:
    prefix = storage.block(address, 16)
    prefix.version((1,), "an object header")
    prefix.take(1)
    count = prefix.number(2)
    prefix.take(4)  # how many names refer to it
    blocks, seen = [(address + 16, prefix.number(4))], {address + 16}
    found: list[Message] = []
    while blocks:
        block = storage.block(*blocks.pop(0))
        while block.left >= 8 and len(found) < count:
            at = block.at
            kind, size, flags = block.number(2), block.number(2), block.number(1)
            block.take(3)
            _found(found, blocks, seen, Message(kind, flags, at, size, block.part(size)))
    if len(found) < count:
        raise Damage(address, f"an object header has {len(found)} of its {count} messages")
    return found


def _second(storage: Storage, address: int) -> list[Message]:
    prefix = storage.block(address, min(40, storage.size - storage.base - address))
    prefix.expect(b"OHDR", "an object header")
    prefix.version((2,), "an object header")
    flags = prefix.number(1)
    prefix.take((16 if flags & TIMES else 0) + (4 if flags & ATTRIBUTE_PHASES else 0))
    size = prefix.number(1 << (flags & 3))
    blocks, seen, skipped = [(address, prefix.position + size + 4)], {address}, prefix.position
    found: list[Message] = []
    while blocks:
        start, whole = blocks.pop(0)
        block = storage.block(start, whole)
        check(block.data[:-4], int.from_bytes(block.data[-4:], "little"), start)
        block.data = block.data[:-4]
        if skipped:
            block.take(skipped)
        else:
            block.expect(b"OCHK", "the continuation of an object header")
        skipped, ordered = 0, 2 if flags & ORDER_OF_CREATION else 0
        while block.left >= 4 + ordered:
            at = block.at
            kind, size, its = block.number(1), block.number(2), block.number(1)
            block.take(ordered)
            _found(found, blocks, seen, Message(kind, its, at, size, block.part(size)))
    return found


def _found(found: list[Message], blocks: list[tuple[int, int]], seen: set[int], message: Message) -> None:
    """Keep a message; note where the header goes on."""
    message.block.storage.charge(message.at, MEMORY)
    found.append(message)
    if message.kind == CONTINUATION:
        body = message.body()
        address, size = body.address_of("the continuation of an object header"), body.length()
        if address in seen:
            raise Damage(message.at, "an object header goes round in a circle")
        seen.add(address)
        blocks.append((address, size))
