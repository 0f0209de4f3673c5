"""Layers that add zeros around pictures and sequences, or cut their borders off."""

from typing import Any

from minidl import ops
from minidl.ops.layout import data_format_of, several

from .input_spec import InputSpec
from .layer import Layer

__all__ = ["Cropping1D", "Cropping2D", "ZeroPadding1D", "ZeroPadding2D"]

Sides = tuple[tuple[int, ...], ...]


class _Borders(Layer):
    """How many cells before and after, for each axis along which there are pictures or steps."""

    sides: Sides
    data_format = "channels_last"

    def _widths(self) -> Sides:
        """For all axes."""
        if self.data_format == "channels_first":
            return ((0, 0), (0, 0), *self.sides)
        return ((0, 0), *self.sides, (0, 0))


class _Padding(_Borders):
    def call(self, inputs):
        return ops.pad(inputs, self._widths())

    def compute_output_shape(self, input_shape):
        both = zip(input_shape, self._widths(), strict=True)
        return tuple([None if n is None else n + before + after for n, (before, after) in both])


class _Cropping(_Borders):
    def call(self, inputs):
        self.compute_output_shape(inputs.shape)
        both = zip(inputs.shape, self._widths(), strict=True)
        return ops.getitem(inputs, tuple([slice(before, n - after) for n, (before, after) in both]))

    def compute_output_shape(self, input_shape):
        widths = self._widths()
        if any(
            n is not None and n - sum(width) < 1 for n, width in zip(input_shape, widths, strict=True) if sum(width)
        ):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: cropping {self.sides} leaves nothing of inputs of shape "
                f"{tuple(input_shape)}"
            )
        return tuple([None if n is None else n - sum(width) for n, width in zip(input_shape, widths, strict=True)])


def _sides(value: Any, name: str) -> Sides:
    """((top, bottom), (left, right)) of a number, (vertical, horizontal), or both sides of both."""
    both = value if isinstance(value, (list, tuple)) else (value, value)
    if len(both) != 2:
        raise ValueError(f"{name} must be a number, two, or ((top, bottom), (left, right)), not {value!r}")
    return tuple(several(one, 2, name, 0) for one in both)


class ZeroPadding1D(_Padding):
    """Zeros before and after: (n, steps, c) -> (n, steps + before + after, c).

    Args:
        padding: (before, after), or a number for both.
        data_format: "channels_last" (default), or "channels_first": (n, c, steps).
    """

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = several(padding, 2, "padding", 0)
        self.sides, self.data_format = (self.padding,), data_format_of(data_format)
        self.input_spec = InputSpec(ndim=3)

    def get_config(self):
        return {**super().get_config(), "padding": list(self.padding), "data_format": self.data_format}


class ZeroPadding2D(_Padding):
    """Zeros around pictures: (n, h, w, c) -> (n, h + top + bottom, w + left + right, c).

    Args:
        padding: a number, (rows, columns) on both sides each, or ((top, bottom), (left, right)).
        data_format: "channels_last" (default), or "channels_first": (n, c, h, w).
    """

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.padding = self.sides = _sides(padding, "padding")
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=4)

    def get_config(self):
        padding = [list(side) for side in self.padding]
        return {**super().get_config(), "padding": padding, "data_format": self.data_format}


class Cropping1D(_Cropping):
    """Steps cut off before and after: (n, steps, c) -> (n, steps - before - after, c).

    Args:
        cropping: (before, after), or a number for both.
    """

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any):
        super().__init__(**kwargs)
        self.cropping = several(cropping, 2, "cropping", 0)
        self.sides = (self.cropping,)
        self.input_spec = InputSpec(ndim=3)

    def get_config(self):
        return {**super().get_config(), "cropping": list(self.cropping)}


class Cropping2D(_Cropping):
    """The borders of pictures cut off: (n, h, w, c) -> (n, h - top - bottom, w - left - right, c).

    Args:
        cropping: a number, (rows, columns) on both sides each, or ((top, bottom), (left, right)).
        data_format: "channels_last" (default), or "channels_first": (n, c, h, w).
    """

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.cropping = self.sides = _sides(cropping, "cropping")
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=4)

    def get_config(self):
        cropping = [list(side) for side in self.cropping]
        return {**super().get_config(), "cropping": cropping, "data_format": self.data_format}
