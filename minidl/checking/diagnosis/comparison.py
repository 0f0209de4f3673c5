"""One point: which gradients are wrong there, and by how much."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .adapters import Checked
from .case import Case

__all__ = ["Comparison", "compare"]

FLOAT32 = 2.0**-21  # what a cache of float32 leaves of the smallest elements, beside the largest; no slip is as small


@dataclass
class Comparison:
    """What was found at one point.

    Attributes:
        where: "given", "ties" or "large".
        wrong: the leaves whose gradients are wrong; ``noise``: relative noise of each leaf's gradient.
        bad: for each wrong leaf, which elements are off (in the leaf's shape).
        rounding: noise of each leaf's numeric gradient, elementwise.
        cause: where it is known already; ``coarse``: whether the function computes in float32.
    """

    case: Case
    where: str
    wrong: list[int] = field(default_factory=list)
    noise: list[float] = field(default_factory=list)
    bad: dict[int, np.ndarray] = field(default_factory=dict)
    rounding: list[np.ndarray] = field(default_factory=list)
    cause: str = ""
    coarse: bool = False

    @property
    def ok(self) -> bool:
        return not self.wrong and not self.cause

    @classmethod
    def not_finite(cls, checked: Checked, x: list[np.ndarray], y: np.ndarray) -> "Comparison":
        """The forward itself gives no number at the inputs that were given."""
        nothing = [np.full(a.shape, np.nan) for a in x]
        case = Case(checked.args, checked.names, x, y, y, [], nothing, list(nothing), len(x), checked.evaluate)
        return cls(case, "given", cause="forward_not_finite")


def compare(
    checked: Checked, case: Case, where: str, rtol: float, coarse: bool, base: "Comparison | None" = None
) -> Comparison:
    """Set what came beside the differences; at large inputs, what is next to nothing is judged by ``base``."""
    found = Comparison(case, where, coarse=coarse)
    spread: list[np.ndarray] | None = None
    for i, slopes in enumerate(case.slopes):
        if not slopes.taken:
            found.noise.append(0.0)
            found.rounding.append(np.zeros(slopes.shape))
            continue
        low, high, noise = slopes.interval(case.g)
        n, a = case.numeric[i], case.analytic[i]
        largest = float(np.nan_to_num(np.abs(n)).max(initial=0))
        if base is not None and where == "large":  # 1 - y of a saturated sigmoid is all rounding, in float32
            noise = noise + 1e-5 * float(np.nan_to_num(np.abs(base.case.numeric[i])).max(initial=0))
            if coarse:  # one step for all is one for 1000, in float32: too long where a sigmoid is not saturated
                noise[-1] = np.inf
        found.noise.append(float(np.linalg.norm(noise[:-1])) / (float(np.linalg.norm(np.nan_to_num(n))) or 1.0))
        if a is None and checked.unasked(i):
            found.rounding.append(np.zeros(n.shape))
            continue
        if a is None:
            a = np.zeros(n.shape)
        elif a.shape != n.shape and a.size == n.size and _squeezed(a) == _squeezed(n):
            a = case.analytic[i] = a.reshape(n.shape)  # (1, D) for (D,) is a matter of style
        if a.shape != n.shape:
            found.wrong.append(i)
            found.bad[i] = np.ones(n.shape, bool)
            found.rounding.append(np.zeros(n.shape))
            continue
        bad = _off(a, slopes.places, low, high, noise, rtol, largest)
        if bad.any():
            gap = np.linalg.norm(np.nan_to_num(a - n)) / (np.linalg.norm(np.nan_to_num(n)) or 1.0)
            if gap < 1e-2:  # so near that float32 within the backward may explain it
                spread = _spread(checked, case) if spread is None else spread
                extra = spread[i].reshape(-1)[slopes.places]
                noise = noise + np.append(extra, extra.sum())
                bad = _off(a, slopes.places, low, high, noise, rtol, largest)
        if bad.any():
            found.wrong.append(i)
            off = np.zeros(n.size, bool)
            off[slopes.places] = bad[:-1]
            # Only moving all alike shows it: elements that share a tie.
            found.bad[i] = off.reshape(n.shape) if off.any() else np.ones(n.shape, bool)
        every = np.full(n.size, np.inf)
        every[slopes.places] = noise[:-1]
        found.rounding.append(every.reshape(n.shape))
    return found


def _off(
    a: np.ndarray, places: np.ndarray, low: np.ndarray, high: np.ndarray, noise: np.ndarray, rtol: float, largest: float
) -> np.ndarray:
    chosen = a.reshape(-1)[places]
    if len(places) == a.size:
        values = np.append(chosen, chosen.sum())
    else:  # the row of ones needs them all, and has them
        values = np.append(chosen, a.sum())
    nearest = np.clip(values, low, high)
    size = np.maximum(np.abs(values), np.abs(nearest))
    size[-1] = np.abs(a).sum()
    tolerance = noise + rtol * size + FLOAT32 * largest + 1e-12
    found: np.ndarray = ~(np.abs(values - nearest) <= tolerance)
    return found


def _spread(checked: Checked, case: Case) -> list[np.ndarray]:
    """How far rounding moves a gradient that is computed in float32; 0 for one in float64.

    All inputs are stretched by a hair, so that ties stay ties. What is smooth then has no second
    difference to speak of.
    """
    spread = [np.zeros(a.shape) for a in case.x]

    def near(hair: float) -> list[Any]:
        checked.clear()
        return checked.backward(case.g, checked.forward([a * (1 + hair) for a in case.x])[1])

    for hair in (1e-8, 2.7e-8, 6e-8):
        for s, zero, one, two in zip(spread, case.analytic, near(hair), near(2 * hair), strict=True):
            if zero is None or zero.shape != s.shape or one is None or two is None:
                continue
            bend = np.abs(two.reshape(s.shape) - 2 * one.reshape(s.shape) + zero)
            np.maximum(s, bend, out=s)
    for s, zero in zip(spread, case.analytic, strict=True):
        if zero is None or zero.shape != s.shape:
            continue
        largest = float(np.abs(zero).max(initial=0))
        if s.max(initial=0) > 1e-3 * largest:  # that is no rounding: state, or a kink
            s[...] = 0
        elif np.array_equal(zero, zero.astype("float32")) or s.max(initial=0) > 1e-10 * largest:
            s[...] = 4 * s + 5e-7 * largest
    return spread


def _squeezed(a: np.ndarray) -> tuple[int, ...]:
    return tuple(extent for extent in a.shape if extent != 1)
