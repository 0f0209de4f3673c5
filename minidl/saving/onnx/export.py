"""export_onnx: a model as an ONNX file."""

import os
from typing import Any

import numpy as np

from minidl.config import __version__
from minidl.graph.symbolic import flatten
from minidl.layers import InputSpec
from minidl.models import Functional, Model, Sequential

from ..atomic import replacing
from . import dense, encoding, merging, models, normalization, pictures, pooling, shaping  # noqa: F401 - they fill the table
from .graph import OPSET, Graph
from .table import entry_of
from .value import Value

__all__ = ["export_onnx", "proto_of"]

IR_VERSION = 8  # the format of the file that came with OPSET
MOST_BYTES = 2**31 - 2**22  # a protobuf message holds 2 GiB; the nodes want some of it


def export_onnx(
    model: Model, filepath: Any, verbose: bool | None = None, input_signature: Any = None, opset_version: Any = None
) -> None:
    """Write what a model predicts as an ONNX file, for ONNX Runtime and others.

    Nothing is written before the whole graph stands, and the new file takes the old one's place when it is complete.

    Args:
        model: a Sequential or functional model of the layers of ``minidl.layers``, with ops on symbolic tensors.
        filepath: a path, such as "net.onnx".
        verbose: False: do not say where the file is.
        input_signature: shapes of the inputs other than the model's own, such as [InputSpec(shape=(1, 32, 32, 3))].
        opset_version: 17.

    Raises:
        ImportError: the package onnx is not installed.
        ValueError: a layer or an op that ONNX cannot hold (it is named), a model without inputs, or one of more than
            2 GiB.
    """
    if opset_version not in (None, OPSET):
        raise ValueError(f"opset_version must be {OPSET}, which newer runtimes read as well, not {opset_version!r}")
    path = os.fspath(filepath)
    image = proto_of(model, input_signature).SerializeToString()
    with replacing(path) as file:
        file.write(image)
    if verbose is None or verbose:
        print(f"Saved artifact at '{path}'.")


def proto_of(model: Model, input_signature: Any = None) -> Any:
    """The same as an ``onnx.ModelProto``, without a file."""
    graph, entry = Graph(), entry_of(model)
    if not model.built:
        raise ValueError(
            f"{model.name!r} does not know its inputs yet; put Input(shape=...) in front, or call it on data, first"
        )
    names = _distinct(_input_names(model), set())
    shapes = _shapes(model, input_signature)
    inputs = [Value(graph, shape, dtype, graph.name(name)) for name, (shape, dtype) in zip(names, shapes, strict=True)]
    given: Any = inputs[0] if isinstance(model, Sequential) else inputs
    if isinstance(model, Functional) and isinstance(model.input_structure, dict):
        given = dict(zip(sorted(model.input_structure), inputs, strict=True))
    made = flatten(entry.function(model, given))
    outputs = _named(graph, made, _distinct(model.output_names or [], set(names)))
    if graph.size > MOST_BYTES:
        raise ValueError(
            f"{model.name!r} has {graph.size / 2**30:.1f} GiB of weights, and an ONNX file holds 2 at most; export its "
            f"parts as models of their own"
        )
    helper = graph.onnx.helper
    body = helper.make_graph(
        graph.nodes, model.name, [_info(graph, one, i) for i, one in enumerate(inputs)],
        [_info(graph, one) for one in outputs], graph.weights,
    )  # fmt: skip
    return helper.make_model(
        body, producer_name="minidl", producer_version=__version__, ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )  # fmt: skip


def _input_names(model: Any) -> list[str]:
    return list(model.input_names) if isinstance(model, Functional) else [model.inputs[0].name]


def _shapes(model: Any, signature: Any) -> list[tuple[tuple[int | None, ...], Any]]:
    """Shape and dtype of each input: the model's own, or those of a signature.

    Raises:
        ValueError: a signature that does not fit the model.
    """
    own = [(tuple(tensor.shape), tensor.dtype) for tensor in model.inputs]
    if signature is None:
        return own
    specs = flatten(signature)
    if len(specs) != len(own):
        raise ValueError(f"input_signature holds {len(specs)} inputs, but {model.name!r} has {len(own)}")
    found = []
    for spec, (shape, dtype) in zip(specs, own, strict=True):
        wanted = tuple(getattr(spec, "shape", None) or ())
        fits = len(wanted) == len(shape)
        if not fits or any(None not in (a, b) and a != b for a, b in zip(wanted, shape, strict=True)):
            raise ValueError(
                f"input_signature: an InputSpec with a shape that fits {shape} is expected, not {wanted or spec!r}"
            )
        if not isinstance(spec, InputSpec):  # of data, the batch is only an example
            wanted = (None, *wanted[1:])
        found.append((wanted, np.dtype(spec.dtype or dtype)))
    return found


def _distinct(names: list[str], taken: set[str]) -> list[str]:
    """The names, numbered where one occurs again."""
    found: list[str] = []
    for name in names:
        one, number = name, 0
        while one in taken or one in found:
            number += 1
            one = f"{name}_{number}"
        found.append(one)
    return found


def _named(graph: Graph, values: list[Value], names: list[str]) -> list[Value]:
    """The outputs under their names: what a node makes is renamed, an input or what is an output already is copied."""
    olds = [value.plain for value in values]  # which may write nodes
    made = {output for node in graph.nodes for output in node.output}
    renamed: dict[str, str] = {}
    found = []
    for value, old, name in zip(values, olds, names, strict=True):
        if old in made and old not in renamed:
            renamed[old] = name
        else:
            graph.nodes.append(graph.onnx.helper.make_node("Identity", [old], [name], name=graph.name("Identity")))
        found.append(Value(graph, value.shape, value.dtype, name))
    for old, name in renamed.items():
        graph.rename(old, name)
    return found


def _info(graph: Graph, value: Value, place: int | None = None) -> Any:
    """Name, dtype and shape; the batch axis is called "batch", other open extents of inputs as Keras calls them."""
    shape: list[Any] = list(value.shape)
    for axis, n in enumerate(shape):
        if n is None and axis == 0:
            shape[0] = "batch"
        elif n is None and place is not None:
            shape[axis] = f"dim_{place}_{axis}"
    helper = graph.onnx.helper
    return helper.make_tensor_value_info(value.plain, helper.np_dtype_to_tensor_dtype(value.dtype), shape)
