"""Models: their layers and ops, in the order in which they are called."""

from functools import partial
from typing import Any

from minidl.graph.symbolic import flatten
from minidl.layers import Layer
from minidl.models import Functional, Sequential

from .masks import put
from .operations import write_op
from .table import exports, refusal, write
from .value import Value, node

__all__ = ["functional", "sequential"]


@exports(Sequential, takes=("mask",), integers=True)
def sequential(model: Any, x: Any, mask: Any = None) -> Any:
    """One layer after the other."""
    put(x, mask)
    if model._symbolic:
        x = adapted(model, flatten(x)[0], model._symbolic[0])
    for layer in model.layers:
        x = write(layer, x)
    return x


@exports(Functional, takes=("mask",), integers=True)
def functional(model: Any, inputs: Any, mask: Any = None) -> Any:
    """The calls of its graph."""
    put(inputs, mask)
    names = sorted(model.input_structure) if isinstance(model.input_structure, dict) else model.input_names
    given = model._named_inputs(inputs, names)
    values = [adapted(model, one, expected) for one, expected in zip(given, model.inputs, strict=True)]
    made = model._function(values, stand_in=lambda called: partial(_called, called))
    return made[0] if isinstance(made, (list, tuple)) and len(made) == 1 else made


def _called(called: Any, *args: Any, **kwargs: Any) -> Any:
    """One call of a layer or op of the graph."""
    if not isinstance(called, Layer):
        return write_op(called, *args, **kwargs)
    if len(args) != 1:
        raise refusal(called, f"it is called with {len(args)} inputs by place; a list of them can be exported")
    return write(called, *args, **kwargs)


def adapted(model: Any, value: Value, expected: Any) -> Value:
    """As Model has it: a last axis of 1 added or taken off where that makes it fit, and in the dtype of the input."""
    given, rank = value, len(expected.shape)
    if value.rank == rank - 1 and expected.shape[-1] == 1:
        value = node("Unsqueeze", value, value.integers(-1), shape=(*value.shape, 1))
    elif value.rank == rank + 1 and value.shape[-1] == 1:
        value = node("Squeeze", value, value.integers(-1), shape=value.shape[:-1])
    fits = value.rank == rank and all(
        a is None or b is None or a == b for a, b in zip(value.shape[1:], expected.shape[1:], strict=True)
    )
    if not fits:
        raise refusal(model, f"its input is of shape {tuple(expected.shape)}, but it is called on {value.shape}")
    value = value.cast(expected.dtype)
    put(value, given.mask)
    return value
