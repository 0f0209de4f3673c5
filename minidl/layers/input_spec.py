"""What a layer expects of its input."""

from typing import Any

__all__ = ["InputSpec"]


class InputSpec:
    """What a layer expects of its input.

    Args:
        ndim, min_ndim: how many axes, exactly or at least.
        axes: extents by axis, such as {-1: 784}.
    """

    def __init__(self, ndim: int | None = None, min_ndim: int | None = None, axes: dict[int, int] | None = None):
        self.ndim, self.min_ndim, self.axes = ndim, min_ndim, axes or {}

    def check(self, layer: str, shape: tuple[Any, ...]) -> None:
        """Raise ValueError where a shape does not fit."""
        problem = None
        if self.ndim is not None and len(shape) != self.ndim:
            problem = f"expected ndim={self.ndim}, found ndim={len(shape)}"
        elif self.min_ndim is not None and len(shape) < self.min_ndim:
            problem = f"expected min_ndim={self.min_ndim}, found ndim={len(shape)}"
        else:
            for axis, extent in self.axes.items():
                if shape[axis] is not None and shape[axis] != extent:
                    problem = f"expected axis {axis} of the input to have extent {extent}, found {shape[axis]}"
        if problem:
            raise ValueError(f"Input of layer {layer!r} is incompatible with the layer: {problem}. Full shape: {shape}")
