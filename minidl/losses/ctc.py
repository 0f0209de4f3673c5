"""The loss of connectionist temporal classification, for speech and handwriting."""

from typing import Any

import numpy as np

from minidl import ops
from minidl.engine.tensor import raw

from .loss import LossFunctionWrapper, as_tensor, labelled

__all__ = ["CTC", "ctc"]


@labelled
def ctc(y_true: Any, y_pred: Any) -> Any:
    """-log of the probability of each label sequence, over all ways to spread it over time; see ``ops.ctc_loss``.

    Args:
        y_true: (n, labels) whole numbers from 1 on, padded with 0 at the end; class 0 is the blank.
        y_pred: (n, time, classes) logits; all steps count.

    Raises:
        ValueError: other shapes.
    """
    labels, y_pred = raw(as_tensor(y_true)), as_tensor(y_pred)
    if labels.ndim != 2:
        raise ValueError(f"ctc: labels of shape (n, labels) are expected, not {tuple(labels.shape)}")
    if len(y_pred.shape) != 3:
        raise ValueError(f"ctc: predictions of shape (n, time, classes) are expected, not {tuple(y_pred.shape)}")
    return ops.ctc_loss(labels, y_pred, (labels != 0).sum(-1), np.full(labels.shape[0], y_pred.shape[1]))


class CTC(LossFunctionWrapper):
    """The loss of label sequences without places; see ``ctc``."""

    def __init__(self, reduction="sum_over_batch_size", name="ctc", dtype=None):
        super().__init__(ctc, reduction, name, dtype)
