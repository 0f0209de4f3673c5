"""The circle loss: embeddings of one class close together, of other classes apart (Sun et al. 2020)."""

import math
from typing import Any

from minidl import ops
from minidl.engine.tensor import raw
from minidl_kernels.arrays import namespace

from .loss import LossFunctionWrapper, as_tensor, labelled

__all__ = ["Circle", "circle"]


@labelled
def circle(
    y_true: Any, y_pred: Any, ref_labels: Any = None, ref_embeddings: Any = None, remove_diagonal: bool = True,
    gamma: float = 80, margin: float = 0.4,
) -> Any:  # fmt: skip
    """softplus(log sum exp over pairs of one class + log sum exp over pairs of two), for each sample.

    With d = max(1 - cosine, 0), a pair of one class gives -gamma (d + margin) (margin - d), one of two classes
    gamma max(1 + margin - d, 0) (1 - margin - d). Samples whose loss is 0 are masked: a mean leaves them out.

    Args:
        y_true: (n,) or (n, 1) whole-number labels.
        y_pred: (n, d) embeddings of length 1.
        ref_labels, ref_embeddings: (m,) and (m, d): what is compared with; default: the batch itself.
        remove_diagonal: leave out pair (i, i), which is no pair where the batch is compared with itself.
        gamma: scale. margin: relaxation of the circle.

    Raises:
        ValueError: labels that are not one for each embedding.
    """
    y_pred = as_tensor(y_pred)
    references = y_pred if ref_embeddings is None else as_tensor(ref_embeddings, y_pred.dtype)
    labels = _column("y_true", y_true, y_pred)
    others = labels if ref_labels is None else _column("ref_labels", ref_labels, references)
    same = labels == others.T
    different = ~same
    if remove_diagonal:
        same = same & (namespace(same).eye(*same.shape) == 0)
    distances = ops.maximum(ops.subtract(1.0, ops.matmul(y_pred, ops.transpose(references))), 0.0)
    weights = ops.add(distances, margin)
    close = ops.multiply(ops.multiply(weights, ops.subtract(margin, distances)), -gamma)
    weights = ops.maximum(ops.subtract(1.0 + margin, distances), 0.0)
    apart = ops.multiply(ops.multiply(weights, ops.subtract(1.0 - margin, distances)), gamma)
    losses = ops.softplus(ops.add(_log_sum(close, same), _log_sum(apart, different)))
    losses._keras_mask = raw(losses) > 0
    return losses


def _log_sum(scores: Any, pairs: Any) -> Any:
    """log sum exp over the pairs of each row; -inf where there is none."""
    some = pairs.any(axis=1)
    chosen = pairs | ~some[:, None]  # log(0) has no slope: such a row is computed, and dropped
    return ops.where(some, ops.logsumexp(ops.where(chosen, scores, -math.inf), axis=1), -math.inf)


def _column(argument: str, labels: Any, embeddings: Any) -> Any:
    column = raw(as_tensor(labels)).astype("int64").reshape(-1, 1)
    if len(column) != len(embeddings):
        raise ValueError(
            f"circle: {argument} holds {len(column)} labels for embeddings of shape {tuple(embeddings.shape)}: one for "
            f"each row is expected"
        )
    return column


class Circle(LossFunctionWrapper):
    """The circle loss of embeddings and labels; arguments as in ``circle``."""

    def __init__(
        self, gamma=80.0, margin=0.4, remove_diagonal=True, reduction="sum_over_batch_size", name="circle", dtype=None
    ):
        super().__init__(circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal)
