"""Depthwise convolution: every channel has kernels of its own. Three operations that differentiate into each other.

Pictures are (pictures, rows, columns, channels), kernels (rows, columns, channels, multiplier).
"""

from typing import Any

import minidl_kernels as kernels
from minidl.engine.op import op
from minidl_kernels.arrays import Array

__all__: list[str] = []  # users call depthwise_conv, of sliding.py

Pair = tuple[int, int]


@op
def depthwise_conv2d(x: Any, kernel: Any, strides: Pair, padding: str) -> Array:
    """Cross-correlation of every channel with its kernels."""
    return kernels.depthwise_conv2d(x, kernel, strides=strides, padding=padding)


@depthwise_conv2d.grad("x")
def _(g, x, kernel, strides, padding):
    return depthwise_conv2d_input_grad(g, kernel, x.shape, strides, padding)


@depthwise_conv2d.grad("kernel")
def _(g, x, kernel, strides, padding):
    return depthwise_conv2d_kernel_grad(x, g, kernel.shape, strides, padding)


@op
def depthwise_conv2d_input_grad(upstream: Any, kernel: Any, shape: Any, strides: Pair, padding: str) -> Array:
    """The gradient of depthwise_conv2d for its input, which has ``shape``."""
    return kernels.depthwise_conv2d_input_grad(
        upstream, kernel, input_shape=tuple(shape), strides=strides, padding=padding
    )


@depthwise_conv2d_input_grad.grad("upstream")
def _(g, kernel, strides, padding):
    return depthwise_conv2d(g, kernel, strides, padding)


@depthwise_conv2d_input_grad.grad("kernel")
def _(g, upstream, kernel, strides, padding):
    return depthwise_conv2d_kernel_grad(g, upstream, kernel.shape, strides, padding)


@op
def depthwise_conv2d_kernel_grad(x: Any, upstream: Any, shape: Any, strides: Pair, padding: str) -> Array:
    """The gradient of depthwise_conv2d for its kernel, which has ``shape``."""
    return kernels.depthwise_conv2d_kernel_grad(
        x, upstream, kernel_shape=tuple(shape), strides=strides, padding=padding
    )


@depthwise_conv2d_kernel_grad.grad("x")
def _(g, x, upstream, strides, padding):
    return depthwise_conv2d_input_grad(upstream, g, x.shape, strides, padding)


@depthwise_conv2d_kernel_grad.grad("upstream")
def _(g, x, strides, padding):
    return depthwise_conv2d(x, g, strides, padding)
