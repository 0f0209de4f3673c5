"""All derivatives of a function at one point: every output along every input, with noise and kinks.

With the whole Jacobian at hand, the gradient for any upstream gradient is a product: that of one sample, that of
ones, that of a masked output. The hypotheses about a wrong gradient are made of such products.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..finite_differences import EPSILON, STEP, STEP_FLOAT32, rounding_noise
from ..probing import signed
from .sides import Came, Evaluate, Rows, concatenated, slopes

__all__ = ["Look", "Slopes", "differentiate"]


@dataclass
class Slopes:
    """The derivatives of all outputs along one leaf.

    Attributes:
        places: the flat indices that were moved (all of them where the leaf is small), then the row of ones.
        low, high: intervals, of shape (places, outputs); they differ at kinks.
        noise: how far rounding may have moved each.
    """

    shape: tuple[int, ...]
    places: np.ndarray
    low: np.ndarray
    high: np.ndarray
    noise: np.ndarray

    @classmethod
    def none(cls, shape: tuple[int, ...], outputs: int) -> "Slopes":
        """No element was moved."""
        nothing = np.zeros((0, outputs))
        return cls(shape, np.zeros(0, int), nothing, nothing, nothing)

    @property
    def taken(self) -> bool:
        """Whether anything was moved."""
        return len(self.low) > 0

    def product(self, g: np.ndarray) -> np.ndarray:
        """The gradient for the upstream gradient ``g``, in the leaf's shape; NaN where it was not taken."""
        return self._filled(self._middle @ g.reshape(-1))

    def of_sample(self, g: np.ndarray, sample: int) -> np.ndarray:
        """The product with one sample of ``g``, which has a batch axis, and zeros for the others."""
        part = self._middle.reshape(len(self._middle), len(g), -1)[:, sample]
        return self._filled(part @ g[sample].reshape(-1))

    def _filled(self, values: np.ndarray) -> np.ndarray:
        flat = np.full(int(np.prod(self.shape)), np.nan)
        flat[self.places] = values
        return flat.reshape(self.shape)

    @cached_property
    def _smooth(self) -> bool:
        return self.low is self.high or bool((self.low == self.high).all())

    @cached_property
    def _middle(self) -> np.ndarray:
        """Between both ends, without the row of ones."""
        low, high = self.low[: len(self.places)], self.high[: len(self.places)]
        if self._smooth and np.isfinite(low.sum()):
            return low
        with np.errstate(all="ignore"):
            found: np.ndarray = np.nan_to_num((low + high) / 2, posinf=0, neginf=0)
        return found

    def interval(self, g: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(low, high, noise) of the products with ``g``; the last row is that of moving all elements alike."""
        row = g.reshape(-1)
        noise = np.sqrt(np.square(self.noise) @ np.square(row))
        with np.errstate(invalid="ignore"):
            if self._smooth:
                return self.low @ row, self.low @ row, noise
            a, b = self.low * row, self.high * row
        return np.fmin(a, b).sum(axis=1), np.fmax(a, b).sum(axis=1), noise


@dataclass
class Look:
    """What a few directions tell.

    Attributes:
        verdict: "right", "wrong", or "unclear" where only the elements can tell.
        settled: of a wrong one: the leaves whose gradients are right.
        affine: the leaves in which all outputs are affine.
    """

    verdict: str
    settled: set[int] = field(default_factory=set)
    affine: set[int] = field(default_factory=set)


def differentiate(
    evaluate: Evaluate,
    x: list[np.ndarray],
    y: np.ndarray,
    rng: np.random.Generator,
    most: int = 400,
    single: bool = False,
    look: Look | None = None,
    came: Came | None = None,
) -> tuple[list[Slopes], bool]:
    """The slopes along each leaf, and whether the function computes in float32.

    Args:
        evaluate: the function; called about four times for each element, for each of a sample where samples are
            independent of each other.
        x: float64 arrays, one a leaf.
        y: the output there.
        rng: chooses the elements of large leaves, and the steps that measure noise.
        single: it is known already to compute in float32.
        most: elements of one leaf that are moved; of a larger leaf, up to 64 random ones.
        look: what random directions told of it, where it was smooth along them and computes in float64. Settled leaves
            are left out, one evaluation does for a leaf in which it is affine, two where both sides agree.
        came: what is to be judged: where it is the slope of both sides, or between them, two evaluations do.
    """
    rows = Rows(evaluate, x, y, came)
    center = y.reshape(-1)
    rounding = rounding_noise(rows, x, rng) if look is None else 4 * EPSILON * (np.abs(center) + np.abs(center).mean())
    size = float(np.sqrt(np.mean(center**2))) if y.size else 0.0
    # Where all is 0, noise is that of the values beside, which are of the size of a step.
    coarse = single or bool(y.size and np.median(rounding) > 1e-9 * (size or STEP))
    if coarse:  # where the function is flat, no noise shows
        rounding = np.maximum(rounding, 6e-8 * np.abs(center))
    rows.rounding = rounding
    h = STEP_FLOAT32 if coarse else STEP
    found = []
    for i, leaf in enumerate(x):
        # To name a cause, some elements of a leaf do; a verdict that only the elements can give asks for all.
        whole = leaf.size <= most and (look is None or leaf.size * center.size <= 1_000_000)
        if look is not None and i in look.settled:
            found.append(Slopes.none(leaf.shape, center.size))
            continue
        few = 64 if look is None else max(16, min(64, 60_000 // center.size))
        places = np.arange(leaf.size) if whole else np.sort(rng.choice(leaf.size, min(few, leaf.size), replace=False))
        together = i == 0 and whole and _independent(rows, h, rng)
        groups = places.reshape(len(leaf), -1).T if together else places[:, None]
        sides = 4 if look is None and came is None else 1 if look is not None and i in look.affine else 2
        each = slopes(rows, i, groups, h, sides)
        if together:
            each = [_apart(part, len(leaf)) for part in each]
        ones = slopes(rows, i, np.arange(leaf.size)[None], h, sides, alike=True)
        found.append(Slopes(leaf.shape, places, *concatenated([each, ones])))
    return found, coarse


def _independent(rows: Rows, h: float, rng: np.random.Generator) -> bool:
    """Whether each sample of the first leaf moves its own part of the output alone.

    Then one element of every sample can be moved at once. All elements of a sample are moved, to both sides, as a tie
    with another sample would hide the one or the other.
    """
    leaf, y = rows.x[0], rows.y
    count = len(leaf) if leaf.ndim else 0
    if count < 2 or not y.ndim or len(y) != count or (count - 1) * leaf.size < 2 * count**2:
        return False
    moves = h * signed(rng, leaf.shape) * np.maximum(1.0, np.abs(leaf))
    for sample in range(count):
        for sign in (1, -1):
            moved = leaf.copy()
            moved[sample] += sign * moves[sample]
            same = (rows.at(0, moved) == rows.center).reshape(count, -1).all(axis=1)
            same[sample] = True
            if not same.all():
                return False
    return True


def _apart(of_all: np.ndarray, count: int) -> np.ndarray:
    """Of rows where all samples were moved at once: a row for each sample, 0 at the outputs of the others."""
    found = np.zeros((count, len(of_all), *of_all.reshape(len(of_all), count, -1).shape[1:]))
    for sample in range(count):
        found[sample, :, sample] = of_all.reshape(len(of_all), count, -1)[:, sample]
    return found.reshape(count * len(of_all), -1)
