"""The best of one rate where another is at least so high: sensitivity at specificity, precision at recall, ..."""

from typing import Any

import numpy as np

from minidl import opening
from minidl_kernels.arrays import namespace

from .arrays import add_to, result_of
from .confusion_counts import Counts, Thresholds, confusion_counts, divided
from .metric import Metric

__all__ = [
    "CountsAtThresholds", "PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
]  # fmt: skip


class CountsAtThresholds(Metric):
    """Four variables: the right and wrong positives and negatives at each of many thresholds."""

    _direction = "up"
    true_positives: Any
    false_positives: Any
    true_negatives: Any
    false_negatives: Any

    def _make_counts(self, shape: tuple[int, ...]) -> None:
        for kind in Counts._fields:
            setattr(self, kind, self.add_variable(shape, "zeros", name=kind))

    def _add_counts(self, counts: Counts) -> None:
        for kind, amount in zip(Counts._fields, counts, strict=True):
            add_to(getattr(self, kind), amount)

    def _counts(self) -> Counts:
        return Counts(*(getattr(self, kind).data for kind in Counts._fields))


class _BestUnderConstraint(CountsAtThresholds):
    """The largest of one rate at those thresholds at which the other is at least the given value."""

    _given: str  # the argument, and so the rate, that is to be reached

    def __init__(self, value, num_thresholds=200, class_id=None, name=None, dtype=None):
        if not 0 <= value <= 1:
            raise ValueError(f"{self._given} must lie between 0 and 1, not {value!r}")
        if num_thresholds <= 0:
            raise ValueError(f"num_thresholds must be a whole number from 1 on, not {num_thresholds!r}")
        super().__init__(name=name, dtype=dtype)
        setattr(self, self._given, value)
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        opening.may_list(num_thresholds, f"metric {type(self).__name__}: a list of thresholds")
        self.thresholds = [i / (num_thresholds - 1) for i in range(num_thresholds)] if num_thresholds > 1 else [0.5]
        self._thresholds = Thresholds(self.thresholds)
        self._make_counts((num_thresholds,))

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch: targets 0 or 1, predictions of the same shape, a weight for each sample or prediction."""
        self._add_counts(
            confusion_counts(self.name, self._thresholds, y_true, y_pred, sample_weight, class_id=self.class_id)
        )

    def rates(self, counts: Counts) -> tuple[Any, Any]:
        """(what is to be reached, what is to be large), at each threshold."""
        raise NotImplementedError("a metric of this kind defines rates(counts)")

    def result(self):
        """The best so far; 0 where no threshold reaches what is to be reached."""
        reached, wanted = self.rates(self._counts())
        return result_of(namespace(reached).where(reached >= np.float32(self.value), wanted, 0).max(), np.float32)

    def get_config(self):
        own = {"num_thresholds": self.num_thresholds, self._given: self.value, "class_id": self.class_id}
        return {**super().get_config(), **own}


def _sensitivity(counts: Counts) -> Any:
    return divided(counts.true_positives, counts.true_positives + counts.false_negatives)


def _specificity(counts: Counts) -> Any:
    return divided(counts.true_negatives, counts.true_negatives + counts.false_positives)


def _precision(counts: Counts) -> Any:
    return divided(counts.true_positives, counts.true_positives + counts.false_positives)


class SensitivityAtSpecificity(_BestUnderConstraint):
    """The largest tp / (tp + fn) among thresholds at which tn / (tn + fp) >= specificity.

    Args:
        specificity: between 0 and 1.
        num_thresholds: 0, 1/(n - 1), ..., 1.
        class_id: measure this class alone.
    """

    _given = "specificity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def rates(self, counts):
        return _specificity(counts), _sensitivity(counts)


class SpecificityAtSensitivity(_BestUnderConstraint):
    """The largest tn / (tn + fp) among thresholds at which tp / (tp + fn) >= sensitivity.

    Args:
        sensitivity: between 0 and 1.
        num_thresholds: 0, 1/(n - 1), ..., 1.
        class_id: measure this class alone.
    """

    _given = "sensitivity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def rates(self, counts):
        return _sensitivity(counts), _specificity(counts)


class PrecisionAtRecall(_BestUnderConstraint):
    """The largest tp / (tp + fp) among thresholds at which tp / (tp + fn) >= recall.

    Args:
        recall: between 0 and 1.
        num_thresholds: 0, 1/(n - 1), ..., 1.
        class_id: measure this class alone.
    """

    _given = "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def rates(self, counts):
        return _sensitivity(counts), _precision(counts)


class RecallAtPrecision(_BestUnderConstraint):
    """The largest tp / (tp + fn) among thresholds at which tp / (tp + fp) >= precision.

    Args:
        precision: between 0 and 1.
        num_thresholds: 0, 1/(n - 1), ..., 1.
        class_id: measure this class alone.
    """

    _given = "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def rates(self, counts):
        return _precision(counts), _sensitivity(counts)
