"""Accuracies: how often a prediction is right. Formulas and rules of shapes are those of Keras 3."""

import math
from typing import Any

from minidl import config
from minidl_kernels.arrays import namespace

from .arrays import fitting, on_arrays, same_rank, same_shape
from .reduction import MeanMetricWrapper

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy", "accuracy", "binary_accuracy", "categorical_accuracy",
    "sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]  # fmt: skip


@on_arrays
def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where y_true equals y_pred, else 0; of their shape."""
    y_true, y_pred = fitting("accuracy", y_true, y_pred)
    return (y_true == y_pred).astype(config.floatx())


@on_arrays
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where y_pred > threshold (strictly) agrees with y_true, else 0; of their shape."""
    y_true, y_pred = same_shape("binary_accuracy", *same_rank(y_true, y_pred))
    return (y_true == (y_pred > threshold)).astype(config.floatx())


@on_arrays
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is the largest target, else 0: (..., classes) becomes (...)."""
    y_true, y_pred = same_shape("categorical_accuracy", y_true, y_pred)
    return (y_true.argmax(-1) == y_pred.argmax(-1)).astype(config.floatx())


@on_arrays
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is at the label, else 0.

    Args:
        y_true: labels (...) or (..., 1).
        y_pred: (..., classes).
    """
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    chosen = y_pred.argmax(-1)
    if y_true.shape != chosen.shape:
        raise ValueError(
            f"sparse_categorical_accuracy: labels of shape {y_true.shape} do not fit predictions of {y_pred.shape}"
        )
    matches = (y_true == chosen).astype(config.floatx())
    return matches[..., 0] if matches.ndim > 1 and matches.shape[-1] == 1 else matches


@on_arrays
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where fewer than ``k`` predictions are larger than the one at the largest target: (..., classes) to (...)."""
    return _in_top_k(y_true.argmax(-1), y_pred, k)


@on_arrays
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1 where fewer than ``k`` predictions are larger than the one at the label.

    Args:
        y_true: labels, (...).
        y_pred: (..., classes); with ``from_sorted_ids`` the labels themselves, the likeliest first.
    """
    if not from_sorted_ids:
        return _in_top_k(y_true, y_pred, k)
    first = y_pred.reshape(-1, y_pred.shape[-1])[:, :k]
    return (y_true.reshape(-1, 1) == first).any(-1).astype(config.floatx()).reshape(y_true.shape)


def _in_top_k(labels: Any, predictions: Any, k: int) -> Any:
    """Ties count for the label; a label out of range is in no top, and nan is the smallest prediction (Keras)."""
    rows = predictions.reshape(-1, predictions.shape[-1])
    flat = labels.reshape(-1).astype("int64")
    if len(flat) != len(rows):
        raise ValueError(f"top k: labels of shape {labels.shape} do not fit predictions of shape {predictions.shape}")
    known = (flat >= 0) & (flat < rows.shape[-1])
    xp = namespace(rows)
    at_label = xp.take_along_axis(rows, xp.where(known, flat, 0)[:, None], axis=-1)
    larger = (rows > xp.where(xp.isnan(at_label), -math.inf, at_label)).sum(-1)
    return (known & (larger < k)).astype(config.floatx()).reshape(labels.shape)


class Accuracy(MeanMetricWrapper):
    """How often y_pred equals y_true."""

    _direction = "up"

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often y_pred > threshold (strictly) agrees with y_true.

    Args:
        threshold: between 0 and 1.
    """

    _direction = "up"

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold must lie between 0 and 1, not {threshold!r}")
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the (one-hot) target."""

    _direction = "up"

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the (whole-number) label."""

    _direction = "up"

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the (one-hot) target is among the ``k`` largest predictions."""

    _direction = "up"

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the (whole-number) label is among the ``k`` largest predictions.

    Args:
        from_sorted_ids: the predictions are labels, the likeliest first.
    """

    _direction = "up"

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False):
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
        self.k, self.from_sorted_ids = k, from_sorted_ids

    def get_config(self):
        config = super().get_config()
        if not self.from_sorted_ids:  # older Keras does not take it
            del config["from_sorted_ids"]
        return config


def accuracy_for(target_shape: tuple[Any, ...], output_shape: tuple[Any, ...]) -> Any:
    """What "accuracy" means for these shapes: binary, sparse categorical or categorical (Keras' rule)."""
    if output_shape[-1] == 1:
        return BinaryAccuracy
    sparse = len(target_shape) < len(output_shape) or target_shape[-1] == 1
    return SparseCategoricalAccuracy if sparse else CategoricalAccuracy
