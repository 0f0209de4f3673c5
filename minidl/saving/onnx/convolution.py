"""Convolutions: Conv and ConvTranspose, which want channels behind the batch axis, and kernels the other way round."""

from typing import Any

import numpy as np

from minidl import layers
from minidl.ops.sliding import transposed_size
from minidl_kernels.conv.geometry import same_padding

from .activations import activated
from .table import exports, refusal
from .value import Value

__all__ = ["extents_of", "name_of", "result", "window_padding"]


def name_of(layer: Any, x: Value) -> str:
    """The name of the input with its channels first, whatever the layer's data_format."""
    return x.first if layer.data_format == "channels_last" else x.plain


def result(layer: Any, name: str, x: Value, extents: Any, channels: Any) -> Value:
    """What came out, with its channels first, as a value in the layer's data_format."""
    if layer.data_format == "channels_last":
        return Value(x.graph, (x.shape[0], *extents, channels), x.dtype, first=name)
    return Value(x.graph, (x.shape[0], channels, *extents), x.dtype, name)


def extents_of(layer: Any, shape: Any) -> Any:
    """Steps, or rows and columns."""
    return shape[1:-1] if layer.data_format == "channels_last" else shape[2:]


def window_padding(layer: Any, x: Value, size: Any, dilation: Any) -> dict[str, Any]:
    """The attributes for cells around the input: numbers where its extents are known, else "SAME_UPPER"."""
    if layer.padding == "valid":
        return {}
    if layer.padding == "causal":
        return {"pads": [(size[0] - 1) * dilation[0], 0]}
    extents = extents_of(layer, x.shape)
    windows = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    axes = list(zip(extents, windows, layer.strides, strict=True))
    if any(n is None and window > 1 for n, window, _ in axes):
        if any(window < stride for _, window, stride in axes):  # of which runtimes make negative numbers of cells
            raise refusal(
                layer, f"with padding='same' and strides above the window's {size}, the extents of its input {x.shape} "
                f"must be known; give them in Input(shape=...)"
            )  # fmt: skip
        return {"auto_pad": "SAME_UPPER"}
    pairs = [(0, 0) if n is None else same_padding(n, *rest) for n, *rest in axes]
    return {"pads": [before for before, _ in pairs] + [after for _, after in pairs]}


def kernels_first(kernel: Any, rank: int) -> np.ndarray:
    """A kernel with its last two axes in front, the last one first."""
    return np.transpose(kernel.numpy(), (rank + 1, rank, *range(rank)))


def _finished(layer: Any, kind: str, x: Value, kernel: np.ndarray, shape: Any, **attributes: Any) -> Value:
    """A node with kernel and bias, and the activation."""
    names = [name_of(layer, x), x.graph.constant(kernel.astype(x.dtype), "kernel")]
    if layer.bias is not None:
        names.append(x.graph.constant(layer.bias.numpy(), "bias"))
    made = x.graph.emit(kind, names, kernel_shape=kernel.shape[2:], **attributes)
    channels = shape[-1 if layer.data_format == "channels_last" else 1]
    return activated(layer, result(layer, made, x, extents_of(layer, shape), channels))


def _moving(layer: Any, x: Value) -> dict[str, Any]:
    """The attributes of a window that moves over the input."""
    padding = window_padding(layer, x, layer.kernel_size, layer.dilation_rate)
    return {"strides": layer.strides, "dilations": layer.dilation_rate, **padding}


@exports(layers.Conv1D, layers.Conv2D)
def conv(layer: Any, x: Value) -> Value:
    """Conv; filters come first in its kernel."""
    kernel = kernels_first(layer.kernel, layer.rank)
    shape = layer.compute_output_shape(x.shape)
    return _finished(layer, "Conv", x, kernel, shape, group=layer.groups, **_moving(layer, x))


def _each(kernel: Any, rank: int) -> np.ndarray:
    """The kernel (..., channels, multiplier) of a depthwise convolution as (channels * multiplier, 1, ...)."""
    array = np.transpose(kernel.numpy(), (rank, rank + 1, *range(rank)))
    return array.reshape((-1, 1, *array.shape[2:]))


@exports(layers.DepthwiseConv1D, layers.DepthwiseConv2D)
def depthwise_conv(layer: Any, x: Value) -> Value:
    """Conv with a group for each channel."""
    kernel, shape = _each(layer.kernel, layer.rank), layer.compute_output_shape(x.shape)
    return _finished(layer, "Conv", x, kernel, shape, group=layer.kernel.shape[-2], **_moving(layer, x))


@exports(layers.SeparableConv1D, layers.SeparableConv2D)
def separable_conv(layer: Any, x: Value) -> Value:
    """Conv with a group for each channel, then Conv of single cells."""
    each, channels = _each(layer.depthwise_kernel, layer.rank), layer.depthwise_kernel.shape[-2]
    names = [name_of(layer, x), x.graph.constant(each, "depthwise_kernel")]
    made = x.graph.emit("Conv", names, kernel_shape=each.shape[2:], group=channels, **_moving(layer, x))
    shape = layer.compute_output_shape(x.shape)
    mixed = result(layer, made, x, extents_of(layer, shape), each.shape[0])
    return _finished(layer, "Conv", mixed, kernels_first(layer.pointwise_kernel, layer.rank), shape)


@exports(layers.Conv1DTranspose, layers.Conv2DTranspose)
def conv_transpose(layer: Any, x: Value) -> Value:
    """ConvTranspose, with what "same" cuts off as its padding; the kernel's inputs come first."""
    before, after, more = [], [], []
    wanted = layer.output_padding or (None,) * layer.rank
    sizes = zip(layer.kernel_size, layer.dilation_rate, layer.strides, wanted, strict=True)
    for cells, dilation, stride, given in sizes:
        window = (cells - 1) * dilation + 1
        cut = 0 if layer.padding == "valid" else _cut_before(window, stride, given)
        rest = window - cut - transposed_size(1, window, stride, layer.padding, given)  # the same for all extents
        before.append(cut)
        after.append(max(rest, 0))
        more.append(max(-rest, 0))
    return _finished(
        layer, "ConvTranspose", x, kernels_first(layer.kernel, layer.rank), layer.compute_output_shape(x.shape),
        strides=layer.strides, dilations=layer.dilation_rate, pads=before + after, output_padding=more,
    )  # fmt: skip


def _cut_before(window: int, stride: int, given: int | None) -> int:
    """Cells of the full result before the first that "same" keeps, as in ``ops.conv_transpose``."""
    total = stride + window - 2 if given is None else window + window % 2 - 2 + given
    return window - 1 - min(-(-total // 2), window - 1)
