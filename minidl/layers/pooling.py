"""Pooling layers. Pictures are (batch, rows, columns, channels)."""

from typing import Any

from minidl import ops
from minidl.ops.convolution import pair

from .convolution import checked_padding, window_outputs
from .core import channels_last
from .input_spec import InputSpec
from .layer import Layer

__all__ = ["AveragePooling2D", "AvgPool2D", "GlobalAveragePooling2D", "MaxPool2D", "MaxPooling2D"]


class _Pooling2D(Layer):
    """A window that moves over pictures.

    Args:
        pool_size: a number, or two.
        strides: default: pool_size.
        padding: "valid" or "same".
        data_format: "channels_last".
    """

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.pool_size = pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else pair(strides, "strides")
        self.padding = checked_padding(padding)
        channels_last(data_format)
        self.input_spec = InputSpec(ndim=4)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *window_outputs(self, input_shape, self.pool_size), input_shape[3])

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": list(self.pool_size),
            "strides": list(self.strides),
            "padding": self.padding,
            "data_format": "channels_last",
        }


class MaxPooling2D(_Pooling2D):
    """The largest of each window; arguments as in Keras: pool_size (2, 2), strides (pool_size), padding ("valid")."""

    def call(self, inputs):
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding)


class AveragePooling2D(_Pooling2D):
    """The mean of each window; with padding "same" only real cells count."""

    def call(self, inputs):
        return ops.average_pool(inputs, self.pool_size, self.strides, self.padding)


class GlobalAveragePooling2D(Layer):
    """The mean of each channel: (n, h, w, c) -> (n, c), or (n, 1, 1, c) with ``keepdims``."""

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        channels_last(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs):
        return ops.mean(inputs, axis=(1, 2), keepdims=self.keepdims)

    def compute_output_shape(self, input_shape):
        n, _, _, c = input_shape
        return (n, 1, 1, c) if self.keepdims else (n, c)

    def get_config(self):
        return {**super().get_config(), "data_format": "channels_last", "keepdims": self.keepdims}


MaxPool2D, AvgPool2D = MaxPooling2D, AveragePooling2D
