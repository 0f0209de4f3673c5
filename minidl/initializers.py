"""Initializers: the start values of weights. Names, defaults and formulas are those of Keras 3."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minidl import config, random, registry

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Initializer", "LecunNormal",
    "LecunUniform", "Ones",
    "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros", "deserialize", "get", "serialize",
]  # fmt: skip


class Initializer:
    """Base class: ``__call__(shape, dtype)`` returns the start values as a Tensor."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        raise NotImplementedError("an initializer defines __call__(shape, dtype)")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Initializer":
        """An initializer of a configuration; Keras also writes which axes it counts, which follow from the shape."""
        return cls(**{key: value for key, value in config.items() if key not in ("input_axes", "output_axes")})


class Zeros(Initializer):
    """Zeros."""

    def __call__(self, shape, dtype=None):
        return np.zeros(shape, dtype or config.floatx())


class Ones(Initializer):
    """Ones."""

    def __call__(self, shape, dtype=None):
        return np.ones(shape, dtype or config.floatx())


class Constant(Initializer):
    """One value everywhere."""

    def __init__(self, value: float = 0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        return np.broadcast_to(np.asarray(self.value, dtype or config.floatx()), shape).copy()

    def get_config(self):
        return {"value": registry.serialize(self.value)}


class _Random(Initializer):
    """An initializer with a seed: the same object gives the same values at every call, as in Keras 3."""

    def __init__(self, seed: Any = None):
        self.seed = seed
        self._seed = config.next_seed() if seed is None else seed


class RandomNormal(_Random):
    """Normally distributed."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape, dtype=None):
        return random.normal(shape, self.mean, self.stddev, dtype, self._seed)

    def get_config(self):
        return {"mean": self.mean, "stddev": self.stddev, "seed": registry.serialize(self.seed)}


class TruncatedNormal(RandomNormal):
    """Normally distributed, redrawn within two standard deviations; its own deviation is not corrected for that."""

    def __call__(self, shape, dtype=None):
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, self._seed)


class RandomUniform(_Random):
    """Spread evenly over [minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape, dtype=None):
        return random.uniform(shape, self.minval, self.maxval, dtype, self._seed)

    def get_config(self):
        return {"minval": self.minval, "maxval": self.maxval, "seed": registry.serialize(self.seed)}


def compute_fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many numbers go into and out of a unit: (receptive field) x channels, as Keras counts them."""
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return n, n
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


class VarianceScaling(_Random):
    """Values whose variance is scale / n, where n is the fan in, the fan out, or their mean.

    Args:
        scale: a positive number.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal" (corrected for the truncation), "untruncated_normal" or "uniform".
        seed: as in minidl.random.
    """

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal", seed: Any = None
    ):
        if scale <= 0:
            raise ValueError(f"scale must be positive, not {scale!r}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"mode must be 'fan_in', 'fan_out' or 'fan_avg', not {mode!r}")
        distribution = {"normal": "truncated_normal"}.get(distribution, distribution)
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                f"distribution must be 'truncated_normal', 'untruncated_normal' or 'uniform', not {distribution!r}"
            )
        super().__init__(seed)
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def __call__(self, shape, dtype=None):
        fan_in, fan_out = compute_fans(tuple(shape))
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return random.uniform(shape, -limit, limit, dtype, self._seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(variance), dtype, self._seed)
        # 0.8796... is the deviation of a standard normal cut off at two of its deviations.
        return random.truncated_normal(shape, 0.0, math.sqrt(variance) / 0.87962566103423978, dtype, self._seed)

    def get_config(self):
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "seed": registry.serialize(self.seed),
        }


class _Scaled(VarianceScaling):
    """A VarianceScaling with fixed settings, of which only the seed is saved."""

    settings: tuple[float, str, str]

    def __init__(self, seed: Any = None):
        super().__init__(*self.settings, seed=seed)

    def get_config(self):
        return {"seed": registry.serialize(self.seed)}


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


zeros, ones, constant = Zeros, Ones, Constant
normal = random_normal = RandomNormal
uniform = random_uniform = RandomUniform
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal

serialize, deserialize = registry.serialize, registry.deserialize


def get(identifier: Any) -> Callable[..., Any] | None:
    """An initializer by name ("he_normal", "HeNormal"), configuration, class or object; None stays None."""
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return registry.deserialize(identifier)
    if isinstance(identifier, str):
        identifier = registry.lookup("keras.initializers", identifier, "initializer")
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise TypeError(f"an initializer is a name, an object or a function of (shape, dtype), not {identifier!r}")


registry.publish("keras.initializers", {name: item for name, item in globals().items() if isinstance(item, type)})
