"""Parameters step by step, against right and wrong ways to change them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..shown import lines_html
from .messages import cause_text, text

__all__ = ["Trajectory", "matched"]

Steps = list[list[np.ndarray]]  # for each step: for each parameter: its values


@dataclass(repr=False)
class Trajectory:
    """The result of a check of updates; ``str`` of it is for reading.

    Attributes:
        name: of what was checked; ``rule``: what it should follow.
        cause: "" where it does, else what explains it, or "unknown"; ``confidence``: 0 to 1.
        step: the first step that differs, from 1; ``worst``: three (parameter, came, expected) of that step.
    """

    name: str
    rule: str
    steps: int
    cause: str = ""
    confidence: float = 0.0
    step: int = 0
    worst: list[tuple[str, float, float]] = field(default_factory=list)
    language: str = "en"

    @property
    def ok(self) -> bool:
        return not self.cause

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        if self.ok:
            return text("optimizer_right", self.language, name=self.name, rule=self.rule, steps=self.steps)
        lines = [text("optimizer_wrong", self.language, name=self.name, rule=self.rule, step=self.step)]
        lines += [text("step", self.language, place=p, a=a, n=n) for p, a, n in self.worst]
        if self.cause == "unknown":
            lines.append(text("unknown", self.language))
        else:
            sentence, percent = cause_text(self.cause, self.language), round(100 * self.confidence)
            lines.append(text("cause", self.language, percent=percent, cause=sentence))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return lines_html(self)


def matched(
    name: str,
    rule: str,
    came: Steps,
    expected: list[Steps],
    guesses: Iterable[tuple[str, Iterable[list[np.ndarray]]]],
    names: list[str],
    language: str,
    rtol: float = 1e-6,
) -> Trajectory:
    """Judge what came: right, or wrong with the cause that gives these very steps.

    ``guesses`` are asked for where something is wrong, and for no step after one that does not fit.
    """
    found = Trajectory(name, rule, len(came), language=language)
    if any(_apart(came, one) <= rtol for one in expected):
        return found
    right = expected[0]
    found.step = 1 + next((t for t in range(len(came)) if _apart([came[t]], [right[t]]) > rtol), 0)
    a, n = came[found.step - 1], right[found.step - 1]
    gaps = [
        (abs(float(a[i][place] - n[i][place])), f"{names[i]}{list(place)}", float(a[i][place]), float(n[i][place]))
        for i in range(len(n))
        if a[i].shape == n[i].shape
        for place in np.ndindex(n[i].shape)
    ]
    worst = sorted(gaps, key=lambda row: -np.nan_to_num(row[0], nan=np.inf))[:3]
    found.worst = [(place, one, other) for _, place, one, other in worst]
    closest = min(_apart(came, one) for one in expected)
    limit = min(max(rtol, 1e-5 * min(closest, 1)), closest / 20)
    distances: dict[str, float] = {}
    for cause, steps in guesses:
        distance = _apart(came, steps, limit)
        if distance <= limit:
            distances[cause] = min(distance, distances.get(cause, np.inf))
    order = sorted(distances, key=lambda cause: distances[cause])
    if not order:
        found.cause = "unknown"
    else:  # the first in the table wins among those that give the same numbers
        ties = [c for c in order if distances[c] <= 10 * distances[order[0]] + 1e-12]
        found.cause = next(cause for cause in distances if cause in ties)
        found.confidence = 1.0 if len(ties) == 1 else 0.7
    return found


def _apart(a: Steps, b: Iterable[list[np.ndarray]], limit: float = np.inf) -> float:
    """The largest difference of the changes, relative to the largest change of each parameter; inf beyond ``limit``."""
    worst = 0.0
    for one, other in zip(a, b, strict=limit == np.inf):
        for p, q in zip(one, other, strict=True):
            if p.shape != q.shape or not np.isfinite(p).all() or not np.isfinite(q).all():
                return np.inf
            worst = max(worst, float((np.abs(p - q) / (1e-3 + np.abs(q))).max(initial=0)))
        if worst > limit:
            return np.inf
    return worst
