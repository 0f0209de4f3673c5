"""One gradient at one point, probed element by element and along directions."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .finite_differences import (
    EPSILON,
    STEP,
    STEP_FLOAT32,
    Arrays,
    Differences,
    Function,
    rounding_noise,
    taylor_slope,
)
from .report import InputResult, Probe

__all__ = ["Probing", "signed"]

Gradient = Callable[[Arrays, np.ndarray], list[Any]]  # point, weights of the outputs -> one gradient an input, or None
Probes = list[tuple[Probe, int]]  # with the number of kinks that each met


class Probing:
    """The gradient of a function at one point, with a random signed upstream gradient, against differences.

    Args:
        function: arrays of all inputs -> all outputs in one row.
        gradient: what is to be checked.
        x: the point.
        rng, rtol, elements: as in ``gradcheck``.
        judged: the function whose gradient it is, where differences are taken of a twin.
        size: of the numbers that the function computes with; its rounding noise is at least the last digit of these.
    """

    def __init__(
        self,
        function: Function,
        gradient: Gradient,
        x: Arrays,
        rng: np.random.Generator,
        rtol: float,
        elements: int,
        judged: Function | None = None,
        size: float = 0.0,
    ):
        self.rng, self.rtol, self.limit = rng, rtol, elements
        weights = signed(rng, function(x).shape)
        rounding = np.maximum(rounding_noise(function, x, rng), EPSILON * size)
        step = STEP_FLOAT32 if _is_float32(function(x), rounding) else STEP
        self.differences = Differences(function, x, weights, rounding, step)
        self.analytic = gradient(x, weights)
        # The gradient's own rounding: how far it moves when its inputs move by one unit in the last place of float32.
        self.spread = [np.zeros_like(a) for a in x]
        own = rounding if judged is None else rounding_noise(judged, x, rng)
        if _is_float32((judged or function)(x), own):
            for _ in range(3):
                near = gradient([a * (1 + 6e-8 * signs(rng, a.shape)) for a in x], weights)
                for spread, g, other in zip(self.spread, self.analytic, near, strict=True):
                    if g is not None and other is not None:
                        np.maximum(spread, 4 * np.abs(g - other) + 4e-7 * np.abs(g).max(initial=0), out=spread)

    def results(self, names: list[str]) -> list[InputResult]:
        """One result for each input, and one for all together."""
        x = self.differences.x
        found = [self._input(i, name) for i, name in enumerate(names)]
        if len(x) > 1:
            together = [
                self._probe(f"all inputs, {kind}", [values(a.shape) for a in x])
                for kind, values in (("same step", np.ones), ("random signs", lambda shape: signs(self.rng, shape)))
            ]
            found.append(self._result("all together", (), [], together, range(len(x))))
        return found

    def _input(self, i: int, name: str) -> InputResult:
        a = self.differences.x[i]
        every = a.size <= self.limit
        chosen = range(a.size) if every else sorted(self.rng.choice(a.size, min(64, self.limit), replace=False))
        places = [tuple(int(k) for k in np.unravel_index(flat, a.shape)) for flat in chosen]
        elements = [self._probe(place, self._only(i, _unit(a.shape, place)), i) for place in places]
        directions = [
            self._probe(kind, self._only(i, direction)) for kind, direction in _directions(a.shape, self.rng, not every)
        ]
        return self._result(name, a.shape, elements, directions, [i])

    def _result(
        self, name: str, shape: tuple[int, ...], elements: Probes, directions: Probes, moved: Any
    ) -> InputResult:
        kinks = sum(kinks > 0 for _, kinks in elements + directions)
        lost = any(self.analytic[i] is None for i in moved)
        note = "no gradient arrives here, although f depends on it" if lost else ""
        slope = self._taylor(moved)
        return InputResult(name, shape, [p for p, _ in elements], [p for p, _ in directions], kinks, slope, note)

    def _only(self, i: int, direction: np.ndarray) -> Arrays:
        return [direction if j == i else np.zeros_like(a) for j, a in enumerate(self.differences.x)]

    def _probe(self, place: Any, direction: Arrays, element_of: int | None = None) -> tuple[Probe, int]:
        slope = self.differences.slope(direction)
        parts = _products(self.analytic, slope.moves)
        analytic = sum(float(part.sum()) for part in parts)
        noise = slope.noise + _norm(_products(self.spread, slope.moves))
        numeric, low, high = slope.nearest(analytic), slope.low, slope.high
        # Along a direction, terms of both signs cancel; the error is judged against their size.
        size = _norm(parts)
        if element_of is not None:  # in units of x itself
            move = abs(float(slope.moves[element_of][place]))
            analytic, numeric, low, high, noise, size = (v / move for v in (analytic, numeric, low, high, noise, size))
        tolerance = noise + self.rtol * max(size, abs(numeric))
        return Probe(place, analytic, numeric, low, high, float(noise), float(tolerance)), slope.kinks

    def _taylor(self, moved: Any) -> float:
        x, scales = self.differences.x, self.differences.scales
        count = max(1, sum(x[i].size for i in moved))
        direction = [signs(self.rng, a.shape) / count**0.5 * (i in moved) for i, a in enumerate(x)]
        moves = [d * scale for d, scale in zip(direction, scales, strict=True)]
        predicted = sum(float(part.sum()) for part in _products(self.analytic, moves))
        return taylor_slope(self.differences, moves, predicted)


def _directions(shape: tuple[int, ...], rng: np.random.Generator, many: bool) -> Iterator[tuple[str, np.ndarray]]:
    """(name, direction): moving all elements alike keeps ties tied, so a tie that loses gradient shows."""
    yield "the same step everywhere", np.ones(shape)
    for k in range(5 if many else 1):
        yield f"random signs {k + 1}", signs(rng, shape)
    if not many:
        return
    at_end = np.zeros(shape, int)
    for axis, extent in enumerate(shape):
        place = np.arange(extent).reshape([-1 if i == axis else 1 for i in range(len(shape))])
        at_end += (place == 0) | (place == extent - 1)
        for k in {0, extent - 1, int(rng.integers(extent))}:
            yield f"index {k} of axis {axis}", signs(rng, shape) * (place == k)
    yield "the corners", signs(rng, shape) * (at_end == len(shape))


def signs(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Random -1 and 1."""
    return rng.choice([-1.0, 1.0], shape)


def signed(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Random numbers of both signs, none near 0 (ones would hide most mistakes)."""
    found: np.ndarray = 2 * rng.random(shape)
    found -= 1
    found += np.copysign(0.5, found)
    return found


def _unit(shape: tuple[int, ...], place: tuple[int, ...]) -> np.ndarray:
    found = np.zeros(shape)
    found[place] = 1
    return found


def _products(parts: list[Any], moves: Arrays) -> Arrays:
    return [np.zeros_like(m) if g is None else g * m for g, m in zip(parts, moves, strict=True)]


def _norm(parts: Arrays) -> float:
    return float(np.sqrt(sum(np.sum(part**2) for part in parts)))


def _is_float32(y: np.ndarray, rounding: np.ndarray) -> bool:
    """Whether the noise is more than float64 explains."""
    return bool(y.size and np.median(rounding) > 1e-9 * np.sqrt(np.mean(y**2)))
