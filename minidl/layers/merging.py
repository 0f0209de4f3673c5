"""Layers that join branches."""

from typing import Any

from minidl import ops

from .layer import Layer

__all__ = ["Add", "Concatenate", "add", "concatenate"]


class _Merge(Layer):
    """Joins a list of tensors into one."""

    def _checked(self, shapes: Any) -> Any:
        if not isinstance(shapes, list) or len(shapes) < 2:
            raise ValueError(f"{type(self).__name__} {self.name!r} joins a list of two tensors or more, got {shapes!r}")
        return shapes


class Add(_Merge):
    """The sum of a list of tensors."""

    def call(self, inputs):
        self._checked(list(inputs))
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
        shapes = self._checked(list(input_shape))
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
