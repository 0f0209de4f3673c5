"""Layers that join branches."""

from typing import Any

import numpy as np

from minidl import ops

from .layer import Layer

__all__ = ["Add", "Concatenate", "add", "concatenate"]


class _Merge(Layer):
    """Joins a list of tensors into one."""

    def build(self, input_shape):
        if not input_shape or not all(isinstance(shape, (list, tuple)) for shape in input_shape):
            raise ValueError(
                f"{type(self).__name__} {self.name!r} joins a list of tensors, not one of shape {input_shape}"
            )


class Add(_Merge):
    """The sum of a list of tensors."""

    def build(self, input_shape):
        super().build(input_shape)
        try:
            np.broadcast_shapes(*[[1 if n is None else n for n in shape] for shape in input_shape])
        except ValueError:
            raise ValueError(f"Add {self.name!r}: tensors of the shapes {list(input_shape)} cannot be added") from None

    def call(self, inputs):
        total = inputs[0]
        for one in inputs[1:]:
            total = ops.add(total, one)
        return total


class Concatenate(_Merge):
    """A list of tensors joined along an axis.

    Args:
        axis: all other axes must have equal extents.
    """

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape):
        super().build(input_shape)
        shapes = list(input_shape)
        axis = self.axis % len(shapes[0])
        rests = {tuple(n for i, n in enumerate(shape) if i != axis and i) for shape in shapes}
        if len(rests) != 1 or len({len(shape) for shape in shapes}) != 1:
            raise ValueError(
                f"Concatenate {self.name!r}: shapes {shapes} differ on other axes than {self.axis}; only that "
                "one may differ"
            )

    def call(self, inputs):
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_output_shape(self, input_shape):
        axis = self.axis % len(input_shape[0])
        extents = [shape[axis] for shape in input_shape]
        joined = None if None in extents else sum(extents)
        return tuple(joined if i == axis else n for i, n in enumerate(input_shape[0]))

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of a list of tensors."""
    return Add(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """A list of tensors joined along an axis."""
    return Concatenate(axis=axis, **kwargs)(inputs)
