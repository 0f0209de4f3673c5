"""Right and wrong positives and negatives at many thresholds, in one pass over the predictions."""

from typing import Any, NamedTuple

import numpy as np

from minidl import config
from minidl_kernels.arrays import Array, namespace
from minidl_kernels.devices import beside

from .arrays import array_of, on_cpu, same_rank, same_shape, together

__all__ = ["NOT_IN_TOP", "Counts", "Thresholds", "confusion_counts", "divided"]

NOT_IN_TOP = -1e10  # what becomes of predictions outside the k largest, and the threshold that lets all others pass


AT_ONCE = 1 << 24  # predictions times thresholds that are compared at once on a GPU


class Counts(NamedTuple):
    """Sums of weights at each threshold, (thresholds,) or (thresholds, labels); a prediction above it is positive."""

    true_positives: Array
    false_positives: Array
    true_negatives: Array
    false_negatives: Array


class Thresholds:
    """Thresholds between 0 and 1.

    Where they are 0, 1/n, ..., 1, the place of a prediction among them is computed, else searched. The first and the
    last may lie a little outside, so that 0 is above the first and 1 below the last.
    """

    def __init__(self, values: Any, inner: Any = None):
        self.values = np.asarray(values, np.float64)
        even = np.asarray(values if inner is None else inner, np.float64)
        steps = np.arange(len(even), dtype=np.float32) / max(len(even) - 1, 1)
        self.even = len(even) >= 3 and bool(np.allclose(even, steps, atol=config.epsilon()))
        self.open = bool(self.values[0] < 0 or self.values[-1] > 1)

    @classmethod
    def given(cls, thresholds: Any, default: float = 0.5) -> "Thresholds":
        """Those that a user gave: one number, several, or None.

        Raises:
            ValueError: one does not lie between 0 and 1.
        """
        if thresholds is None:
            return cls([default])
        values = list(thresholds) if np.ndim(thresholds) else [thresholds]
        wrong = [value for value in values if value is None or not 0 <= value <= 1]
        if wrong or not values:
            raise ValueError(f"thresholds must lie between 0 and 1, not {wrong or values}")
        return cls(values)

    def __len__(self) -> int:
        return len(self.values)

    def below(self, predictions: Array) -> tuple[Array, np.ndarray]:
        """How many thresholds lie below each prediction, and the order of thresholds in which they are counted."""
        count, xp = len(self.values), namespace(predictions)
        if self.even:
            with np.errstate(invalid="ignore"):  # nan is below all
                found = xp.ceil(xp.clip(predictions, 0, 1) * predictions.dtype.type(count - 1)).astype("int64")
            return xp.maximum(found, 1 if self.open else 0), np.arange(count)
        values = self.values.astype(predictions.dtype)
        order = values.argsort(kind="stable")
        if count == 1 or xp is not np:  # a list of thresholds would have to be sent
            return sum((predictions > float(value)).astype("int64") for value in values), order
        found = np.searchsorted(values[order], predictions, side="left")
        return np.where(np.isnan(predictions), 0, found), order


def confusion_counts(
    name: str,
    thresholds: Thresholds,
    y_true: Any,
    y_pred: Any,
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    by_label: bool = False,
    label_weights: Any = None,
) -> Counts:
    """Count a batch.

    Args:
        name: of the metric, for messages.
        y_true: not 0 is positive.
        y_pred: of the same shape.
        sample_weight: one number, one for each sample, or one for each prediction.
        top_k: only the k largest of the last axis can be positive.
        class_id: count this place of the last axis alone.
        by_label: count each column by itself; else all predictions together.
        label_weights: a weight for each column.

    Raises:
        ValueError: shapes that do not fit.
    """
    y_true, y_pred = together(array_of(y_true), array_of(y_pred, config.floatx()))
    if top_k is not None:
        y_true, y_pred = on_cpu(y_true), on_cpu(y_pred)
    y_pred, y_true = same_rank(y_pred, y_true)
    same_shape(name, y_true, y_pred)
    weights = _weights(name, sample_weight, y_true)
    if top_k is not None:
        y_pred = _only_top(y_pred, top_k)
    if class_id is not None:
        if y_pred.ndim == 1:
            raise ValueError(f"{name}: class_id wants predictions of shape (samples, classes), not {y_pred.shape}")
        y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
        if weights is not None and weights.ndim == y_pred.ndim and weights.shape[-1] > 1:
            weights = weights[..., class_id, None]
    if label_weights is not None:
        weights = label_weights if weights is None else weights * label_weights
    if weights is not None:
        weights = namespace(weights).broadcast_to(weights, y_pred.shape).reshape(-1)
    if not isinstance(y_pred, np.ndarray):
        return _compared(thresholds, y_true != 0, y_pred, weights, by_label)
    return _counted(thresholds, y_true != 0, y_pred, weights, by_label)


def _counted(thresholds: Thresholds, positive: Any, y_pred: Any, weights: Any, by_label: bool) -> Counts:
    below, order = thresholds.below(y_pred)
    steps, labels = len(thresholds) + 1, y_pred.shape[-1] if by_label else 1
    place = below + steps * positive  # (0 or 1, thresholds below it), as one number
    if by_label:
        place = place * labels + np.arange(labels)
    sums = np.bincount(place.reshape(-1), weights, minlength=2 * steps * labels).reshape(2, steps, labels)
    above = sums[:, ::-1].cumsum(axis=1)[:, -2::-1]  # of all that have more than j thresholds below them
    rest = sums.sum(axis=1, keepdims=True) - above
    found = np.empty((4, steps - 1, labels))
    found[:, order] = above[1], above[0], rest[0], rest[1]
    return Counts(*(found if by_label else found[..., 0]))


def _compared(thresholds: Thresholds, positive: Array, y_pred: Array, weights: Any, by_label: bool) -> Counts:
    """The same on a GPU, which compares each prediction with each threshold sooner than the CPU could count."""
    xp, labels, steps = namespace(y_pred), y_pred.shape[-1] if by_label else 1, len(thresholds)
    below, order = thresholds.below(y_pred.reshape(-1, labels))
    weights = xp.ones(below.shape) if weights is None else weights.reshape(below.shape)
    both = xp.stack([xp.where(positive.reshape(below.shape), weights, 0), weights])  # of positives, and of all
    above, some = xp.empty((2, steps, labels)), max(1, AT_ONCE // max(1, below.size))
    for start in range(0, steps, some):
        reached = below > xp.arange(start, min(start + some, steps))[:, None, None]
        above[:, start : start + some] = (reached * both[:, None]).sum(axis=2)
    right, chosen = above
    total, everything = both.sum(axis=1)
    found = xp.empty((4, steps, labels))
    for place, at in enumerate(order.tolist()) if not thresholds.even else [(slice(None), slice(None))]:
        found[0, at], found[1, at] = right[place], chosen[place] - right[place]
        found[2, at] = everything - total - (chosen[place] - right[place])
        found[3, at] = total - right[place]
    return Counts(*(found if by_label else found[..., 0]))


def _weights(name: str, sample_weight: Any, y_true: Array) -> Array | None:
    if sample_weight is None:
        return None
    weights = beside(array_of(sample_weight, np.float64), y_true)[..., None]
    weights = same_rank(y_true, weights, widen=False)[1]
    try:
        namespace(weights).broadcast_to(weights, y_true.shape)
    except ValueError:
        shape = weights.shape[:-1] if weights.ndim > y_true.ndim else weights.shape
        raise ValueError(f"{name}: sample_weight of shape {shape} does not fit targets of {y_true.shape}") from None
    return weights


def _only_top(y_pred: np.ndarray, k: int) -> np.ndarray:
    """The ``k`` largest of the last axis as they are (of equal ones, the first), ``NOT_IN_TOP`` elsewhere."""
    top = (-y_pred).argsort(axis=-1, kind="stable")[..., :k]
    kept = np.full_like(y_pred, NOT_IN_TOP)
    np.put_along_axis(kept, top, np.take_along_axis(y_pred, top, axis=-1), axis=-1)
    return kept


def divided(a: Any, b: Any) -> Array:
    """a / b, and 0 where b is 0."""
    if (xp := namespace(b)) is not np:
        return xp.where(b != 0, a / (b + (b == 0)), 0)
    a, b = np.asarray(a), np.asarray(b)
    return np.divide(a, b, out=np.zeros(np.broadcast_shapes(a.shape, b.shape), np.result_type(a, b)), where=b != 0)
