"""Larger pictures: every cell repeated, or new cells between the old ones, weighted by a function of the distance.

A new cell i stands at (i + 1/2) / factor - 1/2 among the old ones. Its weights are ``kernel(distance)``, divided by
their sum (so that at the edges, too, they add up to 1), as jax.image.resize has it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .products import matmul
from .shaping import broadcast_to, reshape

__all__: list[str] = []


def _cubic(d: np.ndarray) -> np.ndarray:
    """Keys (1981), a = -1/2."""
    near, far = ((1.5 * d - 2.5) * d) * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0))


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda d: np.where(d < radius, np.sinc(d) * np.sinc(d / radius), 0)


KERNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bilinear": lambda d: np.maximum(0, 1 - d),
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}
INTERPOLATIONS = ("nearest", *KERNELS)


def repeated(x: Any, axis: int, times: int) -> Any:
    """Every element ``times`` times along an axis; the extents of the others may be unknown only in front."""
    extents = tuple(x.shape)
    wide = reshape(x, (*extents[: axis + 1], 1, *extents[axis + 1 :]))
    wide = broadcast_to(wide, (*extents[: axis + 1], times, *extents[axis + 1 :]))
    return reshape(wide, (*extents[:axis], extents[axis] * times, *extents[axis + 1 :]))


def upsample(x: Any, factors: tuple[int, int], interpolation: str) -> Any:
    """Pictures (n, rows, columns, channels) made larger by whole factors.

    Args:
        factors: for rows and columns.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
    """
    if interpolation == "nearest":
        return repeated(repeated(x, 2, factors[1]), 1, factors[0])
    n, height, width, channels = x.shape
    rows, columns = (
        _weights(extent, f, interpolation, x.dtype) for extent, f in zip((height, width), factors, strict=True)
    )
    y = matmul(rows, reshape(x, (n, height, width * channels)))
    y = matmul(columns, reshape(y, (n * height * factors[0], width, channels)))
    return reshape(y, (n, height * factors[0], width * factors[1], channels))


def _weights(extent: int, factor: int, interpolation: str, dtype: Any) -> np.ndarray:
    """(new cells, old cells)."""
    places = (np.arange(extent * factor) + 0.5) / factor - 0.5
    weights = KERNELS[interpolation](np.abs(places[:, None] - np.arange(extent)))
    return np.asarray(weights / weights.sum(1, keepdims=True), dtype)
