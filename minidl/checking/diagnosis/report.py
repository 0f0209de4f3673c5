"""The report of a check: what is wrong, how wrong, where, why, and which line to read again."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..shown import lines_html
from . import source
from .messages import cause_text, chosen_language, text

__all__ = ["Diagnosis", "Wrong", "shapes_of"]


@dataclass
class Wrong:
    """One wrong gradient.

    Attributes:
        leaf: its name. ``alpha``, ``residual``: the gradient is alpha times the right one up to this part of itself.
        worst: the three worst elements: (index, analytic, numeric, noise).
        shape: what came instead of the right shape, or None.
    """

    leaf: str
    alpha: float = 0.0
    residual: float = 0.0
    cosine: float = 0.0
    worst: list[tuple[tuple[int, ...], float, float, float]] = field(default_factory=list)
    shape: tuple[int, ...] | None = None
    expected: tuple[int, ...] = ()
    missing: bool = False


@dataclass(repr=False)
class Diagnosis:
    """The result of ``diagnose``; ``str(diagnosis)`` is for reading.

    Attributes:
        name: of what was checked; ``leaves``: of its gradients.
        wrong: the wrong gradients, the one that the causes explain first.
        cause: a key of ``CAUSES``, "unknown", or "" where all is right; ``confidence``: 0 to 1.
        where: "given", "ties", "large" or "state".
        pattern: where the wrong elements lie; ``smallest``: shapes of the smallest failing input.
        line: (file, number, code) of the line to read again, or None.
    """

    name: str
    leaves: list[str]
    wrong: list[Wrong] = field(default_factory=list)
    cause: str = ""
    confidence: float = 0.0
    where: str = "given"
    pattern: str = ""
    smallest: str = ""
    line: tuple[str, int, str] | None = None
    language: str = "en"

    @property
    def ok(self) -> bool:
        return not self.cause

    def __bool__(self) -> bool:
        return self.ok

    @classmethod
    def right(cls, checked: Any, comparison: Any, language: str | None) -> "Diagnosis":
        return cls(checked.name, list(checked.names), language=chosen_language(language))

    @classmethod
    def wrong_at(cls, checked: Any, comparison: Any, cause: tuple[str, float], language: str | None) -> "Diagnosis":
        """From a comparison that found something."""
        chosen, case = chosen_language(language), comparison.case
        wrong = [_wrong(comparison, i) for i in comparison.wrong]
        found = cls(checked.name, list(checked.names), wrong, cause[0], cause[1], comparison.where, language=chosen)
        found.smallest = shapes_of(case)
        if comparison.wrong:
            found.pattern = _pattern(comparison, comparison.wrong[0], chosen)
            found.line = source.line_of(checked.sources, [w.leaf for w in wrong], list(checked.names))
        return found

    @classmethod
    def of_state(cls, checked: Any, comparison: Any, fault: tuple[str, int], language: str | None) -> "Diagnosis":
        """From a fault of the calls after the first."""
        cause, leaf = fault
        name = checked.names[leaf]
        found = cls(
            checked.name, list(checked.names), [Wrong(name)], cause, 0.9, "state", language=chosen_language(language)
        )
        found.smallest = shapes_of(comparison.case)
        found.pattern = text("all", found.language)
        found.line = source.line_of(checked.sources, [name], list(checked.names))
        return found

    def __str__(self) -> str:
        lang = self.language
        if self.ok:
            return text("right", lang, name=self.name, leaves=", ".join(self.leaves))
        leaves = ", ".join(w.leaf for w in self.wrong) or "?"
        lines = [text("wrong", lang, name=self.name, leaves=leaves, where=text(f"where_{self.where}", lang))]
        for k, w in enumerate(self.wrong):
            if w.missing:
                lines.append(text("none", lang, leaf=w.leaf))
            elif w.shape is not None:
                lines.append(text("shape", lang, leaf=w.leaf, came=w.shape, expected=w.expected))
            elif w.worst:
                lines.append(text("scale", lang, leaf=w.leaf, alpha=w.alpha, residual=w.residual, cosine=w.cosine))
            if k == 0:
                lines += [text("element", lang, place=p, a=a, n=n, noise=noise) for p, a, n, noise in w.worst]
        if self.pattern:
            lines.append(text("pattern", lang, pattern=self.pattern, smallest=self.smallest))
        if self.cause == "unknown":
            lines.append(text("unknown", lang))
        else:
            percent = round(100 * self.confidence)
            lines.append(text("cause", lang, percent=percent, cause=cause_text(self.cause, lang)))
        if self.line:
            lines.append(text("line", lang, file=self.line[0], line=self.line[1], code=self.line[2]))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return lines_html(self)


def _wrong(comparison: Any, i: int) -> Wrong:
    case = comparison.case
    a, n = case.analytic[i], case.numeric[i]
    if a is None:
        return Wrong(case.names[i], missing=True)
    if a.shape != n.shape:
        return Wrong(case.names[i], shape=a.shape, expected=n.shape)
    known = ~np.isnan(n)
    came, right = a[known], n[known]
    with np.errstate(all="ignore"):
        square = float(right @ right)
        alpha = float(came @ right) / square if square else float("inf") if came.any() else 1.0
        size = float(np.linalg.norm(came))
        residual = float(np.linalg.norm(came - alpha * right)) / size if size and np.isfinite(alpha) else 0.0
        cosine = float(came @ right) / (size * square**0.5) if size and square else 0.0
        gap = np.where(known & comparison.bad[i], np.nan_to_num(np.abs(a - n), nan=np.inf), -1)
    off = np.flatnonzero(gap >= 0)
    order = off[np.argsort(-gap.flat[off])[:3]]
    noise = comparison.rounding[i].reshape(-1)
    worst = [
        (tuple(int(k) for k in np.unravel_index(j, n.shape)), float(a.flat[j]), float(n.flat[j]), float(noise[j]))
        for j in order
    ]
    return Wrong(case.names[i], alpha, residual, cosine, worst)


def _pattern(comparison: Any, i: int, language: str) -> str:
    case, bad = comparison.case, comparison.bad[i]
    a, n = case.analytic[i], case.numeric[i]
    bad = bad & ~np.isnan(n)
    count, total = int(bad.sum()), int((~np.isnan(n)).sum())
    if a is None or a.shape != n.shape or count == total:
        alike = a is not None and a.shape == n.shape and np.allclose(a, n, rtol=1e-6, atol=1e-9)
        return text("sum_only" if alike else "all", language)
    for axis in range(bad.ndim):
        others = tuple(k for k in range(bad.ndim) if k != axis)
        hit = np.flatnonzero(bad.any(axis=others))
        if len(hit) == 1 and bad.shape[axis] > 2:
            return text("axis", language, index=int(hit[0]), axis=axis)
    x = case.x[i]
    if (bad == (x < 0)).all():
        return text("negative", language, leaf=case.names[i])
    if (bad == (x > 0)).all():
        return text("positive", language, leaf=case.names[i])
    if bad.ndim >= 2 and min(bad.shape) > 2 and not bad[(slice(1, -1),) * bad.ndim].any():
        return text("border", language)
    if (a[bad] == 0).all():
        return text("zero", language, count=count, total=total)
    return text("scattered", language, count=count, total=total)


def shapes_of(case: Any) -> str:
    """Names and shapes of the leaves, for the reader."""
    return ", ".join(f"{name} {x.shape}" for name, x in zip(case.names, case.x, strict=True))
