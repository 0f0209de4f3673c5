"""What CUDA kernels ask of memory, counted in the shim: the reason why one step of a kernel is faster than another.

::

    with counting() as launches:
        kernels.matmul.get("cuda_tiled").run(a, b, transpose_a=False, transpose_b=False, out=out)
    print(launches[0].loads)

These are the accesses of the threads, as often as they ask. On a GPU a warp asks for neighbours at once, and caches
answer a part of it; how long that takes is not told here.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

__all__ = ["Counts", "counting", "launches", "noted"]

_launches: ContextVar[list["Counts"] | None] = ContextVar("launches", default=None)


class Counts(NamedTuple):
    """The sums over all threads of one launch.

    Attributes:
        loads, stores: of numbers in arrays, which lie in the GPU's memory.
        bytes: of these.
        shared_loads, shared_stores: of numbers in shared memory.
        barriers: once for each block that waits at one.
        steps: of tensor cores; 16 x 8 x 8 multiply-adds each.
    """

    loads: int
    stores: int
    bytes: int
    shared_loads: int
    shared_stores: int
    barriers: int
    steps: int


@contextmanager
def counting() -> Iterator[list[Counts]]:
    """Count in each launch of the block; what the shim runs takes longer then."""
    found: list[Counts] = []
    token = _launches.set(found)
    try:
        yield found
    finally:
        _launches.reset(token)


def launches() -> list[Counts] | None:
    """Where to note launches; None: nobody wants them counted."""
    return _launches.get()


class noted:
    """Counts the launch inside the ``with`` block, of a text that was compiled to be counted."""

    def __init__(self, compiled: ctypes.PyDLL, arrays: list[tuple[int, int]]):
        self.compiled = compiled
        ends = [end for pair in arrays for end in pair]
        self.ends = (ctypes.c_size_t * (len(ends) + 2))(*ends, 0, 0)

    def __enter__(self) -> None:
        ctypes.c_void_p.in_dll(self.compiled, "shim_arrays").value = ctypes.addressof(self.ends)

    def __exit__(self, *exception: object) -> None:
        several = launches()
        assert several is not None
        several.append(Counts(*(ctypes.c_uint64 * len(Counts._fields)).in_dll(self.compiled, "shim_counted")))
