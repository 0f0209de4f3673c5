"""The report on a trained classifier: one HTML file in English and Korean with everything inside, of plain arrays."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minidl.atomic import write_text

from .confusion import confusion_chart, confusion_matrix, mix_ups
from .curves import curves
from .head import head
from .pictures import kernel_tiles, map_tiles, picture
from .report_words import NAMES, TEXTS, kernels_text, share_text, tiles_text
from .sheet import overlay
from .svg import Figure
from .words import Words, check_language, in_language, plain, shown

__all__ = ["Check", "Report", "render", "write"]

_HERE = Path(__file__).parent
_CARDS = 12


@dataclass
class Check:
    """The gradient check in words and rows.

    Attributes:
        passed: whether all of it did.
        summary: one sentence (text or Words).
        rows: (what was checked, its largest relative difference, whether it passed).
    """

    passed: bool
    summary: Any
    rows: Sequence[tuple[str, float, bool]] = ()


@dataclass
class Report:
    """What a report shows. Parts left empty are left out of the page.

    Titles, facts and settings are text, or Words where the two languages differ.

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
        where: method (text or Words) -> a map (h, w) of any size that says where the model looked in that picture.
        layers: (name, kind, output shape, number of parameters) of each layer.
        check: the gradient check.
        settings, versions: name -> value.
    """

    title: Any
    subtitle: Any
    class_names: Sequence[str]
    pictures: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    history: Mapping[str, Sequence[float]] = field(default_factory=dict)
    facts: Mapping[Any, Any] = field(default_factory=dict)
    kernels: np.ndarray | None = None
    sample: int = 0
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    where: Mapping[Any, np.ndarray] = field(default_factory=dict)
    layers: Sequence[tuple[str, str, str, int]] = ()
    check: Check | None = None
    settings: Mapping[Any, Any] = field(default_factory=dict)
    versions: Mapping[Any, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        m, n = len(self.pictures), len(self.class_names)
        if np.shape(self.labels) != (m,) or np.shape(self.probabilities) != (m, n):
            raise ValueError(
                f"{m} pictures and {n} class names need labels of shape ({m},) and probabilities of shape ({m}, {n}), "
                f"not {np.shape(self.labels)} and {np.shape(self.probabilities)}"
            )


def render(report: Report, language: str = "en") -> str:
    """The page, in both languages. It asks for nothing outside itself and runs no script; its own policy forbids both.

    Args:
        language: "en" or "ko", the one that is shown first.

    Raises:
        ValueError: another language.
    """
    check_language(language)
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    page = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page.filters["thousands"] = lambda n: f"{n:,}"
    page.filters["words"] = lambda text: shown(text) if isinstance(text, Words) else text
    page.filters["plain"] = plain
    guesses = np.argmax(report.probabilities, -1)
    matrix = confusion_matrix(report.labels, guesses, len(report.class_names))
    kernels = kernel_tiles(report.kernels) if report.kernels is not None else []
    maps = {name: map_tiles(values) for name, values in report.maps.items()}
    return page.get_template("report.html").render(
        report=report,
        text=TEXTS,
        language=language,
        head=head(in_language(report.title, language), _HERE / "report.css", _HERE / "language.css", language=language),
        charts=_charts(report.history),
        numbers=_numbers(report.history),
        confusion=confusion_chart(matrix, report.class_names),
        mix_ups=[
            (report.class_names[i], report.class_names[j], share_text(n, matrix[i].sum()))
            for i, j, n in mix_ups(matrix)
        ],
        wrong=[_card(report, i) for i in _surest_mistakes(report, guesses)],
        right=[_card(report, i) for i in _one_of_each(report, guesses)],
        kernels=kernels,
        kernels_text="" if report.kernels is None else kernels_text(report.kernels.shape, len(kernels)),
        sample=_card(report, report.sample) if len(report.pictures) else None,
        maps={name: (tiles, tiles_text(report.maps[name].shape, len(tiles))) for name, tiles in maps.items()},
        where={
            name: overlay(report.pictures[report.sample], values, alt=f"{plain(TEXTS['where'])}: {plain(name)}")
            for name, values in report.where.items()
        },
    )


def write(report: Report, path: str | os.PathLike[str], language: str = "en") -> Path:
    """Render into a file, which appears whole or not at all.

    Args:
        path: where; the folder must exist.
        language: "en" or "ko", the one that the page shows first.

    Returns:
        The path.
    """
    write_text(path, render(report, language))
    return Path(path)


def _charts(history: Mapping[str, Sequence[float]]) -> list[tuple[Words, Figure]]:
    """Loss and accuracy, each on the training and the test pictures, as far as the history has them."""
    charts = []
    for name, percent in (("loss", False), ("accuracy", True)):
        both = {"train": history.get(name, ()), "test": history.get(f"val_{name}", ())}
        lines = {NAMES[part]: list(values) for part, values in both.items() if np.isfinite(list(values)).any()}
        if lines:
            caption = Words(name.capitalize(), NAMES[name].ko)
            title = Words(f"{caption.en} by epoch", f"에포크에 따른 {caption.ko}")
            charts.append((caption, curves(lines, title=title, percent=percent)))
    return charts


def _numbers(history: Mapping[str, Sequence[float]]) -> list[tuple[Any, ...]]:
    """The history as a table: a row of names, then one row an epoch."""
    if not history:
        return []
    rows: list[tuple[Any, ...]] = [
        (NAMES["epoch"], *(NAMES.get(name, name.replace("val_", "test ")) for name in history))
    ]
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
    alt = Words(f"{name}, taken for {guess}", f"{name} → {guess}")
    if int(best[0]) == truth:
        alt = Words(f"{name}, recognised", f"{name}, 맞힘")
    return {"img": picture(report.pictures[index], alt=plain(alt)), "truth": name, "answers": answers}
