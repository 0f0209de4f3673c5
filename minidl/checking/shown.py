"""The reports of checks as notebooks show them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.markup import box, mark, pre, table

__all__ = ["gradcheck_html", "lines_html"]

_HEAD = ("", "gradient of", "shape", "largest error", "checked", "Taylor slope")


def gradcheck_html(report: Any) -> str:
    """A ``Report``: one row for each gradient; below, what is wrong."""
    parts = [table(_HEAD, _rows(report.inputs), right=(3, 5))]
    if report.second:
        parts += ["the gradient of the gradient:", table(_HEAD, _rows(report.second), right=(3, 5))]
    title, *lines = str(report).splitlines()
    if not report.ok:
        parts.append(pre("\n".join(lines)))
    return box(title, *parts, ok=report.ok)


def lines_html(report: Any) -> str:
    """A ``Diagnosis`` or ``Trajectory``: its text, the first line as the title."""
    title, *lines = str(report).splitlines()
    return box(title, *([pre("\n".join(lines))] if lines else []), ok=report.ok)


def _rows(results: Sequence[Any]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for one in results:
        counts = [f"{len(one.elements)} elements"] * bool(one.elements) + [f"{len(one.directions)} directions"]
        slope = f"{one.kinks} at a kink" if one.kinks else "linear" if np.isnan(one.slope) else f"{one.slope:.2f}"
        shape = str(one.shape) if one.shape else ""
        rows.append((mark(one.ok), one.name, shape, f"{one.max_error:.1g}", ", ".join(counts), slope))
    return rows
