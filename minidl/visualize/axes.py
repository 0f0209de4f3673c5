"""What charts share: colours, round numbers along an axis, the way from numbers to places, lines with gaps, margins."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from .svg import Figure, element, number, text

__all__ = ["COLOURS", "GRID", "MUTED", "Axis", "drawing", "gridlines", "path", "short", "text_width", "ticks"]

COLOURS = (
    "var(--first, #2f80d0)", "var(--second, #d65e18)", "var(--third, #4d9a3c)", "var(--fourth, #8a5cc7)",
    "var(--fifth, #b0871a)", "var(--sixth, #c2497f)",
)  # fmt: skip
MUTED, GRID = "var(--muted, #5c6670)", "var(--grid, #d9dcd6)"
LETTER, WIDE = 0.6, 1.1  # of the size of the font: the most that a letter takes, and one of Korean


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (steps of 1, 2 or 5 times a power of ten) that cover low to high, roughly ``about`` of them."""
    spread = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(spread / about))
    step = next(power * m for m in (1, 2, 5, 10) if spread / (power * m) <= about)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


class Axis:
    """From numbers to places along one axis, which runs from ``start`` to ``end`` and covers the values.

    Attributes:
        marks: the round numbers to write along it.
    """

    def __init__(self, values: Sequence[float], start: float, end: float, logarithmic: bool = False):
        self.logarithmic, self.start, self.end = logarithmic, start, end
        low, high = min(values), max(values)
        if logarithmic:
            first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
            last = max(last, first + 1)
            step = -(-(last - first) // 6)
            self.low, self.high = float(first), float(last)
            self.marks = [10.0**power for power in range(first, last + 1, step)]
        else:
            self.marks = ticks(low, high)
            self.low, self.high = self.marks[0], self.marks[-1]

    def at(self, value: float) -> float:
        """The place of a number."""
        place = math.log10(value) if self.logarithmic else value
        return self.start + (self.end - self.start) * (place - self.low) / (self.high - self.low)

    def shows(self, value: float) -> bool:
        """Whether the number has a place."""
        return math.isfinite(value) and (value > 0 or not self.logarithmic)


def gridlines(axis: Axis, left: float, right: float, labels: Iterable[str], size: float) -> list[Figure]:
    """A line across the chart at each mark of the upright axis, and its label on the left."""
    parts = []
    for mark, label in zip(axis.marks, labels, strict=True):
        y = axis.at(mark)
        parts.append(element("line", x1=left, x2=right, y1=y, y2=y, style=f"stroke:{GRID}"))
        parts.append(text(left - 8, y + 4, label, anchor="end", size=size, style=f"fill:{MUTED}"))
    return parts


def path(points: Sequence[tuple[float, float] | None]) -> str:
    """The line through the points, interrupted where one is missing."""
    steps, pen = [], "M"
    for point in points:
        if point:
            steps.append(f"{pen}{number(point[0])} {number(point[1])}")
        pen = "L" if point else "M"
    return "".join(steps)


def short(value: float) -> str:
    """A number in few characters: 0.001, 250, 1e-06, 3e+05."""
    return f"{value:.3g}"


def text_width(content: Any, size: float) -> float:
    """The most that a text takes, in pixels; of Words, the wider one."""
    if isinstance(content, tuple):
        return max(text_width(one, size) for one in content)
    return size * sum(WIDE if ord(letter) > 0x2E7F else LETTER for letter in str(content))


def drawing(parts: Sequence[Any], width: float, height: float) -> Figure:
    """The parts as one SVG."""
    return element(
        "svg", *parts, viewBox=f"0 0 {width} {height}", width=width, height=height, role="img",
        xmlns="http://www.w3.org/2000/svg", font_family="system-ui, sans-serif",
    )  # fmt: skip
