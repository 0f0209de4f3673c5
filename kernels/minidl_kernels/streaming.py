# mypy: ignore-errors
"""Results that no cache will hold, written past the caches.

Before a core changes a line of a cache, it fetches the line: a pass over memory that reads two arrays and writes one
moves four. Stores past the caches (*non-temporal*) fetch nothing, but leave nothing in a cache either. So they serve
for large results only, whose first numbers would be gone before the next kernel comes for them. A task then computes a
piece at a time in a buffer of its own, which stays in the first cache, and hands the piece on::

    target = room[:count] if past else out[start : start + count]
    ...                                              # the loop that fills target
    if past:
        stream(address + 4 * start, room.ctypes.data, count)
    ...
    settle(past)                                     # once, when the task is done
"""

import numpy as np

from .microkernel import INT, LANES, copy, vector_at

# isort: split
from llvmlite import ir  # after parallel.py has set the cache folder
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["LINE", "PIECE", "goes_past_caches", "past_caches", "settle", "stream"]

LARGE = 1 << 22  # bytes of a result from which on it pays
LINE = 64  # bytes of a cache line: written whole, or it must be fetched all the same
PIECE = 4096  # floats that a task computes before it hands them on (16 KiB)
MOST = 4 * PIECE  # at most: more would not stay in a cache until then


def goes_past_caches(out: np.ndarray, piece: int = PIECE) -> bool:
    """Whether a result is written past the caches; it follows from its size alone.

    Args:
        out: the result.
        piece: floats that a task hands on at a time, side by side: whole lines, or their ends would be fetched.
    """
    return out.nbytes >= LARGE and piece % (LINE // 4) == 0 and piece <= MOST


def past_caches(builder, store):
    """Make a store of LLVM's, of a whole vector at a multiple of its size, one that goes past the caches."""
    store.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))


@intrinsic
def _stream_vector(typing_context, target, source):
    def generate(context, builder, signature, arguments):
        to, start = (vector_at(builder, address, 0) for address in arguments)
        past_caches(builder, builder.store(builder.load(start, align=4), to, align=4 * LANES))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@njit(cache=True, error_model="numpy")
def stream(target, source, count):
    """Copy ``count`` float32 from one address to another, whole lines of the target past the caches."""
    begin = min(-target % LINE // 4, count)
    end = begin + (count - begin) // (LINE // 4) * (LINE // 4)
    if begin > 0:
        copy(target, source, begin)
    for i in range(4 * begin, 4 * end, 4 * LANES):
        _stream_vector(target + i, source + i)
    if end < count:
        copy(target + 4 * end, source + 4 * end, count - end)


@intrinsic
def settle(typing_context, past):
    """At the end of a task: stores past the caches, if there were any, are done for every other core as well.

    Such stores are not ordered among the others, so another thread could see that the task is done before it sees them.
    """

    def generate(context, builder, signature, arguments):
        with builder.if_then(builder.icmp_signed("!=", arguments[0], ir.Constant(INT, 0))):
            builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(types.int64), generate
