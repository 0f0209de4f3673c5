"""All derivatives of a function at one point: every output along every input, with noise and kinks.

With the whole Jacobian at hand, the gradient for any upstream gradient is a product: that of one sample, that of
ones, that of a masked output. The hypotheses about a wrong gradient are made of such products.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..finite_differences import EPSILON, SAFETY, STEP, STEP_FLOAT32, rounding_noise

__all__ = ["Slopes", "differentiate"]

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

    @property
    def whole(self) -> bool:
        """Whether every element was moved."""
        return len(self.places) == int(np.prod(self.shape))

    def product(self, g: np.ndarray) -> np.ndarray:
        """The gradient for the upstream gradient ``g``, in the leaf's shape; NaN where it was not taken."""
        flat = np.full(int(np.prod(self.shape)), np.nan)
        with np.errstate(all="ignore"):
            middle = (self.low + self.high) / 2
        flat[self.places] = np.nan_to_num(middle[: len(self.places)], posinf=0, neginf=0) @ g.reshape(-1)
        return flat.reshape(self.shape)

    def interval(self, g: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(low, high, noise) of the products with ``g``; the last row is that of moving all elements alike."""
        row = g.reshape(-1)
        with np.errstate(invalid="ignore"):
            a, b = self.low * row, self.high * row
        low, high = np.fmin(a, b).sum(axis=1), np.fmax(a, b).sum(axis=1)
        return low, high, np.sqrt(((self.noise * row) ** 2).sum(axis=1))


def differentiate(
    evaluate: Evaluate, x: list[np.ndarray], rng: np.random.Generator, most: int = 400, single: bool = False
) -> tuple[np.ndarray, list[Slopes], bool]:
    """The output at ``x``, the slopes along each leaf, and whether the function computes in float32.

    Args:
        evaluate: the function; called about four times for each element.
        x: float64 arrays, one a leaf.
        rng: chooses the elements of large leaves, and the steps that measure noise.
        single: it is known already to compute in float32.
        most: elements of one leaf that are moved; of a larger leaf, 64 random ones.
    """
    y = evaluate(x)

    def row(arrays: list[np.ndarray]) -> np.ndarray:
        return evaluate(arrays).reshape(-1)

    rounding = rounding_noise(row, x, rng)
    center = y.reshape(-1)
    coarse = single or bool(y.size and np.median(rounding) > 1e-9 * np.sqrt(np.mean(center**2)))
    if coarse:  # where the function is flat, no noise shows
        rounding = np.maximum(rounding, 6e-8 * np.abs(center))
    h = STEP_FLOAT32 if coarse else STEP
    found = []
    for i, leaf in enumerate(x):
        count = leaf.size
        places = np.arange(count) if count <= most else np.sort(rng.choice(count, 64, replace=False))
        rows = [_row(row, x, center, i, place, h, rounding) for place in [*places.tolist(), None]]
        low, high, noise = (np.stack(part) for part in zip(*rows, strict=True))
        found.append(Slopes(leaf.shape, places, low, high, noise))
    return y, found, coarse


def _row(
    row: Evaluate, x: list[np.ndarray], center: np.ndarray, i: int, place: int | None, h: float, rounding: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slopes of all outputs for one moved element (None: all elements of the leaf alike)."""
    low, high, noise, kinked = _sides(row, x, center, i, place, h, rounding)
    if kinked.any():  # a kink within the step may lie outside of a smaller one
        closer = _sides(row, x, center, i, place, h / 64, rounding)
        smooth = kinked & ~closer[3]
        low, high = np.where(smooth, closer[0], low), np.where(smooth, closer[1], high)
        noise = np.where(smooth, closer[2], noise)
    return low, high, noise


def _sides(
    row: Evaluate, x: list[np.ndarray], center: np.ndarray, i: int, place: int | None, h: float, rounding: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    leaf = x[i]
    chosen = slice(None) if place is None else slice(place, place + 1)
    step = h * max(1.0, float(np.abs(leaf.reshape(-1)[chosen]).max(initial=0)))
    sides = []
    for k in (1.0, -1.0, 0.5, -0.5):
        moved = leaf.copy().reshape(-1)
        before = moved[chosen].copy()
        moved[chosen] += k * step
        done = float((moved[chosen] - before)[0]) if before.size else step
        y = row([moved.reshape(leaf.shape) if j == i else a for j, a in enumerate(x)])
        sides.append((y - center) / done)
    on, back, half_on, half_back = sides
    wide, narrow = (on + back) / 2, (half_on + half_back) / 2
    every = np.stack(sides)
    noise = SAFETY * rounding / step + EPSILON * np.abs(center)
    size = np.abs(every).max(axis=0)
    tolerance = noise + 1e-7 * size
    # Where the function is smooth, D(h) = D(h/2) up to h^2, and the gap between the sides shrinks with h.
    smooth = (np.abs(wide - narrow) <= tolerance) & (np.abs(on - back - 2 * (half_on - half_back)) <= tolerance)
    best = (4 * narrow - wide) / 3
    ends = 2 * every[2:] - every[:2]  # slopes at the point itself, of sides that are curved
    every = np.concatenate([every, ends])
    low, high = np.where(smooth, best, every.min(axis=0)), np.where(smooth, best, every.max(axis=0))
    doubled = np.abs(every[2:4] - 2 * every[:2]) <= 0.1 * np.abs(every[:2]) - tolerance
    jump = ~smooth & (doubled.any(axis=0) | ~np.isfinite(every).all(axis=0))
    return np.where(jump, -np.inf, low), np.where(jump, np.inf, high), noise, ~smooth
