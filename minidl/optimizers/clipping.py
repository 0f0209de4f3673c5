"""Gradients cut down to size: by element, each by its norm, or all by their common norm."""

import math
from typing import Any

import numpy as np

from minidl_kernels.arrays import namespace

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value"]


def _squares(array: Any) -> Any:
    """The sum of the squares: a number; of an array on a GPU one that is not read."""
    total = namespace(array).sum(array * array)
    return float(total) if isinstance(array, np.ndarray) else total.astype("float64")


def _factor(squares: Any, most: float) -> Any:
    """What brings a norm down to ``most``; no number where it is infinite or none."""
    if isinstance(squares, (int, float)):
        norm = math.sqrt(squares)
        return most / max(norm, most) if math.isfinite(norm) else math.nan
    xp = namespace(squares)
    norm = xp.sqrt(squares)
    return xp.where(xp.isfinite(norm), most / xp.maximum(norm, most), math.nan)


def _times(g: Any, factor: Any) -> Any:
    """g * factor; as NumPy does with a number, what lies on a GPU is rounded to g's dtype before."""
    return g * (factor if isinstance(factor, float) else factor.astype(g.dtype))


def clip_by_norm(grads: list[Any], most: float) -> list[Any]:
    """Each gradient whose norm is above ``most``, scaled down to it."""
    return [_times(g, _factor(_squares(g), most)) for g in grads]


def clip_by_global_norm(grads: list[Any], most: float) -> list[Any]:
    """All gradients by one factor, so that the norm of all their numbers is ``most`` at most.

    Where that norm is infinite or no number, all become no numbers, as in Keras: nothing else would be noticed.
    """
    factor = _factor(sum(_squares(g) for g in grads), most)
    return [_times(g, factor) for g in grads]


def clip_by_value(grads: list[Any], most: float) -> list[Any]:
    """Every element within -most and most."""
    return [namespace(g).clip(g, -most, most) for g in grads]
