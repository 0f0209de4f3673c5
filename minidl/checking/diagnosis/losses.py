"""Hypotheses about losses: targets, classes, logits and probabilities, and the scale of the mean."""

from collections.abc import Callable, Iterator

import numpy as np

from .activations import sigmoid, softmax, softmax_backward
from .case import Case, Guess

__all__ = ["guesses"]

Array = np.ndarray
TINY = 1e-300


def guesses(case: Case) -> Iterator[Guess]:
    """For a loss of predictions (the first input) and targets; any constant factor, and any reduction."""
    p = case.x[0]
    if not p.ndim or case.y.ndim > 1 or p.ndim > 2:
        return
    for t in _targets(case, p):
        with np.errstate(all="ignore"):
            for loss, right, wrongs in _losses(p, t):
                scale = _scale(case, loss(p), right)
                if scale is None:
                    continue
                for cause, wrong in wrongs:
                    yield Guess(cause, 0, scale * wrong, 2.3)
                    if (n := case.batch) > 1:  # with the mean forgotten as well, the first slip is what shows
                        yield Guess(cause, 0, scale * wrong * n, 1.6)


def _targets(case: Case, p: Array) -> Iterator[Array]:
    others: list[Array] = [a for a in case.args[1:] if isinstance(a, np.ndarray)]
    for t in others:
        if t.shape == p.shape:
            yield t.astype("float64")
        elif (
            t.dtype.kind in "iu"
            and p.ndim == 2
            and t.size == len(p)
            and t.size
            and 0 <= t.min() <= t.max() < p.shape[1]
        ):
            yield np.eye(p.shape[1])[t.reshape(-1)]


def _huber(t: Array, d: float) -> Callable[[Array], Array]:
    return lambda p: np.where(np.abs(p - t) <= d, (p - t) ** 2 / 2, d * (np.abs(p - t) - d / 2))


Losses = Iterator[tuple[Callable[[Array], Array], Array, list[tuple[str, Array]]]]


def _losses(p: Array, t: Array) -> Losses:
    """(loss of each element or row, its gradient, wrong gradients)."""
    e = p - t
    yield (
        lambda p: (p - t) ** 2,
        2 * e,
        [
            ("target_missing", 2 * p),
            ("factor_half", e),
            ("term_missing", -2 * t),
            ("derivative_missing", e**2),
            ("sign", -2 * e),
            ("region", 2 * np.abs(e)),
            ("region", 2 * np.sign(e)),
        ],
    )
    yield (
        lambda p: np.abs(p - t),
        np.sign(e),
        [
            ("derivative_missing", e),
            ("sign", -np.sign(e)),
            ("target_missing", np.sign(p)),
            ("region", (e > 0) * 1.0),
            ("derivative_missing", np.abs(e)),
            ("derivative_formula", np.ones_like(e)),
        ],
    )
    for d in (1.0, 0.5, 1.5, 2.0):
        huber = _huber(t, d)
        inner = np.abs(e) <= d
        clipped = np.clip(e, -d, d)
        yield (
            huber,
            clipped,
            [
                ("region", e),
                ("region", d * np.sign(e)),
                ("region", np.where(inner, e, 0)),
                ("region", np.where(inner, 0, clipped)),
                ("sign", -clipped),
                ("derivative_formula", np.where(inner, e, d)),
                ("derivative_formula", np.where(inner, 2 * e, clipped)),
                ("mask_inverted", np.where(inner, d * np.sign(e), e)),
                ("derivative_formula", np.where(inner, e, np.sign(e))),
            ],
        )
    yield from _binary(p, t)
    yield from _hinge(p, t)
    if p.ndim == 2 and p.shape[1] > 1:
        yield from _categorical(p, t)


def _binary(p: Array, t: Array) -> Losses:
    if (p > 0).all() and (p < 1).all():
        yield (
            lambda p: -(t * np.log(p) + (1 - t) * np.log(1 - p)),
            (p - t) / (p * (1 - p)),
            [
                ("logits_for_probability", p - t),
                ("term_missing", -t / p),
                ("term_missing", (1 - t) / (1 - p)),
                ("sign", (t - p) / (p * (1 - p))),
                ("derivative_formula", -t / p - (1 - t) / (1 - p)),
                ("derivative_formula", (p - t) / p),
                ("derivative_formula", (p - t) / (1 - p)),
                ("derivative_formula", (p - t) * p * (1 - p)),
                ("target_missing", 1 / (1 - p)),
                ("logits_for_probability", sigmoid(p) - t),
            ],
        )
    s = sigmoid(p)
    yield (
        lambda p: np.logaddexp(0, p) - t * p,
        s - t,
        [
            ("softmax_missing", p - t),
            ("probability_for_logits", (s - t) / (s * (1 - s))),
            ("target_missing", s),
            ("sign", t - s),
            ("derivative_twice", (s - t) * s * (1 - s)),
            ("double_softmax", sigmoid(s) - t),
            ("term_missing", -t * (1 - s)),
            ("term_missing", (1 - t) * s),
        ],
    )


def _hinge(p: Array, t: Array) -> Losses:
    if set(np.unique(t)) <= {-1.0, 1.0}:
        active = (1 - t * p > 0) * 1.0
        yield (
            lambda p: np.maximum(0, 1 - t * p),
            -t * active,
            [
                ("region", -t),
                ("sign", t * active),
                ("target_missing", -active),
                ("mask_inverted", -t * (1 - active)),
                ("mask_array", -t * (p > 0)),
            ],
        )


def _categorical(p: Array, t: Array) -> Losses:
    s, whole = softmax(p), t.sum(axis=1, keepdims=True)
    ones = np.ones_like(t)
    shifted = [np.roll(t, 1, axis=1), np.roll(t, -1, axis=1)]
    column, first = np.zeros_like(t), np.zeros_like(t)
    column[:, 0], first[:, -1] = 1, 1
    entries = [*shifted, column, first]
    if len(t) > 1:
        entries += [np.roll(t, 1, axis=0), np.roll(t, -1, axis=0), np.broadcast_to(t[:1], t.shape)]
    yield (
        lambda p: -(t * np.log(softmax(p) + TINY)).sum(axis=1),
        s * whole - t,
        [
            ("target_missing", s * whole),
            ("all_classes", s - 1),
            ("softmax_missing", p - t),
            ("sign", t - s * whole),
            ("double_softmax", softmax(s) - t),
            ("double_softmax", softmax_backward(softmax(s) - t, s)),
            ("derivative_twice", softmax_backward(s - t, s)),
            ("probability_for_logits", -t / s),
            ("term_missing", -t),
            ("term_missing", (s - t) * t),
            ("derivative_twice", (s - t) * s * (1 - s)),
            ("derivative_twice", (s - t) * s),
            ("softmax_missing", np.exp(p) - t),
            ("softmax_axis", softmax(p, 0) - t),
            ("softmax_axis", np.exp(p) / np.exp(p).sum() - t),
            ("softmax_missing", sigmoid(p) - t),
            ("derivative_of_output", np.log(s + TINY) - t),
            *(("wrong_entry", s - entry) for entry in entries),
        ],
    )
    if (p > 0).all() and (p <= 1).all():
        yield (
            lambda p: -(t * np.log(p)).sum(axis=1),
            -t / p,
            [
                ("logits_for_probability", p - t),
                ("sign", t / p),
                ("derivative_formula", -t * np.log(p)),
                ("all_classes", -1 / p),
                ("target_missing", -1 / p),
                ("derivative_formula", -t / p**2),
                ("logits_for_probability", s - t),
                ("derivative_formula", -t * p),
                ("term_missing", -t),
                ("derivative_formula", (p - t) / p),
                *(("wrong_entry", -entry / p) for entry in entries),
            ],
        )
    right = (p * t).sum(axis=1, keepdims=True)
    margins = (p - right + 1 > 0) * (1 - t)
    count = margins.sum(axis=1, keepdims=True)
    yield (
        lambda p: (np.maximum(0, p - (p * t).sum(axis=1, keepdims=True) + 1) * (1 - t)).sum(axis=1),
        margins - count * t,
        [
            ("term_missing", margins),
            ("wrong_entry", margins - t),
            ("sign", count * t - margins),
            ("all_classes", margins + t - (count + 1) * t + t),
            ("mask_array", (1 - t) - (ones.sum(1, keepdims=True) - 1) * t),
            *(("wrong_entry", margins - count * entry) for entry in entries),
        ],
    )


def _scale(case: Case, loss: Array, right: Array) -> Array | None:
    """What the gradient of the elements' losses is multiplied by in the loss at hand; None: it is another loss."""
    if not np.isfinite(loss).all():
        return None
    y, rows = case.y, loss.reshape(len(loss), -1)
    if y.size == 1:
        total = float(rows.sum())
        factor = float(y.reshape(-1)[0]) / total if total else 0.0
        if not factor or not _near(case, right * factor * float(case.g.sum())):
            return None
        return np.asarray(factor * float(case.g.sum()))
    if y.shape != (len(loss),) or not rows.any():
        return None
    factors = y / np.where(rows.sum(axis=1) == 0, 1, rows.sum(axis=1))
    factor = float(np.median(factors[rows.sum(axis=1) != 0]))
    scale = factor * case.g.reshape((-1,) + (1,) * (right.ndim - 1))
    return scale if _near(case, right * scale) else None


def _near(case: Case, prediction: Array) -> bool:
    """Whether this is the right gradient, by the differences."""
    n = case.numeric[0]
    known = ~np.isnan(n)
    gap = float(np.linalg.norm((prediction - n)[known]))
    return gap <= 1e-4 * max(float(np.linalg.norm(n[known])), 1e-12)


def scored(case: Case, scores: Array) -> tuple[Array, list[tuple[str, Array]]] | None:
    """The gradient of the scores within a larger function that ends in a scalar loss, and wrong ones; None: no loss."""
    for t in _targets(case, scores):
        for loss, right, wrongs in _losses(scores, t):
            total = float(loss(scores).sum())
            factor = float(case.y.reshape(-1)[0]) / total if total else 0.0
            counts = (1, len(scores), scores.size, 2, 2 * len(scores), 2 * scores.size)
            if not np.isfinite(factor) or not any(abs(factor * n - 1) < 1e-6 for n in counts):
                continue
            scale = factor * float(case.g.sum())
            return right * scale, [(cause, wrong * scale) for cause, wrong in wrongs]
    return None
