"""What holds while a file of somebody else's is opened: how much memory its configuration may ask for.

A text of a few bytes can describe a layer of 10^12 units. So whatever makes variables asks here first, and gets a
ValueError in place of memory when there is a limit and it is used up.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

__all__ = ["half_of_memory", "limited", "may_allocate", "may_list", "values_follow"]


class _Limit:
    """So many bytes may still be allocated; ``values_follow``: what is allocated is filled from the file later."""

    def __init__(self, left: int, said: str, values_follow: bool, outer: "_Limit | None"):
        self.left, self.said, self.values_follow, self.outer = left, said, values_follow, outer


_limit: ContextVar[_Limit | None] = ContextVar("opening", default=None)


@contextmanager
def limited(most: int, said: str, values_follow: bool = False) -> Iterator[None]:
    """Inside the ``with`` block, all variables together may take so many bytes; limits around this one hold too.

    Args:
        most: bytes.
        said: whose limit that is, for the message.
        values_follow: the weights of layers need no start values, because they are read from the file afterwards.
    """
    token = _limit.set(_Limit(most, f"{most} bytes, {said}", values_follow, _limit.get()))
    try:
        yield
    finally:
        _limit.reset(token)


def may_allocate(shape: Any, dtype: Any, what: str) -> None:
    """Count the bytes of a variable that is about to be made.

    Raises:
        ValueError: there is a limit, and it would be exceeded.
    """
    limit = _limit.get()
    if limit is None:
        return
    size = math.prod(int(n) for n in shape) * np.dtype(dtype).itemsize
    while limit is not None:
        limit.left -= size
        if limit.left < 0:
            raise ValueError(f"{what} of shape {tuple(shape)} takes {size} bytes: too much (the limit: {limit.said})")
        limit = limit.outer


def may_list(count: Any, what: str) -> None:
    """The same for a list of numbers that are Python's, about 64 bytes each."""
    if isinstance(count, (int, float)):
        may_allocate((count, 8), np.float64, what)


def values_follow() -> bool:
    """Whether start values of the weights of layers are not needed."""
    limit = _limit.get()
    return limit is not None and limit.values_follow


def half_of_memory() -> int:
    """Half of this machine's memory, in bytes; 4 GiB where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return 1 << 32
