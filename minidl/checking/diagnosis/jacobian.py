"""All derivatives of a function at one point: every output along every input, with noise and kinks.

With the whole Jacobian at hand, the gradient for any upstream gradient is a product: that of one sample, that of
ones, that of a masked output. The hypotheses about a wrong gradient are made of such products.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..finite_differences import EPSILON, SAFETY, STEP, STEP_FLOAT32, rounding_noise
from ..probing import signed

__all__ = ["Came", "Look", "Slopes", "differentiate"]

Evaluate = Callable[[list[np.ndarray]], np.ndarray]  # arrays of all leaves -> the output


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


class Came(NamedTuple):
    """The gradients to judge, one a leaf, None where none of its shape came, and the upstream gradient."""

    gradients: list[np.ndarray | None]
    g: np.ndarray

    def between(self, leaf: int, groups: np.ndarray, low: np.ndarray, high: np.ndarray, noise: np.ndarray) -> Any:
        """For each group of elements that were moved together (none: all), whether all lie within the slopes."""
        a = self.gradients[leaf]
        if a is None:
            return np.zeros(len(low), bool)
        row, parts = self.g.reshape(-1), (len(low), max(1, groups.shape[1]), -1)
        ends = low * row, high * row
        least, most = (f(*ends).reshape(parts).sum(axis=2) for f in (np.minimum, np.maximum))
        reach = np.sqrt(np.square(noise * row).reshape(parts).sum(axis=2))
        values = a.reshape(-1)[groups] if groups.shape[1] else np.full((len(low), 1), a.sum())
        return ((least - reach <= values) & (values <= most + reach)).all(axis=1)


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
        came: what is to be judged: where it lies between the slopes of both sides, two evaluations do.
    """
    rows = Rows(evaluate, x, y, came)
    center = y.reshape(-1)
    rounding = rounding_noise(rows, x, rng) if look is None else 4 * EPSILON * (np.abs(center) + np.abs(center).mean())
    coarse = single or bool(y.size and np.median(rounding) > 1e-9 * np.sqrt(np.mean(center**2)))
    if coarse:  # where the function is flat, no noise shows
        rounding = np.maximum(rounding, 6e-8 * np.abs(center))
    h = STEP_FLOAT32 if coarse else STEP
    brief = look is not None or (came is not None and not coarse)
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
        sides = 1 if look is not None and i in look.affine else 2 if brief and _short(leaf, h) else 4
        slopes = _slopes(rows, i, groups, h, rounding, sides)
        if together:
            slopes = [_apart(part, len(leaf)) for part in slopes]
        ones = _slopes(rows, i, np.arange(leaf.size)[None], h, rounding, sides, alike=True)
        found.append(Slopes(leaf.shape, places, *_concatenated([slopes, ones])))
    return found, coarse


def _short(leaf: np.ndarray, h: float) -> bool:
    """Whether the steps are so short that the slopes of both sides are next to each other where there is no kink."""
    return h * float(np.abs(leaf).max(initial=1)) <= 1e-4


class Rows:
    """The function around one point, all outputs in one row."""

    def __init__(self, evaluate: Evaluate, x: list[np.ndarray], y: np.ndarray, came: Came | None = None):
        self.evaluate, self.x, self.y, self.center, self.came = evaluate, x, y, y.reshape(-1), came

    def __call__(self, arrays: list[np.ndarray]) -> np.ndarray:
        return self.evaluate(arrays).reshape(-1)

    def at(self, i: int, leaf: np.ndarray) -> np.ndarray:
        """The outputs with another value of one leaf."""
        return self([leaf.reshape(a.shape) if j == i else a for j, a in enumerate(self.x)])


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


def _slopes(
    rows: Rows, i: int, groups: np.ndarray, h: float, rounding: np.ndarray, least: int, alike: bool = False
) -> list[np.ndarray]:
    """(low, high, noise) of all outputs, a row for each group of elements that are moved together.

    Args:
        least: to how many points the slopes are taken: 4, 2 where these agree, or 1.
        alike: the group is a whole leaf, in which all elements are moved by one step.
    """
    block = max(1, 500_000 // max(1, rows.center.size))
    parts = []
    for k in range(0, len(groups), block):
        chosen = groups[k : k + block]
        *found, kinked = _sides(rows, i, chosen, h, rounding, least, alike)
        again = np.flatnonzero(kinked.any(axis=1))
        if again.size:  # a kink within the step may lie outside of a smaller one
            *closer, still = _sides(rows, i, chosen[again], h / 64, rounding, 4, alike)
            smooth = kinked[again] & ~still
            for one, other in zip(found, closer, strict=True):
                one[again] = np.where(smooth, other, one[again])
        parts.append(found)
    if not parts:
        return [np.zeros((0, rows.center.size))] * 3
    return parts[0] if len(parts) == 1 else _concatenated(parts)


def _concatenated(parts: list[list[np.ndarray]]) -> list[np.ndarray]:
    """Rows (low, high, noise) one below the other; where low and high are the same array, they stay so."""
    low, noise = (np.concatenate([part[k] for part in parts]) for k in (0, 2))
    same = all(part[0] is part[1] for part in parts)
    return [low, low if same else np.concatenate([part[1] for part in parts]), noise]


def _sides(
    rows: Rows, i: int, groups: np.ndarray, h: float, rounding: np.ndarray, least: int, alike: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    flat, center = rows.x[i].reshape(-1), rows.center
    steps = h * np.maximum(1.0, np.abs(flat[groups]))
    if alike:
        steps[...] = steps.max(initial=h)
    share = center.size // groups.shape[1] if groups.shape[1] > 1 and not alike else 1  # outputs an element

    def quotients(k: float, chosen: np.ndarray) -> np.ndarray:
        found = np.empty((len(chosen), center.size))
        for row, r in zip(found, chosen, strict=True):
            moved = flat.copy()
            moved[groups[r]] += k * steps[r]
            done = moved[groups[r]] - flat[groups[r]]  # what the numbers could represent of the step
            np.subtract(rows.at(i, moved), center, out=row)
            row /= (done[:1] if alike else np.repeat(done, share)) if done.size else h
        return found

    every = np.arange(len(groups))
    lengths = np.repeat(steps[:, :1] if alike else steps, share, axis=1) if steps.shape[1] else np.full((1, 1), h)
    noise = SAFETY * rounding / lengths + EPSILON * np.abs(center)
    on = quotients(1.0, every)
    if least == 1:
        return on, on, noise, np.zeros((len(on), 1), bool)
    back = quotients(-1.0, every)
    low = (on + back) / 2
    high, kinked = low.copy(), np.zeros(low.shape, bool)
    if least == 2 and rows.came is not None:
        ends = np.minimum(on, back), np.maximum(on, back)
        between = rows.came.between(i, groups[:, :0] if alike else groups, *ends, noise)
        between &= (ends[1] - ends[0]).max(axis=1, initial=0) * h <= 1e-3 * np.abs(center).max(initial=1)  # no jump
        low[between], high[between] = ends[0][between], ends[1][between]
        every = np.flatnonzero(~between)
    elif least == 2:
        straight = np.abs(on - back) <= noise + 1e-4 * np.maximum(np.abs(on), np.abs(back))
        every = np.flatnonzero(~straight.all(axis=1))
    if every.size:
        sides = np.stack([on[every], back[every], quotients(0.5, every), quotients(-0.5, every)])
        low[every], high[every], kinked[every] = _judged(sides, noise[every])
    return low, high, noise, kinked


def _judged(sides: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(low, high, whether there is a kink) from the slopes to the four points."""
    on, back, half_on, half_back = sides
    wide, narrow = (on + back) / 2, (half_on + half_back) / 2
    tolerance = noise + 1e-7 * np.abs(sides).max(axis=0)
    # Where the function is smooth, D(h) = D(h/2) up to h^2, and the gap between the sides shrinks with h.
    smooth = (np.abs(wide - narrow) <= tolerance) & (np.abs(on - back - 2 * (half_on - half_back)) <= tolerance)
    best = (4 * narrow - wide) / 3
    if smooth.all():
        return best, best, ~smooth
    ends = 2 * sides[2:] - sides[:2]  # slopes at the point itself, of sides that are curved
    every = np.concatenate([sides, ends])
    low, high = np.where(smooth, best, every.min(axis=0)), np.where(smooth, best, every.max(axis=0))
    doubled = np.abs(sides[2:] - 2 * sides[:2]) <= 0.1 * np.abs(sides[:2]) - tolerance
    jump = ~smooth & (doubled.any(axis=0) | ~np.isfinite(every).all(axis=0))
    return np.where(jump, -np.inf, low), np.where(jump, np.inf, high), ~smooth
