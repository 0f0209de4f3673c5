"""Losses for numbers: squared, absolute, relative and logarithmic errors, and the angle between vectors."""

import math
from typing import Any

from minidl import config, ops

from .loss import LossFunctionWrapper, axes, pair

__all__ = [
    "CosineSimilarity", "Huber", "LogCosh", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "SymmetricMeanAbsolutePercentageError", "cosine_similarity", "huber", "log_cosh",
    "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "symmetric_mean_absolute_percentage_error",
]  # fmt: skip


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """mean((y_true - y_pred)^2) over the last axis."""
    y_true, y_pred = pair("mean_squared_error", y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """mean(|y_true - y_pred|) over the last axis."""
    y_true, y_pred = pair("mean_absolute_error", y_true, y_pred)
    return ops.mean(ops.abs(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """100 mean(|y_true - y_pred| / max(|y_true|, epsilon)) over the last axis, in percent; epsilon is 1e-7 (Keras)."""
    y_true, y_pred = pair("mean_absolute_percentage_error", y_true, y_pred)
    size = ops.maximum(ops.abs(y_true), config.epsilon())
    return ops.multiply(ops.mean(ops.abs(ops.divide(ops.subtract(y_true, y_pred), size)), axis=-1), 100.0)


def symmetric_mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """200 mean(|y_true - y_pred| / max(|y_true| + |y_pred|, epsilon)) over the last axis: 0 to 200 percent.

    Keras has no such loss. Of the definitions in use this is the one of the forecasting competitions (Makridakis and
    Hibon 2000): the error relative to the mean of both sizes. Some books leave the factor 2 out and reach 100 at most.
    """
    y_true, y_pred = pair("symmetric_mean_absolute_percentage_error", y_true, y_pred)
    size = ops.maximum(ops.add(ops.abs(y_true), ops.abs(y_pred)), config.epsilon())
    return ops.multiply(ops.mean(ops.divide(ops.abs(ops.subtract(y_true, y_pred)), size), axis=-1), 200.0)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """mean((log(1 + y_true) - log(1 + y_pred))^2) over the last axis; both are made at least epsilon, 1e-7 (Keras)."""
    y_true, y_pred = pair("mean_squared_logarithmic_error", y_true, y_pred)
    logs = [ops.log(ops.add(ops.maximum(y, config.epsilon()), 1.0)) for y in (y_pred, y_true)]
    return ops.mean(ops.square(ops.subtract(*logs)), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """The mean over the last axis of e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2 (Huber 1964).

    Args:
        y_true, y_pred: of one shape; e is their difference.
        delta: from where on the loss grows linearly.
    """
    y_true, y_pred = pair("huber", y_true, y_pred)
    error = ops.subtract(y_pred, y_true)
    size = ops.abs(error)
    inner = ops.multiply(ops.square(error), 0.5)
    outer = ops.subtract(ops.multiply(size, delta), 0.5 * delta * delta)
    return ops.mean(ops.where(ops.less_equal(size, delta), inner, outer), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """mean(log(cosh(y_pred - y_true))) over the last axis: half the square of small errors, the size of large ones."""
    y_true, y_pred = pair("log_cosh", y_true, y_pred)
    error = ops.subtract(y_pred, y_true)
    # cosh would overflow: log(cosh(x)) = x + log(1 + exp(-2 x)) - log(2).
    return ops.mean(ops.subtract(ops.add(error, ops.softplus(ops.multiply(error, -2.0))), math.log(2)), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between y_true and y_pred along ``axis``: -1 where both point the same way."""
    y_true, y_pred = pair("cosine_similarity", y_true, y_pred)
    axis = axes(axis)
    return ops.negative(ops.sum(ops.multiply(ops.normalize(y_true, axis), ops.normalize(y_pred, axis)), axis=axis))


class MeanSquaredError(LossFunctionWrapper):
    """mean((y_true - y_pred)^2)."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """mean(|y_true - y_pred|)."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """100 mean(|y_true - y_pred| / |y_true|); see ``mean_absolute_percentage_error``."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_percentage_error", dtype=None):
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class SymmetricMeanAbsolutePercentageError(LossFunctionWrapper):
    """200 mean(|y_true - y_pred| / (|y_true| + |y_pred|)); see ``symmetric_mean_absolute_percentage_error``."""

    def __init__(self, reduction="sum_over_batch_size", name="symmetric_mean_absolute_percentage_error", dtype=None):
        super().__init__(symmetric_mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """mean((log(1 + y_true) - log(1 + y_pred))^2)."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between y_true and y_pred along ``axis``."""

    unwritten = {"axis": -1}

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class Huber(LossFunctionWrapper):
    """Squared for errors up to ``delta``, linear beyond; see ``huber``."""

    unwritten = {"delta": 1.0}

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """mean(log(cosh(y_pred - y_true)))."""

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(log_cosh, reduction, name, dtype)
