"""The definitions, row by row, in Python's own numbers (float64), rounded once."""

import math

import numpy as np

from . import (
    log_softmax,
    log_softmax_grad,
    probability_cross_entropy,
    probability_cross_entropy_grad,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_grad,
    softmax_grad,
)


def _logarithms(row: np.ndarray) -> list[float]:
    """log softmax of one row. exp would overflow, so the maximum is taken off first; that changes nothing."""
    values = [float(value) for value in row]
    if any(math.isnan(value) for value in values) or max(values) in (math.inf, -math.inf):
        return [math.nan] * len(values)
    top = max(values)
    log_sum = math.log(sum(math.exp(value - top) for value in values))
    return [value - top - log_sum for value in values]


@softmax.implementation("reference", on="numpy")
def softmax_reference(x: np.ndarray, *, out: np.ndarray) -> None:
    for row in np.ndindex(x.shape[:-1]):
        out[row] = [math.exp(value) for value in _logarithms(x[row])] if x.shape[-1] else 0


@softmax_grad.implementation("reference", on="numpy")
def softmax_grad_reference(g: np.ndarray, y: np.ndarray, *, out: np.ndarray) -> None:
    for row in np.ndindex(g.shape[:-1]):
        total = sum(float(gi) * float(yi) for gi, yi in zip(g[row], y[row], strict=True))
        out[row] = [float(yi) * (float(gi) - total) for gi, yi in zip(g[row], y[row], strict=True)]


@log_softmax.implementation("reference", on="numpy")
def log_softmax_reference(x: np.ndarray, *, out: np.ndarray) -> None:
    for row in np.ndindex(x.shape[:-1]):
        out[row] = _logarithms(x[row]) if x.shape[-1] else 0


@log_softmax_grad.implementation("reference", on="numpy")
def log_softmax_grad_reference(g: np.ndarray, y: np.ndarray, *, out: np.ndarray) -> None:
    for row in np.ndindex(g.shape[:-1]):
        total = sum(float(gi) for gi in g[row])
        out[row] = [float(gi) - math.exp(float(yi)) * total for gi, yi in zip(g[row], y[row], strict=True)]


@softmax_cross_entropy.implementation("reference", on="numpy")
def softmax_cross_entropy_reference(
    logits: np.ndarray, labels: np.ndarray, *, out: tuple[np.ndarray, np.ndarray]
) -> None:
    loss, probabilities = out
    for i, label in enumerate(labels):
        logarithms = _logarithms(logits[i])
        loss[i] = -logarithms[int(label)]
        probabilities[i] = [math.exp(value) for value in logarithms]


@softmax_cross_entropy_grad.implementation("reference", on="numpy")
def softmax_cross_entropy_grad_reference(
    g: np.ndarray, probabilities: np.ndarray, labels: np.ndarray, *, out: np.ndarray
) -> None:
    for i, k in np.ndindex(probabilities.shape):
        out[i, k] = (float(probabilities[i, k]) - (1.0 if k == labels[i] else 0.0)) * float(g[i])


@probability_cross_entropy.implementation("reference", on="numpy")
def probability_cross_entropy_reference(
    output: np.ndarray, labels: np.ndarray, *, epsilon: float, out: tuple[np.ndarray, np.ndarray]
) -> None:
    loss, p = out
    for i, label in enumerate(labels):
        p[i] = float(output[i, label]) / sum(float(value) for value in output[i])
        loss[i] = -math.log(min(max(float(p[i]), epsilon), 1 - epsilon))


@probability_cross_entropy_grad.implementation("reference", on="numpy")
def probability_cross_entropy_grad_reference(
    g: np.ndarray, output: np.ndarray, p: np.ndarray, labels: np.ndarray, *, epsilon: float, out: np.ndarray
) -> None:
    for i, label in enumerate(labels):
        inside = epsilon <= p[i] <= 1 - epsilon
        total = sum(float(value) for value in output[i])
        for k in range(output.shape[1]):
            of_the_label = 1 / float(output[i, k]) if k == label and inside else 0.0
            out[i, k] = float(g[i]) * (1 / total - of_the_label) if inside else 0.0
