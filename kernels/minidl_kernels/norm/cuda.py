"""CuPy: sums over rows, then one pass over the elements (norm.cu)."""

from typing import Any

import numpy as np

from ..arrays import Array, namespace
from ..cuda import Program, blocks
from ..cuda.columns import BLOCK, column_sum, grid, in_slices
from ..on_cpu import contiguous
from . import batch_norm, batch_norm_grad, batch_norm_relu, batch_norm_relu_grad, scale_shift

norm = Program("norm.cu", __file__)
THREADS = 256


def _each_element(name: str, x: Array, channels: int, *arguments: Any) -> None:
    arrays, numbers = arguments[:-1], arguments[-1]
    norm(name, (blocks(x.size, THREADS),), (THREADS,), *arrays, np.int64(x.size), channels, *numbers)


def _rows(x: Array) -> int:
    return x.size // x.shape[-1] if x.size else 0


@batch_norm.implementation("cuda", on="cupy")
@contiguous
def batch_norm_cuda(x: Array, gamma: Array, beta: Array, *, epsilon: float, out: tuple[Array, Array, Array]) -> None:
    y, mean, variance = out
    rows, channels = _rows(x), x.shape[-1]
    across, slices = grid(rows, channels)
    share = 1 / max(rows, 1)
    column_sum(x, mean, share)

    def squares(outs: tuple[Any, ...], scales: tuple[float, ...]) -> None:
        norm("square_sums", (across, slices), BLOCK, x, mean, outs[0], rows, channels, float(scales[0]))

    in_slices(squares, slices, (variance,), (share,))
    _each_element("normalize", x, channels, x, gamma, beta, mean, variance, y, (float(epsilon),))


@batch_norm_grad.implementation("cuda", on="cupy")
@contiguous
def batch_norm_grad_cuda(
    g: Array,
    x: Array,
    gamma: Array,
    mean: Array,
    variance: Array,
    *,
    epsilon: float,
    out: tuple[Array, Array, Array],
) -> None:
    dx, dgamma, dbeta = out
    rows, channels = _rows(x), x.shape[-1]
    across, slices = grid(rows, channels)

    def sums(outs: tuple[Any, ...], scales: tuple[float, ...]) -> None:
        arrays = g, x, mean, variance, *outs
        norm("gradient_sums", (across, slices), BLOCK, *arrays, rows, channels, float(epsilon))

    in_slices(sums, slices, (dgamma, dbeta))
    arrays = g, x, gamma, mean, variance, dgamma, dbeta, dx
    _each_element("input_gradient", x, channels, *arrays, (float(epsilon), 1 / max(rows, 1)))


@batch_norm_relu.implementation("cuda", on="cupy")
@contiguous
def batch_norm_relu_cuda(
    x: Array, gamma: Array, beta: Array, *, epsilon: float, negative_slope: float, out: tuple[Array, Array, Array]
) -> None:
    batch_norm_cuda(x, gamma, beta, epsilon=epsilon, out=out)
    _each_element("relu_in_place", x, x.shape[-1], out[0], (float(negative_slope),))


@batch_norm_relu_grad.implementation("cuda", on="cupy")
@contiguous
def batch_norm_relu_grad_cuda(
    g: Array, y: Array, x: Array, gamma: Array, mean: Array, variance: Array, *,
    epsilon: float, negative_slope: float, out: tuple[Array, Array, Array],
) -> None:  # fmt: skip
    before = namespace(g).empty_like(g)
    _each_element("through_relu", g, g.shape[-1], g, y, before, (float(negative_slope),))
    batch_norm_grad_cuda(before, x, gamma, mean, variance, epsilon=epsilon, out=out)


@scale_shift.implementation("cuda", on="cupy")
@contiguous
def scale_shift_cuda(x: Array, scale: Array, shift: Array, *, out: Array) -> None:
    _each_element("scale_and_shift", x, x.shape[-1], x, scale, shift, out, ())
