"""Pooling of pictures (NHWC): the maximum or the mean of each window.

Max pooling is a gather of the winners; its gradient scatters to them, and the two differentiate into each other.
"""

from typing import Any

import minidl_kernels as kernels
from minidl.engine.op import op
from minidl_kernels.arrays import Array

from .convolution import pair

__all__ = ["average_pool", "max_pool"]

Pair = tuple[int, int]


def max_pool(inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid") -> Any:
    """The maximum of each window; at a tie the first one wins (as JAX).

    Args:
        inputs: (n, rows, columns, channels).
        pool_size: a number, or two.
        strides: default: pool_size.
        padding: "valid", or "same" (padded by -inf).
    """
    size = pair(pool_size, "pool_size")
    return max_pool2d(inputs, size, size if strides is None else pair(strides, "strides"), padding)


def average_pool(inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid") -> Any:
    """The mean of each window; with padding "same" only real cells count."""
    size = pair(pool_size, "pool_size")
    return average_pool2d(inputs, size, size if strides is None else pair(strides, "strides"), padding)


@op
def max_pool2d(x: Any, pool_size: Pair, strides: Pair, padding: str) -> Array:
    """The maximum of each window."""
    return kernels.max_pool(x, pool_size=pool_size, strides=strides, padding=padding)


@max_pool2d.grad("x")
def _(g, x, pool_size, strides, padding):
    return max_pool_scatter(g, x, pool_size, strides, padding)


@op
def max_pool_scatter(upstream: Any, x: Any, pool_size: Pair, strides: Pair, padding: str) -> Array:
    """Each element of upstream added where its window's winner stands in x."""
    return kernels.max_pool_scatter(upstream, x, pool_size=pool_size, strides=strides, padding=padding)


@max_pool_scatter.grad("upstream")
def _(g, x, pool_size, strides, padding):
    return max_pool_gather(g, x, pool_size, strides, padding)


@max_pool_scatter.grad("x")
def _(g):
    return None  # who wins is constant almost everywhere


@op
def max_pool_gather(values: Any, x: Any, pool_size: Pair, strides: Pair, padding: str) -> Array:
    """From values (of x's shape), what stands where the windows' winners in x are."""
    return kernels.max_pool_gather(values, x, pool_size=pool_size, strides=strides, padding=padding)


@max_pool_gather.grad("values")
def _(g, x, pool_size, strides, padding):
    return max_pool_scatter(g, x, pool_size, strides, padding)


@max_pool_gather.grad("x")
def _(g):
    return None


@op
def average_pool2d(x: Any, pool_size: Pair, strides: Pair, padding: str) -> Array:
    """The mean of each window."""
    return kernels.average_pool(x, pool_size=pool_size, strides=strides, padding=padding)


@average_pool2d.grad("x")
def _(g, x, pool_size, strides, padding):
    return average_pool_grad(g, x.shape, pool_size, strides, padding)


@op
def average_pool_grad(upstream: Any, shape: Any, pool_size: Pair, strides: Pair, padding: str) -> Array:
    """Each element of upstream shared equally among the cells of its window."""
    return kernels.average_pool_grad(
        upstream, input_shape=tuple(shape), pool_size=pool_size, strides=strides, padding=padding
    )


@average_pool_grad.grad("upstream")
def _(g, pool_size, strides, padding):
    return average_pool2d(g, pool_size, strides, padding)
