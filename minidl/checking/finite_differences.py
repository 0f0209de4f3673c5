"""Slopes by differences, with the noise they carry and the kinks they meet.

A slope is taken from the values at -h, -h/2, 0, h/2 and h: the two central differences, and one Richardson step from
them, (4 D(h/2) - D(h)) / 3, whose error is of order h^4. At a kink (ReLU at 0, a tie of max pooling) there is no
slope, only an interval between the slopes of its two sides; any number in it is a right gradient.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Differences", "Slope", "rounding_noise", "taylor_slope"]

Arrays = list[np.ndarray]
Function = Callable[[Arrays], np.ndarray]  # the arrays of all inputs -> all outputs in one row

EPSILON = float(np.finfo("float64").eps)
STEP = EPSILON ** (1 / 3)  # 6e-6: where the truncation error equals the rounding error
STEP_FLOAT32 = float(np.finfo("float32").eps) ** (1 / 3)  # 5e-3
SAFETY = 20.0  # standard deviations of rounding noise: no false alarm in millions of slopes


class Slope(NamedTuple):
    """A derivative along a direction: a number (low = high), or at a kink an interval."""

    low: float
    high: float
    noise: float  # how far rounding may have moved it
    kinks: int  # how many outputs have a kink here
    moves: Arrays  # the direction that it belongs to: what the numbers could represent of the step, divided by h

    def nearest(self, value: float) -> float:
        """What of the interval lies nearest to ``value``."""
        return float(np.clip(value, self.low, self.high))


class Differences:
    """Slopes of the weighted sum of a function's outputs around one point.

    Args:
        function: arrays of all inputs -> all outputs in one row.
        x: the point.
        weights: one for each output.
        rounding: the rounding noise of each output (``rounding_noise``).
        step: relative step; default: for a function that computes in float64.
    """

    def __init__(self, function: Function, x: Arrays, weights: np.ndarray, rounding: np.ndarray, step: float = STEP):
        self.function, self.x, self.weights, self.rounding, self.step = function, x, weights, rounding, step
        self.center = function(x)
        self.scales = [np.maximum(1.0, np.abs(a)) for a in x]
        self.size = float(np.linalg.norm(weights * self.center))
        self.typical_rounding = float(np.median(np.abs(weights) * rounding)) if weights.size else 0.0

    def slope(self, direction: Arrays) -> Slope:
        """The derivative along ``direction``, which is given in units of max(1, |x|)."""
        found = self._slope(direction, self.step)
        if found.kinks:  # a kink within the step may lie outside of a smaller one
            closer = self._slope(direction, self.step / 64)
            reach = found.noise + closer.noise
            inside = found.low - reach <= closer.low and closer.high <= found.high + reach
            if closer.kinks < found.kinks:
                if inside:
                    return closer
                # Two steps, two answers: noise, or a step that is too long or too short for x. Both count.
                return found._replace(low=min(found.low, closer.low), high=max(found.high, closer.high))
        return found

    def _slope(self, direction: Arrays, h: float) -> Slope:
        steps = [(a + h * d * scale) - a for a, d, scale in zip(self.x, direction, self.scales, strict=True)]
        points = [[a + k * s for a, s in zip(self.x, steps, strict=True)] for k in (1, -1, 0.5, -0.5)]
        changes = np.stack([self.function(point) - self.center for point in points])
        changed = np.flatnonzero((changes != 0).any(axis=0))
        sides = changes[:, changed] / np.array([[h], [-h], [h / 2], [-h / 2]])  # the slopes to the four points
        weights, rounding = self.weights[changed], self.rounding[changed]
        low, high, kinks = _sums(sides, weights, SAFETY * rounding / h)
        # An output that did not change may have changed by less than it can show: hence the median. And what lies below
        # the last digit of the function itself cannot be told from 0.
        noise = SAFETY * max(float(np.linalg.norm(weights * rounding)), self.typical_rounding) / h + EPSILON * self.size
        return Slope(low, high, noise, kinks, [s / h for s in steps])


def _sums(sides: np.ndarray, weights: np.ndarray, noise: np.ndarray) -> tuple[float, float, int]:
    """The interval of the weighted sum of slopes, how many meet a kink; rows: on, back, half on, half back."""
    on, back, half_on, half_back = sides
    wide, narrow = (on + back) / 2, (half_on + half_back) / 2
    # Where the function is smooth, D(h) = D(h/2) up to h^2, and the gap between the sides shrinks with h.
    tolerance = noise + 1e-7 * np.abs(sides).max(axis=0)
    kinked = ~((np.abs(wide - narrow) <= tolerance) & (np.abs(on - back - 2 * (half_on - half_back)) <= tolerance))
    # At a kink the sides may be curved: their slopes at the point itself, where the two steps nearly agree on them.
    bent = np.abs(sides[2:] - sides[:2]) <= 1e-3 * np.abs(sides[2:])
    ends = np.where(bent, 2 * sides[2:] - sides[:2], sides[2:])
    products = np.where(kinked, weights * np.concatenate([sides, ends]), weights * (4 * narrow - wide) / 3)
    low, high = products.min(axis=0), products.max(axis=0)
    # A jump (the gradient of ReLU at 0) has no slope at all: half the step gives twice the quotient.
    doubled = np.abs(sides[2:] - 2 * sides[:2]) <= 0.1 * np.abs(sides[:2]) - tolerance
    jumps = kinked & (doubled.any(axis=0) | ~np.isfinite(sides).all(axis=0))
    low[jumps], high[jumps] = -np.inf, np.inf
    return float(low.sum()), float(high.sum()), int(kinked.sum())


def rounding_noise(function: Function, x: Arrays, rng: np.random.Generator) -> np.ndarray:
    """The standard deviation of the rounding error of each output, measured (Moré and Wild 2011).

    Fourth differences of values at tiny equal steps vanish for a smooth function; what is left is noise. They are taken
    beside ``x`` and to one side, where no ties and zeros are crossed, and three times, as a step that happens to be a
    whole number of the function's last digits would show none.
    """
    variances, sizes = [], np.zeros(0)
    for _ in range(3):
        beside = [a * (1 + 0.01 * rng.uniform(-1, 1, a.shape)) for a in x]
        steps = [rng.uniform(0.01, 0.03) * rng.choice([-STEP, STEP], a.shape) * np.maximum(1.0, np.abs(a)) for a in x]
        points = [[a + k * s for a, s in zip(beside, steps, strict=True)] for k in range(1, 11)]
        values = np.stack([function(point) for point in points])
        with np.errstate(all="ignore"):
            variances.append(np.mean(np.diff(values, n=4, axis=0) ** 2, axis=0) / 70)
        sizes = np.nan_to_num(np.abs(values).max(axis=0), posinf=0.0)
    noise = np.sqrt(np.nan_to_num(np.max(variances, axis=0), posinf=0.0))
    typical = float(np.median(noise)) if noise.size else 0.0
    found: np.ndarray = np.maximum(2 * np.maximum(noise, typical), EPSILON * sizes)
    return found


def taylor_slope(differences: Differences, moves: Arrays, predicted: float) -> float:
    """The order of the remainder |f(x + t m) - f(x) - t * predicted| in t: 2 for a right gradient, 1 for a wrong one.

    It needs no tolerance. NaN where there is no remainder: the function is linear there and the gradient right.
    """
    times, remainders = 2.0 ** -np.arange(3, 15), []
    for t in times:
        y = differences.function([a + t * m for a, m in zip(differences.x, moves, strict=True)])
        remainders.append(abs(float(differences.weights @ (y - differences.center)) - t * predicted))
    noise = 100 * float(np.linalg.norm(differences.weights * differences.rounding))
    clear = np.flatnonzero(np.isfinite(remainders) & (np.array(remainders) > noise))[-6:]  # the smallest times
    if len(clear) < 3:
        return float("nan")
    return float(np.polyfit(np.log(times[clear]), np.log(np.array(remainders)[clear]), 1)[0])
