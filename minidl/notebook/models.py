"""Models: the table of ``model.summary()``."""

from typing import Any

from minidl.markup import box, table

__all__ = ["model_html"]


def model_html(model: Any) -> str:
    """Layers with output shapes and parameters, the totals, and what ``compile`` was given."""
    from minidl.models.summary import summary_rows, total_lines  # brings the tables of kernels along

    headers, rows = summary_rows(model)
    note = type(model).__name__
    if model.compiled:
        given = [f"optimizer {type(model.optimizer).__name__}"] * (model.optimizer is not None)
        given += [f"loss {_name(model.loss)}"] if model.loss is not None else []
        note += " · " + ", ".join(given or ["compiled"])
    totals = "".join(f"<div>{line}</div>" for line in total_lines(model))
    return box(model.name, table(headers, rows, right=(2,)), totals, note=note)


def _name(loss: Any) -> str:
    if isinstance(loss, dict):
        return ", ".join(f"{key}: {_name(one)}" for key, one in loss.items())
    if isinstance(loss, (list, tuple)):
        return ", ".join(_name(one) for one in loss)
    return str(loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", loss))
