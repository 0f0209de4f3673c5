"""The share of the variance of targets that predictions explain."""

import warnings
from typing import Any

import numpy as np

from minidl import config
from minidl_kernels.arrays import namespace
from minidl_kernels.devices import beside

from .arrays import add_to, array_of, fitting, result_of
from .metric import Metric

__all__ = ["R2Score"]

AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """1 - sum((y_true - y_pred)^2) / sum((y_true - mean(y_true))^2), of each output or averaged.

    Args:
        class_aggregation: None (a score for each output), "uniform_average" or "variance_weighted_average".
        num_regressors: p, for the adjusted score 1 - (1 - score)(n - 1) / (n - p - 1) of n samples; 0: not adjusted.
    """

    _direction = "up"
    squared_sum: Any
    sum: Any
    total_mse: Any
    count: Any

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        if class_aggregation not in AGGREGATIONS:
            raise ValueError(f"class_aggregation must be one of {AGGREGATIONS}, not {class_aggregation!r}")
        if num_regressors < 0:
            raise ValueError(f"num_regressors must be a whole number from 0 on, not {num_regressors!r}")
        super().__init__(name=name, dtype=dtype)
        self.class_aggregation, self.num_regressors, self._built = class_aggregation, num_regressors, False
        self.num_samples = self.add_variable((), "zeros", name="num_samples")

    def _build(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2:
            raise ValueError(f"R2Score wants targets and predictions of shape (samples, outputs), not {shape}")
        for attribute, name in (("squared_sum",) * 2, ("sum",) * 2, ("total_mse", "residual"), ("count",) * 2):
            setattr(self, attribute, self.add_variable((shape[-1],), "zeros", name=name))
        self._built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch: both of shape (samples, outputs), weights (samples,) or of that shape."""
        y_true, y_pred = fitting("r2_score", y_true, y_pred, self.dtype)
        if not self._built:
            self._build(y_true.shape)
        xp = namespace(y_true)
        if sample_weight is None:
            weights = xp.ones(y_true.shape, self.dtype)
        else:
            weights = beside(array_of(sample_weight, self.dtype), y_true)
            weights = xp.broadcast_to(weights[:, None] if weights.ndim == 1 else weights, y_true.shape)
        add_to(self.sum, (y_true * weights).sum(axis=0))
        add_to(self.squared_sum, (y_true * y_true * weights).sum(axis=0))
        add_to(self.total_mse, (xp.square(y_true - y_pred) * weights).sum(axis=0))
        add_to(self.count, weights.sum(axis=0))
        add_to(self.num_samples, xp.full((), y_true.size, self.num_samples.dtype))

    def result(self):
        """The score so far: (outputs,), or a scalar where it is averaged; 0 before the first batch."""
        if not self._built:
            return result_of(0.0, config.floatx())
        with np.errstate(divide="ignore", invalid="ignore"):  # targets that are all alike: nan, or 0 (Keras)
            total = self.squared_sum.data - self.sum.data * (self.sum.data / self.count.data)
            scores, xp = 1 - self.total_mse.data / total, namespace(total)
            scores = xp.where(xp.isinf(scores), 0, scores)
            if self.class_aggregation == "uniform_average":
                scores = scores.mean()
            elif self.class_aggregation == "variance_weighted_average":
                scores = (total * scores).sum() / total.sum()
        return result_of(self._adjusted(scores))

    def _adjusted(self, score: Any) -> Any:
        if not self.num_regressors:
            return score
        left = float(self.num_samples) - self.num_regressors - 1
        if left <= 0:
            warnings.warn(
                f"{self.name}: {self.num_regressors} regressors leave nothing of {int(self.num_samples)} samples "
                "to adjust by, so the score is not adjusted",
                stacklevel=3,
            )
            return score
        return 1 - (1 - score) * (float(self.num_samples) - 1) / left

    def get_config(self):
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}
