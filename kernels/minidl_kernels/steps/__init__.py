"""From three loops to the fastest matrix product and convolution, a file each step; to be read in this order.

``python -m minidl_kernels.steps`` measures them all, and counts what those for a GPU ask of memory. The files are texts
to learn from: the kernels that train nets are in ``matmul/`` and ``conv/``, and steps 6 to 14 use their parts.
"""

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["STEPS", "Step"]


class Step(NamedTuple):
    """One way to compute a product of matrices, or a convolution.

    Attributes:
        number: of the file.
        title: for tables.
        place: file and function.
        parallel: it runs on all threads.
        size: the extent of the matrices to measure it with; None: the usual one.
    """

    number: int
    title: str
    place: str
    parallel: bool = False
    size: int | None = None

    @property
    def convolves(self) -> bool:
        """It takes pictures and 3x3 kernels, not matrices."""
        return 8 <= self.number <= 10

    @property
    def on_gpu(self) -> bool:
        """It is CUDA: run thread by thread in the shim, its accesses are counted and its time is not measured."""
        return self.number >= 11

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.place.partition(".")[0] + ".py"

    def function(self) -> Callable[[Any, Any], Any]:
        """What computes it."""
        module, _, name = self.place.partition(".")
        found: Callable[[Any, Any], Any] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
        return found


STEPS = (
    Step(1, "three loops in Python", "step01_three_loops.matmul", size=64),
    Step(2, "the same, compiled", "step02_compiled.matmul"),
    Step(3, "loops in the order i, k, j", "step03_loop_order.matmul"),
    Step(4, "blocks, packed", "step04_blocks.matmul"),
    Step(5, "tiles, sums in memory", "step05_tile.matmul"),
    Step(6, "tiles, sums in registers", "step06_microkernel.matmul"),
    Step(7, "on all cores", "step07_parallel.matmul", parallel=True),
    Step(8, "convolution as a product of windows", "step08_convolution.by_columns", parallel=True),
    Step(8, "convolution around the micro-kernel", "step08_convolution.conv2d", parallel=True),
    Step(9, "Winograd F(2x2)", "step09_winograd.conv2d", parallel=True),
    Step(10, "Winograd F(4x4)", "step10_winograd_4x4.conv2d", parallel=True),
    Step(11, "CUDA: a thread for each result", "step11_cuda_naive.matmul", size=128),
    Step(12, "CUDA: squares in shared memory", "step12_cuda_tiled.matmul", size=128),
    Step(13, "CUDA: 4 x 4 results in registers", "step13_cuda_registers.matmul", size=128),
    Step(14, "CUDA: tensor cores, in TF32", "step14_cuda_tensor_cores.matmul", size=128),
)
