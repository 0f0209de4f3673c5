"""Transposed convolution layers: every input cell adds its multiple of the kernel to the output."""

from typing import Any

from minidl import ops
from minidl.ops.layout import several
from minidl.ops.sliding import transposed_size

from .convolution_base import ConvolutionBase, layout
from .core import positive_int

__all__ = [
    "Conv1DTranspose", "Conv2DTranspose", "Convolution1DTranspose", "Convolution2DTranspose",
]  # fmt: skip


class _ConvTranspose(ConvolutionBase):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self._settle(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, bias_constraint,
        )  # fmt: skip
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = several(output_padding, self.rank, "output_padding", 0)
            if any(more >= s for more, s in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    f"output_padding must be smaller than strides along every axis, not {self.output_padding} with "
                    f"strides={self.strides}"
                )
        self._keep("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self._refuse_strides_with_dilation()

    def build(self, input_shape):
        shape = (*self.kernel_size, self.filters, self._channels(input_shape))
        self.kernel = self._add_kernel("kernel", shape, "kernel")
        self._add_bias(self.filters)

    def call(self, inputs):
        y = ops.conv_transpose(
            inputs, self.kernel, self.strides, self.padding, self.output_padding, self.data_format, self.dilation_rate
        )
        return self._finished(y)

    def compute_output_shape(self, input_shape):
        extents = input_shape[1:-1] if self.data_format == "channels_last" else input_shape[2:]
        more = self.output_padding or (None,) * self.rank
        windows = [(k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True)]
        sizes = [
            None if n is None else transposed_size(n, k, s, self.padding, m)
            for n, k, s, m in zip(extents, windows, self.strides, more, strict=True)
        ]
        return layout(self, input_shape[0], sizes, self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            **self._window_config(),
            "output_padding": None if self.output_padding is None else list(self.output_padding),
            **self._kinds_config("kernel"),
        }


class Conv2DTranspose(_ConvTranspose):
    """The input gradient of a Conv2D as a layer (a generator's way to larger pictures), then bias and activation.

    Args:
        filters: how many outputs (channels).
        kernel_size: a number, or two.
        strides: a number, or two: how much larger the output is.
        padding: "valid": (h - 1) * s + max(k, s) rows; "same": h * s rows.
        output_padding: sets the output's size instead: (h - 1) * s + k + output_padding rows with "valid",
            (h - 1) * s + k % 2 + output_padding with "same"; smaller than strides.
        data_format: "channels_last" (default), or "channels_first": (n, c, h, w) in and out.
        dilation_rate: steps between the cells that neighbours in the kernel reach; not with strides above 1.
        activation, use_bias, initializers, regularizers, constraints: as in Dense.

    Shapes: (n, h, w, c) -> (n, h', w', filters); kernel (kh, kw, filters, c), bias (filters,).
    """

    rank = 2


class Conv1DTranspose(_ConvTranspose):
    """The input gradient of a Conv1D as a layer. Arguments as in Conv2DTranspose.

    Shapes: (n, steps, c) -> (n, steps', filters); kernel (k, filters, c), bias (filters,).
    """

    rank = 1


Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
