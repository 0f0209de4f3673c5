"""Gradients cut down to size: by element, each by its norm, or all by their common norm."""

import math
from typing import Any

from minidl_kernels.arrays import namespace

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value"]


def _squares(array: Any) -> float:
    return float(namespace(array).sum(array * array))


def clip_by_norm(grads: list[Any], most: float) -> list[Any]:
    """Each gradient whose norm is above ``most``, scaled down to it."""
    return [g * (most / max(math.sqrt(_squares(g)), most)) for g in grads]


def clip_by_global_norm(grads: list[Any], most: float) -> list[Any]:
    """All gradients by one factor, so that the norm of all their numbers is ``most`` at most.

    Where that norm is infinite or no number, all become no numbers, as in Keras: nothing else would be noticed.
    """
    norm = math.sqrt(sum(_squares(g) for g in grads))
    factor = most / max(norm, most) if math.isfinite(norm) else math.nan
    return [g * factor for g in grads]


def clip_by_value(grads: list[Any], most: float) -> list[Any]:
    """Every element within -most and most."""
    return [namespace(g).clip(g, -most, most) for g in grads]
