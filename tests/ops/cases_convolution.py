"""Cases of depthwise, grouped, dilated and transposed convolutions, of sequences and pictures."""

import numpy as np

from tests.ops import windows
from tests.ops.case import Case, case, normal
from tests.ops.cases_nets import GEOMETRY


def _two(value, rank, first=1):
    found = (value,) * rank if isinstance(value, int) else tuple(value)
    return (first, *found) if rank == 1 else found


def _with_holes(kernel, dilation):
    extents = [(k - 1) * d + 1 for k, d in zip(kernel.shape[:2], dilation, strict=True)]
    wide = np.zeros((*extents, *kernel.shape[2:]))
    wide[:: dilation[0], :: dilation[1]] = kernel
    return wide


def of_pictures(expected):
    """A definition for pictures, channels last, extended to sequences, both layouts and dilation."""

    def extended(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1, **more):
        x = np.moveaxis(inputs, 1, -1) if data_format == "channels_first" else inputs
        rank = x.ndim - 2
        x, kernel = (x[:, None], kernel[None]) if rank == 1 else (x, kernel)
        y = expected(x, _with_holes(kernel, _two(dilation_rate, rank)), _two(strides, rank), padding, **more)
        y = y[:, 0] if rank == 1 else y
        return np.moveaxis(y, -1, 1) if data_format == "channels_first" else y

    return extended


def grouped(x, kernel, strides, padding):
    channels, filters = kernel.shape[2], kernel.shape[3] * kernel.shape[2] // x.shape[3]
    groups = range(x.shape[3] // channels)
    parts = [(x[..., i * channels :][..., :channels], kernel[..., i * filters :][..., :filters]) for i in groups]
    return np.concatenate([windows.conv2d(*part, strides, padding) for part in parts], axis=-1)


def transposed(x, kernel, strides, padding, output_padding=None):
    """All multiples of the kernel added up, then cut as Keras does (for strides up to the kernel's size and above)."""
    (n, height, width, _), (kh, kw, filters, _), extent, before = x.shape, kernel.shape, [], []
    full = np.zeros((n, (height - 1) * strides[0] + kh, (width - 1) * strides[1] + kw, filters))
    for i, j in np.ndindex(height, width):
        rows, columns = slice(i * strides[0], i * strides[0] + kh), slice(j * strides[1], j * strides[1] + kw)
        full[:, rows, columns] += np.einsum("nc,abfc->nabf", x[:, i, j], kernel)
    more = (None, None) if output_padding is None else _two(output_padding, 2, None)[-2:]
    for cells, k, s, m in zip((height, width), (kh, kw), strides, more, strict=True):
        if padding == "valid":
            extent.append((cells - 1) * s + (max(k, s) if m is None else k + m))
            before.append(0)
        else:
            extent.append(cells * s if m is None else (cells - 1) * s + k % 2 + m)
            total = s + k - 2 if m is None else k + k % 2 - 2 + m
            before.append(k - 1 - min(total // 2 + total % 2, k - 1))
    y = np.zeros((n, *extent, filters))
    part = full[:, before[0] : before[0] + extent[0], before[1] : before[1] + extent[1]]
    y[:, : part.shape[1], : part.shape[2]] = part
    return y


def separable(inputs, depthwise_kernel, pointwise_kernel, **settings):
    each = of_pictures(windows.depthwise_conv2d)(inputs, depthwise_kernel, **settings)
    settings = {"data_format": settings.get("data_format")}
    return of_pictures(windows.conv2d)(each, pointwise_kernel, **settings)


def sliding(expected, *given):
    """Cases of (inputs, kernel, settings)."""
    return [case(of_pictures(expected), inputs=normal(*x), kernel=normal(*w), **settings) for x, w, settings in given]


def depthwise(expected, *given, made=None):
    found = []
    for x, size, strides, padding in GEOMETRY:
        multiplier = 1 + x[0] % 2
        shapes = {
            "x": x,
            "kernel": (*size, x[3], multiplier),
            "upstream": windows.output_shape(x, size, strides, padding, x[3] * multiplier),
        }
        settings = {"strides": strides, "padding": padding} | ({"shape": shapes[made]} if made else {})
        found.append(case(expected, **{name: normal(*shapes[name]) for name in given}, **settings))
    return found


def biased(inputs, kernel, bias, activation=None, **settings):
    y = of_pictures(grouped)(inputs, kernel, **settings)
    y = y + (bias if settings.get("data_format") is None else bias.reshape(-1, *(1,) * (y.ndim - 2)))
    return np.maximum(y, 0) if activation == "relu" else y


FIRST = {"data_format": "channels_first"}
CONVOLUTIONS: dict[str, list[Case]] = {
    "depthwise_conv2d": depthwise(windows.depthwise_conv2d, "x", "kernel"),
    "depthwise_conv2d_input_grad": depthwise(
        windows.depthwise_conv2d_input_grad, "upstream", "kernel", made="x"
    ),
    "depthwise_conv2d_kernel_grad": depthwise(
        windows.depthwise_conv2d_kernel_grad, "x", "upstream", made="kernel"
    ),
    "conv": sliding(
        grouped,
        ((2, 3, 4, 2), (2, 3, 2, 1), {}),
        ((1, 4, 5, 2), (3, 2, 2, 1), {"strides": 2, "padding": "same"}),
        ((1, 5, 4, 4), (2, 2, 2, 4), {"padding": "same"}),
        ((2, 3, 4, 2), (2, 2, 1, 4), {"strides": (1, 2)}),
        ((1, 6, 7, 2), (2, 3, 2, 2), {"dilation_rate": (3, 2)}),
        ((1, 4, 3, 4), (2, 2, 2, 2), {"dilation_rate": 2, "padding": "same"}),
        ((1, 5, 6, 1), (2, 2, 1, 2), {"dilation_rate": 2, "strides": 2, "padding": "same"}),
        ((2, 7, 3), (3, 3, 2), {"strides": 2}),
        ((1, 6, 2), (2, 2, 3), {"dilation_rate": 3, "padding": "same"}),
        ((1, 2, 6), (2, 2, 3), {"strides": 2, "padding": "same", **FIRST}),
        ((1, 2, 3, 4), (2, 2, 2, 3), FIRST),
    ),
    "conv_bias": [
        case(biased, inputs=normal(*x), kernel=normal(*w), bias=normal(w[-1]), **settings)
        for x, w, settings in (
            ((2, 3, 4, 2), (2, 3, 2, 3), {}),
            ((1, 5, 6, 2), (2, 2, 2, 3), {"strides": (2, 1), "padding": "same", "activation": "relu"}),
            ((1, 5, 4, 4), (2, 2, 2, 4), {"padding": "same", "activation": "relu"}),
            ((2, 3, 4, 2), (2, 2, 1, 4), {}),
            ((1, 6, 7, 2), (2, 3, 2, 2), {"dilation_rate": (3, 2), "activation": "relu"}),
            ((2, 7, 3), (3, 3, 2), {"strides": 2, "activation": "relu"}),
            ((1, 2, 6), (2, 2, 3), {"padding": "same", **FIRST}),
            ((1, 2, 3, 4), (2, 2, 2, 3), {"activation": "relu", **FIRST}),
        )
    ],
    "depthwise_conv": sliding(
        windows.depthwise_conv2d,
        ((1, 4, 5, 2), (3, 2, 2, 1), {"strides": 2, "padding": "same"}),
        ((1, 5, 6, 2), (2, 2, 2, 2), {"dilation_rate": 2}),
        ((2, 6, 2), (3, 2, 2), {"padding": "same"}),
        ((1, 2, 4, 3), (2, 2, 2, 1), FIRST),
    ),
    "separable_conv": [
        case(
            separable, inputs=normal(1, 4, 5, 2), depthwise_kernel=normal(3, 2, 2, 2), strides=2, padding="same",
            pointwise_kernel=normal(1, 1, 4, 3),
        ),
        case(
            separable, inputs=normal(1, 6, 2), depthwise_kernel=normal(2, 2, 1), pointwise_kernel=normal(1, 2, 3),
            dilation_rate=2,
        ),
        case(
            separable, inputs=normal(1, 2, 3, 4), depthwise_kernel=normal(2, 2, 2, 1),
            pointwise_kernel=normal(1, 1, 2, 3), **FIRST,
        ),
    ],
    "conv_transpose": sliding(
        transposed,
        ((1, 3, 4, 2), (3, 2, 3, 2), {}),
        ((1, 3, 2, 2), (3, 4, 2, 2), {"strides": 2, "padding": "same"}),
        ((1, 2, 3, 1), (1, 2, 2, 1), {"strides": 3}),
        ((1, 2, 2, 2), (2, 2, 1, 2), {"dilation_rate": 2}),
        ((1, 3, 3, 1), (3, 2, 2, 1), {"strides": 2, "padding": "same", "output_padding": 1}),
        ((1, 2, 3, 1), (2, 3, 1, 1), {"strides": (3, 2), "output_padding": (2, 0)}),
        ((2, 4, 2), (3, 3, 2), {"strides": 2, "padding": "same"}),
        ((1, 2, 3), (2, 1, 2), {"strides": 2, **FIRST}),
    ),
}  # fmt: skip
