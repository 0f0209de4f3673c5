"""Initializers whose spread follows from the shape: VarianceScaling and the names of Glorot, He and LeCun."""

import math
from typing import Any

from minidl import random

from .draws import RandomInitializer

__all__ = [
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "VarianceScaling",
    "compute_fans",
]  # fmt: skip


def compute_fans(shape: tuple[int, ...], input_axes: Any = None, output_axes: Any = None) -> tuple[int, int]:
    """How many numbers go into and out of a unit: (receptive field) x channels, as Keras counts them.

    Where both ``input_axes`` and ``output_axes`` are given, the fans are the products of these axes' sizes.
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return n, n
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


class VarianceScaling(RandomInitializer):
    """Values whose variance is scale / n, where n is the fan in, the fan out, or their mean.

    Args:
        scale: a positive number.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal" (corrected for the truncation), "untruncated_normal" or "uniform".
        seed: as in minidl.random.
        input_axes, output_axes: the axes whose sizes, multiplied, are the fans; default: see ``compute_fans``.

    Raises:
        ValueError: an argument that is none of these.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ):
        if scale <= 0:
            raise ValueError(f"scale must be positive, not {scale!r}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"mode must be 'fan_in', 'fan_out' or 'fan_avg', not {mode!r}")
        distribution = {"normal": "truncated_normal"}.get(str(distribution).lower(), str(distribution).lower())
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                f"distribution must be 'truncated_normal', 'untruncated_normal' or 'uniform', not {distribution!r}"
            )
        super().__init__(seed)
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def __call__(self, shape, dtype=None):
        fan_in, fan_out = compute_fans(tuple(shape), self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return random.uniform(shape, -limit, limit, dtype, self.drawn_with)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(variance), dtype, self.drawn_with)
        # 0.8796... is the deviation of a standard normal cut off at two of its deviations.
        return random.truncated_normal(shape, 0.0, math.sqrt(variance) / 0.87962566103423978, dtype, self.drawn_with)

    def get_config(self):
        own = {"scale": self.scale, "mode": self.mode, "distribution": self.distribution}
        return {**super().get_config(), **own, **self._axes()}

    def _axes(self) -> dict[str, Any]:
        """The axes where they were given: older Keras 3 does not know these arguments."""
        axes = {"input_axes": self.input_axes, "output_axes": self.output_axes}
        return {key: value for key, value in axes.items() if value is not None}


class _Scaled(VarianceScaling):
    """A VarianceScaling with fixed settings, which are not saved."""

    settings: tuple[float, str, str]

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None):
        super().__init__(*self.settings, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self):
        return {**RandomInitializer.get_config(self), **self._axes()}


class GlorotUniform(_Scaled):
    """Uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""

    settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""

    settings = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform within sqrt(6 / fan_in) (He et al. 2015)."""

    settings = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in (He et al. 2015)."""

    settings = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform within sqrt(3 / fan_in) (LeCun et al. 1998)."""

    settings = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in (LeCun et al. 1998)."""

    settings = (1.0, "fan_in", "truncated_normal")
