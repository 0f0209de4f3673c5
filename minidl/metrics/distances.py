"""Distances of predictions from targets, one for each sample: twins of the losses, on arrays: a metric needs no graph.

All take (y_true, y_pred) of one shape (..., n) (ranks that differ by a last axis of 1 are made alike), and reduce the
last axis. Formulas are those of Keras 3, on which "epsilon" is ``config.epsilon()``.
"""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

from minidl import config
from minidl_kernels.arrays import namespace

from .arrays import array_of, fitting

__all__ = [
    "absolute", "absolute_percentage", "categorical_hinge", "hinge", "kl_divergence", "log_cosh", "poisson", "squared",
    "squared_hinge", "squared_logarithmic", "symmetric_absolute_percentage",
]  # fmt: skip


def _of_pairs(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Give a function arrays of one floating dtype and one shape."""

    @wraps(function)
    def wrapper(y_true: Any, y_pred: Any) -> Any:
        y_pred = array_of(y_pred)
        dtype = None if y_pred.dtype.kind == "f" else config.floatx()
        return function(*fitting(function.__name__, y_true, y_pred, dtype))

    return wrapper


@_of_pairs
def squared(y_true: Any, y_pred: Any) -> Any:
    """mean((y_true - y_pred)^2)."""
    xp = namespace(y_pred)
    return xp.square(y_true - y_pred).mean(-1)


@_of_pairs
def absolute(y_true: Any, y_pred: Any) -> Any:
    """mean(|y_true - y_pred|)."""
    xp = namespace(y_pred)
    return xp.abs(y_true - y_pred).mean(-1)


@_of_pairs
def absolute_percentage(y_true: Any, y_pred: Any) -> Any:
    """100 mean(|y_true - y_pred| / max(|y_true|, epsilon))."""
    xp = namespace(y_pred)
    return 100 * xp.abs((y_true - y_pred) / xp.maximum(xp.abs(y_true), config.epsilon())).mean(-1)


@_of_pairs
def symmetric_absolute_percentage(y_true: Any, y_pred: Any) -> Any:
    """200 mean(|y_true - y_pred| / max(|y_true| + |y_pred|, epsilon)): from 0 to 200."""
    xp = namespace(y_pred)
    size = xp.abs(y_true) + xp.abs(y_pred)
    return 200 * (xp.abs(y_true - y_pred) / xp.maximum(size, config.epsilon())).mean(-1)


@_of_pairs
def squared_logarithmic(y_true: Any, y_pred: Any) -> Any:
    """mean((log(max(y_pred, epsilon) + 1) - log(max(y_true, epsilon) + 1))^2)."""
    xp = namespace(y_pred)
    logs = [xp.log(xp.maximum(y, config.epsilon()) + 1) for y in (y_pred, y_true)]
    return xp.square(logs[0] - logs[1]).mean(-1)


@_of_pairs
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """mean(log(cosh(y_pred - y_true))), which overflows nowhere."""
    xp = namespace(y_pred)
    distance = xp.abs(y_pred - y_true)
    return (distance + xp.log1p(xp.exp(-2 * distance)) - distance.dtype.type(math.log(2))).mean(-1)


@_of_pairs
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """sum(y_true log(y_true / y_pred)), both clipped to epsilon and 1."""
    xp = namespace(y_pred)
    y_true, y_pred = xp.clip(y_true, config.epsilon(), 1), xp.clip(y_pred, config.epsilon(), 1)
    return (y_true * xp.log(y_true / y_pred)).sum(-1)


@_of_pairs
def poisson(y_true: Any, y_pred: Any) -> Any:
    """mean(y_pred - y_true log(y_pred + epsilon))."""
    xp = namespace(y_pred)
    return (y_pred - y_true * xp.log(y_pred + config.epsilon())).mean(-1)


def _signs(y_true: Any) -> Any:
    """Targets that are all 0 or 1 as -1 or 1; others as they are."""
    xp = namespace(y_true)
    binary = ((y_true == 0) | (y_true == 1)).all()  # not read, for it may be on a GPU
    return xp.where(binary, 2 * y_true - 1, y_true)


@_of_pairs
def hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true y_pred, 0)) for targets of -1 and 1, or of 0 and 1."""
    xp = namespace(y_pred)
    return xp.maximum(1 - _signs(y_true) * y_pred, 0).mean(-1)


@_of_pairs
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true y_pred, 0)^2) for targets of -1 and 1, or of 0 and 1."""
    xp = namespace(y_pred)
    return xp.square(xp.maximum(1 - _signs(y_true) * y_pred, 0)).mean(-1)


@_of_pairs
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(the largest wrong prediction - the right one + 1, 0), for one-hot targets."""
    xp = namespace(y_pred)
    right, wrong = (y_true * y_pred).sum(-1), ((1 - y_true) * y_pred).max(-1)
    return xp.maximum(wrong - right + 1, 0)
