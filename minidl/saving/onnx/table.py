"""The table of the layers that can be exported, each with the function that writes its nodes; and who is refused."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from minidl.graph.symbolic import flatten, map_structure
from minidl.layers import Layer

from .value import Value

__all__ = ["LAYERS", "REFUSED", "entry_of", "exports", "refusal", "write"]

F = TypeVar("F", bound=Callable[..., Any])


class Entry(NamedTuple):
    """How a layer is written."""

    function: Callable[..., Any]
    takes: tuple[str, ...]  # the arguments of call() that it knows besides the inputs
    integers: bool  # whether whole numbers stay whole numbers


LAYERS: dict[type, Entry] = {}

REFUSED: dict[str, str] = {
    "Lambda": "its function is Python code, which ONNX cannot hold; use layers, or ops on symbolic tensors",
}


def exports(*classes: type, takes: tuple[str, ...] = (), integers: bool = False) -> Callable[[F], F]:
    """Register the function that writes layers of some classes: ``function(layer, inputs) -> Value``.

    Args:
        takes: the arguments of ``call`` besides the inputs that the function takes, by name.
        integers: whether whole numbers pass through as they are; otherwise they are made floats before.
    """

    def register(function: F) -> F:
        LAYERS.update(dict.fromkeys(classes, Entry(function, takes, integers)))
        return function

    return register


def refusal(layer: Layer, why: str) -> ValueError:
    """The error for a layer that cannot be exported."""
    return ValueError(f"layer {layer.name!r} ({type(layer).__name__}) cannot be exported to ONNX: {why}")


def entry_of(layer: Layer) -> Entry:
    """The entry of a layer of a class in the table, or of a subclass whose call() is that of its base.

    Raises:
        ValueError: any other.
    """
    cls = type(layer)
    for base in cls.__mro__:
        if base.__name__ in REFUSED and base.__module__.startswith("minidl."):
            raise refusal(layer, REFUSED[base.__name__])
        if base in LAYERS:
            if cls.call is base.call and cls.__call__ is Layer.__call__:  # type: ignore[attr-defined]
                return LAYERS[base]
            break
    raise refusal(
        layer,
        "its call() is Python code, which ONNX cannot hold; export the parts that are built of layers, such as "
        "Model(inputs, outputs)",
    )


def write(layer: Layer, inputs: Any, **arguments: Any) -> Any:
    """Write the nodes of one call of a layer.

    Args:
        inputs: a value, or a structure of them.
        arguments: the others of the call, by name.

    Raises:
        ValueError: the layer, or this call of it, cannot be exported.
    """
    entry = entry_of(layer)
    given = {name: value for name, value in arguments.items() if value is not None}
    if given.pop("training", False) and layer._takes_training:
        raise refusal(layer, "it is called with training=True, and what is exported predicts; leave training out")
    unknown = sorted(given.keys() - set(entry.takes))
    if unknown:
        raise refusal(layer, f"the argument {unknown[0]!r} of its call is not supported there")
    graph = next(one.graph for one in flatten(inputs) if isinstance(one, Value))
    with graph.inside(layer.name):
        return entry.function(layer, map_structure(lambda one: _converted(layer, one, entry), inputs), **given)


def _converted(layer: Layer, value: Any, entry: Entry) -> Any:
    """As Layer.__call__ has it: floats get the dtype of the layer."""
    if not isinstance(value, Value) or (entry.integers and value.dtype.kind != "f"):
        return value
    return value.cast(layer.dtype) if layer.autocast or value.dtype.kind != "f" else value
