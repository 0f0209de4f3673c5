"""CuPy: sums over rows, then one pass over the elements (norm.cu), which is that of a ReLU as well."""

import math
from typing import Any

import numpy as np

from ..arrays import Array
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


def _least(y: Array, slope: float) -> float:
    """At 0 a ReLU without a slope lets no gradient through, and one with a slope does."""
    return 0.0 if slope else float(np.finfo(y.dtype).smallest_subnormal)


def _forward(
    x: Array, gamma: Array, beta: Array, epsilon: float, slope: float, out: tuple[Array, Array, Array]
) -> None:
    y, mean, variance = out
    rows, channels = _rows(x), x.shape[-1]
    across, slices = grid(rows, channels)
    share = 1 / max(rows, 1)
    column_sum(x, mean, share)

    def squares(outs: tuple[Any, ...], scales: tuple[float, ...]) -> None:
        norm("square_sums", (across, slices), BLOCK, x, mean, outs[0], rows, channels, float(scales[0]))

    in_slices(squares, slices, (variance,), (share,))
    _each_element("normalize", x, channels, x, gamma, beta, mean, variance, y, (float(epsilon), float(slope)))


@batch_norm.implementation("cuda", on="cupy")
@contiguous
def batch_norm_cuda(x: Array, gamma: Array, beta: Array, *, epsilon: float, out: tuple[Array, Array, Array]) -> None:
    _forward(x, gamma, beta, epsilon, 1.0, out)


@batch_norm_relu.implementation("cuda", on="cupy")
@contiguous
def batch_norm_relu_cuda(
    x: Array, gamma: Array, beta: Array, *, epsilon: float, negative_slope: float, out: tuple[Array, Array, Array]
) -> None:
    _forward(x, gamma, beta, epsilon, negative_slope, out)


def _backward(
    arrays: tuple[Array, ...], epsilon: float, least: float, slope: float, out: tuple[Array, Array, Array]
) -> None:
    g, y, x, gamma, mean, variance = arrays
    dx, dgamma, dbeta = out
    rows, channels = _rows(x), x.shape[-1]
    across, slices = grid(rows, channels)
    settings = float(epsilon), least, float(slope)

    def sums(outs: tuple[Any, ...], scales: tuple[float, ...]) -> None:
        norm("gradient_sums", (across, slices), BLOCK, g, y, x, mean, variance, *outs, rows, channels, *settings)

    in_slices(sums, slices, (dgamma, dbeta))
    _each_element("input_gradient", x, channels, *arrays, dgamma, dbeta, dx, (*settings, 1 / max(rows, 1)))


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
    # x serves for y: all passes, and x is in the cache.
    _backward((g, x, x, gamma, mean, variance), epsilon, -math.inf, 1.0, out)


@batch_norm_relu_grad.implementation("cuda", on="cupy")
@contiguous
def batch_norm_relu_grad_cuda(
    g: Array, y: Array, x: Array, gamma: Array, mean: Array, variance: Array, *,
    epsilon: float, negative_slope: float, out: tuple[Array, Array, Array],
) -> None:  # fmt: skip
    _backward((g, y, x, gamma, mean, variance), epsilon, _least(y, negative_slope), negative_slope, out)


@scale_shift.implementation("cuda", on="cupy")
@contiguous
def scale_shift_cuda(x: Array, scale: Array, shift: Array, *, out: Array) -> None:
    _each_element("scale_and_shift", x, x.shape[-1], x, scale, shift, out, ())
