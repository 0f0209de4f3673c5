"""What a layer expects of its input."""

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["InputSpec"]


class InputSpec:
    """What a layer expects of its input.

    Args:
        dtype: a dtype's name; None where any will do.
        shape: all extents, batch axis first; None where any will do.
        ndim, max_ndim, min_ndim: how many axes, exactly, at most or at least.
        axes: extents by axis, such as {-1: 784}.
        allow_last_axis_squeeze: whether a last axis of 1 may be there or not.
        name: of the input.
        optional: whether None may be given instead.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: tuple[int | None, ...] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ):
        self.dtype = None if dtype is None else str(np.dtype(dtype))
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if self.shape is None else len(self.shape)
        self.max_ndim, self.min_ndim, self.axes, self.name = max_ndim, min_ndim, axes or {}, name
        self.allow_last_axis_squeeze, self.optional = allow_last_axis_squeeze, optional

    def check(self, layer: str, shape: tuple[Any, ...], dtype: Any = None) -> None:
        """Raise ValueError where a shape (or dtype) does not fit."""
        if self.dtype is not None and dtype is not None and str(dtype) != self.dtype:
            raise ValueError(
                f"Input of layer {layer!r} is incompatible with the layer: expected dtype={self.dtype}, found {dtype}"
            )
        problem = next(self._problems(shape), None)
        if problem:
            raise ValueError(f"Input of layer {layer!r} is incompatible with the layer: {problem}. Full shape: {shape}")

    def _problems(self, shape: tuple[Any, ...]) -> Iterator[str]:
        known = self.shape
        if self.allow_last_axis_squeeze and known is not None:
            known, shape = (one[:-1] if one and one[-1] == 1 else one for one in (known, shape))
            if len(known) != len(shape):
                yield f"expected {self.shape}, with or without a last axis of 1"
                return
        found = len(shape)
        if not self.allow_last_axis_squeeze and self.ndim is not None and found != self.ndim:
            few = " (one sample wants a batch axis, x[None]; grey pictures want channels, x[..., None])"
            if shape and shape[0] is None:
                few = f" (grey pictures want channels: Input(shape={(*shape[1:], 1)}))"
            yield f"expected ndim={self.ndim}, found ndim={found}{few if (self.ndim, found) == (4, 3) else ''}"
        if self.max_ndim is not None and found > self.max_ndim:
            yield f"expected max_ndim={self.max_ndim}, found ndim={found}"
        if self.min_ndim is not None and found < self.min_ndim:
            yield f"expected min_ndim={self.min_ndim}, found ndim={found}"
        for axis, extent in {**dict(enumerate(known or ())), **self.axes}.items():
            if extent is not None and shape[axis] is not None and shape[axis] != extent:
                yield f"expected axis {axis} of the input to have extent {extent}, found {shape[axis]}"
