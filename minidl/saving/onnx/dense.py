"""Layers that multiply by a matrix of weights or look rows up in one."""

from typing import Any

from minidl import layers

from .activations import activated
from .table import exports, refusal
from .value import Value, node

__all__ = ["dense", "einsum_dense", "embedding"]


@exports(layers.Dense)
def dense(layer: Any, x: Value) -> Value:
    """Gemm for rows; MatMul and Add where there are more axes."""
    kernel, shape = x.constant(layer.kernel.numpy(), "kernel"), (*x.shape[:-1], layer.units)
    if layer.bias is None:
        return activated(layer, node("MatMul", x, kernel, shape=shape))
    bias = x.constant(layer.bias.numpy(), "bias")
    if x.rank == 2:
        return activated(layer, node("Gemm", x, kernel, bias, shape=shape))
    return activated(layer, node("MatMul", x, kernel, shape=shape) + bias)


@exports(layers.EinsumDense)
def einsum_dense(layer: Any, x: Value) -> Value:
    """Einsum and Add."""
    kernel, shape = x.constant(layer.kernel.numpy(), "kernel"), layer.compute_output_shape(x.shape)
    y = node("Einsum", x, kernel, shape=shape, equation=layer.equation)
    return activated(layer, y if layer.bias is None else y + x.constant(layer.bias.numpy(), "bias"))


@exports(layers.Embedding, integers=True)
def embedding(layer: Any, x: Value) -> Value:
    """Gather of rows."""
    if x.dtype.kind not in "iuf":
        raise refusal(layer, f"its inputs are of the dtype {x.dtype}, not whole numbers")
    places = x if x.dtype in ("int32", "int64") else x.cast("int32" if x.dtype.itemsize <= 4 else "int64")
    table = Value(x.graph, layer.embeddings.shape, layer.dtype, array=layer.embeddings.numpy(), label="embeddings")
    return node("Gather", table, places, shape=(*x.shape, layer.output_dim), axis=0)
