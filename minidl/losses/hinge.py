"""Hinge losses: what lies on the right side of a margin costs nothing."""

from typing import Any

from minidl import ops
from minidl.engine.tensor import raw

from .loss import LossFunctionWrapper, pair

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge", "categorical_hinge", "hinge", "squared_hinge"]


def _signs(y_true: Any) -> Any:
    """Targets that are all 0 or 1 become -1 or 1; any others stay."""
    labels = raw(y_true)
    return ops.subtract(ops.multiply(y_true, 2.0), 1.0) if bool(((labels == 0) | (labels == 1)).all()) else y_true


def _missing(name: str, y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = pair(name, y_true, y_pred)
    return ops.maximum(ops.subtract(1.0, ops.multiply(_signs(y_true), y_pred)), 0.0)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true * y_pred, 0)) over the last axis; targets -1 and 1, or all of them 0 and 1."""
    return ops.mean(_missing("hinge", y_true, y_pred), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true * y_pred, 0)^2) over the last axis; targets -1 and 1, or all of them 0 and 1."""
    return ops.mean(ops.square(_missing("squared_hinge", y_true, y_pred)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(max((1 - y_true) * y_pred) - sum(y_true * y_pred) + 1, 0) over the last axis, for one-hot targets."""
    y_true, y_pred = pair("categorical_hinge", y_true, y_pred)
    right = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    wrong = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(ops.add(ops.subtract(wrong, right), 1.0), 0.0)


class Hinge(LossFunctionWrapper):
    """mean(max(1 - y_true * y_pred, 0)), for targets -1 and 1 (or 0 and 1)."""

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """mean(max(1 - y_true * y_pred, 0)^2), for targets -1 and 1 (or 0 and 1)."""

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """max(largest wrong score - right score + 1, 0), for one-hot targets."""

    def __init__(self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        super().__init__(categorical_hinge, reduction, name, dtype)
