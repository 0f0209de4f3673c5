"""What a gradient check found, as data and as a few lines of text."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from .shown import gradcheck_html

__all__ = ["InputResult", "Probe", "Report"]


class Probe(NamedTuple):
    """One number of a gradient, or its product with one direction, beside what differences gave.

    ``numeric`` is what of the interval [low, high] lies nearest; the two differ at a kink only.
    """

    place: tuple[int, ...] | str  # an index, or the name of a direction
    analytic: float
    numeric: float
    low: float
    high: float
    noise: float
    tolerance: float

    @property
    def error(self) -> float:
        return abs(self.analytic - self.numeric)

    @property
    def ok(self) -> bool:
        return self.error <= self.tolerance  # False for NaN

    def __str__(self) -> str:
        kink = "" if self.low == self.high else f", any of [{self.low:.6g}, {self.high:.6g}] at this kink"
        numbers = f"analytic {self.analytic:.8g}, numeric {self.numeric:.8g}{kink}, noise {self.noise:.1g}"
        return f"at {self.place}: {numbers}" if isinstance(self.place, tuple) else f"along {self.place}: {numbers}"


@dataclass
class InputResult:
    """What was found about the gradient of one input.

    Attributes:
        elements: single numbers of the gradient; ``directions``: its products with directions.
        kinks: how many slopes stand at a kink, where an interval is accepted.
        slope: order of the Taylor remainder: 2 for a right gradient, 1 for a wrong one, NaN for a linear function.
        max_error: the largest error, relative to the gradient's largest element.
        norm_error: |a - n| / |n|; ``cosine``: of the angle between a and n.
        alpha, residual: a is alpha * n, up to this part of itself.
    """

    name: str
    shape: tuple[int, ...]
    elements: list[Probe]
    directions: list[Probe]
    kinks: int
    slope: float
    note: str = ""
    max_error: float = field(init=False)
    norm_error: float = field(init=False)
    cosine: float = field(init=False)
    alpha: float = field(init=False)
    residual: float = field(init=False)

    def __post_init__(self) -> None:
        a, n = np.array([[p.analytic, p.numeric] for p in self.elements or self.directions]).reshape(-1, 2).T
        with np.errstate(all="ignore"):
            self.max_error = _ratio(np.abs(a - n).max(initial=0.0), np.abs([a, n]).max(initial=0.0))
            self.norm_error = _ratio(_norm(a - n), _norm(n))
            self.cosine = 1.0 if _norm(a) == _norm(n) == 0 else _ratio(float(a @ n), _norm(a) * _norm(n))
            self.alpha = 1.0 if _norm(a) == _norm(n) == 0 else _ratio(float(a @ n), _norm(n) ** 2)
            self.residual = _ratio(_norm(a - self.alpha * n), _norm(a))

    @property
    def ok(self) -> bool:
        return all(probe.ok for probe in self.elements + self.directions)

    @property
    def worst(self) -> list[Probe]:
        """The three elements that are furthest off."""
        return sorted(self.elements, key=lambda p: np.nan_to_num(p.error, nan=np.inf), reverse=True)[:3]

    def __str__(self) -> str:
        order = "linear" if np.isnan(self.slope) else f"Taylor slope {self.slope:.2f}"
        if self.kinks:  # the remainder at a kink says nothing, and at a jump there is no slope to compare with
            jumps = sum(np.isinf(p.high - p.low) for p in self.elements + self.directions)
            order = f"{self.kinks} at a kink" + f", {jumps} at a jump (not checked)" * bool(jumps)
        probes = [f"{len(self.elements)} elements"] * bool(self.elements) + [f"{len(self.directions)} directions"]
        line = f"  {self.name} {self.shape}: error {self.max_error:.1g} of the largest; {', '.join(probes)}; {order}"
        if self.ok:
            return line
        wrong = sum(not p.ok for p in self.elements)
        lines = [line.replace(": error", ": WRONG, error", 1)]
        if self.elements:
            lines.append(
                f"    {wrong} of {len(self.elements)} elements are off; norm error {self.norm_error:.2g}, cosine "
                f"{self.cosine:.4f}, best scale {self.alpha:.4g} leaves {self.residual:.2g}"
            )
        if self.note:
            lines.append(f"    {self.note}")
        lines += [f"    {probe}" for probe in self.worst if not probe.ok]
        lines += [f"    {probe}" for probe in self.directions if not probe.ok][: 0 if wrong else 3]
        return "\n".join(lines)


@dataclass(repr=False)
class Report:
    """The result of ``gradcheck``; ``str(report)`` is for reading.

    Attributes:
        function: name of what was checked.
        inputs: one result for each input and trainable variable, and one for all together.
        second: the same for the gradient's own gradients, with ``order=2``.
        problems: what is wrong beyond single gradients, such as a Hessian that is not symmetric.
    """

    function: str
    inputs: list[InputResult]
    second: list[InputResult] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems and all(one.ok for one in self.inputs + self.second)

    def __getitem__(self, name: str) -> InputResult:
        return {one.name: one for one in self.inputs}[name]

    def __str__(self) -> str:
        wrong = [one.name for one in self.inputs + self.second if not one.ok and one.elements]
        verdict = "right" if self.ok else f"WRONG ({', '.join(wrong or ['see below'])})"
        lines = [f"gradcheck of {self.function}: {verdict}"]
        lines += [str(one) for one in self.inputs if one.elements or not wrong]
        if self.second:
            lines.append("  second order, the gradient of the gradient:")
            lines += [str(one) for one in self.second if one.elements or not wrong]
        return "\n".join([*lines, *(f"  {problem}" for problem in self.problems)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return gradcheck_html(self)


def _norm(x: np.ndarray) -> float:
    return float(np.linalg.norm(x))


def _ratio(a: float, b: float) -> float:
    return 0.0 if a == 0 else float(a) / float(b) if b else float("inf")
