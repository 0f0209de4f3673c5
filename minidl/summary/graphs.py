"""A model as a graph of named nodes (GraphDef), for TensorBoard's page of graphs.

https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/graph.proto
"""

from typing import Any

from .wire import field, text, whole

__all__ = ["graph_of_model"]

PRODUCER = 22  # a version of the format, from before anything that is used here changed


def graph_of_model(model: Any) -> bytes:
    """GraphDef with a node for each layer, under the names of the models that hold it: ``net/encoder/dense``.

    The layers of a functional model are joined as its graph joins them, those of other models in the order in which
    they stand. A layer that is used several times is several nodes.
    """
    nodes: dict[str, bytes] = {}
    _add(model, model.name, [], nodes, None)
    return b"".join(field(1, one) for one in nodes.values()) + field(4, whole(1, PRODUCER))


def _node(name: str, op: str, inputs: list[str], shape: Any) -> bytes:
    """NodeDef { name, op, input ..., attr { "_output_shapes": list { shape } } }; -1 is an axis of any size."""
    content = text(1, name) + text(2, op) + b"".join(text(3, one) for one in inputs)
    if shape is not None:
        sizes = b"".join(field(2, whole(1, -1 if size is None else size)) for size in shape)
        content += field(5, text(1, "_output_shapes") + field(2, field(1, field(7, sizes))))
    return content


def _add(operation: Any, name: str, inputs: list[str], nodes: dict[str, bytes], shape: Any) -> list[str]:
    """Add the nodes of a layer, an op or a model; the names of those that its outputs come from."""
    graph = getattr(operation, "_function", None)
    inside = list(getattr(operation, "layers", None) or ())
    if graph is not None:
        return _add_graph(graph, name, inputs, nodes)
    if not inside:
        nodes[name] = _node(name, type(operation).__name__, inputs, shape)
        return [name]
    for layer in inside:
        made = layer._inbound[-1].outputs[0].shape if layer._inbound else None
        inputs = _add(layer, _unused(f"{name}/{layer.name}", nodes), inputs, nodes, made)
    return inputs


def _add_graph(graph: Any, name: str, inputs: list[str], nodes: dict[str, bytes]) -> list[str]:
    """The same for a graph of calls. Its inputs are nodes of their own."""
    ends: dict[int, str] = {}  # by the id of a symbolic tensor: the node that it comes from
    for i, tensor in enumerate(graph.inputs):
        maker = tensor.name if tensor.call is None else tensor.call.operation.name
        title = _unused(f"{name}/{maker}", nodes)
        nodes[title] = _node(title, "InputLayer", inputs[i : i + 1], tensor.shape)
        ends[id(tensor)] = title
    for call in graph.calls:
        title = _unused(f"{name}/{call.operation.name}", nodes)
        before = list(dict.fromkeys(ends[id(tensor)] for tensor in call.inputs()))
        made = _add(call.operation, title, before, nodes, call.outputs[0].shape)
        for i, tensor in enumerate(call.outputs):
            ends[id(tensor)] = made[min(i, len(made) - 1)]
    return [ends[id(tensor)] for tensor in graph.outputs]


def _unused(name: str, nodes: dict[str, bytes]) -> str:
    """The name, or with the next number where nodes of this name are there already."""
    number, found = 0, name
    while found in nodes or any(known.startswith(f"{found}/") for known in nodes):
        number += 1
        found = f"{name}_{number}"
    return found
