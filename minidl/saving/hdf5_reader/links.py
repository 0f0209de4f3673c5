"""The members of a group: names, and where the objects are.

HDF5 File Format Specification version 3.0, sections III.B "Group Symbol Table Nodes", III.C "Symbol Table Entry",
III.D "Local Heaps", IV.A.2.c "Link Info", IV.A.2.g "Link" and IV.A.2.r "Symbol Table Message".
"""

from .btree import GROUP, leaves
from .dense import heap_objects
from .headers import LINK, LINK_INFO, SYMBOL_TABLE, Message, first
from .storage import Block, Damage, Storage, decoded

__all__ = ["members_of"]

SOFT_LINK_CACHED = 2  # in an entry of a symbol table: it is a soft link
HARD = 0  # others are soft (1), external (64) or a user's
MEMORY = 150  # bytes that a member takes when it is read
LINKS_BY_NAME = 5  # the type of records in a B-tree of version 2


def members_of(storage: Storage, messages: list[Message]) -> dict[str, int | None]:
    """The address of each member's header, in the order of the names; None for a link to somewhere else.

    Args:
        messages: the header of the group.

    Raises:
        Damage: it cannot be read, or has a name twice.
    """
    found: dict[str, int | None] = {}
    table = first(messages, SYMBOL_TABLE)
    if table is not None:
        _old(storage, table.body(), found)
    for message in messages:
        if message.kind == LINK:
            _link(storage, message.body(), found)
    info = first(messages, LINK_INFO)
    if info is not None:
        _dense(storage, info.body(), found)
    return dict(sorted(found.items()))


def _old(storage: Storage, table: Block, found: dict[str, int | None]) -> None:
    tree, heap = table.address_of("a group's B-tree"), table.address_of("a group's heap")
    names = _local_heap(storage, heap)
    for _, address in leaves(storage, tree, GROUP, storage.length_size):
        head = storage.block(address, 8)
        head.expect(b"SNOD", "a node with symbols")
        head.version((1,), "a node with symbols")
        head.take(1)
        count = head.number(2)
        entries = storage.block(address + 8, count * (2 * storage.offset_size + 24))
        for _ in range(count):
            at = entries.at
            place, target, cached = entries.address_of("a name"), entries.offset(), entries.number(4)
            entries.take(4 + 16)
            if place >= len(names.data):
                raise Damage(at, "a name lies outside the heap of its group")
            names.position = place
            _add(storage, found, names.text_to_zero(), None if cached == SOFT_LINK_CACHED else target, at)


def _local_heap(storage: Storage, address: int) -> Block:
    """The data of a local heap."""
    head = storage.block(address, 8 + 2 * storage.length_size + storage.offset_size)
    head.expect(b"HEAP", "a local heap")
    head.version((0,), "a local heap")
    head.take(3)
    size, _ = head.length(), head.length()
    return storage.block(head.address_of("the data of a heap"), size)


def _link(storage: Storage, body: Block, found: dict[str, int | None]) -> None:
    at = body.at
    body.version((1,), "a link")
    flags = body.number(1)
    kind = body.number(1) if flags & 0x08 else HARD
    body.take((8 if flags & 0x04 else 0) + (1 if flags & 0x10 else 0))  # order of creation, character set
    size = body.number(1 << (flags & 3))
    name = decoded(body.take(size), at)
    _add(storage, found, name, body.address_of(name) if kind == HARD else None, at)


def _dense(storage: Storage, info: Block, found: dict[str, int | None]) -> None:
    """Links in a fractal heap, which groups of the newer kind have when there are many."""
    info.version((0,), "link info")
    flags = info.number(1)
    info.take(8 if flags & 1 else 0)
    heap, names = info.offset(), info.offset()
    if heap is not None and names is not None:
        for link in heap_objects(storage, heap, names, LINKS_BY_NAME, 4):
            _link(storage, link, found)


def _add(storage: Storage, found: dict[str, int | None], name: str, address: int | None, at: int) -> None:
    if not name or "/" in name or name in found:
        raise Damage(at, f"a group has a member twice, or one of an impossible name: {name[:100]!r}")
    storage.charge(at, MEMORY + 2 * len(name))
    found[name] = address
