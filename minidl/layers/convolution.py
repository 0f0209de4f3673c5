"""Convolution layers. Pictures are (batch, rows, columns, channels)."""

from typing import Any

from minidl import activations, constraints, initializers, ops, regularizers
from minidl.ops.convolution import pair

from .core import channels_last, positive_int, weighted_config
from .input_spec import InputSpec
from .layer import Layer

__all__ = ["Conv2D", "Convolution2D"]


class Conv2D(Layer):
    """Cross-correlation with a bank of filters, then bias and activation.

    Args:
        filters: how many outputs (channels).
        kernel_size: a number, or two.
        strides: a number, or two.
        padding: "valid", or "same" (output: ceil(extent / stride); the odd cell of zeros comes after).
        data_format: "channels_last".
        dilation_rate, groups: only 1 for now.
        activation, use_bias, initializers, regularizers, constraints: as in Dense.

    Shapes: (n, h, w, c) -> (n, h', w', filters); kernel (kh, kw, c, filters), bias (filters,).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_int("filters", filters)
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.strides = pair(strides, "strides")
        self.padding = checked_padding(padding)
        channels_last(data_format)
        if pair(dilation_rate, "dilation_rate") != (1, 1) or groups != 1:
            raise ValueError("Conv2D: dilation_rate and groups other than 1 are not supported yet")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=4)

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels is None:
            raise ValueError(f"Conv2D {self.name!r}: the channels of the input must be known, got shape {input_shape}")
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, self.filters), self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.filters,), self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip
        self.input_spec = InputSpec(ndim=4, axes={-1: channels})

    def call(self, inputs):
        y = ops.conv(inputs, self.kernel, self.strides, self.padding)
        if self.bias is None:
            return self.activation(y)
        if self.activation is activations.relu:
            return ops.bias_relu(y, self.bias)
        return self.activation(ops.add(y, self.bias))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *window_outputs(self, input_shape, self.kernel_size), self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": list(self.kernel_size),
            "strides": list(self.strides),
            "padding": self.padding,
            "data_format": "channels_last",
            "dilation_rate": [1, 1],
            "groups": 1,
            **weighted_config(self),
        }


def checked_padding(padding: Any) -> str:
    """ "valid" or "same" in lower case, or a clear error."""
    if not isinstance(padding, str) or padding.lower() not in ("valid", "same"):
        raise ValueError(f"padding must be 'valid' or 'same', not {padding!r}")
    return padding.lower()


def window_outputs(layer: Any, input_shape: Any, size: tuple[int, int]) -> tuple[int | None, ...]:
    """Rows and columns that come out when a window of ``size`` moves over pictures of ``input_shape``."""
    found: list[int | None] = []
    for extent, window, stride in zip(input_shape[1:3], size, layer.strides, strict=True):
        if extent is None:
            found.append(None)
        elif layer.padding == "same":
            found.append(-(-extent // stride))
        elif extent < window:
            raise ValueError(
                f"{type(layer).__name__} {layer.name!r}: a window of {size} does not fit into pictures of shape "
                f"{tuple(input_shape[1:3])} with padding 'valid'; write padding='same', or a smaller window"
            )
        else:
            found.append((extent - window) // stride + 1)
    return tuple(found)


Convolution2D = Conv2D
