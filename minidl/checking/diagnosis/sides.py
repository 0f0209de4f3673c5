"""Slopes of all outputs along groups of elements, from the values at both sides, with noise and kinks."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..finite_differences import EPSILON, SAFETY

__all__ = ["Came", "Evaluate", "Rows", "concatenated", "slopes"]

Evaluate = Callable[[list[np.ndarray]], np.ndarray]  # arrays of all leaves -> the output


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


class Rows:
    """The function around one point, all outputs in one row; ``rounding``: the noise of each."""

    def __init__(self, evaluate: Evaluate, x: list[np.ndarray], y: np.ndarray, came: Came | None = None):
        self.evaluate, self.x, self.y, self.center, self.came = evaluate, x, y, y.reshape(-1), came
        self.rounding = np.zeros(y.size)

    def __call__(self, arrays: list[np.ndarray]) -> np.ndarray:
        return self.evaluate(arrays).reshape(-1)

    def at(self, i: int, leaf: np.ndarray) -> np.ndarray:
        """The outputs with another value of one leaf."""
        return self([leaf.reshape(a.shape) if j == i else a for j, a in enumerate(self.x)])


def slopes(rows: Rows, i: int, groups: np.ndarray, h: float, least: int, alike: bool = False) -> list[np.ndarray]:
    """(low, high, noise) of all outputs, a row for each group of elements that are moved together.

    Args:
        least: to how many points the slopes are taken: 4, 2 where these agree, or 1.
        alike: the group is a whole leaf, in which all elements are moved by one step.
    """
    block = max(1, 500_000 // max(1, rows.center.size))
    parts = []
    for k in range(0, len(groups), block):
        chosen = groups[k : k + block]
        *found, kinked = _sides(rows, i, chosen, h, least, alike)
        again = np.flatnonzero(kinked.any(axis=1))
        if again.size:  # a kink within the step may lie outside of a smaller one
            *closer, still = _sides(rows, i, chosen[again], h / 64, 4, alike)
            smooth = kinked[again] & ~still
            for one, other in zip(found, closer, strict=True):
                one[again] = np.where(smooth, other, one[again])
        parts.append(found)
    if not parts:
        return [np.zeros((0, rows.center.size))] * 3
    return parts[0] if len(parts) == 1 else concatenated(parts)


def concatenated(parts: list[list[np.ndarray]]) -> list[np.ndarray]:
    """Rows (low, high, noise) one below the other; where low and high are the same array, they stay so."""
    low, noise = (np.concatenate([part[k] for part in parts]) for k in (0, 2))
    same = all(part[0] is part[1] for part in parts)
    return [low, low if same else np.concatenate([part[1] for part in parts]), noise]


def _sides(
    rows: Rows, i: int, groups: np.ndarray, h: float, least: int, alike: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(low, high, noise, whether there is a kink) with one length of the steps."""
    center = rows.center
    steps = h * np.maximum(1.0, np.abs(rows.x[i].reshape(-1)[groups]))
    if alike:
        steps[...] = steps.max(initial=h)

    def quotients(k: float, chosen: np.ndarray) -> np.ndarray:
        return _quotients(rows, i, groups[chosen], k * steps[chosen], alike)

    every = np.arange(len(groups))
    noise = SAFETY * rows.rounding / _spread(steps, center.size, alike) + EPSILON * np.abs(center)
    on = quotients(1.0, every)
    if least == 1:
        return on, on, noise, np.zeros((len(on), 1), bool)
    back = quotients(-1.0, every)
    low = (on + back) / 2
    high, kinked = low.copy(), np.zeros(low.shape, bool)
    if least == 2 and rows.came is not None:
        # Where there is no kink, the slopes of sides that are long differ by more than what is tolerated.
        ends = (np.minimum(on, back), np.maximum(on, back)) if steps.max(initial=h) <= 1e-4 else (low, low)
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


def _quotients(rows: Rows, i: int, groups: np.ndarray, steps: np.ndarray, alike: bool) -> np.ndarray:
    flat, found = rows.x[i].reshape(-1), np.empty((len(groups), rows.center.size))
    for row, group, step in zip(found, groups, steps, strict=True):
        moved = flat.copy()
        moved[group] += step
        done = moved[group] - flat[group]  # what the numbers could represent of the step
        np.subtract(rows.at(i, moved), rows.center, out=row)
        row /= _spread(done, rows.center.size, alike)
    return found


def _spread(steps: np.ndarray, outputs: int, alike: bool) -> np.ndarray:
    """The step that belongs to each output; the last axis is that of elements, each with as many of the outputs."""
    if not steps.shape[-1]:
        return np.ones(1)
    if alike or steps.shape[-1] == 1:
        return steps[..., :1]
    return np.repeat(steps, outputs // steps.shape[-1], axis=-1)


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
