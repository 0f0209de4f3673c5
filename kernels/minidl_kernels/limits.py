# mypy: ignore-errors
"""What the machine can do at most, measured: multiply-adds, and copies in memory.

Both run through the kernels' own thread pool. The first is a loop of independent fused multiply-adds on vectors that
never leave the registers; the second copies an array that no cache holds.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .microkernel import LANES, copy
from .parallel import floats, integer, share, task

# isort: split
from llvmlite import ir  # after parallel.py has set the cache folder
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["bytes_per_second", "flops_per_second"]

CHAINS = 10  # independent sums: more than a multiply-add takes cycles, on each of two units
LOOPS = 200_000


@intrinsic
def _multiply_add(typing_context: Any, loops: Any, factor: Any) -> Any:
    """CHAINS vectors, each ``sum = sum * factor + factor`` so many times; one number of the result."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(ir.FloatType(), LANES)
        one_lane = builder.insert_element(
            ir.Constant(vector, ir.Undefined), arguments[1], ir.Constant(ir.IntType(32), 0)
        )
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        factor = builder.shuffle_vector(one_lane, ir.Constant(vector, ir.Undefined), lanes)
        sums = [cgutils.alloca_once_value(builder, ir.Constant(vector, [float(i)] * LANES)) for i in range(CHAINS)]
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{LANES}f32"
        )
        with cgutils.for_range(builder, arguments[0]):
            for one in sums:
                builder.store(builder.call(fma, [builder.load(one), factor, factor]), one)
        total = builder.load(sums[0])
        for one in sums[1:]:
            total = builder.fadd(total, builder.load(one))
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return types.float32(types.int64, types.float32), generate


@task
def _peak(args: Any, task: Any, tasks: Any) -> None:
    target = floats(args, 1, tasks)
    target[task] = _multiply_add(integer(args, 0), np.float32(0.5))


@task
def _copy(args: Any, task: Any, tasks: Any) -> None:
    first, last = share(integer(args, 0), task, tasks)
    copy(integer(args, 2) + 4 * first, integer(args, 1) + 4 * first, last - first)


def flops_per_second(threads: int) -> float:
    """Multiplications and additions a second."""
    target = np.empty(threads, np.float32)
    best = _least(lambda: _peak(LOOPS, target, tasks=threads))
    return 2 * CHAINS * LANES * LOOPS * threads / best


def bytes_per_second(threads: int, mebibytes: int = 128) -> float:
    """Bytes read and bytes written a second, by a copy of so many MiB."""
    source = np.ones(mebibytes << 18, np.float32)
    target = np.zeros_like(source)
    best = _least(lambda: _copy(source.size, source, target, tasks=4 * threads))
    return 2 * source.nbytes / best


def _least(run: Callable[[], None]) -> float:
    """Seconds of the quickest of seven runs."""
    found = []
    for _ in range(7):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)
