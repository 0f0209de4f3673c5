"""Convolutions as users call them, put together of the ops on pictures: groups, dilation, sequences, both layouts.

A dilated convolution with steps (dh, dw) never mixes cells whose rows differ by other than multiples of dh (and columns
of dw). So the dh * dw sub-pictures of every picture are convolved as pictures of their own, with the plain kernel.
"""

from collections.abc import Callable
from typing import Any

from minidl_kernels.conv.geometry import padding_pairs

from .activation import bias_relu, relu
from .arithmetic import add
from .convolution import conv2d, conv2d_bias, conv2d_bias_relu, conv2d_input_grad
from .depthwise import depthwise_conv2d
from .layout import Pair, as_pictures, checked_padding, data_format_of, from_pictures, in_plane, rank_of, several
from .shaping import concatenate, expand_dims, getitem, pad, reshape, scatter_add, split, stack, transpose

__all__ = ["conv", "conv_bias", "conv_bias_composed", "conv_transpose", "depthwise_conv", "separable_conv"]


def conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    """Cross-correlation of sequences or pictures with a kernel, as ``keras.ops.conv``.

    Args:
        inputs: (n, steps, channels) or (n, rows, columns, channels).
        kernel: (kernel steps, channels / groups, filters) or (kernel rows, kernel columns, channels / groups, filters);
            the number of groups follows from the shapes, and group i of the filters sees group i of the channels.
        strides: a number, or one for each axis.
        padding: "valid", or "same": ceil(extent / stride), the odd cell of zeros after.
        data_format: "channels_last" (default), or "channels_first": (n, channels, ...), for inputs and outputs.
        dilation_rate: steps between the input cells that neighbours in the kernel see; a number, or one for each axis.

    Returns:
        (n, ..., filters).

    Raises:
        ValueError: channels or filters that do not go into groups, or a kernel larger than the picture with "valid".
    """
    return _slide("conv", _grouped_conv2d, inputs, kernel, strides, padding, data_format, dilation_rate)


def conv_bias(
    inputs: Any,
    kernel: Any,
    bias: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
    activation: str | None = None,
) -> Any:
    """activation(``conv`` + bias): what a layer computes, in one pass over its outputs where there is a single group.

    Args:
        inputs, kernel, strides, padding, data_format, dilation_rate: as in ``conv``.
        bias: (filters,).
        activation: None or "relu".

    Returns:
        (n, ..., filters).

    Raises:
        ValueError: as in ``conv``; another activation; a bias of another shape.
    """
    if activation not in (None, "relu"):
        raise ValueError(f'conv_bias: activation must be None or "relu", not {activation!r}')

    def convolved(x: Any, kernel: Any, strides: Pair, padding: str) -> Any:
        if x.shape[3] == kernel.shape[2]:
            fused = conv2d_bias_relu if activation == "relu" else conv2d_bias
            return fused(x, kernel, bias, strides, padding)
        y = _grouped_conv2d(x, kernel, strides, padding)
        return bias_relu(y, bias) if activation == "relu" else add(y, bias)

    return _slide("conv", convolved, inputs, kernel, strides, padding, data_format, dilation_rate)


def conv_bias_composed(
    inputs: Any,
    kernel: Any,
    bias: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
    activation: str | None = None,
) -> Any:
    """What ``conv_bias`` computes, one op at a time."""
    y = conv(inputs, kernel, strides, padding, data_format, dilation_rate)
    if data_format_of(data_format) == "channels_first":
        bias = reshape(bias, (-1,) + (1,) * (len(y.shape) - 2))
    return relu(add(y, bias)) if activation == "relu" else add(y, bias)


def depthwise_conv(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Any:
    """Every channel convolved with kernels of its own, as ``keras.ops.depthwise_conv``.

    Args:
        inputs, strides, padding, data_format, dilation_rate: as in ``conv``.
        kernel: (..., channels, multiplier).

    Returns:
        (n, ..., channels * multiplier), the outputs of one channel side by side.
    """
    return _slide("depthwise_conv", depthwise_conv2d, inputs, kernel, strides, padding, data_format, dilation_rate)


def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    """``depthwise_conv``, then a convolution of single cells that mixes the channels.

    Args:
        inputs, strides, padding, data_format, dilation_rate: as in ``conv``.
        depthwise_kernel: (..., channels, multiplier).
        pointwise_kernel: (1, ..., channels * multiplier, filters).

    Returns:
        (n, ..., filters).
    """
    each = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(each, pointwise_kernel, data_format=data_format)


def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    """The input gradient of a convolution as a forward pass, as ``keras.ops.conv_transpose``.

    Every input cell adds its multiple of the kernel at ``strides`` times its place. Of that full result, of
    (n - 1) * s + k cells along an axis, "valid" keeps all (and adds zeros up to n * s), "same" n * s cells.

    Args:
        inputs, data_format: as in ``conv``.
        kernel: (..., filters, channels): the channels of the inputs come last.
        strides, dilation_rate: a number, or one for each axis.
        padding: "valid" or "same".
        output_padding: sets the size of the output instead: (n - 1) * s + k + output_padding with "valid",
            (n - 1) * s + k % 2 + output_padding with "same".

    Returns:
        (n, ..., filters).
    """
    rank, padding = rank_of("conv_transpose", inputs), checked_padding(padding)
    kernel = _kernel("conv_transpose", kernel, rank)
    steps = in_plane(strides, rank, "strides")
    dilation = in_plane(dilation_rate, rank, "dilation_rate")
    more = [None] * rank if output_padding is None else several(output_padding, rank, "output_padding", 0)
    x = as_pictures(inputs, data_format)
    if x.shape[3] != kernel.shape[3]:
        raise ValueError(
            f"conv_transpose: inputs of shape {tuple(inputs.shape)} have {x.shape[3]} channels, the kernel of shape "
            f"{tuple(kernel.shape)} is for {kernel.shape[3]}"
        )
    kernel = _spaced(kernel, dilation)
    axes = list(zip(x.shape[1:3], kernel.shape[:2], steps, [None] * (2 - rank) + list(more), strict=True))
    sizes = [transposed_size(n, k, s, padding, m) for n, k, s, m in axes]
    if output_padding is None:
        y = conv2d_input_grad(x, kernel, (x.shape[0], *sizes, kernel.shape[2]), steps, padding)
    else:
        full = [(n - 1) * s + k for n, k, s, _ in axes]
        before = [0 if padding == "valid" else _cut_before(*axis) for axis in axes]
        y = conv2d_input_grad(x, kernel, (x.shape[0], *full, kernel.shape[2]), steps, "valid")
        y = _cut(y, before, sizes, full)
    return from_pictures(y, rank, data_format)


def transposed_size(n: int, k: int, s: int, padding: str, more: int | None) -> int:
    """Cells that a transposed convolution makes of ``n`` along one axis (k, dilated: (k - 1) * d + 1)."""
    if padding == "valid":
        return (n - 1) * s + (max(k, s) if more is None else k + more)
    return n * s if more is None else (n - 1) * s + k % 2 + more


def _cut_before(n: int, k: int, s: int, more: int | None) -> int:
    """Cells of the full result before the first that "same" keeps."""
    total = s + k - 2 if more is None else k + k % 2 - 2 + more  # of padding around the inputs, spread by s
    return k - 1 - min(-(-total // 2), k - 1)


def _cut(y: Any, before: list[int], sizes: list[int], full: list[int]) -> Any:
    """``sizes`` cells from ``before`` on, zeros after the end."""
    rows, columns = (slice(b, min(b + n, f)) for b, n, f in zip(before, sizes, full, strict=True))
    after = [max(0, b + n - f) for b, n, f in zip(before, sizes, full, strict=True)]
    y = getitem(y, (slice(None), rows, columns))
    return pad(y, ((0, 0), (0, after[0]), (0, after[1]), (0, 0))) if any(after) else y


def _spaced(kernel: Any, dilation: Pair) -> Any:
    """The kernel with zeros between its cells."""
    if dilation == (1, 1):
        return kernel
    extents = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:2], dilation, strict=True)]
    index = tuple(slice(None, None, d) for d in dilation)
    return scatter_add(kernel, index, (*extents, *kernel.shape[2:]))


def _kernel(name: str, kernel: Any, rank: int) -> Any:
    """The kernel for pictures; that of a sequence has a single row."""
    if len(kernel.shape) != rank + 2:
        raise ValueError(
            f"{name}: the kernel has shape {tuple(kernel.shape)}; for inputs with {rank + 2} axes expected {rank + 2}"
        )
    return expand_dims(kernel, 0) if rank == 1 else kernel


def _slide(
    name: str, function: Any, inputs: Any, kernel: Any, strides: Any, padding: Any, data_format: Any, dilation: Any
) -> Any:
    """``function`` on pictures, for all ranks, layouts and dilations."""
    rank, padding = rank_of(name, inputs), checked_padding(padding)
    kernel = _kernel(name, kernel, rank)
    steps, dilation = in_plane(strides, rank, "strides"), in_plane(dilation, rank, "dilation_rate")
    x = as_pictures(inputs, data_format)
    if dilation == (1, 1):
        y = function(x, kernel, steps, padding)
    else:
        y = _dilated(name, function, x, kernel, steps, padding, dilation)
    return from_pictures(y, rank, data_format)


def _grouped_conv2d(x: Any, kernel: Any, strides: Pair, padding: str) -> Any:
    channels, (each, filters) = x.shape[3], kernel.shape[2:]
    if channels == each:
        return conv2d(x, kernel, strides, padding)
    if channels % each or filters % (groups := channels // each):
        raise ValueError(
            f"conv: {channels} channels and {filters} filters do not go into groups of {each} channels, which the "
            f"kernel of shape {tuple(kernel.shape)} asks for"
        )
    if each == 1:
        return depthwise_conv2d(
            x, reshape(kernel, (*kernel.shape[:2], channels, filters // channels)), strides, padding
        )
    parts = zip(split(x, groups, axis=3), split(kernel, groups, axis=3), strict=True)
    return concatenate([conv2d(*part, strides, padding) for part in parts], axis=3)


def _dilated(
    name: str, function: Callable[..., Any], x: Any, kernel: Any, strides: Pair, padding: str, dilation: Pair
) -> Any:
    """The convolutions of all sub-pictures, put together again; strides leave out what lies between."""
    size, (dh, dw), channels = x.shape[1:3], dilation, x.shape[3]
    if None in size:
        raise ValueError(f"{name}: with a dilation_rate the inputs' extents must be known, not {tuple(x.shape)}")
    window = tuple((k - 1) * d + 1 for k, d in zip(kernel.shape[:2], dilation, strict=True))
    pairs = padding_pairs(size, window, strides, padding)
    extents = [n + sum(pair) for n, pair in zip(size, pairs, strict=True)]
    if any(k > n for k, n in zip(window, extents, strict=True)):
        raise ValueError(
            f"{name}: a kernel of shape {tuple(kernel.shape[:2])} with dilation_rate {dilation} does not fit into "
            f"inputs of shape {tuple(x.shape[1:])} with padding {padding!r}"
        )
    (top, bottom), (left, right) = pairs
    more_rows, more_columns = (-n % d for n, d in zip(extents, dilation, strict=True))
    x = pad(x, ((0, 0), (top, bottom + more_rows), (left, right + more_columns), (0, 0)))
    if x.shape[0] is None:  # a symbolic call: pictures of unknown number cannot be told apart again
        parts = [(slice(None), slice(i, None, dh), slice(j, None, dw)) for i in range(dh) for j in range(dw)]
        y = stack([function(getitem(x, part), kernel, (1, 1), "valid") for part in parts])
    else:
        height, width = (extents[0] + more_rows) // dh, (extents[1] + more_columns) // dw
        x = transpose(reshape(x, (-1, height, dh, width, dw, channels)), (2, 4, 0, 1, 3, 5))
        y = function(reshape(x, (-1, height, width, channels)), kernel, (1, 1), "valid")
    rows, columns, filters = y.shape[-3:]
    y = transpose(reshape(y, (dh, dw, -1, rows, columns, filters)), (2, 3, 0, 4, 1, 5))
    y = reshape(y, (-1, rows * dh, columns * dw, filters))
    kept = [slice(0, n - k + 1, s) for n, k, s in zip(extents, window, strides, strict=True)]
    return getitem(y, (slice(None), *kept))
