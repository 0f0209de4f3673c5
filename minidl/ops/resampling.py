"""What resizing a row of pixels is: a matrix of (new extent, old extent) numbers, for each filter.

Pixels are intervals: the middle of output i lies at (i + 1/2) * old / new - 1/2 of the input. Each row of the matrix
holds the filter around that place and sums to 1, also at the edges, where part of the filter falls outside.
"""

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np

__all__ = ["NEAREST", "nearest_places", "weights"]

NEAREST = "nearest"


def nearest_places(old: int, new: int) -> np.ndarray:
    """The input pixel of each output; computed in float32, as Keras on JAX does, which decides ties."""
    middle = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * np.float32(old) / np.float32(new)
    return np.floor(middle).astype(np.int64)


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - x)


def _keys(x: np.ndarray) -> np.ndarray:
    """Keys' cubic with a = -1/2 (IEEE Trans. ASSP 29, 1981)."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int, x: np.ndarray) -> np.ndarray:
    return np.where(x <= radius, np.sinc(x) * np.sinc(x / radius), 0)


@lru_cache(maxsize=64)
def _matrix(kernel: Callable[[np.ndarray], np.ndarray], old: int, new: int, antialias: bool) -> np.ndarray:
    step = old / new
    middle = (np.arange(new) + 0.5) * step - 0.5
    width = max(step, 1.0) if antialias else 1.0
    found = kernel(np.abs(middle[:, None] - np.arange(old)) / width)
    total = found.sum(axis=1, keepdims=True)
    return found / total


_KERNELS = {
    "bilinear": _triangle, "bicubic": _keys, "lanczos3": partial(_lanczos, 3), "lanczos5": partial(_lanczos, 5),
}  # fmt: skip

# name: a function of (old extent, new extent, antialias) that gives the matrix
weights = {name: partial(_matrix, kernel) for name, kernel in _KERNELS.items()}
