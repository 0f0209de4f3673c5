"""The table of the layers that can be exported, each with the function that writes its nodes; and who is refused."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from minidl.engine.tensor import raw
from minidl.graph.symbolic import flatten, map_structure
from minidl.layers import Layer
from minidl.models import Model
from minidl_kernels.arrays import is_array, to_numpy

from .graph import Graph
from .masks import hand_on, mask_of, put
from .value import Value

__all__ = ["LAYERS", "REFUSED", "entry_of", "exports", "refusal", "write"]

F = TypeVar("F", bound=Callable[..., Any])


class Entry(NamedTuple):
    """How a layer is written."""

    function: Callable[..., Any]
    takes: tuple[str, ...]  # the arguments of call() that it knows besides the inputs
    integers: bool  # whether whole numbers stay whole numbers


LAYERS: dict[type, Entry] = {}

# Methods that subclasses may have in their own way: what they do does not change the outputs.
NOT_COMPUTING = (
    "add_loss", "add_weight", "build", "build_from_config", "compute_output_shape", "compute_output_spec",
    "from_config", "get_build_config", "get_config",
)  # fmt: skip

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
            if not _replaced(layer, base):
                return LAYERS[base]
            break
    raise refusal(
        layer,
        "what it computes is Python code, which ONNX cannot hold; export the parts that are built of layers, such as "
        "Model(inputs, outputs)",
    )


def _replaced(layer: Layer, base: type) -> bool:
    """Whether a subclass (or the layer itself) has other methods than ``base`` where these compute the outputs."""
    known: tuple[str, ...] = ("call", "__call__")
    if not issubclass(base, Model):  # whose training may well be the user's
        known += tuple(name for name in dir(base) if name not in NOT_COMPUTING and not name.startswith("__"))
    own = set(vars(layer)).union(*map(vars, type(layer).__mro__[: type(layer).__mro__.index(base)]))
    return any(name in own and callable(getattr(base, name, None)) for name in known)


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
    leaves = [one for one in flatten((inputs, given)) if isinstance(one, Value)]
    graph = leaves[0].graph
    inputs, given = map_structure(partial(_converted, layer, entry, graph), (inputs, given))
    mask = given.get("mask")
    if mask is None:
        mask = mask_of(inputs)
        if mask is not None and "mask" in layer._call_parameters:
            given["mask"] = mask
    with graph.inside(layer.name):
        outputs = entry.function(layer, inputs, **given)
        hand_on(layer, inputs, outputs, mask)
    return outputs


def _converted(layer: Layer, entry: Entry, graph: Graph, value: Any) -> Any:
    """A value as Layer.__call__ has it: arrays are constants, and floats get the dtype of the layer."""
    array = raw(value)
    if is_array(array):
        value = Value(graph, array.shape, array.dtype, array=to_numpy(array))
    if not isinstance(value, Value) or (entry.integers and value.dtype.kind != "f") or value.dtype == bool:
        return value
    made = value.cast(layer.dtype) if layer.autocast or value.dtype.kind != "f" else value
    put(made, value.mask)
    return made
