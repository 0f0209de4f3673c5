"""What numbers and texts are stored as, and the NumPy dtype that they are read into.

HDF5 File Format Specification version 3.0, section IV.A.2.d "The Datatype Message", classes 0 (integers), 1 (floats),
3 (texts), 5 (opaque), 8 (enumerations) and 9 (texts of any length).
"""

from dataclasses import dataclass

import numpy as np

from .storage import Block, Damage

__all__ = ["Datatype", "datatype_of"]

FIXED, FLOAT, STRING, OPAQUE, ENUM, VARIABLE = 0, 1, 3, 5, 8, 9
OTHERS = {2: "times", 4: "bit fields", 6: "compounds", 7: "references", 10: "arrays", 11: "complex numbers"}
# bits: precision, place and width of the exponent, place and width of the mantissa, bias
FLOATS: dict[tuple[int, ...], str] = {
    (16, 10, 5, 0, 10, 15): "f2", (32, 23, 8, 0, 23, 127): "f4", (64, 52, 11, 0, 52, 1023): "f8",
    (16, 7, 8, 0, 7, 127): "bfloat16",
}  # fmt: skip
NESTED, MOST_NAMES = 4, 1 << 12


@dataclass(frozen=True)
class Datatype:
    """A type of elements.

    Attributes:
        dtype: what they are read as; a float of 16 bits with the exponent of float32 ("bfloat16") as its bits, uint16.
        size: bytes of an element in the file.
        kind: "number", "bfloat16", "bool" (an enumeration of FALSE and TRUE), "text" of a fixed size, "texts" of any
            size, "opaque".
    """

    dtype: np.dtype
    size: int
    kind: str = "number"

    @property
    def shown(self) -> np.dtype:
        """The dtype of arrays as they are handed out, in this machine's byte order."""
        if self.kind in ("bfloat16", "bool"):
            return np.dtype(np.float32 if self.kind == "bfloat16" else np.bool_)
        return self.dtype.newbyteorder("=")


def datatype_of(block: Block, depth: int = 0) -> Datatype:
    """Read a datatype.

    Raises:
        Damage: no type, or one that is not supported.
    """
    at, first = block.at, block.number(1)
    kind, version = first & 15, first >> 4
    bits, size = block.number(3), block.number(4)
    if version not in range(1, 6) or not size or depth > NESTED:
        raise Damage(at, f"version {version} of a datatype, of {size} bytes, is not supported")
    if kind == FIXED:
        return _fixed(block, at, bits, size)
    if kind == FLOAT:
        return _float(block, at, bits, size)
    if kind == STRING:
        return Datatype(np.dtype(("S", size)), size, "text")
    if kind == OPAQUE:
        block.take((bits & 255) + 7 & ~7)
        return Datatype(np.dtype(("V", size)), size, "opaque")
    if kind == ENUM:
        return _enumeration(block, at, bits & 0xFFFF, size, version, depth)
    if kind == VARIABLE and bits & 15 == 1:
        base = datatype_of(block, depth + 1)
        if base.size == 1 and size == 8 + block.storage.offset_size:
            return Datatype(np.dtype(object), size, "texts")
    what = OTHERS.get(kind, "lists of any length" if kind == VARIABLE else f"type {kind}")
    raise Damage(at, f"elements that are {what} are not supported")


def _fixed(block: Block, at: int, bits: int, size: int) -> Datatype:
    place, precision = block.number(2), block.number(2)
    if size not in (1, 2, 4, 8) or place or precision != 8 * size:
        raise Damage(at, f"integers of {precision} bits in {size} bytes are not supported")
    return Datatype(np.dtype(f"{'>' if bits & 1 else '<'}{'i' if bits & 8 else 'u'}{size}"), size)


def _float(block: Block, at: int, bits: int, size: int) -> Datatype:
    place, precision = block.number(2), block.number(2)
    layout = (precision, *(block.number(1) for _ in range(4)), block.number(4))
    name = FLOATS.get(layout)
    if name is None or place or bits & 0x40 or precision != 8 * size:
        raise Damage(at, f"floats of {precision} bits in {size} bytes, with this exponent, are not supported")
    order = ">" if bits & 1 else "<"
    if name == "bfloat16":
        return Datatype(np.dtype(f"{order}u2"), size, name)
    return Datatype(np.dtype(order + name), size)


def _enumeration(block: Block, at: int, count: int, size: int, version: int, depth: int) -> Datatype:
    base = datatype_of(block, depth + 1)
    if base.kind != "number" or base.size != size or base.dtype.kind not in "iu" or count > MOST_NAMES:
        raise Damage(at, "an enumeration has to be of integers")
    names = []
    for _ in range(count):
        begins = block.position
        names.append(block.text_to_zero())
        if version < 3:
            block.take(-(block.position - begins) % 8)
    values = [int(one) for one in np.frombuffer(block.take(count * size), base.dtype)]
    if names == ["FALSE", "TRUE"] and values == [0, 1] and size == 1:
        return Datatype(base.dtype, size, "bool")
    return base
