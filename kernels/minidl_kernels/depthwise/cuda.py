"""CuPy: one thread a result; for the kernel's gradient, blocks that add along the pictures (depthwise.cu)."""

import math
from typing import Any

from ..arrays import Array
from ..conv.geometry import Pair, Shape
from ..cuda import Program, blocks
from ..cuda.columns import BLOCK, grid, in_slices
from ..cuda.window import limited, window
from ..on_cpu import contiguous
from . import depthwise_conv2d, depthwise_conv2d_input_grad, depthwise_conv2d_kernel_grad

depthwise = Program("depthwise.cu", __file__)
THREADS = 256


@depthwise_conv2d.implementation("cuda", on="cupy", accepts=limited)
@contiguous
def depthwise_conv2d_cuda(x: Array, w: Array, *, strides: Pair, padding: str, out: Array) -> None:
    of_window = window(x.shape, out.shape[1:3], w.shape[:2], strides, padding)
    depthwise("depthwise_forward", (blocks(out.size, THREADS),), (THREADS,), x, w, out, of_window, w.shape[3])


@depthwise_conv2d_input_grad.implementation("cuda", on="cupy", accepts=limited)
@contiguous
def depthwise_conv2d_input_grad_cuda(
    g: Array, w: Array, *, input_shape: Shape, strides: Pair, padding: str, out: Array
) -> None:
    of_window = window(input_shape, g.shape[1:3], w.shape[:2], strides, padding)
    depthwise("depthwise_input_gradient", (blocks(out.size, THREADS),), (THREADS,), g, w, out, of_window, w.shape[3])


@depthwise_conv2d_kernel_grad.implementation("cuda", on="cupy", accepts=limited)
@contiguous
def depthwise_conv2d_kernel_grad_cuda(
    x: Array, g: Array, *, kernel_shape: Shape, strides: Pair, padding: str, out: Array
) -> None:
    of_window = window(x.shape, g.shape[1:3], kernel_shape[:2], strides, padding)
    across, slices = grid(math.prod(g.shape[:3]), g.shape[3])
    cells = kernel_shape[0] * kernel_shape[1]

    def launch(outs: tuple[Any, ...], scales: tuple[float, ...]) -> None:
        depthwise(
            "depthwise_kernel_gradient", (across, cells, slices), BLOCK, x, g, outs[0], of_window, kernel_shape[3]
        )

    in_slices(launch, slices, (out,))
