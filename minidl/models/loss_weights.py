"""compile(loss_weights=...): numbers, as many as there are losses; anything else is told at once."""

import math
import reprlib
from numbers import Real
from typing import Any

from minidl.engine.tensor import raw

__all__ = ["check_loss_weights"]


def check_loss_weights(loss_weights: Any, loss: Any) -> None:
    """See that every factor is a number, and that factors and losses agree in number or names.

    Args:
        loss_weights: what compile() was given: a number, or a list or dictionary of numbers (None stands for 1).
        loss: the losses beside them.

    Raises:
        TypeError: something that is no number, such as the names of metrics in the third place of compile().
        ValueError: NaN or infinity, an array, another number of factors than of losses, or a name without a loss.
    """
    several = isinstance(loss_weights, (list, tuple, dict))
    entries = loss_weights.values() if isinstance(loss_weights, dict) else loss_weights if several else [loss_weights]
    for entry in entries:
        if entry is not None:
            _check_factor(entry, loss_weights)
    if isinstance(loss_weights, dict) and isinstance(loss, dict):
        unknown = [name for name in loss_weights if name not in loss]
        if unknown:
            raise ValueError(f"loss_weights names {unknown}, but the losses are named {list(loss)}")
    elif isinstance(loss_weights, (list, tuple)) and isinstance(loss, (list, tuple)) and len(loss_weights) != len(loss):
        raise ValueError(f"loss_weights has {len(loss_weights)} entries for {len(loss)} losses")


def _check_factor(entry: Any, loss_weights: Any) -> None:
    shape = getattr(raw(entry), "shape", None)
    if isinstance(entry, Real):
        if not math.isfinite(entry):
            raise ValueError(f"loss_weights takes finite numbers, not {reprlib.repr(loss_weights)}")
    elif shape is None or isinstance(entry, type):
        came = reprlib.repr(loss_weights)
        instead = came if isinstance(loss_weights, (list, dict)) and isinstance(entry, str) else "[...]"
        raise TypeError(
            f"loss_weights takes numbers, not {came}. The third argument of compile() is loss_weights; for metrics "
            f"write compile(optimizer, loss, metrics={instead})"
        )
    elif shape != ():  # what a variable holds is not looked at: it may change while it trains
        raise ValueError(
            f"loss_weights takes one number for each output, not an array of shape {shape}; write a list such as "
            f"loss_weights=[1.0, 0.5]"
        )
