"""Trainings: what ``fit`` returns, as curves and a table."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from minidl.markup import box, table

__all__ = ["history_html"]

_MOST_CHARTS = 4


def history_html(history: Any) -> str:
    """A curve for each quantity, training and validation in one chart; below, the first, best and last values."""
    logs = {name: values for name, values in history.history.items() if _plain(values)}
    epochs = max(map(len, logs.values()), default=0)
    note = f"{epochs} epoch{'s' * (epochs != 1)}"
    if not epochs:
        return box("History", note=note)
    drawn = "".join(_chart(name, group) for name, group in list(_groups(logs).items())[:_MOST_CHARTS] if epochs > 1)
    rows = [
        (name, *(f"{value:.4g}" for value in (values[0], min(values), max(values), values[-1])))
        for name, values in logs.items()
    ]
    numbers = table(("", "first", "smallest", "largest", "last"), rows, right=(1, 2, 3, 4))
    style = "display:flex;flex-wrap:wrap;gap:1em;--muted:currentColor;--grid:rgba(128,128,128,.35)"
    charts = f'<div style="{style}">{drawn}</div>' * bool(drawn)
    return box("History", charts, numbers, note=note)


def _plain(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(value, (int, float)) for value in values)


def _groups(logs: Mapping[str, Sequence[float]]) -> dict[str, dict[str, Sequence[float]]]:
    """Names that differ by "val_" only belong into one chart."""
    groups: dict[str, dict[str, Sequence[float]]] = {}
    for name, values in logs.items():
        if any(map(math.isfinite, values)):
            groups.setdefault(name.removeprefix("val_"), {})[name] = values
    return groups


def _chart(name: str, group: Mapping[str, Sequence[float]]) -> str:
    from minidl.visualize.curves import curves

    return f"<div>{curves(group, title=name, width=390, height=230)}</div>"
