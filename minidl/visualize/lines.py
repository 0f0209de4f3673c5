"""Lines over any axis, straight or logarithmic, as one SVG chart."""

from collections.abc import Mapping, Sequence
from typing import Any

from .axes import COLOURS, MUTED, Axis, drawing, gridlines, path, short, text_width
from .svg import Figure, element, text
from .words import plain, svg_words

__all__ = ["line_chart"]

_SIZE, _LEFT, _LINE = 12, 58, 18  # of the letters; where the chart begins; the height of a line of names

Points = tuple[Sequence[float], Sequence[float]]


def line_chart(
    series: Mapping[Any, Points], *, title: Any, across: Any = "", up: Any = "", log_x: bool = False,
    log_y: bool = False, marks: Mapping[Any, float] | None = None, dots: bool = False, square: bool = False,
    width: int = 430, height: int = 280,
) -> Figure:  # fmt: skip
    """One line for each series, named below the chart. Names and titles are text, or Words in both languages.

    Args:
        series: name -> (x values, y values). What is not finite, or not above 0 on a logarithmic axis, leaves a gap.
        title: what the chart shows, for readers who cannot see it.
        across, up: what the axes are.
        log_x, log_y: logarithmic axes.
        marks: name -> a place on the x axis where an upright line stands.
        dots: draw points, not lines.
        square: the same scale on both axes.

    Raises:
        ValueError: nothing that could be drawn; x and y of different lengths.
    """
    marks = marks or {}
    left, right, top, bottom = _LEFT, width - 14, 26 if up else 12, height - 38
    xs, ys = _drawable(series, log_x, log_y)
    x_axis, y_axis = Axis([*xs, *marks.values()], left, right, log_x), Axis(ys, bottom, top, log_y)
    if square:
        _equalise(x_axis, y_axis)
    parts = [element("title", plain(title)), *gridlines(y_axis, left, right, map(short, y_axis.marks), _SIZE)]
    parts += _below(x_axis, bottom, across)
    if up:
        parts.append(svg_words(6, 14, up, size=_SIZE, style=f"fill:{MUTED}"))
    for i, (name, place) in enumerate(marks.items()):
        parts += _upright(name, x_axis.at(place), i, (left, right, top, bottom))
    for i, (name, points) in enumerate(series.items()):
        parts += _series(i, name, points, x_axis, y_axis, dots)
    rows = _legend_rows(list(series), width - 60)
    return drawing([*parts, *_legend(rows, height + 2)], width, height + _LINE * len(rows))


def _drawable(series: Mapping[Any, Points], log_x: bool, log_y: bool) -> tuple[list[float], list[float]]:
    """The x and the y values of all points that can be drawn."""
    for name, (xs, ys) in series.items():
        if len(xs) != len(ys):
            raise ValueError(f"series {name!r} has {len(xs)} x and {len(ys)} y values")
    x_axis, y_axis = Axis([1, 2], 0, 1, log_x), Axis([1, 2], 0, 1, log_y)
    pairs = [(float(x), float(y)) for xs, ys in series.values() for x, y in zip(xs, ys, strict=True)]
    good = [(x, y) for x, y in pairs if x_axis.shows(x) and y_axis.shows(y)]
    if not good:
        raise ValueError("series must hold at least one point that can be drawn")
    return [x for x, _ in good], [y for _, y in good]


def _equalise(x: Axis, y: Axis) -> None:
    """Widen the finer axis around its middle, so that a unit is as long on both."""
    lengths = abs(x.end - x.start), abs(y.end - y.start)
    unit = min(lengths[0] / (x.high - x.low), lengths[1] / (y.high - y.low))
    for axis, length in zip((x, y), lengths, strict=True):
        middle = (axis.low + axis.high) / 2
        axis.low, axis.high = middle - length / unit / 2, middle + length / unit / 2


def _below(axis: Axis, bottom: float, across: Any) -> list[Figure]:
    """The numbers below the chart, and what they are."""
    style = f"fill:{MUTED}"
    parts = [text(axis.at(m), bottom + 18, short(m), anchor="middle", size=_SIZE, style=style) for m in axis.marks]
    if across:
        middle = (axis.start + axis.end) / 2
        parts.append(svg_words(middle, bottom + 34, across, anchor="middle", size=_SIZE, style=style))
    return parts


def _upright(name: Any, x: float, i: int, box: tuple[float, float, float, float]) -> list[Figure]:
    """The ``i``-th upright line, and its name beside it."""
    left, right, top, bottom = box
    style = f"stroke:{MUTED};stroke-dasharray:4 3"
    anchor = "end" if x > (left + right) / 2 else "start"
    beside = x + (-5 if anchor == "end" else 5)
    return [
        element("line", element("title", plain(name)), x1=x, x2=x, y1=top, y2=bottom, style=style),
        svg_words(beside, top + 12 + 15 * i, name, anchor=anchor, size=_SIZE),
    ]


def _dashes(i: int) -> str:
    """Colours come again after the last one, dashed."""
    return ";stroke-dasharray:6 3" if i >= len(COLOURS) else ""


def _series(i: int, name: Any, values: Points, x_axis: Axis, y_axis: Axis, dots: bool) -> list[Figure]:
    """The line of a series; dots where they are wanted, or where there is but one point."""
    colour, tip = COLOURS[i % len(COLOURS)], element("title", plain(name))
    points = [
        (x_axis.at(x), y_axis.at(y)) if x_axis.shows(x) and y_axis.shows(y) else None
        for x, y in zip(*values, strict=True)
    ]
    line = "" if dots else path(points)
    parts = []
    if "L" in line:
        style = f"fill:none;stroke:{colour};stroke-width:2;stroke-linejoin:round{_dashes(i)}"
        parts.append(element("path", tip, d=line, style=style))
    seen = [point for point in points if point]
    if dots or len(seen) == 1:
        parts += [element("circle", tip, cx=x, cy=y, r=3, style=f"fill:{colour}") for x, y in seen]
    return parts


def _legend_rows(names: Sequence[Any], room: float) -> list[list[tuple[float, int, Any]]]:
    """The names in lines: (left edge, which series, name)."""
    rows: list[list[tuple[float, int, Any]]] = []
    left = room + 1.0
    for i, name in enumerate(names):
        width = 32 + text_width(name, _SIZE)
        if left + width > room:
            rows.append([])
            left = 0.0
        rows[-1].append((left, i, name))
        left += width
    return rows


def _legend(rows: Sequence[Sequence[tuple[float, int, Any]]], top: float) -> list[Figure]:
    parts = []
    for line, row in enumerate(rows):
        y = top + _LINE * line + 6
        for left, i, name in row:
            x = _LEFT + left
            style = f"stroke:{COLOURS[i % len(COLOURS)]};stroke-width:3{_dashes(i)}"
            parts.append(element("line", x1=x, x2=x + 16, y1=y, y2=y, style=style))
            parts.append(svg_words(x + 21, y + 4, name, size=_SIZE))
    return parts
