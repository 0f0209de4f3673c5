"""How far predicted numbers are from what they should be."""

from typing import Any

from minidl import config
from minidl_kernels.arrays import namespace

from . import distances
from .arrays import array_of, fitting, result_of
from .reduction import Mean, MeanMetricWrapper

__all__ = [
    "CosineSimilarity", "LogCoshError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "RootMeanSquaredError", "SymmetricMeanAbsolutePercentageError",
]  # fmt: skip


class MeanSquaredError(MeanMetricWrapper):
    """mean((y_true - y_pred)^2)."""

    _direction = "down"

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(distances.squared, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """mean(|y_true - y_pred|)."""

    _direction = "down"

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(distances.absolute, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """100 mean(|y_true - y_pred| / max(|y_true|, epsilon)), epsilon being ``config.epsilon()``."""

    _direction = "down"

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(distances.absolute_percentage, name, dtype)


class SymmetricMeanAbsolutePercentageError(MeanMetricWrapper):
    """100 mean(|y_true - y_pred| / max((|y_true| + |y_pred|) / 2, epsilon)): from 0 to 200. Keras has none."""

    _direction = "down"

    def __init__(self, name="symmetric_mean_absolute_percentage_error", dtype=None):
        super().__init__(distances.symmetric_absolute_percentage, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """mean((log(y_pred + 1) - log(y_true + 1))^2), of numbers of at least ``config.epsilon()``."""

    _direction = "down"

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(distances.squared_logarithmic, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """mean(log(cosh(y_pred - y_true))): the square of small errors by half, the amount of large ones."""

    _direction = "down"

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(distances.log_cosh, name, dtype)


class RootMeanSquaredError(Mean):
    """The root of the mean of (y_true - y_pred)^2 over all samples so far (not the mean of the batches' roots)."""

    _direction = "down"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch; ``sample_weight`` as in ``Mean``."""
        y_true, y_pred = fitting("root_mean_squared_error", y_true, y_pred, self.dtype)
        super().update_state((y_pred - y_true) ** 2, sample_weight)

    def result(self):
        """The root of the mean so far."""
        mean = super().result().data
        return result_of(namespace(mean).sqrt(mean))


def _cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    y_pred = array_of(y_pred)
    y_true, y_pred = fitting("cosine_similarity", y_true, y_pred, None if y_pred.dtype.kind == "f" else config.floatx())
    return (_unit(y_true, axis) * _unit(y_pred, axis)).sum(axis=axis)


def _unit(x: Any, axis: int) -> Any:
    xp = namespace(x)
    return x / xp.maximum(xp.sqrt((x * x).sum(axis=axis, keepdims=True)), config.epsilon())


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
        settings = super().get_config()
        if settings["axis"] == -1:  # Keras writes no axis, but reads one
            del settings["axis"]
        return settings
