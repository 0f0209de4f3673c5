"""Batch normalisation (Ioffe and Szegedy 2015), over the last axis."""

from typing import Any

import minidl_kernels as kernels
from minidl.engine.op import op
from minidl.engine.tensor import Tensor
from minidl_kernels.arrays import Array

from .activation import leaky_relu, leaky_relu_grad, relu, relu_grad
from .arithmetic import add, multiply, negative, rsqrt, subtract
from .reductions import count, moments, sum
from .shaping import reshape

__all__ = ["batch_norm", "batch_norm_composed", "batch_norm_relu", "batch_norm_relu_composed", "batch_normalization"]


@op(outputs=("y", "mean", "variance"))
def batch_norm(x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3) -> tuple[Array, Array, Array]:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta with the statistics of this batch.

    Args:
        x: (..., channels); the statistics are taken over all leading axes, the variance is biased.
        gamma, beta: (channels,).

    Returns:
        y of x's shape; mean and variance (channels,), as constants.
    """
    return kernels.batch_norm(x, gamma, beta, epsilon=epsilon)


@batch_norm.grad("x", "gamma", "beta")
def _(g, x, gamma, mean, variance, epsilon):
    if not isinstance(g, Tensor):
        return kernels.batch_norm_grad(g, x, gamma, mean, variance, epsilon=epsilon)
    return _composed_gradients(g, x, gamma, epsilon)


def _composed_gradients(g: Any, x: Any, gamma: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """The same gradients op by op, so that they can be differentiated again."""
    axes = tuple(range(len(x.shape) - 1))
    average, variance = moments(x, axes)
    scale = rsqrt(add(variance, epsilon))
    normalized = multiply(subtract(x, average), scale)
    g_beta = sum(g, axis=axes)
    g_gamma = sum(multiply(g, normalized), axis=axes)
    # The batch's mean and variance depend on x as well: their share is taken off.
    n = count(x, axes)
    g_x = gamma * scale * (g - g_beta / n - normalized * (g_gamma / n))
    return g_x, g_gamma, g_beta


def batch_norm_composed(x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3) -> Any:
    """What ``batch_norm`` computes, one op at a time."""
    average, variance = moments(x, tuple(range(len(x.shape) - 1)))
    return add(multiply(multiply(subtract(x, average), rsqrt(add(variance, epsilon))), gamma), beta)


@op(outputs=("y", "mean", "variance"))
def batch_norm_relu(
    x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3, negative_slope: float = 0.0
) -> tuple[Array, Array, Array]:
    """relu of ``batch_norm`` in one pass, or leaky_relu of it, with a negative_slope above 0.

    Arguments and results as of ``batch_norm``.
    """
    return kernels.batch_norm_relu(x, gamma, beta, epsilon=epsilon, negative_slope=negative_slope)


@batch_norm_relu.grad("x", "gamma", "beta")
def _(g, y, x, gamma, mean, variance, epsilon, negative_slope):
    if not isinstance(g, Tensor):
        return kernels.batch_norm_relu_grad(
            g, y, x, gamma, mean, variance, epsilon=epsilon, negative_slope=negative_slope
        )
    g = leaky_relu_grad(g, y, negative_slope) if negative_slope else relu_grad(g, y)
    return _composed_gradients(g, x, gamma, epsilon)


def batch_norm_relu_composed(x: Any, gamma: Any, beta: Any, epsilon: float = 1e-3, negative_slope: float = 0.0) -> Any:
    """What ``batch_norm_relu`` computes, one op at a time."""
    y = batch_norm_composed(x, gamma, beta, epsilon)
    return leaky_relu(y, negative_slope) if negative_slope else relu(y)


def batch_normalization(
    x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Any:
    """Normalisation by given statistics, as ``keras.ops.batch_normalization``.

    Args:
        x: any shape.
        mean, variance, offset, scale: one number for each place of ``axis``; offset is beta, scale is gamma.
    """
    factor = rsqrt(add(variance, epsilon))
    if scale is not None:
        factor = multiply(factor, scale)
    shift = multiply(negative(mean), factor)
    if offset is not None:
        shift = add(shift, offset)
    if axis % len(x.shape) == len(x.shape) - 1:
        return scale_shift(x, factor, shift)
    extents = tuple(n if i == axis % len(x.shape) else 1 for i, n in enumerate(x.shape))
    return add(multiply(x, reshape(factor, extents)), reshape(shift, extents))


@op
def scale_shift(x: Any, scale: Any, shift: Any) -> Array:
    """x * scale + shift over the last axis, in one pass."""
    return kernels.scale_shift(x, scale, shift)


@scale_shift.grad("x")
def _(g, scale):
    return g * scale


@scale_shift.grad("scale")
def _(g, x):
    return g * x


@scale_shift.grad("shift")
def _(g):
    return g
