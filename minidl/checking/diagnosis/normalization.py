"""Hypotheses about batch and layer normalisation, and dropout."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from .case import Case, Guess, close

__all__ = ["guesses"]

Array = np.ndarray
EPSILONS = (1e-3, 1e-5, 1e-7, 1e-8, 1e-6, 1e-4, 1e-2, 1e-12, 0.0)


def guesses(case: Case) -> Iterator[Guess]:
    """For normalisation and dropout of the first input."""
    x = case.x[0]
    if x.shape != case.y.shape or x.ndim < 2:
        return
    yield from _dropout(case, x)
    found = False
    for axes, kept in _axes(x):
        for one in _normalised(case, x, axes, kept):
            found = True
            yield one
        if found:
            return
    yield from _inference(case, x)


def _axes(x: Array) -> Iterator[tuple[tuple[int, ...], int]]:
    """(axes of the statistics, axis of gamma)."""
    last = x.ndim - 1
    yield tuple(range(last)), last
    if x.ndim > 2:
        yield (0, *range(2, x.ndim)), 1
    yield (last,), last


def _normalised(case: Case, x: Array, axes: tuple[int, ...], kept: int) -> Iterator[Guess]:
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    shape = [1] * x.ndim
    shape[kept] = x.shape[kept]
    sized = [i for i, p in enumerate(case.x) if i and p.size == x.shape[kept]]
    pairs: list[tuple[int | None, int | None]] = [*permutations(sized, 2), *((i, None) for i in sized), (None, None)]
    for place in ("inside", "outside"):
        for eps in EPSILONS:
            with np.errstate(all="ignore"):
                std = np.sqrt(var + eps) if place == "inside" else np.sqrt(var) + eps
                xhat = (x - mean) / std
            for gamma, beta in pairs:
                scale = np.ones(shape) if gamma is None else case.x[gamma].reshape(shape)
                y = xhat * scale + (0 if beta is None else case.x[beta].reshape(shape))
                if close(case.y, y, 1e-9) or (eps >= 1e-5 and close(case.y, y, 1e-6)):
                    yield from _input(case, x, axes, scale, mean, var, eps, place)
                    yield from _parameters(case, x, xhat, mean, scale, gamma, beta, kept)
                    return


def _backward(
    d: Array, xhat: Array, std: Array, axes: tuple[int, ...], first: float = 1.0, second: float = 1.0
) -> Array:
    mean = d.mean(axis=axes, keepdims=True)
    found: Array = (d - first * mean - second * xhat * (d * xhat).mean(axis=axes, keepdims=True)) / std
    return found


def _input(
    case: Case, x: Array, axes: tuple[int, ...], scale: Array, mean: Array, var: Array, eps: float, place: str
) -> Iterator[Guess]:
    def guess(cause: str, value: Array, weight: float = 2.3) -> Guess:
        return Guess(cause, 0, value, weight)

    with np.errstate(all="ignore"):
        std = np.sqrt(var + eps) if place == "inside" else np.sqrt(var) + eps
        centered = x - mean
        xhat, d = centered / std, case.g * scale
        count = int(np.prod([x.shape[a] for a in axes]))
        right = _backward(d, xhat, std, axes)
        yield guess("statistics_constant", d / std, 2.4)
        yield guess("mean_term", _backward(d, xhat, std, axes, 0, 1), 2.4)
        yield guess("variance_term", _backward(d, xhat, std, axes, 1, 0), 2.4)
        for first, second in ((-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)):
            yield guess("term_sign", _backward(d, xhat, std, axes, first, second))
        for first, second in (
            (count, 1),
            (1, count),
            (count, count),
            (1, 2),
            (1, 0.5),
            (2, 1),
            (1 / count, 1 / count),
            (1, 1 / count),
            (1 / count, 1),
        ):
            yield guess("term_factor", _backward(d, xhat, std, axes, first, second))
        ratio = count / (count - 1) if count > 1 else 1.0
        if count > 1:
            yield guess("ddof", _backward(d, xhat, std, axes, ratio, ratio))
            yield guess("ddof", _backward(d, xhat, std, axes, 1, ratio))
            other = std * ratio**0.5
            for hat in (centered / other, xhat):
                yield guess("ddof", _backward(d, hat, other, axes))
        # The term of the variance with other powers of the deviation, as it goes wrong when written out in steps.
        product = (d * centered).mean(axis=axes, keepdims=True)
        for power in (1, 2, 4):
            yield guess(
                "variance_term_power", (d - d.mean(axis=axes, keepdims=True)) / std - centered * product / std**power
            )
        if (scale != 1).any():
            yield guess("gamma_missing", right / scale, 2.4)
            yield guess("gamma_missing", _backward(case.g, xhat, std, axes) * 1.0, 2.4)
            yield guess("gamma_twice", right * scale)
        yield guess("centered_raw", right * std)
        yield guess("deviation_twice", right / std)
        for value in (np.sqrt(var), np.sqrt(var) + eps, var + eps, np.sqrt(var + eps)):
            for hat in (centered / value, xhat):
                yield guess("epsilon", _backward(d, hat, value, axes), 2.2)
        yield guess("epsilon", _backward(d, xhat, np.sqrt(var), axes), 2.2)
        for axis in range(x.ndim):
            if (axis,) != axes:
                yield guess("statistics_axis", _backward(d, xhat, std, (axis,)))
        yield guess("statistics_axis", _backward(d, xhat, std, tuple(range(x.ndim))))


def _parameters(
    case: Case, x: Array, xhat: Array, mean: Array, scale: Array, gamma: int | None, beta: int | None, kept: int
) -> Iterator[Guess]:
    rest = tuple(a for a in range(x.ndim) if a != kept)
    g = case.g
    for leaf, terms in ((gamma, g * xhat), (beta, g)):
        if leaf is None:
            continue
        shape = case.x[leaf].shape
        yield Guess("not_summed", leaf, terms, 2.4)
        yield Guess("mean_for_sum", leaf, terms.mean(axis=rest).reshape(shape), 2.3)
        yield Guess("not_summed", leaf, terms.sum(axis=0), 2.3)
        if x.shape[0] == x.shape[kept]:
            other = tuple(a for a in range(x.ndim) if a != 0)
            yield Guess("summed_wrong_axis", leaf, terms.sum(axis=other).reshape(shape), 2.3)
        yield Guess("summed_wrong_axis", leaf, terms.sum(axis=tuple(range(1, x.ndim))), 2.2)
    if gamma is not None:
        shape = case.x[gamma].shape
        yield Guess("gamma_raw", gamma, (g * x).sum(axis=rest).reshape(shape), 2.4)
        yield Guess("centered_raw", gamma, (g * (x - mean)).sum(axis=rest).reshape(shape), 2.3)
        yield Guess("wrong_operand", gamma, (g * case.y).sum(axis=rest).reshape(shape), 2.2)
        yield Guess("gamma_twice", gamma, (g * xhat * scale).sum(axis=rest).reshape(shape), 2.2)
    if beta is not None:
        yield Guess("gamma_twice", beta, (g * scale).sum(axis=rest).reshape(case.x[beta].shape), 2.2)


def _inference(case: Case, x: Array) -> Iterator[Guess]:
    """Normalisation by stored statistics: elementwise affine, of which only the slope is known."""
    with np.errstate(all="ignore"):
        slope = case.numeric[0] / case.g
    for axes, kept in _axes(x):
        if not np.isfinite(slope).all() or np.ptp(slope, axis=axes).max(initial=0) > 1e-6 * np.abs(slope).max(
            initial=0
        ):
            continue
        mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
        shape = [1] * x.ndim
        shape[kept] = x.shape[kept]
        scales = [p.reshape(shape) for i, p in enumerate(case.x) if i and p.size == x.shape[kept]]
        for scale in [*scales, np.ones(shape)]:
            d = case.g * scale
            with np.errstate(all="ignore"):
                if (scale != 1).any():
                    yield Guess("gamma_missing", 0, case.numeric[0] / scale, 2.3)
                for eps in EPSILONS:
                    std = np.sqrt(var + eps)
                    yield Guess("train_statistics", 0, d / std, 2.3)
                    yield Guess("train_statistics", 0, _backward(d, (x - mean) / std, std, axes), 2.3)
            inner = case.numeric[0] / case.g / scale  # 1 / stored deviation
            hat = x * 0
            for reference in ((x - mean) * inner, hat):
                yield Guess("train_statistics", 0, _backward(d, reference, 1 / inner, axes), 2.3)
        return


def _dropout(case: Case, x: Array) -> Iterator[Guess]:
    with np.errstate(all="ignore"):
        ratio = np.where(x != 0, case.y / x, np.nan)
    known = ratio[np.isfinite(ratio)]
    kept = known[known != 0]
    a = case.analytic[0]
    if np.array_equal(case.y, x) and a is not None and a.shape == x.shape:
        with np.errstate(all="ignore"):
            drawn = np.round(a / case.g, 9)
        if len(np.unique(drawn)) == 2 and 0.0 in drawn:
            yield Guess("dropout_inference", 0, a, 1.9)
    if not kept.size or np.ptp(kept) > 1e-6 * abs(kept[0]) or (kept.size == known.size and abs(kept[0] - 1) < 1e-9):
        return
    c, mask = float(kept[0]), (case.y != 0) * 1.0
    g = case.g
    if abs(c - 1) < 1e-9 and np.array_equal(mask != 0, x > 0):
        return  # that is ReLU
    if kept.size == known.size:  # a plain factor: inference of dropout that scales then
        yield Guess("dropout_scale", 0, g, 2.3)
        return
    if abs(c - 1) > 1e-9:
        yield Guess("dropout_scale", 0, g * mask, 2.4)
        yield Guess("dropout_scale_twice", 0, g * mask * c * c, 2.4)
        yield Guess("dropout_scale", 0, g * mask / c, 2.2)
    yield Guess("dropout_mask", 0, g, 2.4)
    yield Guess("dropout_mask", 0, g * c, 2.4)
    for factor in (1.0, c):
        yield Guess("dropout_inverted", 0, g * (1 - mask) * factor, 2.4)
    if a is not None and a.shape == g.shape:
        with np.errstate(all="ignore"):
            drawn = a / g
        alike = np.isclose(drawn, 0) | np.isclose(drawn, c) | np.isclose(drawn, 1)
        if alike.all() and ((drawn != 0) != (mask != 0)).any():
            yield Guess("dropout_other_mask", 0, a, 1.9)
