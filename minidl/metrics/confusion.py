"""Right and wrong positives and negatives, and what follows from them at fixed thresholds: precision and recall."""

from typing import Any

from .arrays import add_to, result_of
from .confusion_counts import NOT_IN_TOP, Thresholds, confusion_counts, divided
from .metric import Metric

__all__ = ["FalseNegatives", "FalsePositives", "Precision", "Recall", "TrueNegatives", "TruePositives"]


class _Count(Metric):
    """The weighted number of predictions of one kind, at each threshold."""

    _kind: str  # a field of Counts

    def __init__(self, thresholds=None, name=None, dtype=None):
        self._thresholds = Thresholds.given(thresholds)
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds, self.thresholds = thresholds, self._thresholds.values.tolist()
        self.accumulator = self.add_variable((len(self._thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch: targets 0 or 1, predictions of the same shape, a weight for each sample or prediction."""
        counts = confusion_counts(self.name, self._thresholds, y_true, y_pred, sample_weight)
        add_to(self.accumulator, getattr(counts, self._kind))

    def result(self):
        """The number so far; of several thresholds a number each."""
        return _one_or_all(self.accumulator.data)

    def get_config(self):
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """How many predictions above the threshold have target 1.

    Args:
        thresholds: one or several between 0 and 1; default 0.5.
    """

    _kind = "true_positives"


class FalsePositives(_Count):
    """How many predictions above the threshold have target 0.

    Args:
        thresholds: one or several between 0 and 1; default 0.5.
    """

    _kind = "false_positives"


class TrueNegatives(_Count):
    """How many predictions not above the threshold have target 0.

    Args:
        thresholds: one or several between 0 and 1; default 0.5.
    """

    _kind = "true_negatives"


class FalseNegatives(_Count):
    """How many predictions not above the threshold have target 1.

    Args:
        thresholds: one or several between 0 and 1; default 0.5.
    """

    _kind = "false_negatives"


class _Share(Metric):
    """true positives / (true positives + others)."""

    _direction = "up"
    _others: str  # a field of Counts

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        self._thresholds = Thresholds.given(thresholds, 0.5 if top_k is None else NOT_IN_TOP)
        self._counts_on_cpu = top_k is not None  # CuPy does not sort stably
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds, self.thresholds = thresholds, self._thresholds.values.tolist()
        self.top_k, self.class_id = top_k, class_id
        self.true_positives = self.add_variable((len(self._thresholds),), "zeros", name="true_positives")
        setattr(self, self._others, self.add_variable((len(self._thresholds),), "zeros", name=self._others))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch: targets 0 or 1, predictions of the same shape, a weight for each sample or prediction."""
        counts = confusion_counts(self.name, self._thresholds, y_true, y_pred, sample_weight, self.top_k, self.class_id)
        add_to(self.true_positives, counts.true_positives)
        add_to(getattr(self, self._others), getattr(counts, self._others))

    def result(self):
        """The share so far, 0 where there is nothing to share; of several thresholds one each."""
        right, wrong = self.true_positives.data, getattr(self, self._others).data
        return _one_or_all(divided(right, right + wrong))

    def get_config(self):
        own = {"thresholds": self.init_thresholds, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Share):
    """true positives / (true positives + false positives).

    Args:
        thresholds: one or several between 0 and 1; default 0.5, and with ``top_k`` none.
        top_k: only the k largest predictions of a sample can be positive.
        class_id: measure this class alone.
    """

    _others = "false_positives"


class Recall(_Share):
    """true positives / (true positives + false negatives); arguments as of ``Precision``.

    Args:
        thresholds: one or several between 0 and 1; default 0.5, and with ``top_k`` none.
        top_k: only the k largest predictions of a sample can be positive.
        class_id: measure this class alone.
    """

    _others = "false_negatives"


def _one_or_all(values: Any) -> Any:
    return result_of(values[0] if len(values) == 1 else values)
