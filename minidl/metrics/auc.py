"""The area under a curve of rates, drawn through many thresholds."""

from typing import Any

from minidl import config, opening
from minidl_kernels.arrays import namespace

from .arrays import array_of, on_cpu, result_of
from .confusion_counts import Counts, Thresholds, confusion_counts, divided
from .operating_points import CountsAtThresholds

__all__ = ["AUC"]

CURVES = ("ROC", "PR", "PRGAIN")
METHODS = ("interpolation", "majoring", "minoring")


class AUC(CountsAtThresholds):
    """The area under the ROC curve or the precision-recall curve, as a sum over thresholds.

    Args:
        num_thresholds: 0, 1/(n - 1), ..., 1; the first and the last lie ``config.epsilon()`` outside.
        curve: "ROC" (recall over the rate of false positives), "PR" (precision over recall), or "PRGAIN"
            (precision gain over recall gain; Flach and Kull 2015).
        summation_method: "interpolation" (the middle of both ends; for "PR" the precision is interpolated as Davis
            and Goadrich 2006 do), "minoring" (the lower end) or "majoring" (the upper end).
        thresholds: those between the first and the last, in place of ``num_thresholds``.
        multi_label: measure each column by itself, and average.
        num_labels: how many columns; default: as the first batch has.
        label_weights: a weight for each column, in the average or, without ``multi_label``, in the counts.
        from_logits: predictions are logits, to which the sigmoid is applied.
    """

    def __init__(
        self, num_thresholds=200, curve="ROC", summation_method="interpolation", name=None, dtype=None,
        thresholds=None, multi_label=False, num_labels=None, label_weights=None, from_logits=False,
    ):  # fmt: skip
        self.curve = _one_of("curve", curve, CURVES)
        self.summation_method = _one_of("summation_method", summation_method, METHODS)
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(f"num_thresholds must be a whole number from 2 on, not {num_thresholds!r}")
        if num_labels and not multi_label:
            raise ValueError("num_labels is for multi_label=True only")
        self._init_from_thresholds = thresholds is not None
        if thresholds is None:
            opening.may_list(num_thresholds, "metric AUC: a list of thresholds")
            inner = [i / (num_thresholds - 1) for i in range(1, num_thresholds - 1)]
        else:
            inner = sorted(float(value) for value in thresholds)
        outside = [-config.epsilon(), *inner, 1 + config.epsilon()]
        self._thresholds = Thresholds(outside, [0.0, *inner, 1.0])
        self._counts_on_cpu = label_weights is not None  # where these are
        super().__init__(name=name, dtype=dtype)
        self.num_thresholds, self.multi_label, self.num_labels = len(outside), multi_label, num_labels
        self.label_weights = None if label_weights is None else on_cpu(label_weights, self.dtype)
        self._from_logits, self._built = from_logits, False
        if num_labels or not multi_label:
            self._build((None, num_labels))

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, in ascending order."""
        return self._thresholds.values.tolist()

    def _build(self, shape: tuple[Any, ...]) -> None:
        if self.multi_label and len(shape) != 2:
            raise ValueError(f"AUC: multi_label=True wants predictions of shape (samples, labels), not {shape}")
        self._make_counts((self.num_thresholds, shape[1]) if self.multi_label else (self.num_thresholds,))
        self._built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count a batch: targets 0 or 1, predictions of the same shape, a weight for each sample or prediction."""
        y_true, y_pred = map(on_cpu if self._counts_on_cpu else array_of, (y_true, y_pred))
        if self._from_logits:
            y_pred = 0.5 + 0.5 * namespace(y_pred).tanh(0.5 * y_pred)
        if not self._built:
            self._build(y_pred.shape)
        weights = None if self.multi_label else self.label_weights
        self._add_counts(
            confusion_counts(
                self.name, self._thresholds, y_true, y_pred, sample_weight, by_label=self.multi_label,
                label_weights=weights,
            )
        )  # fmt: skip

    def result(self):
        """The area so far; 0 before the first batch."""
        if not self._built:
            return result_of(0.0, config.floatx())
        counts = self._counts()
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated_precision(counts)
        else:
            x, y = _curve(self.curve, counts)
            xp = namespace(y)
            heights = {"interpolation": _middle, "minoring": xp.minimum, "majoring": xp.maximum}
            areas = (x[:-1] - x[1:]) * heights[self.summation_method](y[:-1], y[1:])
        if not self.multi_label:
            return result_of(areas.sum())
        by_label = areas.sum(axis=0)
        if self.label_weights is None:
            return result_of(by_label.mean())
        return result_of(divided((by_label * self.label_weights).sum(), self.label_weights.sum()))

    def get_config(self):
        weights = None if self.label_weights is None else self.label_weights.tolist()
        settings = {
            **super().get_config(), "num_thresholds": self.num_thresholds, "curve": self.curve,
            "summation_method": self.summation_method, "multi_label": self.multi_label, "num_labels": self.num_labels,
            "label_weights": weights, "from_logits": self._from_logits,
        }  # fmt: skip
        return {**settings, "thresholds": self.thresholds[1:-1]} if self._init_from_thresholds else settings


def _one_of(argument: str, given: Any, known: tuple[str, ...]) -> str:
    found = [name for name in known if str(given).lower() == name.lower()]
    if not found:
        raise ValueError(f"{argument} must be one of {known}, not {given!r}")
    return found[0]


def _middle(one: Any, other: Any) -> Any:
    return (one + other) / 2


def _curve(curve: str, counts: Counts) -> tuple[Any, Any]:
    """(x, y) at each threshold; x falls as the threshold rises."""
    right, wrong, left, missed = counts
    recall = divided(right, right + missed)
    if curve == "ROC":
        return divided(wrong, wrong + left), recall
    if curve == "PR":
        return recall, divided(right, right + wrong)
    odds, xp = divided(right + missed, left + wrong), namespace(right)
    recall_gain = xp.where(right == 0, 0, 1 - odds * divided(missed, right))
    precision_gain = xp.where(right == 0, 1, 1 - odds * divided(wrong, right))
    return xp.maximum(recall_gain, 0), precision_gain


def _interpolated_precision(counts: Counts) -> Any:
    """The area of each piece between two thresholds, where true positives grow linearly with all positives."""
    right, wrong, _, missed = counts
    positive, xp = right + wrong, namespace(right)
    slope = divided(right[:-1] - right[1:], xp.maximum(positive[:-1] - positive[1:], 0))
    start = right[1:] - slope * positive[1:]
    both = (positive[:-1] > 0) & (positive[1:] > 0)
    ratio = xp.where(both, divided(positive[:-1], positive[1:]), 1)
    grown = slope * (right[:-1] - right[1:] + start * xp.log(ratio))
    return divided(grown, xp.maximum(right[1:] + missed[1:], 0))
