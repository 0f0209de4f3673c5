"""The report on a trained classifier: one HTML file with everything inside, made of plain arrays."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minidl.atomic import replacing

from .confusion import confusion_chart, confusion_matrix, mix_ups
from .curves import curves
from .head import head
from .pictures import kernel_tiles, map_tiles, picture
from .sheet import overlay
from .svg import Figure

__all__ = ["Check", "Report", "render", "write"]

_HERE = Path(__file__).parent
_CARDS = 12


@dataclass
class Check:
    """The gradient check in words and rows.

    Attributes:
        passed: whether all of it did.
        summary: one sentence.
        rows: (what was checked, its largest relative difference, whether it passed).
    """

    passed: bool
    summary: str
    rows: Sequence[tuple[str, float, bool]] = ()


@dataclass
class Report:
    """What a report shows. Parts left empty are left out of the page.

    Attributes:
        title, subtitle: the head of the page.
        facts: the few most important results, as name -> text.
        history: name -> one number an epoch; loss, val_loss, accuracy, val_accuracy are drawn.
        class_names: n names.
        pictures: the test pictures, (m, h, w), (m, h, w, 1) or (m, h, w, 3); uint8, or floats from 0 to 1.
        labels: (m,) true classes.
        probabilities: (m, n) what the model gave each class.
        kernels: of the first layer, (kh, kw, 1 or 3, k).
        sample: the picture the feature maps belong to; an index into ``pictures``.
        maps: layer -> its feature maps of that picture, (h, w, k).
        where: method -> a map (h, w) of any size that says where the model looked in that picture.
        layers: (name, kind, output shape, number of parameters) of each layer.
        check: the gradient check.
        settings, versions: name -> value.
    """

    title: str
    subtitle: str
    class_names: Sequence[str]
    pictures: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    history: Mapping[str, Sequence[float]] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    kernels: np.ndarray | None = None
    sample: int = 0
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    where: Mapping[str, np.ndarray] = field(default_factory=dict)
    layers: Sequence[tuple[str, str, str, int]] = ()
    check: Check | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        m, n = len(self.pictures), len(self.class_names)
        if np.shape(self.labels) != (m,) or np.shape(self.probabilities) != (m, n):
            raise ValueError(
                f"{m} pictures and {n} class names need labels of shape ({m},) and probabilities of shape ({m}, {n}), "
                f"not {np.shape(self.labels)} and {np.shape(self.probabilities)}"
            )


def render(report: Report) -> str:
    """The page. It asks for nothing outside itself and runs no script; its own policy forbids both."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    page = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page.filters["thousands"] = lambda n: f"{n:,}"
    page.filters["percent"] = lambda p: f"{p:.1%}"
    guesses = np.argmax(report.probabilities, -1)
    matrix = confusion_matrix(report.labels, guesses, len(report.class_names))
    return page.get_template("report.html").render(
        report=report,
        head=head(report.title, _HERE / "report.css"),
        charts=_charts(report.history),
        numbers=_numbers(report.history),
        confusion=confusion_chart(matrix, report.class_names),
        mix_ups=[(report.class_names[i], report.class_names[j], n, matrix[i].sum()) for i, j, n in mix_ups(matrix)],
        wrong=[_card(report, i) for i in _surest_mistakes(report, guesses)],
        right=[_card(report, i) for i in _one_of_each(report, guesses)],
        kernels=kernel_tiles(report.kernels) if report.kernels is not None else [],
        sample=_card(report, report.sample) if len(report.pictures) else None,
        maps={name: map_tiles(values) for name, values in report.maps.items()},
        where={
            name: overlay(report.pictures[report.sample], values, alt=f"where it looks, by {name}")
            for name, values in report.where.items()
        },
    )


def write(report: Report, path: str | os.PathLike[str]) -> Path:
    """Render into a file, which appears whole or not at all.

    Args:
        path: where; the folder must exist.

    Returns:
        The path.
    """
    page = render(report)
    with replacing(path) as file:
        file.write(page.encode("utf-8"))
    return Path(path)


def _charts(history: Mapping[str, Sequence[float]]) -> list[tuple[str, Figure]]:
    """Loss and accuracy, each on the training and the test pictures, as far as the history has them."""
    charts = []
    for name, percent in (("loss", False), ("accuracy", True)):
        both = {"train": history.get(name, ()), "test": history.get(f"val_{name}", ())}
        lines = {part: list(values) for part, values in both.items() if np.isfinite(list(values)).any()}
        if lines:
            title = f"{name.capitalize()} by epoch"
            charts.append((name.capitalize(), curves(lines, title=title, percent=percent)))
    return charts


def _numbers(history: Mapping[str, Sequence[float]]) -> list[tuple[str, ...]]:
    """The history as a table: a row of names, then one row an epoch."""
    if not history:
        return []
    rows = [("epoch", *(name.replace("val_", "test ") for name in history))]
    for epoch, values in enumerate(zip(*history.values(), strict=False), 1):
        rows.append((str(epoch), *(f"{value:.4g}" for value in values)))
    return rows


def _surest_mistakes(report: Report, guesses: np.ndarray) -> list[int]:
    """The wrong answers that were given with the highest probability."""
    wrong = np.flatnonzero(guesses != report.labels)
    sureness = np.asarray(report.probabilities)[wrong, guesses[wrong]]
    return wrong[np.argsort(-sureness, kind="stable")][:_CARDS].tolist()


def _one_of_each(report: Report, guesses: np.ndarray) -> list[int]:
    """The first right answer of each class."""
    right = np.flatnonzero(guesses == report.labels)
    _, first = np.unique(np.asarray(report.labels)[right], return_index=True)
    return right[first][:_CARDS].tolist()


def _card(report: Report, index: int) -> dict[str, Any]:
    """A picture, what it is, and the three most probable answers."""
    probabilities, truth = report.probabilities[index], int(report.labels[index])
    best = np.argsort(-probabilities, kind="stable")[:3]
    answers = [(report.class_names[i], float(probabilities[i]), int(i) == truth) for i in best]
    name, guess = report.class_names[truth], report.class_names[best[0]]
    alt = f"{name}, recognised" if int(best[0]) == truth else f"{name}, taken for {guess}"
    return {"img": picture(report.pictures[index], alt=alt), "truth": name, "answers": answers}
