"""Learning curves: how numbers change from epoch to epoch, as one SVG chart."""

import math
from collections.abc import Callable, Mapping, Sequence

from .svg import Figure, element, number, text

__all__ = ["curves", "ticks"]

_COLOURS = ("var(--first, #2f80d0)", "var(--second, #d65e18)", "var(--third, #4d9a3c)", "var(--fourth, #8a5cc7)")
LETTER = 8.6  # pixels that a bold letter of a label takes at most
_MUTED, _GRID = "var(--muted, #5c6670)", "var(--grid, #d9dcd6)"


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (steps of 1, 2 or 5 times a power of ten) that cover low to high, roughly ``about`` of them."""
    spread = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(spread / about))
    step = next(power * m for m in (1, 2, 5, 10) if spread / (power * m) <= about)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


def curves(
    series: Mapping[str, Sequence[float]], *, title: str, percent: bool = False, width: int = 430, height: int = 270
) -> Figure:
    """One line for each series, named at its end, over epochs 1, 2, 3, ...

    Args:
        series: name -> one number an epoch; nan and infinity leave a gap.
        title: what the chart shows, for readers who cannot see it; the last value of each series is added.
        percent: write values as percentages.

    Raises:
        ValueError: no series, or none with a finite number.
    """
    finite = [v for values in series.values() for v in values if math.isfinite(v)]
    if not finite:
        raise ValueError("series must hold at least one finite number")
    digits = 1 if percent else 3

    def shown(value: float, digits: int = digits) -> str:
        return f"{value:.{digits}%}" if percent else f"{value:.{digits}g}"

    marks = ticks(min(finite), max(finite))
    epochs = max(len(values) for values in series.values())
    longest = max(len(f"{name} {_last(values, shown)}") for name, values in series.items() if _known(values))
    left, right, top, bottom = 46, width - max(104, LETTER * longest + 14), 12, height - 40

    def x(epoch: int) -> float:
        return left + (right - left) * (0.5 if epochs == 1 else (epoch - 1) / (epochs - 1))

    def y(value: float) -> float:
        return bottom - (bottom - top) * (value - marks[0]) / (marks[-1] - marks[0])

    parts = [element("title", f"{title}. {_last_values(series, shown)}")]
    decimals = max(0, -math.floor(math.log10(marks[1] - marks[0]) + 1e-9) - (2 if percent else 0))
    for mark in marks:
        label = f"{mark:.{decimals}%}" if percent else f"{mark:.{decimals}f}"
        parts.append(element("line", x1=left, x2=right, y1=y(mark), y2=y(mark), style=f"stroke:{_GRID}"))
        parts.append(text(left - 8, y(mark) + 4, label, anchor="end", style=f"fill:{_MUTED}"))
    for epoch in _epoch_marks(epochs):
        parts.append(text(x(epoch), bottom + 20, epoch, anchor="middle", style=f"fill:{_MUTED}"))
    parts.append(text((left + right) / 2, height - 4, "epoch", anchor="middle", style=f"fill:{_MUTED}"))
    ends = []
    for i, (name, values) in enumerate(series.items()):
        colour = _COLOURS[i % len(_COLOURS)]
        points = [(x(e), y(v)) if math.isfinite(v) else None for e, v in enumerate(values, 1)]
        parts.append(element("path", d=_path(points), style=f"fill:none;stroke:{colour};stroke-width:2"))
        for epoch, (point, value) in enumerate(zip(points, values, strict=True), 1):
            if point:
                tip = element("title", f"{name}, epoch {epoch}: {shown(value, digits + 1)}")
                parts.append(element("circle", tip, cx=point[0], cy=point[1], r=3.5, style=f"fill:{colour}"))
        last = next((p for p in reversed(points) if p), None)
        if last:
            ends.append((last[1], f"{name} {_last(values, shown)}", colour))
    for height_of, label, colour in _apart(ends):
        parts.append(text(right + 10, height_of + 4, label, style=f"fill:{colour};font-weight:600"))
    return element(
        "svg", *parts, viewBox=f"0 0 {width} {height}", width=width, height=height, role="img",
        xmlns="http://www.w3.org/2000/svg", font_family="system-ui, sans-serif",
    )  # fmt: skip


def _epoch_marks(epochs: int) -> list[int]:
    if epochs <= 10:
        return list(range(1, epochs + 1))
    return [round(mark) for mark in ticks(1, epochs) if 1 <= mark <= epochs and mark == round(mark)]


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    """The line through the points, interrupted where one is missing."""
    steps, pen = [], "M"
    for point in points:
        if point:
            steps.append(f"{pen}{number(point[0])} {number(point[1])}")
        pen = "L" if point else "M"
    return "".join(steps)


def _apart(ends: list[tuple[float, str, str]], gap: float = 16) -> list[tuple[float, str, str]]:
    """Labels at their heights, moved down where they would cover the one above."""
    placed: list[tuple[float, str, str]] = []
    for height, label, colour in sorted(ends):
        height = max(height, placed[-1][0] + gap) if placed else height
        placed.append((height, label, colour))
    return placed


def _known(values: Sequence[float]) -> bool:
    return any(map(math.isfinite, values))


def _last(values: Sequence[float], shown: Callable[[float], str]) -> str:
    return shown(next(v for v in reversed(values) if math.isfinite(v)))


def _last_values(series: Mapping[str, Sequence[float]], shown: Callable[[float], str]) -> str:
    known = [(name, values) for name, values in series.items() if _known(values)]
    return "At the end: " + ", ".join(f"{name} {_last(values, shown)}" for name, values in known)
