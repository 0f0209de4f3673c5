"""What a layer expects of its input."""

from collections.abc import Iterator
from typing import Any

__all__ = ["InputSpec"]


class InputSpec:
    """What a layer expects of its input.

    Args:
        shape: all extents, batch axis first; None where any will do.
        ndim, max_ndim, min_ndim: how many axes, exactly, at most or at least.
        axes: extents by axis, such as {-1: 784}.
        name: of the input.
    """

    def __init__(
        self,
        shape: tuple[int | None, ...] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int] | None = None,
        name: str | None = None,
    ):
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if self.shape is None else len(self.shape)
        self.max_ndim, self.min_ndim, self.axes, self.name = max_ndim, min_ndim, axes or {}, name

    def check(self, layer: str, shape: tuple[Any, ...]) -> None:
        """Raise ValueError where a shape does not fit."""
        problem = next(self._problems(shape), None)
        if problem:
            raise ValueError(f"Input of layer {layer!r} is incompatible with the layer: {problem}. Full shape: {shape}")

    def _problems(self, shape: tuple[Any, ...]) -> Iterator[str]:
        found = len(shape)
        if self.ndim is not None and found != self.ndim:
            yield f"expected ndim={self.ndim}, found ndim={found}"
        if self.max_ndim is not None and found > self.max_ndim:
            yield f"expected max_ndim={self.max_ndim}, found ndim={found}"
        if self.min_ndim is not None and found < self.min_ndim:
            yield f"expected min_ndim={self.min_ndim}, found ndim={found}"
        for axis, extent in {**dict(enumerate(self.shape or ())), **self.axes}.items():
            if extent is not None and shape[axis] is not None and shape[axis] != extent:
                yield f"expected axis {axis} of the input to have extent {extent}, found {shape[axis]}"
