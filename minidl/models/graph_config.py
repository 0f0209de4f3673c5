"""A functional graph as plain data, and back: Keras 3's ``layers``, ``input_layers`` and ``output_layers``.

A tensor is named by its history: [name of the layer that makes it, which of the layer's calls, which of its outputs].
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from minidl import registry
from minidl.engine.tensor import Tensor
from minidl.graph.function import Function
from minidl.graph.symbolic import KerasTensor, map_structure
from minidl.layers import InputLayer, Layer
from minidl.tree import flatten

__all__ = ["config_of_graph", "graph_of_config", "takes_a_graph"]

TRIES = 20  # how often a call may wait for its turn


def config_of_graph(function: Function, inputs: Any, outputs: Any) -> dict[str, Any]:
    """The configuration of a graph, whose inputs and outputs stand in these structures.

    Raises:
        ValueError: the graph calls an op itself, which files cannot hold.
    """
    layers = function.operations()
    used = {id(call) for call in function.calls}
    numbers: dict[int, int] = {}  # of each call among its layer's calls in this graph
    for layer in layers:
        if not isinstance(layer, Layer):
            raise ValueError(_op_in_graph(layer))
        calls = [call for call in layer._inbound if id(call) in used]
        numbers.update((id(call), number) for number, call in enumerate(calls))
    # A model may begin inside another graph: at such a tensor the file has an input layer.
    entrances = {id(t): t for t in function.inputs if t.call is None or not isinstance(t.call.operation, InputLayer)}

    def history(tensor: KerasTensor, as_output: bool = False) -> list[Any]:
        if id(tensor) in entrances or tensor.call is None:
            return [tensor.name, 0, 0]
        layer = tensor.call.operation
        return [layer.name, numbers.get(id(tensor.call), 0) + (_first_number(layer) if as_output else 0), tensor.index]

    def argument(leaf: Any) -> Any:
        if isinstance(leaf, KerasTensor):
            described = {"shape": list(leaf.shape), "dtype": str(leaf.dtype), "keras_history": history(leaf)}
            return {"class_name": "__keras_tensor__", "config": described}
        if isinstance(leaf, (Tensor, np.ndarray)):
            value = np.asarray(leaf)
            return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": str(value.dtype)}}
        return registry.serialize(leaf)

    configs = [_entrance(tensor) for tensor in entrances.values()]
    for layer in layers:
        nodes = [
            {"args": map_structure(argument, list(call.args)), "kwargs": map_structure(argument, call.kwargs)}
            for call in layer._inbound
            if id(call) in used
        ]
        config = registry.serialize(layer)
        config.update(name=layer.name, inbound_nodes=nodes)
        configs.append(config)
    return {
        "layers": configs,
        "input_layers": map_structure(history, inputs),
        "output_layers": map_structure(lambda tensor: history(tensor, as_output=True), outputs),
    }


def _first_number(layer: Any) -> int:
    """The number of a layer's first call where outputs of a model are named: 1 for functional models, as in Keras."""
    return getattr(layer, "first_call_number", 0)


def _first_number_in_keras_2(layer: Any) -> int:
    """The same for Keras 2, where a Sequential that knows its input is a functional model too."""
    stack = getattr(layer, "_stack", None)
    return 1 if stack and isinstance(stack[0], InputLayer) else _first_number(layer)


def _entrance(tensor: KerasTensor) -> dict[str, Any]:
    config = {"batch_shape": list(tensor.shape), "dtype": str(tensor.dtype), "name": tensor.name}
    return {
        "module": "keras.layers", "class_name": "InputLayer", "config": config, "registered_name": None,
        "name": tensor.name, "inbound_nodes": [],
    }  # fmt: skip


def _op_in_graph(op: Any) -> str:
    layers, activations = registry.published("keras.layers"), registry.published("keras.activations")
    wanted = op.name.replace("_", "")
    layer = next((name for name, item in layers.items() if name.lower() == wanted and isinstance(item, type)), None)
    if layer is not None:
        instead = f"use the layer {layer}() instead"
    elif op.name in activations:
        instead = f"use the layer Activation({op.name!r}) instead"
    else:
        instead = "call it inside the call() method of a layer of your own"
    return f"a model whose graph calls the op {op.name!r} on symbolic tensors cannot be saved; {instead}"


def _layers_of(entries: list[dict[str, Any]]) -> tuple[dict[str, Layer], list[tuple[str, Any]]]:
    """The layers by name, and the calls to make: (name of the layer, its node)."""
    layers: dict[str, Layer] = {}
    waiting: list[tuple[str, Any]] = []
    for entry in entries:
        name = entry.get("name") or entry["config"]["name"]
        if str(entry.get("module")).startswith("keras.src.ops"):
            raise ValueError(
                f"the graph calls the op {entry['class_name']!r} itself ({name!r}), which cannot be opened here; "
                f"in Keras, build and save the model with a layer in its place"
            )
        layer = registry.deserialize({key: value for key, value in entry.items() if key != "inbound_nodes"})
        if not isinstance(layer, Layer):
            raise ValueError(f"{name!r} should be a layer, but is {layer!r}")
        if name in layers:
            raise ValueError(f"two layers are called {name!r}")
        layers[name] = layer
        waiting += [(name, node) for node in entry.get("inbound_nodes") or []]
    return layers, waiting


def graph_of_config(config: dict[str, Any]) -> tuple[Any, Any]:
    """(inputs, outputs) of a graph, in their structures, from what ``config_of_graph`` and Keras write.

    Raises:
        ValueError: a layer that is not there, or calls that wait for each other.
    """
    layers, waiting = _layers_of(config["layers"])
    made = {name: one._inbound[:1] if isinstance(one, InputLayer) else [] for name, one in layers.items()}
    first_number = _first_number if all(isinstance(node, dict) for _, node in waiting) else _first_number_in_keras_2

    def tensor(history: Any, from_one: bool = False) -> KerasTensor:
        """The tensor of a history; IndexError as long as nothing made it."""
        name, number, index = history
        if name not in layers:
            raise ValueError(f"the graph names a layer {name!r}, which is not there")
        number -= first_number(layers[name]) if from_one else 0
        if number < 0 or index < 0:
            raise ValueError(f"the history {history} is impossible")
        return made[name][number].outputs[index]

    tries = TRIES * len(waiting) + 10_000  # files list calls nearly in their order; one made to be slow does not
    while waiting:
        tries -= len(waiting)
        if tries < 0:
            raise ValueError("the calls of the graph are too far from the order in which they can be made")
        later: list[tuple[str, Any]] = []
        blocked: set[str] = set()  # the calls of a layer are numbered, so they are made in their order
        for name, node in waiting:
            try:
                if name in blocked:
                    raise IndexError
                args, kwargs = _arguments(node, tensor)
            except IndexError:
                later.append((name, node))
                blocked.add(name)
                continue
            layers[name](*args, **kwargs)
            made[name].append(layers[name]._inbound[-1])
        if len(later) == len(waiting):
            raise ValueError(f"the calls of {sorted(blocked)} wait for tensors that nothing makes")
        waiting = later

    def ends(structure: Any, outputs: bool) -> Any:
        if isinstance(structure, dict):
            return {key: ends(one, outputs) for key, one in structure.items()}
        if len(structure) == 3 and isinstance(structure[0], str):
            return tensor(structure, from_one=outputs)
        return [ends(one, outputs) for one in structure]

    try:
        return ends(config["input_layers"], outputs=False), ends(config["output_layers"], outputs=True)
    except IndexError:
        raise ValueError("the graph's inputs or outputs are not made by any call") from None


def takes_a_graph(cls: type) -> bool:
    """Whether a class of models is made of inputs and outputs, rather than with arguments of its own."""
    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    kinds = {p.kind for p in parameters.values()}
    anything = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= kinds
    return anything or {"inputs", "outputs"} <= set(parameters)


def _arguments(node: Any, tensor: Callable[..., KerasTensor]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call: Keras 3 writes {"args", "kwargs"}, Keras 2 a list of [layer, call, output, kwargs]."""
    if not isinstance(node, dict):
        inputs = [tensor(entry[:3], from_one=True) for entry in node]
        given = dict(node[0][3]) if len(node[0]) > 3 else {}
        return [inputs[0] if len(inputs) == 1 else inputs], {
            key: tensor(one, from_one=True) if _is_history(one) else one
            for key, one in given.items()
            if (key, one) != ("mask", None)
        }

    if not isinstance(node.get("args"), list) or not isinstance(node.get("kwargs"), dict):
        raise ValueError(f"a call has to have lists of args and kwargs, not {str(node)[:200]}")

    def value(leaf: Any) -> Any:
        if isinstance(leaf, list):
            return [value(one) for one in leaf]
        if isinstance(leaf, dict) and leaf.get("class_name") == "__keras_tensor__":
            return tensor(leaf["config"]["keras_history"])
        if isinstance(leaf, dict) and "class_name" not in leaf:
            return {key: value(one) for key, one in leaf.items()}
        return registry.deserialize(leaf)

    kwargs = {key: value(one) for key, one in node["kwargs"].items()}
    # Keras writes it for every model inside a model, in the structure of that one's inputs
    if "mask" in kwargs and all(one is None for one in flatten(kwargs["mask"])):
        del kwargs["mask"]
    return [value(one) for one in node["args"]], kwargs


def _is_history(value: Any) -> bool:
    """Whether an argument of a call is a tensor, as Keras 2 wrote it: [layer, call, output]."""
    return isinstance(value, list) and [type(one) for one in value] == [str, int, int]
