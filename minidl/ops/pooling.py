"""Pooling of pictures (NHWC): the maximum or the mean of each window.

Max pooling is a gather of the winners; its gradient scatters to them, and the two differentiate into each other.
"""

from typing import Any

import minidl_kernels as kernels
from minidl.engine.op import op
from minidl_kernels.arrays import Array

from .layout import as_pictures, checked_padding, from_pictures, in_plane, rank_of

__all__ = ["average_pool", "max_pool"]

Pair = tuple[int, int]


def max_pool(inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None) -> Any:
    """The maximum of each window; at a tie the first one wins (as JAX).

    Args:
        inputs: (n, steps, channels) or (n, rows, columns, channels).
        pool_size: a number, or one for each axis.
        strides: default: pool_size.
        padding: "valid", or "same" (padded by -inf).
        data_format: "channels_last" (default), or "channels_first": (n, channels, ...), for inputs and outputs.
    """
    return _pool("max_pool", max_pool2d, inputs, pool_size, strides, padding, data_format)


def average_pool(
    inputs: Any, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None
) -> Any:
    """The mean of each window; with padding "same" only real cells count. Arguments as of ``max_pool``."""
    return _pool("average_pool", average_pool2d, inputs, pool_size, strides, padding, data_format)


def _pool(name: str, function: Any, inputs: Any, pool_size: Any, strides: Any, padding: Any, data_format: Any) -> Any:
    rank, padding = rank_of(name, inputs), checked_padding(padding)
    size = in_plane(pool_size, rank, "pool_size")
    steps = size if strides is None else in_plane(strides, rank, "strides")
    return from_pictures(function(as_pictures(inputs, data_format), size, steps, padding), rank, data_format)


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
