"""Convolution layers in which every channel has kernels of its own."""

from typing import Any

from minidl import ops

from .convolution_base import ConvolutionBase
from .core import positive_int

__all__ = [
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D",
    "SeparableConvolution2D",
]  # fmt: skip


class _DepthwiseConv(ConvolutionBase):
    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = positive_int("depth_multiplier", depth_multiplier)
        self._settle(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, bias_constraint,
        )  # fmt: skip
        self._keep("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self._output_shape(input_shape, 1)  # refuses windows that do not fit
        self.kernel = self._add_kernel("kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise")
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs):
        y = ops.depthwise_conv(inputs, self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate)
        return self._finished(y)

    def compute_output_shape(self, input_shape):
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        return self._output_shape(input_shape, channels * self.depth_multiplier)

    def get_config(self):
        return {
            **super().get_config(),
            "depth_multiplier": self.depth_multiplier,
            **self._window_config(),
            **self._kinds_config("depthwise"),
        }


class DepthwiseConv2D(_DepthwiseConv):
    """Every channel of the pictures convolved with ``depth_multiplier`` kernels of its own, bias, activation.

    Args:
        kernel_size, strides, dilation_rate: a number, or two.
        padding: "valid" or "same".
        depth_multiplier: outputs of each channel.
        data_format: "channels_last" (default), or "channels_first": (n, c, h, w) in and out.
        activation, use_bias, initializers, regularizers, constraints: as in Dense; the kernel's are called depthwise.

    Shapes: (n, h, w, c) -> (n, h', w', c * m), the outputs of one channel side by side; kernel (kh, kw, c, m), bias
    (c * m,).
    """

    rank = 2


class DepthwiseConv1D(_DepthwiseConv):
    """Every channel of the sequences convolved with ``depth_multiplier`` kernels of its own, bias, activation.

    Arguments as in DepthwiseConv2D. Shapes: (n, steps, c) -> (n, steps', c * m); kernel (k, c, m), bias (c * m,).
    """

    rank = 1


class _SeparableConv(ConvolutionBase):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_int("filters", filters)
        self.depth_multiplier = positive_int("depth_multiplier", depth_multiplier)
        self._settle(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, bias_constraint,
        )  # fmt: skip
        self._keep("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self._keep("pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self._output_shape(input_shape, self.filters)  # refuses windows that do not fit
        each, mixed = (*self.kernel_size, channels, self.depth_multiplier), channels * self.depth_multiplier
        self.depthwise_kernel = self._add_kernel("depthwise_kernel", each, "depthwise")
        pointwise = (*(1,) * self.rank, mixed, self.filters)
        self.pointwise_kernel = self._add_kernel("pointwise_kernel", pointwise, "pointwise")
        self._add_bias(self.filters)

    def call(self, inputs):
        y = ops.separable_conv(
            inputs, self.depthwise_kernel, self.pointwise_kernel, self.strides, self.padding, self.data_format,
            self.dilation_rate,
        )  # fmt: skip
        return self._finished(y)

    def compute_output_shape(self, input_shape):
        return self._output_shape(input_shape, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "depth_multiplier": self.depth_multiplier,
            **self._window_config(),
            **self._kinds_config("depthwise", "pointwise"),
        }


class SeparableConv2D(_SeparableConv):
    """A depthwise convolution, then one of single cells that mixes the channels, then bias and activation.

    Args:
        filters: how many outputs (channels).
        kernel_size, strides, dilation_rate: a number, or two; of the depthwise part.
        padding: "valid" or "same".
        data_format: "channels_last" (default), or "channels_first": (n, c, h, w) in and out.
        depth_multiplier: outputs of each channel after the depthwise part.
        activation, use_bias, initializers, regularizers, constraints: as in Dense, for each part by its name.

    Shapes: (n, h, w, c) -> (n, h', w', filters); depthwise kernel (kh, kw, c, m), pointwise kernel
    (1, 1, c * m, filters), bias (filters,).
    """

    rank = 2


class SeparableConv1D(_SeparableConv):
    """A depthwise convolution of sequences, then one of single cells. Arguments as in SeparableConv2D.

    Shapes: (n, steps, c) -> (n, steps', filters); kernels (k, c, m) and (1, c * m, filters), bias (filters,).
    """

    rank = 1


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
