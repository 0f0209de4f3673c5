"""Attributes: small values beside an object.

HDF5 File Format Specification version 3.0, sections IV.A.2.m "The Attribute Message", versions 1 to 3, and IV.A.2.v
"The Attribute Info Message" (those in a fractal heap).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .dataspaces import elements, shape_of
from .datatypes import datatype_of
from .dense import heap_objects
from .headers import ATTRIBUTE, ATTRIBUTE_INFO, Message, first
from .storage import Block, Damage, decoded
from .texts import Texts

__all__ = ["Attributes"]

SHARED = 3  # flags: the datatype, or the dataspace, stands elsewhere
ATTRIBUTES_BY_NAME = 8  # the type of records in a B-tree of version 2


class Attributes(Mapping[str, Any]):
    """The attributes of an object by name; each is read when it is asked for.

    Numbers are NumPy's, texts of any length ``str``, texts of a fixed size ``np.bytes_`` (in arrays: dtype "S").
    """

    def __init__(self, messages: list[Message], texts: Texts, naming: Any):
        self._texts, self._naming = texts, naming
        self._found: dict[str, Block] = {}
        for block in self._blocks(messages):
            name, body = self._name(block)
            self._found[name] = body

    def __getitem__(self, name: str) -> Any:
        body = self._found[name]
        with self._naming(f"attribute {name!r}"):
            return self._value(Block(body.storage, body.address, body.data))

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def _blocks(self, messages: list[Message]) -> Iterator[Block]:
        for message in messages:
            if message.kind == ATTRIBUTE:
                yield message.body()
        info = first(messages, ATTRIBUTE_INFO)
        if info is not None:
            body = info.body()
            body.version((0,), "attribute info")
            body.take(2 if body.number(1) & 1 else 0)
            heap, names = body.offset(), body.offset()
            if heap is not None and names is not None:
                yield from heap_objects(self._texts.storage, heap, names, ATTRIBUTES_BY_NAME, 0)

    def _name(self, block: Block) -> tuple[str, Block]:
        """The name of an attribute, and its bytes from the beginning."""
        whole = Block(block.storage, block.address, block.data)
        size, _, _, _ = _head(block)
        at = block.at
        name = decoded(block.take(size).partition(b"\0")[0], at)
        if name in self._found:
            raise Damage(at, f"there are two attributes {name!r}")
        return name, whole

    def _value(self, body: Block) -> Any:
        name_size, type_size, space_size, padded = _head(body)
        body.take(name_size + (-name_size % 8 if padded else 0))
        type_ = datatype_of(body.part(type_size))
        body.take(-type_size % 8 if padded else 0)
        shape = shape_of(body.part(space_size))
        body.take(-space_size % 8 if padded else 0)
        if shape is None:
            return None
        count = elements(shape)
        data = body.part(count * type_.size)
        if type_.kind == "texts":
            values = self._texts.read(data, count)
        elif type_.kind == "bfloat16":
            raise Damage(data.address, "attributes in bfloat16 are not supported")
        else:
            values = np.frombuffer(data.data, type_.dtype, count).astype(type_.shown)
        return values.reshape(shape) if shape else values[0]


def _head(block: Block) -> tuple[int, int, int, bool]:
    """The sizes of name, datatype and dataspace, and whether they are padded to 8 bytes."""
    at, version = block.at, block.version((1, 2, 3), "an attribute")
    if block.number(1) & SHARED and version > 1:
        raise Damage(at, "an attribute shares its datatype with other objects, which is not supported")
    sizes = block.number(2), block.number(2), block.number(2)
    block.take(1 if version == 3 else 0)  # the character set of the name
    return *sizes, version == 1
