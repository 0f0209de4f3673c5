"""Layers that join branches, each with a function that makes the layer and calls it at once."""

from functools import reduce
from typing import Any

from minidl import ops

from .layer import Layer

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract", "add", "average",
    "concatenate", "dot", "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip


class _Merge(Layer):
    """Joins a list of tensors into one."""

    def build(self, input_shape):
        if not input_shape or not all(isinstance(shape, (list, tuple)) for shape in input_shape):
            raise ValueError(
                f"{type(self).__name__} {self.name!r} joins a list of tensors, not one of shape {input_shape}; write "
                f"{type(self).__name__}()([a, b])"
            )


class _Elementwise(_Merge):
    """Joins tensors element by element; extents of 1 are repeated.

    Tensors of fewer axes get new ones behind the batch axis: (batch, c) joins (batch, h, c) as (batch, 1, c).
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.compute_output_shape(input_shape)  # says so where they do not fit

    def call(self, inputs):
        axes = max(len(one.shape) for one in inputs)
        return self.join([_with_axes(one, axes) for one in inputs])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Something is where one of the inputs has something; None where one has no mask."""
        if previous_mask is None or any(mask is None for mask in previous_mask):
            return None
        return reduce(ops.logical_or, previous_mask)

    def join(self, inputs):
        """The tensors of a list, all with as many axes, as one."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        batches = {shape[0] for shape in input_shape if shape[0] is not None}
        if len(batches) > 1:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: tensors of {list(input_shape)} differ in batch size"
            )
        axes = max(map(len, input_shape))
        rest = [[1] * (axes - len(shape)) + list(shape[1:]) for shape in input_shape]
        return (batches.pop() if batches else None, *[self._extent(n, input_shape) for n in zip(*rest, strict=True)])

    def _extent(self, extents, input_shape):
        others = {n for n in extents if n != 1}
        if len(others - {None}) > 1:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: tensors of the shapes {list(input_shape)} cannot be joined "
                f"element by element"
            )
        return None if None in others else others.pop() if others else 1


def _with_axes(x: Any, axes: int) -> Any:
    missing = axes - len(x.shape)
    return ops.expand_dims(x, tuple(range(1, missing + 1))) if missing else x


class Add(_Elementwise):
    """The sum of a list of tensors."""

    def join(self, inputs):
        return reduce(ops.add, inputs)


class Subtract(_Elementwise):
    """The first of two tensors less the second."""

    def build(self, input_shape):
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"Subtract {self.name!r} takes exactly 2 tensors, not {len(input_shape)}")

    def join(self, inputs):
        return ops.subtract(*inputs)


class Multiply(_Elementwise):
    """The product of a list of tensors, element by element."""

    def join(self, inputs):
        return reduce(ops.multiply, inputs)


class Average(_Elementwise):
    """The mean of a list of tensors, element by element."""

    def join(self, inputs):
        return ops.divide(reduce(ops.add, inputs), len(inputs))


class Maximum(_Elementwise):
    """The largest of a list of tensors, element by element; ties share the gradient."""

    def join(self, inputs):
        return reduce(ops.maximum, inputs)


class Minimum(_Elementwise):
    """The smallest of a list of tensors, element by element; ties share the gradient."""

    def join(self, inputs):
        return reduce(ops.minimum, inputs)


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

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The masks joined like the inputs; an input without one is all there, and one feature makes a place count."""
        if previous_mask is None:
            return None
        spread = []
        for one, mask in zip(inputs, previous_mask, strict=True):
            whole = ops.ones_like(one, dtype="bool")
            if mask is not None:
                narrow = len(mask.shape) < len(one.shape)
                whole = ops.logical_and(ops.expand_dims(mask, -1), whole) if narrow else mask
            spread.append(whole)
        return ops.any(ops.concatenate(spread, axis=self.axis), axis=-1)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class Dot(_Merge):
    """The products of two tensors along an axis of each, summed, sample by sample.

    Args:
        axes: the axis that is summed over, of both tensors, or one for each; not 0, the batch axis.
        normalize: divide each tensor by its length along the axis first, so that the result is the cosine.

    Shapes: (batch, a, n) and (batch, b, n) with axes=2 -> (batch, a, b); (batch, n) twice with axes=1 -> (batch, 1).
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(axes, (int, list, tuple)):
            raise TypeError(f"axes must be a whole number or two, not {axes!r}")
        if not isinstance(axes, int) and (len(axes) != 2 or not all(isinstance(a, int) for a in axes)):
            raise ValueError(f"axes must be a whole number or two, not {axes!r}")
        self.axes, self.normalize = axes, normalize

    def build(self, input_shape):
        super().build(input_shape)
        if len(input_shape) != 2:
            raise ValueError(f"Dot {self.name!r} takes exactly 2 tensors, not {len(input_shape)}")
        self.compute_output_shape(input_shape)

    def _axes_of(self, first, second):
        if min(len(first), len(second)) < 2:
            raise ValueError(f"Dot {self.name!r}: both tensors need 2 axes at least, got {first} and {second}")
        given = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        a, b = (axis % len(shape) for axis, shape in zip(given, (first, second), strict=True))
        if a == 0 or b == 0:
            raise ValueError(f"Dot {self.name!r}: axes={self.axes} names axis 0, along which the samples lie")
        if None not in (first[a], second[b]) and first[a] != second[b]:
            raise ValueError(
                f"Dot {self.name!r}: axis {a} of {tuple(first)} has extent {first[a]}, but axis {b} of "
                f"{tuple(second)} has {second[b]}"
            )
        return a, b

    def call(self, inputs):
        first, second = inputs
        a, b = self._axes_of(first.shape, second.shape)
        if self.normalize:
            first, second = ops.normalize(first, a), ops.normalize(second, b)
        left, right = ops.moveaxis(first, a, -1), ops.moveaxis(second, b, 1)
        rest = (*left.shape[1:-1], *right.shape[2:])
        n, extent = left.shape[0], left.shape[-1]
        y = ops.matmul(ops.reshape(left, (n, -1, extent)), ops.reshape(right, (n, extent, -1)))
        return ops.reshape(y, (n, *(rest or (1,))))

    def compute_output_shape(self, input_shape):
        first, second = input_shape
        a, b = self._axes_of(first, second)
        rest = [n for i, n in enumerate(first) if i not in (0, a)] + [
            n for i, n in enumerate(second) if i not in (0, b)
        ]
        return (first[0], *(rest or (1,)))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """No mask: the axes of the inputs are gone."""

    def get_config(self):
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of a list of tensors; other arguments are those of ``Add``."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The first of two tensors less the second; other arguments are those of ``Subtract``."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The product of a list of tensors; other arguments are those of ``Multiply``."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """The mean of a list of tensors; other arguments are those of ``Average``."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """The largest of a list of tensors; other arguments are those of ``Maximum``."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """The smallest of a list of tensors; other arguments are those of ``Minimum``."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """A list of tensors joined along an axis; other arguments are those of ``Concatenate``."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """The products of two tensors summed along an axis of each; other arguments are those of ``Dot``."""
    return Dot(axes=axes, **kwargs)(inputs)
