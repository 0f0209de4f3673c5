"""Focal cross-entropies: what is already right counts less (Lin et al. 2017)."""

from typing import Any

from minidl import config, ops

from .crossentropy import class_pair, smoothed
from .loss import LossFunctionWrapper, pair

__all__ = [
    "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy", "binary_focal_crossentropy",
    "categorical_focal_crossentropy",
]  # fmt: skip


def _between(y_true: Any, one: Any, zero: Any) -> Any:
    """``one`` where the target is 1, ``zero`` where it is 0, and in between for soft targets."""
    return ops.add(ops.multiply(y_true, one), ops.multiply(ops.subtract(1.0, y_true), zero))


def binary_focal_crossentropy(
    y_true: Any, y_pred: Any, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0,
    from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
) -> Any:  # fmt: skip
    """(1 - p_t)^gamma times the binary cross-entropy, averaged over ``axis``; p_t is the probability of the target.

    Args:
        y_true, y_pred: of one shape; y_pred are probabilities, or logits with ``from_logits``.
        apply_class_balancing: multiply by alpha where the target is 1 and by 1 - alpha where it is 0.
        alpha: the weight of class 1.
        gamma: how much less what is right counts; 0 gives the binary cross-entropy.
        label_smoothing: a in targets t (1 - a) + a / 2.
    """
    y_true, y_pred = pair("binary_focal_crossentropy", y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, 0.5)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    p_t = _between(y_true, p, ops.subtract(1.0, p))
    losses = ops.multiply(ops.power(ops.subtract(1.0, p_t), gamma), ops.binary_crossentropy(y_true, p))
    if apply_class_balancing:
        losses = ops.multiply(_between(y_true, alpha, 1 - alpha), losses)
    return ops.mean(losses, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any, y_pred: Any, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False,
    label_smoothing: float = 0.0, axis: int = -1,
) -> Any:  # fmt: skip
    """-sum(alpha (1 - p)^gamma t log(p)) over ``axis``; p is y_pred divided by its sum and clipped.

    Args:
        y_true: one-hot targets, of y_pred's shape.
        y_pred: probabilities, or logits with ``from_logits``.
        alpha: one factor, or one for each class.
        gamma: how much less what is right counts.
        label_smoothing: a in targets t (1 - a) + a / (size of the last axis).
    """
    y_true, y_pred = class_pair("categorical_focal_crossentropy", y_true, y_pred, axis)
    y_true = smoothed(y_true, label_smoothing, 1 / y_true.shape[-1])
    p = ops.softmax(y_pred, axis=axis) if from_logits else y_pred
    p = ops.divide(p, ops.sum(p, axis=axis, keepdims=True))
    p = ops.clip(p, config.epsilon(), 1 - config.epsilon())
    if isinstance(alpha, (list, tuple)):
        alpha = ops.convert_to_tensor(alpha, p.dtype)
    weights = ops.multiply(ops.power(ops.subtract(1.0, p), gamma), alpha)
    return ops.negative(ops.sum(ops.multiply(weights, ops.multiply(y_true, ops.log(p))), axis=axis))


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """The binary cross-entropy times (1 - p_t)^gamma; arguments as in ``binary_focal_crossentropy``."""

    def __init__(
        self, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
        reduction="sum_over_batch_size", name="binary_focal_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(
            binary_focal_crossentropy, reduction, name, dtype, apply_class_balancing=apply_class_balancing,
            alpha=alpha, gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """The cross-entropy times alpha (1 - p)^gamma; arguments as in ``categorical_focal_crossentropy``."""

    def __init__(
        self, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
        reduction="sum_over_batch_size", name="categorical_focal_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(
            categorical_focal_crossentropy, reduction, name, dtype, alpha=alpha, gamma=gamma,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
