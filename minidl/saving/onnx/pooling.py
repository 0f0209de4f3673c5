"""Pooling layers."""

from typing import Any

from minidl import layers

from .convolution import extents_of, name_of, result, window_padding
from .table import exports
from .value import Value, elementwise, node, reduced

__all__ = ["average_pooling", "global_average_pooling", "global_max_pooling", "max_pooling"]


def _pooled(layer: Any, kind: str, x: Value, **attributes: Any) -> Value:
    name = name_of(layer, x)
    made = x.graph.emit(
        kind, [name], kernel_shape=layer.pool_size, strides=layer.strides, **_padding(layer, x, name), **attributes
    )
    channels = x.shape[-1 if layer.data_format == "channels_last" else 1]
    return result(layer, made, x, extents_of(layer, layer.compute_output_shape(x.shape)), channels)


def _padding(layer: Any, x: Value, name: str) -> dict[str, Any]:
    """The cells around the input, which do not count.

    Behind a Pad, whose zeros do count, as "auto_pad": ONNX Runtime makes one node of Pad and pooling, as if the zeros
    did not count either, but leaves poolings with "auto_pad" alone.
    """
    found = window_padding(layer, x, layer.pool_size, (1,) * layer.rank)
    if "auto_pad" in found or x.graph.maker(name, through=("Cast", "Transpose")) != "Pad":
        return found
    if not any(found.get("pads", ())):
        return {"auto_pad": "VALID"}
    axes = zip(extents_of(layer, x.shape), layer.pool_size, layer.strides, strict=True)
    fits = all((-(-n // s) - 1) * s + k >= n for n, k, s in axes)  # else runtimes find a negative number of cells
    return {"auto_pad": "SAME_UPPER"} if fits else found


@exports(layers.MaxPooling1D, layers.MaxPooling2D)
def max_pooling(layer: Any, x: Value) -> Value:
    """MaxPool."""
    return _pooled(layer, "MaxPool", x)


@exports(layers.AveragePooling1D, layers.AveragePooling2D)
def average_pooling(layer: Any, x: Value) -> Value:
    """AveragePool; cells around the input do not count."""
    return _pooled(layer, "AveragePool", x, count_include_pad=0)


@exports(layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D)
def global_max_pooling(layer: Any, x: Value) -> Value:
    """ReduceMax."""
    return reduced("ReduceMax", x, layer._axes(), layer.keepdims)


@exports(layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, takes=("mask",))
def global_average_pooling(layer: Any, x: Value, mask: Value | None = None) -> Value:
    """ReduceMean; with a mask, the sum of the steps that count, divided by their number."""
    if mask is None:
        return reduced("ReduceMean", x, layer._axes(), layer.keepdims)
    place = 2 if layer.data_format == "channels_last" else 1
    shape = (*mask.shape, 1) if place == 2 else (mask.shape[0], 1, mask.shape[1])
    numbers = mask.cast(x.dtype)
    counted = node("Unsqueeze", numbers, x.integers(place), shape=shape)
    counts = elementwise("Not", elementwise("Equal", counted, 0.0, dtype=bool))
    kept = elementwise("Where", counts, x, x.constant(0.0), dtype=x.dtype)
    total = reduced("ReduceSum", kept, layer._axes(), layer.keepdims)
    return total / reduced("ReduceSum", counted, layer._axes(), layer.keepdims)
