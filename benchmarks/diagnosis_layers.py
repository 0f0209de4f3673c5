"""Layers of the size that a net has, right and with a slip, for the time that a check of them takes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.checking import diagnose

__all__ = ["LARGER"]

Array = np.ndarray


def windows(x: Array, size: int) -> Array:
    """(n, c, h, w) -> (n, h', w', c, size, size)."""
    found: Array = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3)).transpose(0, 2, 3, 1, 4, 5)
    return found


def conv(x: Array, w: Array, b: Array) -> tuple[Array, Any]:
    """Convolution of (n, c, h, w) by windows and one product of matrices."""
    columns = windows(x, w.shape[2])
    y = np.tensordot(columns, w, axes=([3, 4, 5], [1, 2, 3])) + b
    return y.transpose(0, 3, 1, 2), (x, w, columns)


def conv_backward(slip: str) -> Callable[[Array, Any], Any]:
    """Right where there is no slip."""

    def backward(g: Array, cache: Any) -> Any:
        x, w, columns = cache
        dw = np.tensordot(g, columns, axes=([0, 2, 3], [0, 1, 2]))
        dx, size = np.zeros_like(x), w.shape[2]
        for i in range(size):
            for j in range(size):
                at = dx[:, :, i : i + g.shape[2], j : j + g.shape[3]]
                kernel = w[:, :, size - 1 - i, size - 1 - j] if slip == "flipped" else w[:, :, i, j]
                at += np.tensordot(g, kernel, axes=([1], [0])).transpose(0, 3, 1, 2)
        return dx, dw / len(x) if slip == "mean" else dw, g.sum((0, 2, 3))

    return backward


def dense(x: Array, w: Array, b: Array) -> tuple[Array, Any]:
    """x w + b."""
    return x @ w + b, (x, w)


def dense_backward(slip: str) -> Callable[[Array, Any], Any]:
    """Right where there is no slip."""

    def backward(g: Array, cache: Any) -> Any:
        x, w = cache
        return g @ w.T, x.T @ g / (len(x) if slip == "mean" else 1), g.sum(0)

    return backward


def _check(forward: Any, backward: Any, *shapes: tuple[int, ...]) -> Callable[[], Any]:
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=shape) for shape in shapes]

    def check() -> Any:
        return diagnose(forward, inputs, backward=backward, language="en")

    return check


_CONV = ((8, 3, 16, 16), (8, 3, 3, 3), (8,))
_DENSE = ((32, 784), (784, 100), (100,))

LARGER: dict[str, Callable[[], Any]] = {
    "conv 8x3x16x16, right": _check(conv, conv_backward(""), *_CONV),
    "conv 8x3x16x16, dw mean": _check(conv, conv_backward("mean"), *_CONV),
    "conv 8x3x16x16, dx flipped": _check(conv, conv_backward("flipped"), *_CONV),
    "dense 32x784x100, right": _check(dense, dense_backward(""), *_DENSE),
    "dense 32x784x100, dw mean": _check(dense, dense_backward("mean"), *_DENSE),
}
