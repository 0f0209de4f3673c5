"""Normalisation within a sample: over given axes, whatever the rest of the batch is. Names are those of keras.ops."""

from typing import Any

from .arithmetic import add, multiply, rsqrt, square, subtract
from .reductions import mean, moments
from .shaping import axes_of, reshape

__all__ = ["layer_normalization", "rms_normalization"]


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


def along(weights: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """Weights of the extents of ``axes``, in a shape that broadcasts to x."""
    return reshape(weights, tuple(n if i in axes else 1 for i, n in enumerate(x.shape)))
