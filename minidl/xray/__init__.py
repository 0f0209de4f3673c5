"""One training step, seen through: ``minidl.explain`` writes every number of it into a page that opens in a browser."""

import os
from pathlib import Path
from typing import Any

from minidl.atomic import replacing
from minidl.markup import framed

from .page import render
from .step import Step, record

__all__ = ["Explained", "Step", "explain", "record", "render"]


class Explained(type(Path())):  # type: ignore[misc]  # of Python 3.11 Path itself cannot be inherited
    """The path of a page; a notebook shows the page."""

    def _repr_html_(self) -> str:
        return framed(self.read_text(encoding="utf-8"), self.name)


def explain(
    model: Any, x: Any = None, y: Any = None, *more: Any, path: str | os.PathLike[str] = "explain.html",
    language: str = "en",
) -> Explained:  # fmt: skip
    """Write a page that shows one training step number by number: forward, backward, and the optimizer's update.

    The step is really taken, by ``train_on_batch``; afterwards weights, optimizer, metrics and random streams are as
    before. The page is one file that asks for nothing outside itself.

    Args:
        model: a compiled model; or a function of tensors, which is then called with Tensors of x, y and ``more``, and
            differentiated (the sum of its elements, where it returns several).
        x, y: a batch; a few samples are enough.
        *more: sample_weight; for a function its further arguments.
        path: the file; its folder must exist.
        language: "en" or "ko": the language that the page opens in (it has a switch).

    Returns:
        The path, as what a notebook shows as the page.

    Raises:
        ValueError: a model that is not compiled, no data, another language.
        TypeError: neither a model nor a function.
    """
    arrays = (x, y, *more)
    while arrays and arrays[-1] is None:
        arrays = arrays[:-1]
    page = render(record(model, arrays), language)
    with replacing(path) as file:
        file.write(page.encode("utf-8"))
    return Explained(path)
