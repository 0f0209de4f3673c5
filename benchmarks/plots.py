"""Plots as SVG, written by hand: bars with whiskers, and lines on two logarithmic axes."""

import itertools
import math
from collections.abc import Sequence
from html import escape


def bars(title: str, rows: Sequence[tuple[str, float, float, float]], reference: float, unit: str = "x") -> str:
    """An SVG of horizontal bars with whiskers, a dashed line at ``reference``; rows are (name, low, median, high)."""
    left, width, line = 190, 420, 30
    scale = width / max([reference, *(row[3] for row in rows)]) / 1.08
    text = 'font-family="sans-serif" font-size="13" fill="#222"'
    height = 44 + line * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 70} {height + 8}">',
        f'<rect width="100%" height="100%" fill="#fff"/><text x="10" y="22" {text} font-weight="bold">{title}</text>',
    ]
    for place, (name, low, median, high) in enumerate(rows):
        y = 38 + line * place
        middle = y + 9
        parts += [
            f'<text x="{left - 8}" y="{middle + 5}" text-anchor="end" {text}>{name}</text>',
            f'<rect x="{left}" y="{y}" width="{median * scale:.1f}" height="18" fill="#3b7dd8"/>',
            f'<path d="M{left + low * scale:.1f} {middle}H{left + high * scale:.1f}" stroke="#123" stroke-width="2"/>',
            f'<text x="{left + max(median, high) * scale + 6:.1f}" y="{middle + 5}" {text}>{median:.2f}{unit}</text>',
        ]
    x = left + reference * scale
    parts.append(f'<path d="M{x:.1f} 32V{height}" stroke="#b33" stroke-dasharray="4 3"/></svg>')
    return "\n".join(parts) + "\n"


COLOURS = ("#3b7dd8", "#d8743b", "#3ba55d", "#a53b8c", "#8c7a2b", "#555", "#c0392b", "#16a085", "#8e44ad")
Points = dict[str, list[tuple[float, float, str]]]  # series: (x, y, what it is)
Lines = dict[str, list[tuple[float, float]]]


def log_log(title: str, x_name: str, y_name: str, points: Points, lines: Lines | None = None) -> str:
    """An SVG with two logarithmic axes.

    Args:
        title: above it.
        x_name: under the horizontal axis.
        y_name: beside the vertical axis.
        points: by series; each shows its text under the pointer.
        lines: drawn thin; one named like a series has its colour, others are dashed.
    """
    lines = lines or {}
    spots = [(x, y) for several in points.values() for x, y, _ in several]
    spots += [spot for several in lines.values() for spot in several]
    across, up = _Axis([x for x, _ in spots], 70, 560), _Axis([y for _, y in spots], 360, 50)
    text = 'font-family="sans-serif" font-size="12" fill="#222"'
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 410"><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="10" y="22" {text} font-weight="bold">{escape(title)}</text>',
        f'<text x="315" y="400" text-anchor="middle" {text}>{escape(x_name)}</text>',
        f'<text x="70" y="42" text-anchor="end" {text}>{escape(y_name)}</text>',
    ]
    for value in across.ticks():
        x = across(value)
        parts.append(f'<path d="M{x:.1f} 50V360" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="378" text-anchor="middle" {text}>{value:g}</text>')
    for value in up.ticks():
        y = up(value)
        parts.append(f'<path d="M70 {y:.1f}H560" stroke="#ddd"/>')
        parts.append(f'<text x="64" y="{y + 4:.1f}" text-anchor="end" {text}>{value:g}</text>')
    colours = dict(zip(points, itertools.cycle(COLOURS), strict=False))
    for name, several in lines.items():
        way = "L".join(f"{across(x):.1f} {up(y):.1f}" for x, y in several)
        stroke = f'stroke="{colours[name]}"' if name in colours else 'stroke="#b33" stroke-dasharray="4 3"'
        parts.append(f'<path d="M{way}" fill="none" {stroke}/>')
    for place, (name, several) in enumerate(points.items()):
        for x, y, what in several:
            parts.append(
                f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="4" fill="{colours[name]}" fill-opacity="0.8">'
                f"<title>{escape(what)}</title></circle>"
            )
        y = 60 + 20 * place
        parts.append(f'<circle cx="578" cy="{y}" r="5" fill="{colours[name]}"/>')
        parts.append(f'<text x="590" y="{y + 4}" {text}>{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Axis:
    """Places of positive numbers between two ends of a logarithmic axis."""

    def __init__(self, values: list[float], start: float, end: float):
        self.low, self.high = (math.log10(one) for one in (min(values), max(values)))
        margin = 0.05 * (self.high - self.low) + 0.02
        self.low, self.high, self.start, self.end = self.low - margin, self.high + margin, start, end

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Powers of ten; where these are few, also 2 and 5 times them."""
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        wide = self.high - self.low > 3
        found = [factor * 10.0**power for power in powers for factor in ((1,) if wide else (1, 2, 5))]
        return [value for value in found if self.low <= math.log10(value) <= self.high]
