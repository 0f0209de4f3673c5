"""The shape of a dataset or an attribute.

HDF5 File Format Specification version 3.0, section IV.A.2.b "The Dataspace Message", versions 1 and 2.
"""

import math

from .storage import Block, Damage

__all__ = ["elements", "shape_of"]

MOST_AXES = 32
PERMUTED, NULL = 2, 2  # a flag of version 1; a type of version 2
LARGEST = 1 << 62


def shape_of(block: Block) -> tuple[int, ...] | None:
    """The shape; () of a single value, None where there is no value at all.

    Raises:
        Damage: an impossible shape.
    """
    at = block.at
    version = block.version((1, 2), "a dataspace")
    rank, flags = block.number(1), block.number(1)
    if version == 1:
        block.take(5)
    elif block.number(1) == NULL:
        return None
    if rank > MOST_AXES or (version == 1 and flags & PERMUTED):
        raise Damage(at, f"a shape of {rank} axes, or with its axes permuted, is not supported")
    shape = tuple(block.length() for _ in range(rank))
    if elements(shape) > LARGEST or max(shape, default=0) > LARGEST:
        raise Damage(at, f"the shape {shape} is impossible")
    return shape


def elements(shape: tuple[int, ...] | None) -> int:
    """How many elements an array of a shape has."""
    return 0 if shape is None else math.prod(shape)
