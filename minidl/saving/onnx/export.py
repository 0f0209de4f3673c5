"""export_onnx: a model as an ONNX file."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from minidl.config import __version__
from minidl.graph.symbolic import KerasTensor, flatten, map_structure
from minidl.models import Functional, Model, Sequential

from ..atomic import replacing
from . import dense, merging, models, normalization, pictures, pooling, shaping  # noqa: F401 - they fill the table
from .graph import OPSET, Graph
from .table import write
from .value import Value

__all__ = ["export_onnx"]

MOST_BYTES = 2**31 - 2**20  # a protobuf message holds 2 GiB; the nodes want some of it
DTYPES = ("float32", "float64", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def export_onnx(
    model: Model, filepath: Any, verbose: bool | None = None, input_signature: Any = None, opset_version: Any = None
) -> None:
    """Write what a model predicts as an ONNX file, for ONNX Runtime and others; see ``Model.export``."""
    if opset_version not in (None, OPSET):
        raise ValueError(
            f"opset_version must be {OPSET}, not {opset_version!r}: runtimes read older opsets than their own"
        )
    path = os.fspath(filepath)
    image = image_of(model, input_signature).SerializeToString()
    with replacing(path) as file:
        file.write(image)
    if verbose is None or verbose:
        print(f"Saved artifact at '{path}'.")


def image_of(model: Model, input_signature: Any = None) -> Any:
    """A model as an ``onnx.ModelProto``, checked."""
    graph = Graph()
    inputs = _inputs_of(model, input_signature)
    names = _distinct(_input_names(model), set())
    values = [Value(graph, tensor.shape, tensor.dtype, name) for tensor, name in zip(inputs, names, strict=True)]
    for name in names:
        graph.name(name)
    structure = getattr(model, "input_structure", None)
    given: Any = values
    if isinstance(structure, dict):
        given = dict(zip(sorted(structure), values, strict=True))
    outputs = flatten(write(model, values[0] if isinstance(model, Sequential) else given))
    wanted = _distinct(model.output_names or [], set(names))
    made = [_named(graph, one, name) for one, name in zip(outputs, wanted, strict=True)]
    return _proto(graph, model.name, values, made)
