"""Dropout, from counter-based random numbers: the mask is never stored, the backward pass draws it again."""

from typing import Any

import minidl_kernels as kernels
from minidl.engine.op import op
from minidl_kernels.arrays import Array

__all__ = ["masked_dropout"]


@op
def masked_dropout(x: Any, key: Any, rate: float, offset: int = 0) -> Array:
    """x / (1 - rate) where the random word of an element is above the rate's threshold, else 0.

    Args:
        x: any shape.
        key: two 32-bit words that name the stream of random numbers.
        rate: the part that is dropped, in [0, 1).
        offset: where in the stream the first element's word stands.
    """
    return kernels.dropout(x, key, rate=rate, offset=offset)


@masked_dropout.grad("x")
def _(g, key, rate, offset):
    return masked_dropout(g, key, rate, offset)
