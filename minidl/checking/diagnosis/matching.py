"""Which of the guesses is it? Predictions against what came, within noise, with a margin to the runner-up."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from .case import Case, Guess

__all__ = ["Match", "best_match"]


class Match(NamedTuple):
    """The cause, and how sure it is: 0 to 1."""

    cause: str
    confidence: float


def residual(case: Case, guess: Guess, sample: np.ndarray | None = None) -> float:
    """|came - predicted| / |came|, over the elements that are known; infinite where the shapes differ.

    Args:
        sample: flat indices that are looked at first; where the gap is large there, the rest is not.
    """
    a, p = case.analytic[guess.leaf], guess.prediction
    if a is None:
        return 0.0 if guess.cause == "lost" else np.inf
    if a.shape != p.shape:
        return np.inf
    if sample is not None:
        some, others = a.reshape(-1)[sample], p.reshape(-1)[sample]
        gap = some - others
        if gap @ gap > 1e-4 * max(float(some @ some), float(others @ others)):
            return np.inf
    gap = (a - p).reshape(-1)
    squares = float(gap @ gap)
    if np.isfinite(squares):  # nothing is unknown
        a, p = a.reshape(-1), p.reshape(-1)
        size = max(float(a @ a), float(p @ p))
        return float(np.sqrt(squares / size)) if size else 0.0
    known = ~np.isnan(p)
    if not known.any() or not np.isfinite(a[known]).all() or not np.isfinite(p[known]).all():
        return np.inf
    size = max(float(np.linalg.norm(a[known])), float(np.linalg.norm(p[known])))
    return float(np.linalg.norm((a - p)[known])) / size if size else 0.0


def best_match(case: Case, wrong: list[int], guesses: Iterable[Guess], noise: list[float]) -> Match:
    """The cause that explains most of the wrong gradients; "unknown" where none does.

    Args:
        wrong: the leaves whose gradients are wrong.
        guesses: predictions of all families.
        noise: relative to the gradient's norm, one a leaf.
    """
    truth = {i: residual(case, Guess("right", i, case.numeric[i])) for i in wrong}
    taken = {i: np.flatnonzero(~np.isnan(case.numeric[i])) for i in wrong}
    samples = {i: places for i, places in taken.items() if 0 < len(places) < case.numeric[i].size}
    explained: dict[str, dict[int, float]] = {}
    for guess in guesses:
        i = guess.leaf
        if i not in truth:
            continue
        found = residual(case, guess, samples.get(i))
        # As good as rounding allows, and far better than the right gradient would be.
        if found <= max(3e-6, 5 * noise[i]) and found <= truth[i] / 20:
            leaves = explained.setdefault(guess.cause, {})
            leaves[i] = max(leaves.get(i, 0.0), guess.weight)
    if not explained:
        return Match("unknown", 0.0)

    def rank(cause: str) -> tuple[int, float]:
        return len(explained[cause]), max(explained[cause].values())

    order = sorted(explained, key=rank, reverse=True)
    first = order[0]
    share = len(explained[first]) / len(wrong)
    rivals = [c for c in order[1:] if rank(c)[0] == rank(first)[0]]
    margin = rank(first)[1] - max((rank(c)[1] for c in rivals), default=-1.0)
    if margin <= 0:
        return Match("unknown", 0.0)
    sure = 1.0 if not rivals else 0.9 if margin > 0.2 else 0.7
    return Match(first, round(share * sure, 2))
