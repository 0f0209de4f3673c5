"""Losses of overlap, for masks of pictures: Dice and Tversky."""

from typing import Any

from minidl import config, ops

from .loss import LossFunctionWrapper, axes, pair

__all__ = ["Dice", "Tversky", "dice", "tversky"]


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """1 - 2 sum(t p) / (sum(t) + sum(p) + epsilon) over ``axis``; None: one number for the whole batch (Sudre 2017)."""
    y_true, y_pred = pair("dice", y_true, y_pred)
    axis = axes(axis)
    both = ops.multiply(ops.sum(ops.multiply(y_true, y_pred), axis=axis), 2.0)
    sizes = ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis))
    return ops.subtract(1.0, ops.divide(both, ops.add(sizes, config.epsilon())))


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any:
    """1 - sum(t p) / (sum(t p) + alpha sum(t (1 - p)) + beta sum((1 - t) p) + epsilon) (Salehi et al. 2017).

    Args:
        y_true, y_pred: of one shape; t and p.
        alpha: the price of what is missed (as Keras has it, not the paper: there alpha prices what is too much).
        beta: the price of what is too much.
        axis: what is summed over; None: all, one number for the whole batch.
    """
    y_true, y_pred = pair("tversky", y_true, y_pred)
    axis = axes(axis)
    both = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    missed = ops.multiply(ops.sum(ops.multiply(ops.subtract(1.0, y_pred), y_true), axis=axis), alpha)
    excess = ops.multiply(ops.sum(ops.multiply(y_pred, ops.subtract(1.0, y_true)), axis=axis), beta)
    whole = ops.add(ops.add(ops.add(both, missed), excess), config.epsilon())
    return ops.subtract(1.0, ops.divide(both, whole))


class Dice(LossFunctionWrapper):
    """1 - 2 (overlap) / (sum of both sizes) over ``axis``; see ``dice``."""

    def __init__(self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None):
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """Dice with a price for what is missed and one for what is too much; see ``tversky``."""

    def __init__(self, alpha=0.5, beta=0.5, reduction="sum_over_batch_size", name="tversky", axis=None, dtype=None):
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
