"""Many links or attributes of the newer kind: a fractal heap holds them, and a B-tree of version 2 lists them.

HDF5 File Format Specification version 3.0, sections III.A.2 "Version 2 B-trees" and III.G "Fractal Heap". Files have
these where groups track the order of their members, or where ``libver="latest"`` was asked for.
"""

from collections.abc import Iterator

from .checksum import check
from .storage import Block, Damage, Storage

__all__ = ["heap_objects"]

MANAGED, HUGE, TINY = 0, 1, 2  # types of heap IDs
HUGE_OBJECTS = 1  # the type of records in a B-tree: huge objects, not compressed, found by a number
CHECKED = 2  # flag of a heap: its direct blocks have checksums
DEEPEST = 8
MEMORY = 250  # bytes that an object takes when it is read


def heap_objects(storage: Storage, heap: int, tree: int, kind: int, id_at: int) -> Iterator[Block]:
    """The objects of a heap, in the order of a tree.

    Args:
        heap, tree: addresses of both headers.
        kind: the type of the tree's records.
        id_at: where in a record the heap ID stands.

    Raises:
        Damage: they cannot be read, or are compressed.
    """
    source = _Heap(storage, heap)
    for record in _records(storage, tree, kind):
        record.take(id_at)
        yield source.object(record.part(source.id_size))


def _checked(storage: Storage, address: int, size: int, signature: bytes, what: str) -> Block:
    """A structure with a signature, version 0, and a checksum at its end."""
    block = storage.block(address, size)
    check(block.data[:-4], int.from_bytes(block.data[-4:], "little"), address)
    block.data = block.data[:-4]
    block.expect(signature, what)
    block.version((0,), what)
    return block


def _bytes_for(number: int) -> int:
    """How many bytes a number up to this one takes."""
    return (max(number, 1).bit_length() - 1) // 8 + 1


def _records(storage: Storage, address: int, kind: int) -> Iterator[Block]:
    head = _checked(storage, address, 22 + storage.offset_size + storage.length_size, b"BTHD", "a B-tree's header")
    type_, node_size, size, depth = head.number(1), head.number(4), head.number(2), head.number(2)
    head.take(2)
    root, count = head.offset(), head.number(2)
    if type_ != kind or not size or depth > DEEPEST or node_size < 16:
        raise Damage(
            address, f"a B-tree of type {type_}, depth {depth} and node size {node_size} is in the wrong place"
        )
    if root is None:
        return
    most = [(node_size - 10) // size]  # records in a node of each level, and in all below it
    total, wide = [most[0]], [0]
    for level in range(1, depth + 1):
        pointer = storage.offset_size + _bytes_for(most[0]) + wide[level - 1]
        most.append((node_size - 10 - pointer) // (size + pointer))
        total.append((most[level] + 1) * total[level - 1] + most[level])
        wide.append(_bytes_for(total[level]))
    stack, seen = [(root, count, depth)], {root}
    while stack:
        place, count, level = stack.pop()
        if count > most[level]:
            raise Damage(place, f"a node of a B-tree cannot have {count} records")
        pointer = storage.offset_size + _bytes_for(most[0]) + wide[level - 1] if level else 0
        used = 6 + count * size + (count + 1) * pointer
        node = _checked(storage, place, used + 4, b"BTIN" if level else b"BTLF", "a node of a B-tree")
        node.take(1)
        for _ in range(count):
            yield node.part(size)
        for _ in range(count + 1 if level else 0):
            at, child, its = node.at, node.address_of("a child in a B-tree"), node.number(_bytes_for(most[0]))
            node.take(wide[level - 1])
            if child in seen:
                raise Damage(at, "a B-tree has a child twice")
            seen.add(child)
            stack.append((child, its, level - 1))


class _Heap:
    """A fractal heap: a table of blocks, each row's twice as large as those of the row before."""

    def __init__(self, storage: Storage, address: int):
        self.storage, self.address = storage, address
        wide = 12 * storage.length_size + 3 * storage.offset_size
        head = _checked(storage, address, 26 + wide, b"FRHP", "a fractal heap")
        self.id_size, filters, self.flags, largest = head.number(2), head.number(2), head.number(1), head.number(4)
        if filters:
            raise Damage(address, "a fractal heap is compressed, which is not supported")
        head.length()
        self.huge = head.offset()
        head.take(storage.length_size + storage.offset_size)  # free space
        head.take(8 * storage.length_size)  # counts and sizes of what is inside
        self.width, self.start, self.most_direct = head.number(2), head.length(), head.length()
        self.offset_bytes = (head.number(2) + 7) // 8
        head.take(2)
        self.root, self.rows = head.offset(), head.number(2)
        for size in (self.width, self.start, self.most_direct):
            if not size or size & (size - 1):
                raise Damage(address, "the sizes of a fractal heap are not powers of two")
        self.length_bytes = min((self.most_direct.bit_length() + 6) // 8, _bytes_for(largest))
        self.direct_rows = self.most_direct.bit_length() - self.start.bit_length() + 2
        self._blocks: dict[int, Block] = {}
        self._huge: dict[int, tuple[int | None, int]] | None = None

    def object(self, its: Block) -> Block:
        """The object of a heap ID."""
        at, first = its.at, its.number(1)
        kind = first >> 4 & 3
        self.storage.charge(at, MEMORY)
        if kind == TINY:
            return its.part((first & 15) + 1)
        if kind == HUGE:
            return self._huge_object(its)
        if kind != MANAGED:
            raise Damage(at, f"an object of a fractal heap is of type {kind}, which is not supported")
        offset, size = its.number(self.offset_bytes), its.number(self.length_bytes)
        block, begins = self._direct(offset, at)
        block.position = offset - begins
        self.storage.charge(at, size)
        return block.part(size)

    def _huge_object(self, its: Block) -> Block:
        """One that stands in the file by itself."""
        if self._huge is None:
            records = _records(self.storage, self.huge, HUGE_OBJECTS) if self.huge is not None else ()
            self._huge = {}
            for record in records:
                place, size, number = record.offset(), record.length(), record.length()
                self._huge[number] = place, size
        at = its.at
        address, size = self._huge.get(its.number(min(its.left, self.storage.length_size)), (None, 0))
        if address is None:
            raise Damage(at, "a huge object of a fractal heap is not listed")
        return self.storage.block(address, size)

    def _direct(self, offset: int, at: int) -> tuple[Block, int]:
        """The direct block with an offset of the heap, and the offset at which it begins."""
        address, rows, begins, size = self.root, self.rows, 0, self.start
        for _ in range(DEEPEST):
            if address is None:
                break
            if not rows:
                return self._block(address, size, False), begins
            place = offset - begins
            row = max((place // (self.width * self.start)).bit_length(), 0)
            if row >= rows:
                break
            size = self.start << max(row - 1, 0)
            column = self._column(place, row, size)
            begins += self._row_begins(row) + column * size
            table = self._block(address, self._table_size(rows), True)
            table.position = 5 + self.storage.offset_size + self.offset_bytes
            table.take((row * self.width + column) * self.storage.offset_size)
            address = table.offset()
            rows = 0 if row < self.direct_rows else (size // (self.start * self.width)).bit_length()
        raise Damage(at, "an object lies outside its fractal heap")

    def _row_begins(self, row: int) -> int:
        return self.width * self.start << row - 1 if row else 0

    def _column(self, place: int, row: int, size: int) -> int:
        return (place - self._row_begins(row)) // size

    def _table_size(self, rows: int) -> int:
        return 5 + self.storage.offset_size + self.offset_bytes + rows * self.width * self.storage.offset_size + 4

    def _block(self, address: int, size: int, table: bool) -> Block:
        if address not in self._blocks:
            if table:
                block = _checked(self.storage, address, size, b"FHIB", "a table of a fractal heap")
            else:
                block = self.storage.block(address, size)
                block.expect(b"FHDB", "a block of a fractal heap")
                block.version((0,), "a block of a fractal heap")
            self._blocks[address] = block
        return self._blocks[address]
