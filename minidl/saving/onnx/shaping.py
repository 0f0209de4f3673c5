"""Layers that hand on the same numbers: in other shapes, in another order, with borders; or as they are."""

import math
from typing import Any

from minidl import layers

from .table import exports, refusal, write
from .value import Value, node, swapped

__all__ = ["cut", "flatten", "padded", "reshape", "same"]


@exports(
    layers.ActivityRegularization, layers.AlphaDropout, layers.Dropout, layers.GaussianDropout, layers.GaussianNoise,
    layers.Identity, layers.RandomBrightness, layers.RandomContrast, layers.RandomCrop, layers.RandomFlip,
    layers.RandomRotation, layers.RandomTranslation, layers.RandomZoom, layers.SpatialDropout1D,
    layers.SpatialDropout2D, layers.SpatialDropout3D, integers=True,
)  # fmt: skip
def same(layer: Any, x: Any) -> Any:
    """What these layers do in training they do not do in prediction."""
    return x


@exports(layers.Flatten, integers=True)
def flatten(layer: Any, x: Value) -> Value:
    """Flatten."""
    if x.rank == 1:
        return node("Unsqueeze", x, x.integers(1), shape=(x.shape[0], 1))
    if layer.data_format == "channels_first" and x.rank > 2:
        x = x.transpose(0, *range(2, x.rank), 1)
    rest = x.shape[1:]
    return node("Flatten", x, shape=(x.shape[0], None if None in rest else math.prod(rest)), axis=1)


@exports(layers.Reshape, integers=True)
def reshape(layer: Any, x: Value) -> Value:
    """Reshape."""
    shape = layer.compute_output_shape(x.shape)
    return x.reshape((0, *layer.target_shape), shape)


@exports(layers.Permute, integers=True)
def permute(layer: Any, x: Value) -> Value:
    """Transpose."""
    return x.transpose(0, *layer.dims)


@exports(layers.RepeatVector, integers=True)
def repeat_vector(layer: Any, x: Value) -> Value:
    """Unsqueeze and Tile."""
    one = node("Unsqueeze", x, x.integers(1), shape=(x.shape[0], 1, x.shape[1]))
    return node("Tile", one, x.integers(1, layer.n, 1), shape=(x.shape[0], layer.n, x.shape[1]))


def padded(x: Value, widths: Any, value: Any = 0) -> Value:
    """Cells around x: (before, after) for each axis."""
    shape = [None if n is None else n + sum(width) for n, width in zip(x.shape, widths, strict=True)]
    order = swapped(widths) if x.is_swapped else widths
    pads = x.integers(*[before for before, _ in order], *[after for _, after in order])
    name = x.first if x.is_swapped else x.plain
    made = x.graph.emit("Pad", [name, pads, x.constant(value).plain], mode="constant")
    return Value(x.graph, shape, x.dtype, **{"first" if x.is_swapped else "plain": made})


def cut(x: Value, starts: dict[int, int], ends: dict[int, int]) -> Value:
    """A part of x: along each of some axes from a place to another; ends below 0 count from the end."""
    places = swapped(range(x.rank)) if x.is_swapped else list(range(x.rank))
    axes = list(starts)
    rows = [[starts[a] for a in axes], [ends[a] for a in axes], [places.index(a) for a in axes]]
    name = x.first if x.is_swapped else x.plain
    made = x.graph.emit("Slice", [name, *[x.integers(*row) for row in rows]])
    shape = [len(range(n)[starts[i] : ends[i]]) if i in starts and n is not None else n for i, n in enumerate(x.shape)]
    return Value(x.graph, shape, x.dtype, **{"first" if x.is_swapped else "plain": made})


@exports(layers.ZeroPadding1D, layers.ZeroPadding2D, integers=True)
def zero_padding(layer: Any, x: Value) -> Value:
    """Pad."""
    return padded(x, layer._widths())


@exports(layers.Cropping1D, layers.Cropping2D, integers=True)
def cropping(layer: Any, x: Value) -> Value:
    """Slice."""
    layer.compute_output_shape(x.shape)
    widths = {axis: width for axis, width in enumerate(layer._widths()) if sum(width)}
    if not widths:
        return x.copy()
    starts = {axis: before for axis, (before, _) in widths.items()}
    return cut(x, starts, {axis: -after if after else 2**31 - 1 for axis, (_, after) in widths.items()})


@exports(layers.TimeDistributed, takes=("mask",))
def time_distributed(layer: Any, x: Value, mask: Any = None) -> Value:
    """The steps of all samples as one long batch, and back."""
    steps, rest = x.shape[1], x.shape[2:]
    if steps is None or rest.count(None) > 0:
        raise refusal(layer, f"of its input {x.shape} all but the batch axis must be known; give sizes in Input(shape)")
    if mask is not None and "mask" in layer.layer._call_parameters:
        mask = mask.reshape((-1, *mask.shape[2:]), (None, *mask.shape[2:]))
    else:
        mask = None
    y = write(layer.layer, x.reshape((-1, *rest), (None, *rest)), mask=mask)
    return y.reshape((-1, steps, *y.shape[1:]), (x.shape[0], steps, *y.shape[1:]))
