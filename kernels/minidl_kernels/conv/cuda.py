"""CuPy: implicit products of matrices in plain float32 or float64 (conv.cu)."""

import math
from typing import Any

from ..arrays import Array
from ..cuda import Program, blocks
from ..cuda.columns import in_slices
from ..cuda.tile import THREADS, tiles
from ..cuda.window import limited, window
from ..on_cpu import contiguous
from . import conv2d, conv2d_input_grad, conv2d_kernel_grad
from .geometry import Pair, Shape

conv = Program("conv.cu", __file__)
LEAST_PLACES = 512  # of a slice of the kernel gradient: fewer would be little work beside writing the partial sums
MOST_BLOCKS = 512  # slices stop where so many blocks run: some for each multiprocessor of a large GPU


@conv2d.implementation("cuda", on="cupy", accepts=limited)
@contiguous
def conv2d_cuda(
    x: Array, w: Array, b: Array | None = None, *, strides: Pair, padding: str, activation: str | None, out: Array
) -> None:
    of_window = window(x.shape, out.shape[1:3], w.shape[:2], strides, padding)
    places, filters = math.prod(out.shape[:3]), w.shape[3]
    end = (b is not None, activation == "relu")
    bias = w if b is None else b  # something must be handed over; it is not read
    conv("conv_forward", tiles(places, filters), (THREADS,), x, w, bias, out, of_window, filters, *end)


@conv2d_input_grad.implementation("cuda", on="cupy", accepts=limited)
@contiguous
def conv2d_input_grad_cuda(g: Array, w: Array, *, input_shape: Shape, strides: Pair, padding: str, out: Array) -> None:
    of_window = window(input_shape, g.shape[1:3], w.shape[:2], strides, padding)
    cells, channels = math.prod(input_shape[:3]), input_shape[3]
    conv("conv_input_gradient", tiles(cells, channels), (THREADS,), g, w, out, of_window, w.shape[3])


@conv2d_kernel_grad.implementation("cuda", on="cupy", accepts=limited)
@contiguous
def conv2d_kernel_grad_cuda(
    x: Array, g: Array, *, kernel_shape: Shape, strides: Pair, padding: str, out: Array
) -> None:
    of_window = window(x.shape, g.shape[1:3], kernel_shape[:2], strides, padding)
    filters, places = kernel_shape[3], math.prod(g.shape[:3])
    grid = tiles(math.prod(kernel_shape[:3]), filters)
    slices = max(1, min(places // LEAST_PLACES, MOST_BLOCKS // max(1, grid[0] * grid[1])))
    each = blocks(places, slices)

    def launch(outs: tuple[Any, ...], scales: tuple[float, ...]) -> None:
        conv("conv_kernel_gradient", (*grid, slices), (THREADS,), x, g, outs[0], of_window, filters, each)

    in_slices(launch, slices, (out,))
