"""Losses between distributions and for counts: the Kullback-Leibler divergence and Poisson's likelihood."""

from typing import Any

from minidl import config, ops

from .loss import LossFunctionWrapper, pair

__all__ = ["KLDivergence", "Poisson", "kl_divergence", "poisson"]


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """sum(y_true log(y_true / y_pred)) over the last axis; both are clipped to [epsilon, 1], epsilon 1e-7 (Keras)."""
    # Not ops.clip: at exactly 1, where a saturated softmax stands, JAX lets half of the gradient pass.
    limited = (ops.minimum(ops.maximum(y, config.epsilon()), 1.0) for y in pair("kl_divergence", y_true, y_pred))
    y_true, y_pred = limited
    return ops.sum(ops.multiply(y_true, ops.log(ops.divide(y_true, y_pred))), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """mean(y_pred - y_true log(y_pred + epsilon)) over the last axis: for counts, y_pred is the expected number."""
    y_true, y_pred = pair("poisson", y_true, y_pred)
    logs = ops.log(ops.add(y_pred, config.epsilon()))
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, logs)), axis=-1)


class KLDivergence(LossFunctionWrapper):
    """sum(y_true log(y_true / y_pred)) of distributions along the last axis."""

    def __init__(self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None):
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """mean(y_pred - y_true log(y_pred)), for counts."""

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(poisson, reduction, name, dtype)
