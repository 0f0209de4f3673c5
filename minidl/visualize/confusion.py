"""The confusion matrix: what the model takes for what."""

from collections.abc import Sequence

import numpy as np

from .svg import Figure, element, text
from .words import Words, plain, svg_words

__all__ = ["confusion_chart", "confusion_matrix", "mix_ups"]

_RIGHT, _WRONG = "var(--first, #2f80d0)", "var(--second, #d65e18)"
_MUTED, _ON = "var(--muted, #5c6670)", "var(--on, #ffffff)"


def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray, classes: int) -> np.ndarray:
    """How often class i was taken for class j: int64 (classes, classes), rows are the truth.

    Args:
        y_true, y_pred: labels (n,), from 0 to ``classes`` - 1.

    Raises:
        ValueError: shapes that differ, or a label out of range.
    """
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape:
        raise ValueError(f"y_true and y_pred must be labels of one shape (n,), not {y_true.shape} and {y_pred.shape}")
    for name, labels in (("y_true", y_true), ("y_pred", y_pred)):
        if labels.size and not 0 <= labels.min() <= labels.max() < classes:
            raise ValueError(f"{name} must lie from 0 to {classes - 1}, found {labels.min()} to {labels.max()}")
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (y_true.astype(np.int64), y_pred.astype(np.int64)), 1)
    return matrix


def mix_ups(matrix: np.ndarray, limit: int = 5) -> list[tuple[int, int, int]]:
    """The most frequent mistakes, as (true class, taken for, how often), the most frequent first."""
    wrong = np.array(matrix)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
    places = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True)]
    return [(i, j, int(wrong[i, j])) for i, j in places if wrong[i, j]]


def confusion_chart(matrix: np.ndarray, class_names: Sequence[str], *, cell: int = 44) -> Figure:
    """A confusion matrix as SVG. Each row is a true class; the opacity follows the share of the row.

    Right answers are blue, mistakes orange; the last column is the share of the class that was found.
    Mistakes are drawn stronger than their share (its square root), for they are rarer.

    Args:
        matrix: (n, n) counts, as from ``confusion_matrix``.
        class_names: n names.

    Raises:
        ValueError: shapes that do not fit each other.
    """
    matrix = np.asarray(matrix)
    n = len(class_names)
    if matrix.shape != (n, n):
        raise ValueError(f"matrix must be of shape ({n}, {n}) for {n} class names, not {matrix.shape}")
    cell = cell if n <= 12 else max(8, cell * 12 // n)
    size = min(13.0, cell * 0.6)
    names = [_short(name) for name in class_names]
    lengths = [size * 0.62 * len(name) for name in names]  # roughly: no font is known here
    left, top = 16 + max(lengths), 30 + 0.71 * max(lengths)
    # How far the turned names reach beyond the last column.
    beyond = max((i + 0.5 - n) * cell + 0.71 * length + size for i, length in enumerate(lengths))
    width, height = left + n * cell + max(58.0, beyond), top + n * cell + 12
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    right, all_of_them = np.trace(matrix), matrix.sum()
    title = Words(
        f"Confusion matrix of {n} classes: {right} of {all_of_them} right",
        f"클래스 {n}개의 혼동 행렬: {all_of_them}개 중 {right}개 맞음",
    )
    parts = [element("title", plain(title))]
    for i, name in enumerate(names):
        middle = (i + 0.5) * cell
        parts.append(text(left - 8, top + middle + size / 3, name, anchor="end", size=size))
        turned = f"translate({left + middle + size / 3:.1f} {top - 8:.1f}) rotate(-45)"
        parts.append(text(0, 0, name, size=size, transform=turned))
        recall = f"{share[i, i]:.0%}" if matrix[i].any() else Words("none", "없음")
        parts.append(svg_words(left + n * cell + 8, top + middle + size / 3, recall, size=size, style=f"fill:{_MUTED}"))
    parts.append(svg_words(left + n * cell + 8, top - 8, Words("found", "찾음"), size=size, style=f"fill:{_MUTED}"))
    for i, j in np.argwhere(matrix).tolist():
        parts += _cell(left + j * cell, top + i * cell, cell, float(share[i, j]), int(matrix[i, j]), i == j)
        told = Words(*(f"{class_names[i]} {link} {class_names[j]}: {matrix[i, j]}" for link in ("taken for", "→")))
        parts.append(
            element(
                "rect", element("title", plain(told)),
                x=left + j * cell, y=top + i * cell, width=cell, height=cell, style="fill:transparent",
            )
        )  # fmt: skip
    frame = element(
        "rect", x=left, y=top, width=n * cell, height=n * cell, style="fill:none;stroke:var(--grid, #d9dcd6)"
    )
    return element(
        "svg", *parts, frame, viewBox=f"0 0 {width:.0f} {height:.0f}", width=width, height=height, role="img",
        xmlns="http://www.w3.org/2000/svg", font_family="system-ui, sans-serif",
    )  # fmt: skip


def _cell(x: float, y: float, cell: int, share: float, count: int, right: bool) -> list[Figure]:
    opacity = 0.1 + 0.9 * share if right else min(1.0, 0.05 + 1.1 * share**0.5)  # so that rare mistakes are seen
    style = f"fill:{_RIGHT if right else _WRONG};fill-opacity:{opacity:.2f}"
    parts = [element("rect", x=x + 1, y=y + 1, width=cell - 2, height=cell - 2, rx=3, style=style)]
    if cell >= 20:
        size = 13 if cell >= 36 else 9
        colour = f"fill:{_ON}" if opacity > 0.55 else ""
        parts.append(text(x + cell / 2, y + cell / 2 + size / 3, count, anchor="middle", size=size, style=colour))
    return parts


def _short(name: str, limit: int = 18) -> str:
    return name if len(name) <= limit else name[: limit - 1] + "…"
