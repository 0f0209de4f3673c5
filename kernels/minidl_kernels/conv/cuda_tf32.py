"""CuPy: implicit products of matrices on tensor cores, in TF32 (conv_tf32.cu). The setting asks for them."""

import math
from typing import Any

from ..arrays import Array
from ..cuda import Program, blocks
from ..cuda.columns import in_slices
from ..cuda.tensor import LEAST, THREADS, asked_for, refused, tiles
from ..cuda.window import limited, window
from ..on_cpu import contiguous
from . import conv2d, conv2d_input_grad, conv2d_kernel_grad
from .array import no_products
from .cuda import LEAST_PLACES, MOST_BLOCKS
from .geometry import Pair, Shape

conv = Program("conv_tf32.cu", __file__, LEAST)


def _refused(*arrays: Any, **settings: Any) -> str | None:
    return refused(*arrays) or limited(*arrays, **settings)


@conv2d.implementation("cuda_tf32", on="cupy", accepts=_refused, pays=asked_for)
@contiguous
def conv2d_tf32(
    x: Array, w: Array, b: Array | None = None, *, strides: Pair, padding: str, activation: str | None, out: Array
) -> None:
    if not w.size:
        return no_products(b, activation, out)
    of_window = window(x.shape, out.shape[1:3], w.shape[:2], strides, padding)
    places, filters = math.prod(out.shape[:3]), w.shape[3]
    end = (b is not None, activation == "relu")
    bias = w if b is None else b  # something must be handed over; it is not read
    conv("conv_forward_tf32", tiles(places, filters), (THREADS,), x, w, bias, out, of_window, filters, *end)


@conv2d_input_grad.implementation("cuda_tf32", on="cupy", accepts=_refused, pays=asked_for)
@contiguous
def conv2d_input_grad_tf32(g: Array, w: Array, *, input_shape: Shape, strides: Pair, padding: str, out: Array) -> None:
    if not w.size:
        out.fill(0)
        return
    of_window = window(input_shape, g.shape[1:3], w.shape[:2], strides, padding)
    cells, channels = math.prod(input_shape[:3]), input_shape[3]
    conv("conv_input_gradient_tf32", tiles(cells, channels), (THREADS,), g, w, out, of_window, w.shape[3])


@conv2d_kernel_grad.implementation("cuda_tf32", on="cupy", accepts=_refused, pays=asked_for)
@contiguous
def conv2d_kernel_grad_tf32(
    x: Array, g: Array, *, kernel_shape: Shape, strides: Pair, padding: str, out: Array
) -> None:
    if not g.size:
        out.fill(0)
        return
    of_window = window(x.shape, g.shape[1:3], (kernel_shape[0], kernel_shape[1]), strides, padding)
    filters, places = kernel_shape[3], math.prod(g.shape[:3])
    grid = tiles(math.prod(kernel_shape[:3]), filters)
    slices = max(1, min(places // LEAST_PLACES, MOST_BLOCKS // max(1, grid[0] * grid[1])))
    each = blocks(places, slices)

    def launch(outs: tuple[Any, ...], scales: tuple[float, ...]) -> None:
        conv("conv_kernel_gradient_tf32", (*grid, slices), (THREADS,), x, g, outs[0], of_window, filters, each)

    in_slices(launch, slices, (out,))
