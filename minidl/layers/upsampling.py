"""Layers that make pictures and sequences larger."""

from typing import Any

from minidl import ops
from minidl.ops.layout import data_format_of, several
from minidl.ops.upsampling import INTERPOLATIONS, repeated, upsample

from .convolution_base import layout
from .core import positive_int
from .input_spec import InputSpec
from .layer import Layer

__all__ = ["UpSampling1D", "UpSampling2D"]


class UpSampling1D(Layer):
    """Every step repeated: (n, steps, c) -> (n, steps * size, c).

    Args:
        size: how often.
    """

    def __init__(self, size: int = 2, **kwargs: Any):
        super().__init__(**kwargs)
        self.size = positive_int("size", size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs):
        return repeated(inputs, 1, self.size)

    def compute_output_shape(self, input_shape):
        n, steps, channels = input_shape
        return (n, None if steps is None else steps * self.size, channels)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


class UpSampling2D(Layer):
    """Pictures made larger: (n, h, w, c) -> (n, h * rows, w * columns, c).

    Args:
        size: the factors for rows and columns; a number, or two.
        data_format: "channels_last" (default), or "channels_first": (n, c, h, w) in and out.
        interpolation: "nearest" (every cell repeated), "bilinear", "bicubic", "lanczos3" or "lanczos5".
    """

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.size = several(size, 2, "size")
        self.data_format = data_format_of(data_format)
        if not isinstance(interpolation, str) or interpolation.lower() not in INTERPOLATIONS:
            raise ValueError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, not {interpolation!r}")
        self.interpolation = interpolation.lower()
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs):
        rows, columns = self.size
        if self.data_format == "channels_last":
            return upsample(inputs, (rows, columns), self.interpolation)
        return ops.moveaxis(upsample(ops.moveaxis(inputs, 1, -1), (rows, columns), self.interpolation), -1, 1)

    def compute_output_shape(self, input_shape):
        last = self.data_format == "channels_last"
        extents, channels = (input_shape[1:3], input_shape[3]) if last else (input_shape[2:], input_shape[1])
        larger = [None if n is None else n * f for n, f in zip(extents, self.size, strict=True)]
        return layout(self, input_shape[0], larger, channels)

    def get_config(self):
        return {
            **super().get_config(),
            "size": list(self.size),
            "data_format": self.data_format,
            "interpolation": self.interpolation,
        }
