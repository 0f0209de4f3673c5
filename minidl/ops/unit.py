"""Vectors scaled to length 1."""

from typing import Any

from minidl import config

from .arithmetic import abs as absolute
from .arithmetic import greater, multiply, power, rsqrt, square, where
from .reductions import sum

__all__ = ["normalize"]


def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
    """x divided by its length along ``axis``; a vector shorter than ``epsilon`` is divided by that instead.

    Args:
        axis: one axis or several.
        order: of the norm, a whole number from 1 on: (sum |x|^order)^(1 / order).
        epsilon: default 1e-7 (``config.epsilon()``).
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"normalize: order must be a whole number from 1 on, not {order!r}")
    smallest = config.epsilon() if epsilon is None else epsilon
    powers = square(x) if order == 2 else power(absolute(x), order)
    total = sum(powers, axis=axis, keepdims=True)
    # The root of 0 has an infinite slope, which times 0 would be NaN: it is only taken of what counts.
    long = greater(total, smallest**order)
    safe = where(long, total, 1.0)
    return multiply(x, where(long, rsqrt(safe) if order == 2 else power(safe, -1 / order), 1 / smallest))
