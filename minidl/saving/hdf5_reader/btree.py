"""B-trees of version 1, which lead to the symbols of a group and to the chunks of a dataset.

HDF5 File Format Specification version 3.0, section III.A.1 "Disk Format: Level 1A1 - Version 1 B-trees".
"""

from collections.abc import Iterator

from .storage import Block, Damage, Storage

__all__ = ["CHUNKS", "GROUP", "leaves"]

GROUP, CHUNKS = 0, 1  # types of nodes


def leaves(storage: Storage, address: int, kind: int, key_size: int) -> Iterator[tuple[Block, int]]:
    """(key, address) of everything that a tree leads to, in the order of the keys.

    Args:
        kind: the type of the nodes.
        key_size: bytes of a key.

    Raises:
        Damage: no such tree, or one whose nodes are reached twice.
    """
    stack: list[tuple[int, int | None]] = [(address, None)]
    seen = {address}
    while stack:
        place, expected = stack.pop()
        head = storage.block(place, 8 + 2 * storage.offset_size)
        head.expect(b"TREE", "a node of a B-tree")
        type_, level, count = head.number(1), head.number(1), head.number(2)
        if type_ != kind or (expected is not None and level != expected):
            raise Damage(place, f"a B-tree has a node of type {type_} and level {level} in the wrong place")
        entries = storage.block(place + len(head.data), count * (key_size + storage.offset_size))
        below: list[tuple[int, int | None]] = []
        for _ in range(count):
            key = entries.part(key_size)
            at, child = entries.at, entries.address_of("a child in a B-tree")
            if child in seen:
                raise Damage(at, "a B-tree has a child twice")
            seen.add(child)
            if level == 0:
                yield key, child
            else:
                below.append((child, level - 1))
        stack.extend(reversed(below))
