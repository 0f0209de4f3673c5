"""Global pooling layers: the maximum or the mean of each channel, over all steps or the whole picture."""

from typing import Any

from minidl import ops
from minidl.ops.layout import data_format_of

from .convolution_base import layout
from .input_spec import InputSpec
from .layer import Layer

__all__ = [
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalMaxPool1D",
    "GlobalMaxPool2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
]  # fmt: skip


class _GlobalPooling(Layer):
    rank: int

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format, self.keepdims = data_format_of(data_format), keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _axes(self) -> tuple[int, ...]:
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def compute_output_shape(self, input_shape):
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        return layout(self, input_shape[0], (1,) * self.rank if self.keepdims else (), channels)

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean of each channel over the steps: (n, steps, c) -> (n, c), or (n, 1, c) with ``keepdims``.

    Args:
        data_format: "channels_last" (default), or "channels_first": (n, c, steps).
        keepdims: keep the axis of the steps with extent 1.

    A ``mask`` (n, steps) says at the call which steps count.
    """

    rank = 1
    supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.mean(inputs, axis=self._axes(), keepdims=self.keepdims)
        counted = ops.expand_dims(ops.cast(mask, inputs.dtype), 2 if self.data_format == "channels_last" else 1)
        kept = ops.where(ops.not_equal(counted, 0), inputs, 0)
        total = ops.sum(kept, axis=self._axes(), keepdims=self.keepdims)
        return ops.divide(total, ops.sum(counted, axis=self._axes(), keepdims=self.keepdims))

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: what comes out has no steps."""
        return None


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of each channel: (n, h, w, c) -> (n, c), or (n, 1, 1, c) with ``keepdims``.

    Args:
        data_format: "channels_last" (default), or "channels_first": (n, c, h, w).
        keepdims: keep the axes of rows and columns with extent 1.
    """

    rank = 2

    def call(self, inputs):
        return ops.mean(inputs, axis=self._axes(), keepdims=self.keepdims)


class _GlobalMaxPooling(_GlobalPooling):
    def call(self, inputs):
        return ops.max(inputs, axis=self._axes(), keepdims=self.keepdims)


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """The maximum of each channel over the steps; arguments as in GlobalAveragePooling1D."""

    rank = 1


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """The maximum of each channel; arguments as in GlobalAveragePooling2D."""

    rank = 2


GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalMaxPool1D, GlobalMaxPool2D = GlobalMaxPooling1D, GlobalMaxPooling2D
