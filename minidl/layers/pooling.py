"""Pooling layers: a window that moves over sequences (batch, steps, channels) or pictures (batch, rows, columns, c)."""

from typing import Any

from minidl import ops
from minidl.ops.layout import checked_padding, data_format_of, several

from .convolution_base import layout, window_outputs
from .input_spec import InputSpec
from .layer import Layer

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AvgPool1D", "AvgPool2D", "MaxPool1D", "MaxPool2D", "MaxPooling1D",
    "MaxPooling2D",
]  # fmt: skip


class _Pooling(Layer):
    """A window that moves over sequences or pictures.

    Args:
        pool_size: a number, or one for each axis.
        strides: default: pool_size.
        padding: "valid" or "same".
        data_format: "channels_last" (default), or "channels_first": (n, c, ...) in and out.
    """

    rank: int

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.pool_size = several(pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if strides is None else several(strides, self.rank, "strides")
        self.padding = checked_padding(padding)
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, input_shape):
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        return layout(self, input_shape[0], window_outputs(self, input_shape, self.pool_size), channels)

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": list(self.pool_size),
            "strides": list(self.strides),
            "padding": self.padding,
            "data_format": self.data_format,
        }


class _MaxPooling(_Pooling):
    def call(self, inputs):
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class _AveragePooling(_Pooling):
    def call(self, inputs):
        return ops.average_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling1D(_MaxPooling):
    """The largest of each window of steps; arguments as in Keras: pool_size 2, strides (pool_size), "valid"."""

    rank = 1


class MaxPooling2D(_MaxPooling):
    """The largest of each window; arguments as in Keras: pool_size (2, 2), strides (pool_size), padding ("valid")."""

    rank = 2


class AveragePooling1D(_AveragePooling):
    """The mean of each window of steps; with padding "same" only real steps count. Arguments as in MaxPooling1D."""

    rank = 1


class AveragePooling2D(_AveragePooling):
    """The mean of each window; with padding "same" only real cells count. Arguments as in MaxPooling2D."""

    rank = 2


MaxPool1D, MaxPool2D = MaxPooling1D, MaxPooling2D
AvgPool1D, AvgPool2D = AveragePooling1D, AveragePooling2D
