"""Masking: steps of sequences that are to be left out."""

from typing import Any

from minidl import ops

from . import masks
from .layer import Layer

__all__ = ["Masking"]


class Masking(Layer):
    """Sets the steps in which every feature is ``mask_value`` to 0, and masks them for the layers that follow.

    Args:
        mask_value: default 0.0.

    Shapes: (..., features) -> the same; the mask is (...), true for the steps that stay.
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.mask_value = mask_value
        masks.start()

    def call(self, inputs):
        kept = self.compute_mask(inputs)
        outputs = ops.where(ops.expand_dims(kept, -1), inputs, 0.0)
        masks.put(outputs, kept)
        return outputs

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "mask_value": self.mask_value}
