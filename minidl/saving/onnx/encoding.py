"""Layers that encode columns, and the one that begins a mask."""

from typing import Any

import numpy as np

from minidl import layers
from minidl.layers import encoding

from .activations import compared, where
from .operations import traced
from .table import exports
from .value import Value, elementwise, node, reduced

__all__ = ["category_encoding", "discretization", "masking"]


def _encoded(layer: Any, numbers: Value, depth: int, *weights: Value) -> Value:
    """Whole numbers as rows, with the ops of the layer."""

    def encode(x: Any, *counts: Any) -> Any:
        return encoding._encoded(x, layer.output_mode, depth, layer.dtype, *counts)

    y: Value = traced(encode, numbers, *weights)
    return y


@exports(layers.CategoryEncoding, takes=("count_weights",), integers=True)
def category_encoding(layer: Any, x: Value, count_weights: Value | None = None) -> Value:
    """Equal to each number, and their Max or Sum; numbers that the layer refuses give zeros."""
    weights = [] if count_weights is None else [count_weights.cast(layer.dtype)]
    return _encoded(layer, x.cast("int32"), layer.num_tokens, *weights)


@exports(layers.Discretization)
def discretization(layer: Any, x: Value) -> Value:
    """How many boundaries a value is not below."""
    wide = node("Unsqueeze", x, x.integers(-1), shape=(*x.shape, 1))
    boundaries = x.constant(np.asarray(layer.bin_boundaries, "float32"), "boundaries")
    passed = elementwise("Not", compared("Less", wide, boundaries))
    numbers = reduced("ReduceSum", passed.cast("int32"), [-1], keepdims=False)
    return numbers if layer.output_mode == "int" else _encoded(layer, numbers, len(layer.bin_boundaries) + 1)


@exports(layers.Masking)
def masking(layer: Any, x: Value) -> Value:
    """Where the mask is true, x, else 0."""
    kept: Value = traced(layer.compute_mask, x)
    y = where(node("Unsqueeze", kept, kept.integers(-1), shape=(*kept.shape, 1)), x, 0.0)
    y.mask = kept
    return y
