"""Layers that make pictures larger or smaller."""

from typing import Any

import numpy as np

from minidl import layers
from minidl.ops.resampling import weights

from .convolution import extents_of, name_of, result
from .operations import traced
from .table import exports, refusal
from .value import Value

__all__ = ["resized", "upsampling_1d", "upsampling_2d"]

# Where a new cell stands, and what of the filter that falls outside counts: nothing.
MODES: dict[str, dict[str, Any]] = {
    "nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    "bilinear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
    "bicubic": {
        "mode": "cubic", "coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.5, "exclude_outside": 1,
    },
}  # fmt: skip


def _larger(layer: Any, x: Value, factors: Any, interpolation: str) -> str:
    """Resize by whole factors, with the channels first."""
    scales = x.graph.constant(np.array((1, 1, *factors), "float32"), "scales")
    return str(x.graph.emit("Resize", [name_of(layer, x), "", scales], **MODES[interpolation]))


def _mixed(layer: Any, x: Value, factors: Any, interpolation: str) -> str:
    """A product with a matrix for rows and one for columns, for any filter."""
    extents = extents_of(layer, x.shape)
    if None in extents:
        raise refusal(layer, f"of its input {x.shape} rows and columns must be known; give them in Input(shape=...)")
    rows, columns = (weights[interpolation](n, n * f, False) for n, f in zip(extents, factors, strict=True))
    y = x.graph.emit("MatMul", [x.constant(rows, "rows").plain, name_of(layer, x)])
    return str(x.graph.emit("MatMul", [y, x.constant(columns.T, "columns").plain]))


@exports(layers.UpSampling1D, integers=True)
def upsampling_1d(layer: Any, x: Value) -> Value:
    """Resize: every step repeated."""
    scales = x.graph.constant(np.array((1, layer.size, 1), "float32"), "scales")
    made = x.graph.emit("Resize", [x.plain, "", scales], **MODES["nearest"])
    return Value(x.graph, layer.compute_output_shape(x.shape), x.dtype, made)


@exports(layers.UpSampling2D, integers=True)
def upsampling_2d(layer: Any, x: Value) -> Value:
    """Resize, or products with matrices: where ONNX Runtime moves a Transpose, it refuses a cubic Resize."""
    if layer.interpolation != "nearest":
        x = x.cast(layer.dtype)
    is_open = None in extents_of(layer, x.shape)
    larger = layer.interpolation in ("nearest", "bilinear") or (layer.interpolation == "bicubic" and is_open)
    made = (_larger if larger else _mixed)(layer, x, layer.size, layer.interpolation)
    channels = x.shape[-1 if layer.data_format == "channels_last" else 1]
    return result(layer, made, x, extents_of(layer, layer.compute_output_shape(x.shape)), channels)


@exports(layers.CenterCrop, layers.Resizing, integers=True)
def resized(layer: Any, x: Value) -> Value:
    """What the layer does with the ops: Slice, Pad, Gather, and products with matrices."""
    if x.rank != 4 or None in x.shape[1:]:
        raise refusal(layer, f"its input must be a batch of pictures of a known size, not of shape {x.shape}")
    return traced(layer.transform_images, x)
