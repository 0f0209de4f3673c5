"""Convolution: three operations that differentiate into each other.

All three are linear in the upstream gradient, so the adjoint of each is another of the three. Pictures are NHWC:
(pictures, rows, columns, channels); kernels are (rows, columns, channels in, channels out).

A layer's convolution adds a bias, and often cuts off what is negative, while the sums are still in registers.
"""

from typing import Any

import numpy as np

import minidl_kernels as kernels
from minidl.engine.op import op
from minidl_kernels.arrays import Array

from .activation import bias_grad, through_relu

__all__ = ["pair"]


def pair(value: Any, name: str) -> tuple[int, int]:
    """A number, or two, as two positive whole numbers (for rows and columns)."""
    two = tuple(value) if isinstance(value, (list, tuple)) else (value, value)
    if len(two) != 2 or any(isinstance(v, bool) or not isinstance(v, (int, np.integer)) or v < 1 for v in two):
        raise ValueError(f"{name} must be a positive whole number or two of them, not {value!r}")
    return int(two[0]), int(two[1])


@op
def conv2d(x: Any, kernel: Any, strides: tuple[int, int], padding: str) -> Array:
    """Cross-correlation of x with the kernel."""
    return kernels.conv2d(x, kernel, strides=strides, padding=padding)


@op
def conv2d_bias(x: Any, kernel: Any, bias: Any, strides: tuple[int, int], padding: str) -> Array:
    """conv2d, plus the bias of each filter, in one pass."""
    return kernels.conv2d(x, kernel, bias, strides=strides, padding=padding)


@op
def conv2d_bias_relu(x: Any, kernel: Any, bias: Any, strides: tuple[int, int], padding: str) -> Array:
    """max(conv2d + bias, 0) in one pass."""
    return kernels.conv2d(x, kernel, bias, strides=strides, padding=padding, activation="relu")


@conv2d.grad("x")
@conv2d_bias.grad("x")
@conv2d_bias_relu.grad("x")
def _(g, x, kernel, strides, padding):
    return conv2d_input_grad(g, kernel, x.shape, strides, padding)


@conv2d.grad("kernel")
@conv2d_bias.grad("kernel")
@conv2d_bias_relu.grad("kernel")
def _(g, x, kernel, strides, padding):
    return conv2d_kernel_grad(x, g, kernel.shape, strides, padding)


conv2d_bias_relu.upstream(through_relu)
conv2d_bias_relu.grad("bias")(bias_grad)
conv2d_bias.grad("bias")(bias_grad)


@op
def conv2d_input_grad(upstream: Any, kernel: Any, shape: Any, strides: tuple[int, int], padding: str) -> Array:
    """The gradient of conv2d for its input, which has ``shape``; run forward it is the transposed convolution."""
    shape = (upstream.shape[0], *shape[1:])  # of a symbolic call the batch axis is not known before
    return kernels.conv2d_input_grad(upstream, kernel, input_shape=shape, strides=strides, padding=padding)


@conv2d_input_grad.grad("upstream")
def _(g, kernel, strides, padding):
    return conv2d(g, kernel, strides, padding)


@conv2d_input_grad.grad("kernel")
def _(g, upstream, kernel, strides, padding):
    return conv2d_kernel_grad(g, upstream, kernel.shape, strides, padding)


@op
def conv2d_kernel_grad(x: Any, upstream: Any, shape: Any, strides: tuple[int, int], padding: str) -> Array:
    """The gradient of conv2d for its kernel, which has ``shape``."""
    return kernels.conv2d_kernel_grad(x, upstream, kernel_shape=tuple(shape), strides=strides, padding=padding)


@conv2d_kernel_grad.grad("x")
def _(g, x, upstream, strides, padding):
    return conv2d_input_grad(upstream, g, x.shape, strides, padding)


@conv2d_kernel_grad.grad("upstream")
def _(g, x, strides, padding):
    return conv2d(x, g, strides, padding)
