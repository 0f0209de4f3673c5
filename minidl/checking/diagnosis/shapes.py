"""Hypotheses that need to know nothing of the function: signs, sums, scales, samples, axes, what was mixed up."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Guess

__all__ = ["guesses"]


def guesses(case: Case) -> Iterator[Guess]:
    """What each of the common slips would have given."""
    for i, n in enumerate(case.numeric):
        if not case.wrong(i):
            continue
        yield Guess("lost", i, np.zeros(n.shape), 2.0)
        yield Guess("sign", i, -n, 2.0)
        if case.g.ndim:
            yield Guess("no_upstream", i, case.gradient(i, np.ones_like(case.g)), 1.5)
            yield Guess("upstream_twice", i, case.gradient(i, case.g**2))
        elif abs(case.g - 1) > 1e-9:
            yield Guess("no_upstream", i, n / case.g, 1.5)
        yield from _axes(case, i, n)
        yield from _samples(case, i)
        yield from _scales(case, i, n)
        yield from _mixed(case, i, n)


def _axes(case: Case, i: int, n: np.ndarray) -> Iterator[Guess]:
    if n.ndim == 2 and min(n.shape) > 1:
        yield Guess("transposed", i, n.T, 1.8)
        yield Guess("reshaped", i, n.T.reshape(n.shape), 1.2)
    if n.ndim > 2:
        for axes in ((-1, -2), (0, 1), (0, -1)):
            yield Guess("transposed", i, np.swapaxes(n, *axes), 1.1)
            yield Guess("reshaped", i, np.swapaxes(n, *axes).reshape(n.shape), 1.0)
    for axis in range(n.ndim):
        if n.shape[axis] > 1:
            yield Guess("reversed", i, np.flip(n, axis), 0.8)
            yield Guess("shifted", i, np.roll(n, 1, axis), 0.5)
            yield Guess("shifted", i, np.roll(n, -1, axis), 0.5)


def _samples(case: Case, i: int) -> Iterator[Guess]:
    """Gradients of single samples, where the output has a batch axis."""
    count = case.batch
    if not case.g.ndim or case.g.shape[0] != count or count < 2 or i == 0:
        return
    slopes, a = case.slopes[i], case.analytic[i]
    first, last = slopes.of_sample(case.g, 0), slopes.of_sample(case.g, count - 1)
    yield Guess("overwritten", i, last, 1.5)
    yield Guess("first_only", i, first, 1.5)
    yield Guess("last_left_out", i, case.numeric[i] - last)
    yield Guess("first_left_out", i, case.numeric[i] - first)
    if a is not None and a.size == count * last.size:
        stack = np.stack([slopes.of_sample(case.g, sample) for sample in range(count)])
        yield Guess("not_summed", i, stack, 2.0)
        yield Guess("not_summed", i, stack.squeeze(), 2.0)
    if case.x[i].ndim == 1 and case.x[i].shape[0] == case.g.shape[-1]:
        yield Guess("not_summed", i, case.g, 2.0)
        yield Guess("summed_wrong_axis", i, case.g.sum(axis=tuple(range(1, case.g.ndim))), 1.5)


def _scales(case: Case, i: int, n: np.ndarray) -> Iterator[Guess]:
    count = case.batch
    scalar = case.y.size == 1
    if count > 1:
        yield Guess("batch_mean_missing" if scalar else "times_batch", i, n * count, 1.4)
        yield Guess("batch_mean_twice" if scalar else "mean_for_sum", i, n / count, 1.4)
    yield Guess("factor_two", i, 2 * n, 1.3)
    yield Guess("factor_half", i, n / 2, 1.3)
    if case.x and case.x[0].ndim > 1:
        features = case.x[0].size / count
        yield Guess("feature_mean_missing", i, n * features, 1.2)
        yield Guess("feature_mean_twice", i, n / features, 1.2)
        yield Guess("size_mean_missing" if count > 1 else "feature_mean_missing", i, n * case.x[0].size, 1.2)
    a = case.analytic[i]
    if a is not None and a.shape == n.shape:
        known = ~np.isnan(n) & np.isfinite(a)
        size = float((n[known] ** 2).sum())
        if size > 0:
            yield Guess("scaled", i, n * float((a[known] * n[known]).sum() / size), 0.1)


def _mixed(case: Case, i: int, n: np.ndarray) -> Iterator[Guess]:
    for j, other in enumerate(case.numeric):
        if j != i and other.shape == n.shape:
            yield Guess("swapped", i, other, 1.2)
    if case.g.shape == n.shape:
        yield Guess("passed_on", i, case.g, 0.9)
        yield Guess("passed_on_signed", i, -case.g, 0.5)
    a = case.analytic[i]
    if a is not None and a.shape == n.shape:
        yield from _reordered(i, n, a)
    if a is not None and a.shape == n.shape:  # a penalty on this weight, with another factor
        yield from _penalty(case, i, n, a)


def _reordered(i: int, n: np.ndarray, a: np.ndarray) -> Iterator[Guess]:
    """The right numbers in other places."""
    if np.isnan(n).any():
        return
    one, other = np.sort(a, None), np.sort(n, None)
    if n.size > 3 and np.ptp(other) > 0 and np.allclose(one, other, rtol=1e-6, atol=1e-8 * float(np.abs(other).max())):
        yield Guess("reordered", i, a, 0.3)


def _penalty(case: Case, i: int, n: np.ndarray, a: np.ndarray) -> Iterator[Guess]:
    known = ~np.isnan(n) & np.isfinite(a)
    others = [x if j == i else np.zeros_like(x) for j, x in enumerate(case.x)]
    decay = _strength(case, i, others) if len(case.x) > 1 else None
    if decay:
        data = n - decay * case.x[i]
        for name, count in (("batch_mean_missing", case.batch), ("batch_mean_twice", 1 / case.batch)):
            if case.batch > 1:
                yield Guess(name, i, data * count + decay * case.x[i], 0.9)
        if case.labels and len(case.labels[0]) > 1:
            size = len(case.labels[0])
            yield Guess("batch_mean_missing", i, data * size + decay * case.x[i], 0.9)
            yield Guess("batch_mean_twice", i, data / size + decay * case.x[i], 0.9)
        yield Guess("sign", i, decay * case.x[i] - data, 0.9)
        yield Guess("factor_half", i, data / 2 + decay * case.x[i], 0.8)
        yield Guess("factor_two", i, data * 2 + decay * case.x[i], 0.8)
    for cause, term in (("l2", case.x[i]), ("l1", np.sign(case.x[i]))):
        t, gap = term[known], (a - n)[known]
        if not t.size or not (t @ t) or t.size < 3:
            continue
        factor = float(gap @ t) / float(t @ t)
        if cause == "l1":
            yield Guess("l1_term", i, n + factor * term, 0.4)
            continue
        strength = decay
        if strength is None or abs(strength) < 1e-12:
            yield Guess("l2_extra", i, n + factor * term, 0.4)
            continue
        part = -factor / strength
        names = {1.0: "l2_missing", 0.5: "l2_factor", -1.0: "l2_factor", 2.0: "l2_sign"}
        name = next((v for k, v in names.items() if abs(part - k) < 1e-4), "l2_scaled")
        yield Guess(name, i, n + factor * term, 0.6)


def _strength(case: Case, i: int, x: list[np.ndarray]) -> float | None:
    """What multiplies the weight in its own gradient where all others are 0 and the data says nothing about it."""
    flat = x[i].reshape(-1)
    k = int(np.argmax(np.abs(flat)))
    if case.y.size != 1 or not flat[k]:
        return None
    values = []
    for step in (1e-4, -1e-4):
        moved = flat.copy()
        moved[k] += step
        values.append(float(case.evaluate([moved.reshape(x[i].shape) if j == i else v for j, v in enumerate(x)]).sum()))
    return (values[0] - values[1]) / 2e-4 / float(flat[k]) * float(case.g.sum())
