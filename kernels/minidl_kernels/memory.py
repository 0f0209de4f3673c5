"""Memory for the results of kernels: buffers of earlier results are used again when nobody holds them any more.

A training step makes the same arrays every time. To get megabytes from the system and give them back at each step costs
a page fault for every 4 KiB, a tenth of the step of a convolutional net. So large results are views of buffers that an
arena keeps. A buffer to which nothing else refers (no array or view of it, so no tensor and no node of a graph either)
is free for the next result that fits. What a caller keeps is never touched.

Each thread has an arena of its own. A free buffer that was not wanted for long is given back. (A Python without the
global lock cannot tell how many hold an object; there the arena keeps nothing.)
"""

import math
import sys
import threading
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

__all__ = ["LARGE", "Arena", "Report", "empty", "release", "report", "using"]

LARGE = 1 << 17  # bytes from which buffers are kept: smaller ones C's allocator keeps itself
LINE = 64  # bytes of a cache line
ROOMIEST = 2  # times as large as the result may a buffer be that serves for it
PATIENCE = 2000  # large results after which a buffer that was not wanted is given back


class Report(NamedTuple):
    """What the arena of a thread holds."""

    in_use: int  # bytes of buffers that somebody holds
    free: int  # bytes of buffers that wait to be used again
    made: int  # results for which a buffer was asked of the system
    reused: int  # results that found a free one


class Arena:
    """Buffers, and which of them are free.

    Args:
        patience: after so many large results a buffer that was not wanted is given back; None: never.
    """

    def __init__(self, patience: int | None = PATIENCE) -> None:
        self.patience = patience
        self.made = self.reused = 0
        self.buffers: list[np.ndarray] = []  # of bytes, the smallest first
        self.starts: list[int] = []  # the first byte of each that lies at the start of a cache line
        self.wanted: list[int] = []  # how many results there had been when each was last given out

    @property
    def bytes(self) -> int:
        """Of all buffers."""
        return sum(buffer.size for buffer in self.buffers)

    def give_back(self, since: int) -> None:
        """Forget free buffers that were last wanted before."""
        for place in reversed(range(len(self.buffers))):
            if self.wanted[place] < since and _holders(self.buffers, place) == _NOBODY:
                del self.buffers[place], self.starts[place], self.wanted[place]

    def lies_in(self, array: np.ndarray) -> bool:
        """Whether an array is a view of one of the buffers."""
        while isinstance(array.base, np.ndarray):
            array = array.base
        return any(array is buffer for buffer in self.buffers)


class _Current(threading.local):
    def __init__(self) -> None:
        self.arena = Arena()


_current = _Current()


@contextmanager
def using(arena: Arena) -> Iterator[None]:
    """Inside the block this thread's large results come from another arena."""
    before, _current.arena = _current.arena, arena
    try:
        yield
    finally:
        _current.arena = before


def _holders(buffers: list[np.ndarray], place: int) -> int:
    return sys.getrefcount(buffers[place])


_NOBODY = _holders([np.empty(1)], 0)  # the list, and what this way of counting adds
_COUNTS = getattr(sys, "_is_gil_enabled", lambda: True)()


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """A C-contiguous array of NumPy that holds anything.

    Args:
        shape, dtype: small ones (below ``LARGE`` bytes) come from NumPy; large ones from the arena, each at the start
            of a cache line (NumPy's lie 16 bytes behind one, where every vector of AVX-512 lies in two lines).
    """
    size = math.prod(shape) * dtype.itemsize
    if size < LARGE or not _COUNTS:
        return np.empty(shape, dtype)
    size += LINE
    arena = _current.arena
    buffers, starts, wanted = arena.buffers, arena.starts, arena.wanted
    place = bisect_left(buffers, size, key=_size)
    while place < len(buffers) and buffers[place].size <= size * ROOMIEST:
        if _holders(buffers, place) == _NOBODY:
            arena.reused += 1
            wanted[place] = arena.made + arena.reused
            return np.ndarray(shape, dtype, buffers[place], starts[place])
        place += 1
    arena.made += 1
    now = arena.made + arena.reused
    if arena.patience is not None:
        arena.give_back(now - arena.patience)
    place = bisect_left(buffers, size, key=_size)
    buffer = np.empty(size, np.uint8)
    buffers.insert(place, buffer)
    starts.insert(place, -buffer.ctypes.data % LINE)
    wanted.insert(place, now)
    del buffer  # or it would count as held
    return np.ndarray(shape, dtype, buffers[place], starts[place])


def _size(buffer: np.ndarray) -> int:
    return buffer.size


def release() -> None:
    """Give all free buffers of this thread back."""
    arena = _current.arena
    arena.give_back(arena.made + arena.reused + 1)


def report() -> Report:
    """How much this thread's arena holds, and how often it served."""
    arena = _current.arena
    places = range(len(arena.buffers))
    free = sum(arena.buffers[place].size for place in places if _holders(arena.buffers, place) == _NOBODY)
    return Report(arena.bytes - free, free, arena.made, arena.reused)
