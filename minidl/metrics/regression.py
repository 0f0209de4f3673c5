"""How far predicted numbers are from what they should be."""

from typing import Any

import numpy as np

from minidl import config, losses

from .arrays import fitting, result_of
from .reduction import Mean, MeanMetricWrapper

__all__ = ["CosineSimilarity", "MeanAbsoluteError", "MeanSquaredError", "RootMeanSquaredError"]


class MeanSquaredError(MeanMetricWrapper):
    """mean((y_true - y_pred)^2)."""

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """mean(|y_true - y_pred|)."""

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(losses.mean_absolute_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean of (y_true - y_pred)^2 over all samples so far (not the mean of the batches' roots)."""

    _direction = "down"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch; ``sample_weight`` as in ``Mean``."""
        y_true, y_pred = fitting("root_mean_squared_error", y_true, y_pred, self.dtype)
        super().update_state(np.square(y_pred - y_true), sample_weight)

    def result(self):
        """The root of the mean so far."""
        return result_of(np.sqrt(super().result().data))


def _cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    y_true, y_pred = fitting("cosine_similarity", y_true, y_pred)
    return (_unit(y_true, axis) * _unit(y_pred, axis)).sum(axis=axis)


def _unit(x: Any, axis: int) -> Any:
    x = x if x.dtype.kind == "f" else x.astype(config.floatx())
    return x / np.maximum(np.sqrt(np.square(x).sum(axis=axis, keepdims=True)), config.epsilon())


class CosineSimilarity(MeanMetricWrapper):
    """sum(u * v), u and v being y_true and y_pred over their lengths: 1 is the same direction, -1 the opposite.

    The loss of this name has the other sign. A length below ``config.epsilon()`` counts as that.

    Args:
        axis: along which a vector lies.
    """

    _direction = "up"

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(_cosine_similarity, name, dtype, axis=axis)

    def get_config(self):
        config = super().get_config()
        if config["axis"] == -1:  # Keras writes no axis, but reads one
            del config["axis"]
        return config
