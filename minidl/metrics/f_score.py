"""Precision and recall in one number."""

from typing import Any

from minidl import config
from minidl_kernels.devices import beside

from .arrays import add_to, array_of, result_of, together
from .metric import Metric

__all__ = ["F1Score", "FBetaScore"]

STATE = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


class FBetaScore(Metric):
    """(1 + b^2) precision recall / (b^2 precision + recall), of each class or averaged.

    Args:
        average: None (a score for each class), "micro" (of all classes' counts together), "macro" (the mean of the
            classes) or "weighted" (the mean, each class with the number of its samples).
        beta: a float above 0; above 1 recall counts more.
        threshold: predictions above it are positive; default: the largest of each sample is.
    """

    _direction = "up"
    true_positives: Any
    false_positives: Any
    false_negatives: Any
    intermediate_weights: Any

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"average must be None, 'micro', 'macro' or 'weighted', not {average!r}")
        if not isinstance(beta, float) or not beta > 0:
            raise ValueError(f"beta must be a float above 0, not {beta!r}")
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ValueError(f"threshold must be a float above 0 and up to 1, not {threshold!r}")
        super().__init__(name=name, dtype=dtype)
        self.average, self.beta, self.threshold, self._built = average, beta, threshold, False

    def _build(self, y_true_shape: tuple[int, ...], y_pred_shape: tuple[int, ...]) -> None:
        if len(y_pred_shape) != 2 or y_true_shape != y_pred_shape:
            raise ValueError(
                f"{type(self).__name__} wants targets and predictions of shape (samples, classes), not "
                f"{y_true_shape} and {y_pred_shape}"
            )
        for state in STATE:
            shape = () if self.average == "micro" else (y_pred_shape[-1],)
            setattr(self, state, self.add_variable(shape, "zeros", dtype=self.dtype, name=state))
        self._built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch: targets 0 or 1 and predictions of shape (samples, classes), a weight for each sample."""
        y_true, y_pred = together(array_of(y_true, self.dtype), array_of(y_pred, self.dtype))
        if not self._built:
            self._build(y_true.shape, y_pred.shape)
        if self.threshold is None:
            chosen = (y_pred >= y_pred.max(axis=-1, keepdims=True)) & (abs(y_pred) > 1e-9)
        else:
            chosen = y_pred > y_pred.dtype.type(self.threshold)
        weights: Any = 1
        if sample_weight is not None:
            weights = beside(array_of(sample_weight, self.dtype), y_pred)
            if weights.size not in (1, len(y_pred)):
                raise ValueError(
                    f"{self.name}: sample_weight of shape {weights.shape} does not fit {len(y_pred)} samples"
                )
            weights = weights.reshape(-1, 1)
        axis = None if self.average == "micro" else 0
        for state, found in zip(STATE, (chosen * y_true, chosen * (1 - y_true), ~chosen * y_true, y_true), strict=True):
            add_to(getattr(self, state), (found * weights).sum(axis=axis))

    def result(self):
        """The score so far: (classes,), or a scalar where it is averaged; 0 before the first batch."""
        if not self._built:
            return result_of(0.0, self.dtype)
        right, epsilon = self.true_positives.data, config.epsilon()
        precision = right / (right + self.false_positives.data + epsilon)
        recall = right / (right + self.false_negatives.data + epsilon)
        score = precision * recall / (self.beta**2 * precision + recall + epsilon) * (1 + self.beta**2)
        if self.average == "weighted":
            weights = self.intermediate_weights.data
            score = (score * (weights / (weights.sum() + epsilon))).sum()
        elif self.average is not None:
            score = score.mean()
        return result_of(score, self.dtype)

    def get_config(self):
        return {**super().get_config(), "average": self.average, "beta": self.beta, "threshold": self.threshold}


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall), of each class or averaged.

    Args:
        average: None, "micro", "macro" or "weighted", as of ``FBetaScore``.
        threshold: predictions above it are positive; default: the largest of each sample is.
    """

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self):
        config = super().get_config()
        del config["beta"]
        return config
