"""Learning curves: how numbers change from epoch to epoch, as one SVG chart."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .axes import COLOURS, MUTED, Axis, drawing, gridlines, path, text_width, ticks
from .svg import Figure, element, text
from .words import Words, followed, plain, svg_words

__all__ = ["curves"]

_SIZE = 13
_EPOCH, _AT_THE_END = Words("epoch", "에포크"), Words(". At the end: ", ". 끝에서: ")


def curves(
    series: Mapping[Any, Sequence[float]], *, title: Any, percent: bool = False, width: int = 430, height: int = 270
) -> Figure:
    """One line for each series, named at its end, over epochs 1, 2, 3, ...

    Args:
        series: name (text or Words) -> one number an epoch; nan and infinity leave a gap.
        title: what the chart shows (text or Words), for readers who cannot see it; the last value of each series is
            added.
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

    epochs = max(len(values) for values in series.values())
    ends = [followed(name, " ", _last(values, shown)) for name, values in series.items() if _known(values)]
    beside = max(104, 1.1 * max(text_width(end, _SIZE) for end in ends) + 14)
    left, right, top, bottom = 46, width - beside, 12, height - 40
    axis = Axis([min(finite), max(finite)], bottom, top)

    def x(epoch: int) -> float:
        return left + (right - left) * (0.5 if epochs == 1 else (epoch - 1) / (epochs - 1))

    decimals = max(0, -math.floor(math.log10(axis.marks[1] - axis.marks[0]) + 1e-9) - (2 if percent else 0))
    labels = [f"{mark:.{decimals}%}" if percent else f"{mark:.{decimals}f}" for mark in axis.marks]
    then = _AT_THE_END if isinstance(title, Words) else _AT_THE_END.en
    told = followed(title, then, ends[0], *(part for end in ends[1:] for part in (", ", end)))
    parts = [element("title", plain(told)), *gridlines(axis, left, right, labels, _SIZE)]
    for epoch in _epoch_marks(epochs):
        parts.append(text(x(epoch), bottom + 20, epoch, anchor="middle", style=f"fill:{MUTED}"))
    parts.append(svg_words((left + right) / 2, height - 4, _EPOCH, anchor="middle", style=f"fill:{MUTED}"))
    names: list[tuple[float, Any, str]] = []
    for i, (name, values) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        points = [(x(e), axis.at(v)) if math.isfinite(v) else None for e, v in enumerate(values, 1)]
        parts.append(element("path", d=path(points), style=f"fill:none;stroke:{colour};stroke-width:2"))
        for epoch, (point, value) in enumerate(zip(points, values, strict=True), 1):
            if point:
                tip = element("title", f"{plain(name)}, epoch {epoch}: {shown(value, digits + 1)}")
                parts.append(element("circle", tip, cx=point[0], cy=point[1], r=3.5, style=f"fill:{colour}"))
        last = next((p for p in reversed(points) if p), None)
        if last:
            names.append((last[1], followed(name, " ", _last(values, shown)), colour))
    for level, label, colour in _apart(names):
        parts.append(svg_words(right + 10, level + 4, label, style=f"fill:{colour};font-weight:600"))
    return drawing(parts, width, height)


def _epoch_marks(epochs: int) -> list[int]:
    if epochs <= 10:
        return list(range(1, epochs + 1))
    return [round(mark) for mark in ticks(1, epochs) if 1 <= mark <= epochs and mark == round(mark)]


def _apart(ends: list[tuple[float, Any, str]], gap: float = 16) -> list[tuple[float, Any, str]]:
    """Labels at their heights, moved down where they would cover the one above."""
    placed: list[tuple[float, Any, str]] = []
    for height, label, colour in sorted(ends):
        height = max(height, placed[-1][0] + gap) if placed else height
        placed.append((height, label, colour))
    return placed


def _known(values: Sequence[float]) -> bool:
    return any(map(math.isfinite, values))


def _last(values: Sequence[float], shown: Callable[[float], str]) -> str:
    return shown(next(v for v in reversed(values) if math.isfinite(v)))
