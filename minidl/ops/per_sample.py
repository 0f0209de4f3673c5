"""Normalisation within a sample: over given axes, whatever the rest of the batch is. Names are those of keras.ops."""

from typing import Any

from .arithmetic import abs, add, divide, maximum, multiply, power, rsqrt, square, subtract
from .reductions import mean, moments, sum
from .shaping import axes_of, reshape

__all__ = ["layer_normalization", "normalize", "rms_normalization"]


def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Any:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta with the statistics of each sample (Ba et al. 2016).

    Args:
        x: any shape.
        gamma, beta: of the extents of ``axis``; None: 1 and 0.
        axis: a number or several, over which mean and (biased) variance are taken.
        epsilon: default 1e-7.
    """
    axes = axes_of(axis if isinstance(axis, int) else tuple(axis), len(x.shape))
    average, variance = moments(x, axes, keepdims=True)
    y = multiply(subtract(x, average), rsqrt(add(variance, 1e-7 if epsilon is None else epsilon)))
    if gamma is not None:
        y = multiply(y, along(gamma, x, axes))
    return y if beta is None else add(y, along(beta, x, axes))


def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """scale * x / sqrt(mean(x^2) + epsilon) over ``axis`` (Zhang and Sennrich 2019); epsilon defaults to 1e-7."""
    axes = axes_of(axis if isinstance(axis, int) else tuple(axis), len(x.shape))
    squares = mean(square(x), axis=axes, keepdims=True)
    y = multiply(x, rsqrt(add(squares, 1e-7 if epsilon is None else epsilon)))
    return y if scale is None else multiply(y, along(scale, x, axes))


def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """x divided by its norm over ``axis``.

    Args:
        order: 2: the length; 1: the sum of absolute values; any p: the p-norm.
        epsilon: shorter vectors are divided by this; default 1e-7.

    Raises:
        ValueError: an order that is no whole number from 1 on.
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"order must be a whole number from 1 on, not {order!r}")
    epsilon = 1e-7 if epsilon is None else epsilon
    axes = axis if axis is None or isinstance(axis, int) else tuple(axis)
    if order == 2:
        # The limit is put on the square: the root's slope at 0 is infinite, and 0 * inf would be the gradient.
        return multiply(x, rsqrt(maximum(sum(square(x), axis=axes, keepdims=True), epsilon**2)))
    sums = sum(power(abs(x), order), axis=axes, keepdims=True)
    return divide(x, power(maximum(sums, epsilon**order), 1 / order))


def along(weights: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """Weights of the extents of ``axes``, in a shape that broadcasts to x."""
    return reshape(weights, tuple(n if i in axes else 1 for i, n in enumerate(x.shape)))
