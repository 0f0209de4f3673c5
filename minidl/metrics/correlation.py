"""How far predictions and targets rise and fall together. The functions are made of ops, so that they can be losses."""

from typing import Any

from minidl import config, losses, ops

from .reduction import MeanMetricWrapper

__all__ = ["ConcordanceCorrelation", "PearsonCorrelation", "concordance_correlation", "pearson_correlation"]


def _pair(name: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = ops.convert_to_tensor(y_pred)
    if y_pred.dtype.kind != "f":
        y_pred = ops.cast(y_pred, config.floatx())
    y_true, y_pred = losses.same_rank(ops.convert_to_tensor(y_true, y_pred.dtype), y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"{name}: targets of shape {tuple(y_true.shape)} do not fit predictions of shape {tuple(y_pred.shape)}"
        )
    return y_true, y_pred


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """cov(y_true, y_pred) / (std(y_true) std(y_pred)) along ``axis``: from -1 to 1; nan where one is constant."""
    y_true, y_pred = _pair("pearson_correlation", y_true, y_pred)
    centred = [ops.subtract(y, ops.mean(y, axis=axis, keepdims=True)) for y in (y_true, y_pred)]
    scaled = [ops.divide(y, ops.std(y, axis=axis, keepdims=True)) for y in centred]
    return ops.mean(ops.multiply(*scaled), axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """2 cov(y_true, y_pred) / (var(y_true) + var(y_pred) + (mean(y_true) - mean(y_pred))^2) along ``axis`` (Lin 1989).

    From -1 to 1; ``config.epsilon()`` is added to the divisor.
    """
    y_true, y_pred = _pair("concordance_correlation", y_true, y_pred)
    mean_true, mean_pred = (ops.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred))
    variances = ops.add(*(ops.var(y, axis=axis, keepdims=True) for y in (y_true, y_pred)))
    # The mean of y_pred on both sides: its mean over the axis is the covariance all the same.
    product = ops.multiply(ops.subtract(y_true, mean_pred), ops.subtract(y_pred, mean_pred))
    divisor = ops.add(ops.add(variances, ops.square(ops.subtract(mean_true, mean_pred))), config.epsilon())
    return ops.mean(ops.divide(ops.multiply(2.0, product), divisor), axis=axis)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of ``pearson_correlation`` over samples.

    Args:
        axis: along which the numbers that are compared lie.
    """

    _direction = "up"

    def __init__(self, name="pearson_correlation", dtype=None, axis=-1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of ``concordance_correlation`` over samples.

    Args:
        axis: along which the numbers that are compared lie.
    """

    _direction = "up"

    def __init__(self, name="concordance_correlation", dtype=None, axis=-1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
