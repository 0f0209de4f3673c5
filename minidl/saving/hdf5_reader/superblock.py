"""The superblock: where the file begins, how wide its addresses are, and where the root group is.

HDF5 File Format Specification version 3.0, section II.A "Disk Format: Level 0A - Format Signature and Superblock",
versions 0 to 3.
"""

from .checksum import check
from .storage import Damage, Storage

__all__ = ["find_root"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
WIDTHS = (2, 4, 8)


def find_root(storage: Storage) -> int:
    """The address of the root group's header; sets the widths of addresses and where they count from.

    Raises:
        Damage: no HDF5 file, one that was cut off, or one of a later version.
    """
    place = _signature(storage)
    head = storage.block(place, min(storage.size - place, 96))
    head.expect(SIGNATURE, "the signature of HDF5")
    version = head.version((0, 1, 2, 3), "the superblock")
    if version < 2:
        head.take(4)  # versions of the free-space storage, the root's entry; reserved; of shared headers
    storage.offset_size, storage.length_size = head.number(1), head.number(1)
    if storage.offset_size not in WIDTHS or storage.length_size not in WIDTHS:
        raise Damage(
            place, f"addresses of {storage.offset_size} and lengths of {storage.length_size} bytes are not supported"
        )
    if version < 2:
        head.take(1 + 4 + 4 + (4 if version == 1 else 0))  # reserved, K of groups, flags; K of chunks
    else:
        head.take(1)  # flags
    base, _, end = head.address_of("the file"), head.offset(), head.address_of("the end")
    if version < 2:
        head.offset()  # of the driver information
        head.offset()  # of the root's name
        root = head.address_of("the root group")
    else:
        root = head.address_of("the root group")
        check(head.data[: head.position], head.number(4), place)
    storage.base = base
    if base != place or end > storage.size:
        raise Damage(place, f"the file was cut off: it has {storage.size} bytes, not the {end} that it should have")
    return root


def _signature(storage: Storage) -> int:
    """Where the signature is: at 0, or behind a block of the user's at 512, 1024, 2048, ..."""
    place = 0
    while place + len(SIGNATURE) <= storage.size:
        if storage.block(place, len(SIGNATURE)).data == SIGNATURE:
            return place
        place = max(2 * place, 512)
    raise Damage(0, "this is no HDF5 file: it does not begin with the signature of one")
