"""Convolution layers: sequences are (batch, steps, channels), pictures (batch, rows, columns, channels)."""

from typing import Any

from minidl import activations, ops

from .convolution_base import ConvolutionBase
from .core import positive_int
from .fusing import ConvAndPool, pool_behind
from .pooling import MaxPooling2D

__all__ = ["Conv1D", "Conv2D", "Convolution1D", "Convolution2D"]


class _Conv(ConvolutionBase):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self.filters, self.groups = positive_int("filters", filters), positive_int("groups", groups)
        self._settle(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, bias_constraint,
        )  # fmt: skip
        self._keep("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        if self.filters % self.groups:
            raise ValueError(f"filters must be a multiple of groups, not filters={filters} with groups={groups}")
        self._refuse_strides_with_dilation()

    def build(self, input_shape):
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: the {channels} channels of inputs of shape {input_shape} do not "
                f"go into groups={self.groups}"
            )
        self._output_shape(input_shape, self.filters)  # refuses windows that do not fit
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self._add_kernel("kernel", shape, "kernel")
        self._add_bias(self.filters)

    def call(self, inputs):
        padding = self.padding
        if padding == "causal":
            before = ((self.kernel_size[0] - 1) * self.dilation_rate[0], 0)
            first = self.data_format == "channels_first"
            inputs = ops.pad(inputs, ((0, 0), (0, 0), before) if first else ((0, 0), before, (0, 0)))
            padding = "valid"
        settings = self.strides, padding, self.data_format, self.dilation_rate
        if (pool := pool_behind.get()) is not None:
            return ops.bias_relu(pool.call(ops.conv(inputs, self.kernel, *settings)), self.bias)
        if self.bias is None:
            return self.activation(ops.conv(inputs, self.kernel, *settings))
        if self.activation is activations.relu:
            return ops.conv_bias(inputs, self.kernel, self.bias, *settings, "relu")
        return self.activation(ops.conv_bias(inputs, self.kernel, self.bias, *settings))

    def compute_output_shape(self, input_shape):
        return self._output_shape(input_shape, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            **self._window_config(),
            "groups": self.groups,
            **self._kinds_config("kernel"),
        }


class Conv2D(_Conv):
    """Cross-correlation of pictures with a bank of filters, then bias and activation.

    Args:
        filters: how many outputs (channels).
        kernel_size: a number, or two.
        strides: a number, or two.
        padding: "valid", or "same" (output: ceil(extent / stride); the odd cell of zeros comes after).
        data_format: "channels_last" (default), or "channels_first": (n, c, h, w) in and out.
        dilation_rate: steps between the cells that neighbours in the kernel see; not with strides above 1.
        groups: the channels are cut into so many groups, and each has filters / groups filters of its own.
        activation, use_bias, initializers, regularizers, constraints: as in Dense.

    Shapes: (n, h, w, c) -> (n, h', w', filters); kernel (kh, kw, c / groups, filters), bias (filters,).
    """

    rank = 2

    def fused_with(self, other):
        """What computes ``other(self(x))`` in fewer passes, for a layer behind this one; None where nothing does."""
        alike = type(self) is Conv2D and type(other) is MaxPooling2D and other.dtype == self.dtype
        last = alike and self.data_format == other.data_format == "channels_last"
        return ConvAndPool(self, other) if last and max(other.strides) > 1 else None  # fewer windows than pixels


class Conv1D(_Conv):
    """Cross-correlation of sequences with a bank of filters, then bias and activation.

    Args:
        filters, strides, data_format, dilation_rate, groups: as in Conv2D.
        kernel_size: cells of the window.
        padding: "valid", "same", or "causal": zeros only before, so that no output sees a later input.
        activation, use_bias, initializers, regularizers, constraints: as in Dense.

    Shapes: (n, steps, c) -> (n, steps', filters); kernel (k, c / groups, filters), bias (filters,).
    """

    rank = 1
    takes_causal = True


Convolution1D, Convolution2D = Conv1D, Conv2D
