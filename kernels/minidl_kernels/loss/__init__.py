"""Softmax over the last axis, its logarithm, and the cross-entropy of integer labels."""

from typing import Any

import numpy as np

from ..arrays import Array
from ..kernel import Output, kernel
from ..late import note

__all__ = [
    "log_softmax",
    "log_softmax_grad",
    "probability_cross_entropy",
    "probability_cross_entropy_grad",
    "softmax",
    "softmax_cross_entropy",
    "softmax_cross_entropy_grad",
    "softmax_grad",
]


SIGNED, UNSIGNED = np.dtype("int64"), np.dtype("uint64")


def _rows(name: str, x: Array) -> Output:
    if x.ndim < 1:
        raise ValueError(f"{name}: x is a single number; expected (..., K)")
    return Output(x.shape, x.dtype)


def _same_rows(name: str, g: Array, y: Array) -> Output:
    if g.shape != y.shape:
        raise ValueError(f"{name}: g has shape {g.shape}, y has {y.shape}; they must be equal")
    return _rows(name, g)


def _check_labels(name: str, labels: Any, rows: int) -> None:
    if getattr(getattr(labels, "dtype", None), "kind", "") not in ("i", "u"):
        came = f"dtype {labels.dtype}" if hasattr(labels, "dtype") else type(labels).__name__
        raise TypeError(f"{name}: labels must be an array of whole numbers, not {came}")
    if labels.shape != (rows,):
        raise ValueError(f"{name}: labels has shape {labels.shape}; expected ({rows},), one class for each row")


def _labels_in_range(name: str, *arrays: Any, **settings: Any) -> None:
    """The part of the contract that looks at the labels themselves: the last array, for the classes of the others."""
    labels, classes = arrays[-1], 0
    for array in arrays:
        if array.ndim == 2:
            classes = array.shape[1]
    if type(labels) is not np.ndarray and note(name, labels, classes):
        return
    # Negative labels of 64 bits are huge ones without a sign: one pass instead of two.
    unsigned = labels.view(UNSIGNED) if labels.dtype is SIGNED else labels
    if unsigned is not labels and type(labels) is np.ndarray and labels.size and np.maximum.reduce(unsigned) < classes:
        return
    if labels.size and not (int(unsigned.max()) < classes and (unsigned is not labels or int(labels.min()) >= 0)):
        row = int(((labels < 0) | (labels >= classes)).argmax())
        raise ValueError(f"{name}: the label of row {row} is {int(labels[row])}; expected 0 to {classes - 1}")


@kernel(arrays=1)
def softmax(x: Array) -> Output:
    """exp(x) / sum(exp(x)) over the last axis, for x of any size.

    An entry of -inf gets probability 0. A row that holds NaN or +inf, or nothing but -inf, becomes NaN.

    Args:
        x: (..., K).
    """
    return _rows("softmax", x)


@kernel(arrays=2)
def softmax_grad(g: Array, y: Array) -> Output:
    """y * (g - sum(g * y)) over the last axis: the gradient of ``softmax`` by its output.

    Args:
        g: upstream gradient, (..., K).
        y: what ``softmax`` returned, of g's shape.
    """
    return _same_rows("softmax_grad", g, y)


@kernel(arrays=1)
def log_softmax(x: Array) -> Output:
    """log(softmax(x)) = x - log(sum(exp(x))) over the last axis, for x of any size.

    An entry of -inf stays -inf. A row that holds NaN or +inf, or nothing but -inf, becomes NaN.

    Args:
        x: (..., K).
    """
    return _rows("log_softmax", x)


@kernel(arrays=2)
def log_softmax_grad(g: Array, y: Array) -> Output:
    """g - exp(y) * sum(g) over the last axis: the gradient of ``log_softmax`` by its output.

    Args:
        g: upstream gradient, (..., K).
        y: what ``log_softmax`` returned, of g's shape.
    """
    return _same_rows("log_softmax_grad", g, y)


@kernel(arrays=1, values=_labels_in_range)
def softmax_cross_entropy(logits: Array, labels: Array) -> tuple[Output, Output]:
    """-log(softmax(logits))[label] of every row.

    Args:
        logits: (N, K).
        labels: (N,), integers from 0 to K - 1.

    Returns:
        The losses (N,), and softmax(logits) (N, K), which the gradient needs.

    Raises:
        TypeError: labels that are not integers.
        ValueError: other shapes, or a label out of range.
    """
    if logits.ndim != 2:
        raise ValueError(f"softmax_cross_entropy: logits has shape {logits.shape}; expected (N, K)")
    _check_labels("softmax_cross_entropy", labels, logits.shape[0])
    return Output(logits.shape[:1], logits.dtype), Output(logits.shape, logits.dtype)


@kernel(arrays=2, values=_labels_in_range)
def softmax_cross_entropy_grad(g: Array, probabilities: Array, labels: Array) -> Output:
    """(probabilities - one_hot(labels)) * g: the gradient of ``softmax_cross_entropy`` with respect to the logits.

    Args:
        g: upstream gradient, (N,).
        probabilities: (N, K), as ``softmax_cross_entropy`` returned them.
        labels: (N,), integers from 0 to K - 1.

    Returns:
        (N, K).

    Raises:
        TypeError: labels that are not integers.
        ValueError: other shapes, or a label out of range.
    """
    if probabilities.ndim != 2 or g.shape != probabilities.shape[:1]:
        raise ValueError(
            f"softmax_cross_entropy_grad: g has shape {g.shape}, probabilities has {probabilities.shape}; "
            f"expected (N,) and (N, K)"
        )
    _check_labels("softmax_cross_entropy_grad", labels, probabilities.shape[0])
    return Output(probabilities.shape, g.dtype)


@kernel(arrays=1, values=_labels_in_range)
def probability_cross_entropy(output: Array, labels: Array, *, epsilon: float) -> tuple[Output, Output]:
    """-log(p) of every row, p = output[label] / sum(output), clipped to [epsilon, 1 - epsilon] (Keras).

    Args:
        output: (N, K), not negative; it need not sum to 1.
        labels: (N,), integers from 0 to K - 1.
        epsilon: from 0 to a half.

    Returns:
        The losses (N,), and p before the clipping (N,), which the gradient needs.

    Raises:
        TypeError: labels that are not integers.
        ValueError: other shapes, or a label out of range.
    """
    if output.ndim != 2:
        raise ValueError(f"probability_cross_entropy: output has shape {output.shape}; expected (N, K)")
    _check_labels("probability_cross_entropy", labels, output.shape[0])
    return Output(output.shape[:1], output.dtype), Output(output.shape[:1], output.dtype)


@kernel(arrays=3, values=_labels_in_range)
def probability_cross_entropy_grad(g: Array, output: Array, p: Array, labels: Array, *, epsilon: float) -> Output:
    """g * (1 / sum(output) - one_hot(labels) / output): the gradient of ``probability_cross_entropy``.

    A row whose p was clipped gets 0.

    Args:
        g: upstream gradient, (N,).
        output: (N, K), as in the forward pass.
        p: (N,), what that returned.
        labels: (N,), integers from 0 to K - 1.
        epsilon: that of the forward pass.

    Returns:
        (N, K).
    """
    if output.ndim != 2 or g.shape != output.shape[:1] or p.shape != g.shape:
        raise ValueError(
            f"probability_cross_entropy_grad: g has shape {g.shape}, output has {output.shape}, p has {p.shape}; "
            f"expected (N,), (N, K) and (N,)"
        )
    _check_labels("probability_cross_entropy_grad", labels, output.shape[0])
    return Output(output.shape, g.dtype)
