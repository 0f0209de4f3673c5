"""Cross-entropies of probabilities or logits: binary, categorical (one-hot targets), sparse (whole-number labels)."""

from typing import Any

from minidl import ops

from .loss import LossFunctionWrapper, as_tensor, labelled, pair, same_rank

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy",
    "SparseCategoricalCrossentropy", "binary_crossentropy", "categorical_crossentropy",
    "categorical_generalized_cross_entropy", "check_labels", "class_pair", "smoothed",
    "sparse_categorical_crossentropy",
]  # fmt: skip


def smoothed(y_true: Any, label_smoothing: float, share: float) -> Any:
    """Targets t (1 - a) + a * share; a is ``label_smoothing``, a number from 0 to 1."""
    if not label_smoothing:
        return y_true
    return ops.add(ops.multiply(y_true, 1 - label_smoothing), label_smoothing * share)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """The binary cross-entropy, averaged over ``axis``; smoothing makes targets t (1 - a) + a / 2."""
    y_true, y_pred = pair("binary_crossentropy", y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 0.5)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


def class_pair(name: str, y_true: Any, y_pred: Any, axis: int) -> tuple[Any, Any]:
    """One-hot targets and predictions of one shape, with more than one class along ``axis``."""
    if isinstance(axis, bool):
        raise ValueError(f"{name}: axis must be a whole number, not {axis!r}")
    y_pred = as_tensor(y_pred)
    y_true, y_pred = same_rank(as_tensor(y_true, y_pred.dtype), y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"{name}: targets of shape {tuple(y_true.shape)} do not fit predictions of shape "
            f"{tuple(y_pred.shape)}; whole-number labels want loss='sparse_categorical_crossentropy'"
        )
    if y_pred.shape[axis] == 1:
        raise ValueError(
            f"{name}: predictions of shape {tuple(y_pred.shape)} have one class, so the loss is always 0; one sigmoid "
            f"output wants loss='binary_crossentropy'"
        )
    return y_true, y_pred


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """The cross-entropy for one-hot targets; smoothing makes targets t (1 - a) + a / (size of the last axis)."""
    y_true, y_pred = class_pair("categorical_crossentropy", y_true, y_pred, axis)
    # The last axis, whatever the axis of the classes is: Keras' rule.
    y_true = smoothed(y_true, label_smoothing, 1 / y_true.shape[-1])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@labelled
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """The cross-entropy for whole-number labels; samples of ``ignore_class`` are masked: a mean leaves them out."""
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape):
        if y_true.shape[axis] != 1:
            raise ValueError(
                f"sparse_categorical_crossentropy: targets of shape {tuple(y_true.shape)} look one-hot; whole "
                f"numbers of shape {tuple(y_pred.shape[:-1])} are expected, or loss='categorical_crossentropy'"
            )
        y_true = ops.squeeze(y_true, axis=axis)
    labels = y_true.data.astype("int64", copy=False)
    valid = None
    if ignore_class is not None:
        valid = labels != ignore_class
        labels = labels * valid
    try:
        losses = ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=from_logits, axis=axis)
    except ValueError:
        check_labels(labels, y_pred.shape[axis])  # says more of what to do about a label that is no class
        raise
    if valid is not None:
        losses = ops.where(valid, losses, 0.0)
        losses._keras_mask = valid
    return losses


def check_labels(labels: Any, classes: int) -> None:
    """Raise ValueError, naming the first label that is not a class."""
    if labels.size and not int(labels.view("uint64").max()) < classes:  # negative labels are huge ones
        flat = labels.reshape(-1)
        row = int(((flat < 0) | (flat >= classes)).argmax())
        low, high = int(flat.min()), int(flat.max())
        hint = f"; the last layer wants {high + 1} units"
        if low < 0 or (low, high) == (1, classes):
            hint = "; labels count from 0" + (": write y - 1" if low > 0 else "")
        raise ValueError(
            f"label {int(flat[row])} (row {row} of the batch) is out of range: the model has {classes} outputs, so "
            f"labels are 0 to {classes - 1}{hint}"
        )


@labelled
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """(1 - p^q) / q, where p is the probability of the label: robust to wrong labels (Zhang and Sabuncu 2018).

    Args:
        y_true: whole-number labels, of y_pred's shape without the last axis.
        y_pred: probabilities.
        q: between the cross-entropy (towards 0) and the absolute error (towards 1).
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, axis=-1)
    labels = y_true.data.astype("int64", copy=False)
    check_labels(labels, y_pred.shape[-1])
    if tuple(labels.shape) != tuple(y_pred.shape[:-1]):
        raise ValueError(
            f"categorical_generalized_cross_entropy: labels of shape {tuple(labels.shape)} do not fit predictions of "
            f"shape {tuple(y_pred.shape)}: one whole number for each row of {y_pred.shape[-1]} is expected"
        )
    coded = ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)
    right = ops.sum(ops.multiply(y_pred, coded), axis=-1)
    return ops.divide(ops.subtract(1.0, ops.power(right, q)), q)


class BinaryCrossentropy(LossFunctionWrapper):
    """The binary cross-entropy; arguments as in ``binary_crossentropy``."""

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
        name="binary_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(
            binary_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy for one-hot targets; arguments as in ``categorical_crossentropy``."""

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
        name="categorical_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(
            categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy for whole-number labels; arguments as in ``sparse_categorical_crossentropy``."""

    unwritten = {"axis": -1}

    def __init__(
        self, from_logits=False, ignore_class=None, reduction="sum_over_batch_size", axis=-1,
        name="sparse_categorical_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """(1 - p^q) / q for whole-number labels; see ``categorical_generalized_cross_entropy``.

    Raises:
        ValueError: q is not between 0 and 1.
    """

    def __init__(
        self, q=0.5, reduction="sum_over_batch_size", name="categorical_generalized_cross_entropy", dtype=None
    ):
        if not 0 < q < 1:
            raise ValueError(f"q must lie between 0 and 1, both excluded, not {q!r}")
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
