"""Lines over any axis, straight or logarithmic, as one SVG chart."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .curves import ticks
from .svg import Figure, element, number, text
from .words import svg_words

__all__ = ["line_chart", "short"]

COLOURS = (
    "var(--first, #2f80d0)", "var(--second, #d65e18)", "var(--third, #4d9a3c)", "var(--fourth, #8a5cc7)",
    "var(--fifth, #b0871a)", "var(--sixth, #c2497f)",
)  # fmt: skip
MUTED, GRID = "var(--muted, #5c6670)", "var(--grid, #d9dcd6)"


def line_chart(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, title: str, across: Any = "", up: Any = "",
    log_x: bool = False, log_y: bool = False, marks: Mapping[str, float] | None = None, dots: bool = False,
    square: bool = False, width: int = 430, height: int = 280,
) -> Figure:  # fmt: skip
    """One line for each series, named below the chart.

    Args:
        series: name -> (x values, y values). What is not finite, or not above 0 on a logarithmic axis, leaves a gap.
        title: what the chart shows, for readers who cannot see it.
        across, up: what the axes are; text, or Words in both languages.
        log_x, log_y: logarithmic axes.
        marks: name -> a place on the x axis where an upright line stands.
        dots: draw points, not lines.
        square: the same scale on both axes.

    Raises:
        ValueError: nothing that could be drawn; x and y of different lengths.
    """
    for name, (xs, ys) in series.items():
        if len(xs) != len(ys):
            raise ValueError(f"series {name!r} has {len(xs)} x and {len(ys)} y values")
    good = [
        (float(x), float(y))
        for xs, ys in series.values()
        for x, y in zip(xs, ys, strict=True)
        if _drawable(x, log_x) and _drawable(y, log_y)
    ]
    if not good:
        raise ValueError("series must hold at least one point that can be drawn")
    rows = _legend_rows(list(series), width - 60)
    left, right, top, bottom = 58, width - 14, 26 if up else 12, height - 38
    whole = height + 18 * len(rows)
    flat, high = [x for x, _ in good] + list((marks or {}).values()), [y for _, y in good]
    x_axis, y_axis = _Axis(flat, log_x, left, right), _Axis(high, log_y, bottom, top)
    if square:
        _equalise(x_axis, y_axis)
    parts: list[Any] = [element("title", title)]
    for value in y_axis.marks:
        y = y_axis.at(value)
        parts.append(element("line", x1=left, x2=right, y1=y, y2=y, style=f"stroke:{GRID}"))
        parts.append(text(left - 7, y + 4, short(value), anchor="end", size=12, style=f"fill:{MUTED}"))
    for value in x_axis.marks:
        parts.append(text(x_axis.at(value), bottom + 18, short(value), anchor="middle", size=12, style=f"fill:{MUTED}"))
    if across:
        style = f"fill:{MUTED}"
        parts.append(svg_words((left + right) / 2, bottom + 34, across, anchor="middle", size=12, style=style))
    if up:
        parts.append(svg_words(6, 14, up, size=12, style=f"fill:{MUTED}"))
    for i, (name, place) in enumerate((marks or {}).items()):
        x = x_axis.at(place)
        style = f"stroke:{MUTED};stroke-dasharray:4 3"
        parts.append(element("line", element("title", name), x1=x, x2=x, y1=top, y2=bottom, style=style))
        anchor = "end" if x > (left + right) / 2 else "start"
        parts.append(text(x + (-5 if anchor == "end" else 5), top + 12 + 15 * i, name, anchor=anchor, size=12))
    for i, (name, (xs, ys)) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        points = [
            (x_axis.at(x), y_axis.at(y)) if _drawable(x, log_x) and _drawable(y, log_y) else None
            for x, y in zip(xs, ys, strict=True)
        ]
        lines = "" if dots else _path(points)
        if lines:
            dashes = ";stroke-dasharray:6 3" if i >= len(COLOURS) else ""
            style = f"fill:none;stroke:{colour};stroke-width:2;stroke-linejoin:round{dashes}"
            parts.append(element("path", element("title", name), d=lines, style=style))
        if dots or sum(point is not None for point in points) == 1:
            parts += [
                element("circle", element("title", name), cx=p[0], cy=p[1], r=3, style=f"fill:{colour}")
                for p in points
                if p
            ]
    parts += _legend(rows, height + 2)
    return element(
        "svg", *parts, viewBox=f"0 0 {width} {whole}", width=width, height=whole, role="img",
        xmlns="http://www.w3.org/2000/svg", font_family="system-ui, sans-serif",
    )  # fmt: skip


class _Axis:
    """From numbers to places along one axis."""

    def __init__(self, values: Sequence[float], logarithmic: bool, start: float, end: float):
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
        place = math.log10(value) if self.logarithmic else value
        return self.start + (self.end - self.start) * (place - self.low) / (self.high - self.low)


def _equalise(x: _Axis, y: _Axis) -> None:
    """Widen the finer axis around its middle, so that a unit is as long on both."""
    lengths = abs(x.end - x.start), abs(y.end - y.start)
    unit = min(lengths[0] / (x.high - x.low), lengths[1] / (y.high - y.low))
    for axis, length in zip((x, y), lengths, strict=True):
        middle = (axis.low + axis.high) / 2
        axis.low, axis.high = middle - length / unit / 2, middle + length / unit / 2


def short(value: float) -> str:
    """A number in few characters: 0.001, 250, 1e-06, 3e+05."""
    return f"{value:.3g}"


def _drawable(value: float, logarithmic: bool) -> bool:
    return math.isfinite(value) and (value > 0 or not logarithmic)


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    steps, pen = [], "M"
    for point in points:
        if point:
            steps.append(f"{pen}{number(point[0])} {number(point[1])}")
        pen = "L" if point else "M"
    return "".join(steps) if any(step[0] == "L" for step in steps) else ""


def _legend_rows(names: Sequence[str], room: float) -> list[list[tuple[float, int, str]]]:
    """The names in lines: (left edge, which series, name)."""
    rows: list[list[tuple[float, int, str]]] = []
    left = room + 1.0
    for i, name in enumerate(names):
        width = 32 + sum(13.0 if ord(letter) > 0x2E7F else 7.2 for letter in name)
        if left + width > room:
            rows.append([])
            left = 0.0
        rows[-1].append((left, i, name))
        left += width
    return rows


def _legend(rows: Sequence[Sequence[tuple[float, int, str]]], top: float) -> list[Figure]:
    parts = []
    for line, row in enumerate(rows):
        y = top + 18 * line + 6
        for left, i, name in row:
            x, colour = 58 + left, COLOURS[i % len(COLOURS)]
            dashes = ";stroke-dasharray:6 3" if i >= len(COLOURS) else ""
            style = f"stroke:{colour};stroke-width:3{dashes}"
            parts.append(element("line", x1=x, x2=x + 16, y1=y, y2=y, style=style))
            parts.append(text(x + 21, y + 4, name, size=12))
    return parts
