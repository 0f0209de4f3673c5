"""Layers that hand on the same numbers: in another order, several times, or as they are."""

from typing import Any

from minidl import ops
from minidl.graph.symbolic import KerasTensor, map_structure

from .core import positive_int
from .input_spec import InputSpec
from .layer import Layer

__all__ = ["Identity", "Permute", "RepeatVector"]


class Permute(Layer):
    """The axes of each sample in another order.

    Args:
        dims: the axes, counted from 1 (0 is the batch axis), in their new order.

    Shapes: (batch, a, b) -> (batch, b, a) with dims=(2, 1).
    """

    def __init__(self, dims: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"dims must hold each of 1 to {len(self.dims)} once, not {dims!r}")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs):
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *[input_shape[i] for i in self.dims])

    def compute_output_spec(self, inputs):
        return KerasTensor(self.compute_output_shape(inputs.shape), inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Each sample ``n`` times: (batch, features) -> (batch, n, features).

    Args:
        n: how many times.
    """

    def __init__(self, n: int, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"n must be a positive whole number, not {n!r}")
        self.n = positive_int("n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs):
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self):
        return {**super().get_config(), "n": self.n}


class Identity(Layer):
    """The inputs as they are; any structure of tensors."""

    supports_masking = True

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, inputs):
        return map_structure(lambda one: KerasTensor(one.shape, one.dtype), inputs)
