"""How tensors, models and trainings show themselves at the end of a cell of Jupyter (or another notebook).

The classes know nothing of it: ``attach`` gives them the method ``_repr_html_``, which notebooks look for. What has
nothing below it but plain numbers (reports of checks, charts, pages) brings that method itself.
"""

from typing import Any

from minidl.callbacks import History
from minidl.engine import Tensor, Variable
from minidl.graph import KerasTensor
from minidl.models import Model

from .models import model_html
from .tensors import symbolic_html, tensor_html, variable_html
from .training import history_html

__all__ = ["attach", "history_html", "model_html", "symbolic_html", "tensor_html", "variable_html"]

_PICTURES: dict[Any, Any] = {
    Tensor: tensor_html,
    Variable: variable_html,
    KerasTensor: symbolic_html,
    Model: model_html,
    History: history_html,
}


def attach() -> None:
    """Let the classes show themselves; ``import minidl`` calls it."""
    for kind, picture in _PICTURES.items():
        kind._repr_html_ = picture
