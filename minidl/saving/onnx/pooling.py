"""Pooling layers."""

from typing import Any

from minidl import layers

from .convolution import extents_of, name_of, result, window_padding
from .table import exports
from .value import Value, elementwise, node, reduced

__all__ = ["average_pooling", "global_average_pooling", "global_max_pooling", "max_pooling"]


def _pooled(layer: Any, kind: str, x: Value, **attributes: Any) -> Value:
    padding = window_padding(layer, x, layer.pool_size, (1,) * layer.rank)
    made = x.graph.emit(
        kind, [name_of(layer, x)], kernel_shape=layer.pool_size, strides=layer.strides, **padding, **attributes
    )
    channels = x.shape[-1 if layer.data_format == "channels_last" else 1]
    return result(layer, made, x, extents_of(layer, layer.compute_output_shape(x.shape)), channels)


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
