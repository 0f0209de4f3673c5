"""Layers that disturb in training and do nothing else: noise, dropout of whole maps, a penalty on what passes."""

import math
from typing import Any

from minidl import ops, random, regularizers

from .core import Dropout, channels_last
from .input_spec import InputSpec
from .layer import Layer

__all__ = [
    "ActivityRegularization", "AlphaDropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D",
]  # fmt: skip

_ALPHA = -1.6732632423543772 * 1.0507009873554805  # the limit of selu for small x (Klambauer et al. 2017)


class _Spatial(Dropout):
    """Drops the same channels everywhere in a sample."""

    _ndim = 0

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.noise_shape = (None, *[1] * (self._ndim - 2), None)
        self.input_spec = InputSpec(ndim=self._ndim)

    def get_config(self):
        return {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}


class _SpatialOfPictures(_Spatial):
    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = channels_last(data_format)

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


class SpatialDropout1D(_Spatial):
    """Dropout of whole channels of (batch, steps, channels) (Tompson et al. 2015).

    Args:
        rate: in [0, 1].
        seed: for the same masks in every run.
    """

    _ndim = 3


class SpatialDropout2D(_SpatialOfPictures):
    """Dropout of whole channels of (batch, rows, columns, channels); arguments as of ``SpatialDropout1D``."""

    _ndim = 4


class SpatialDropout3D(_SpatialOfPictures):
    """Dropout of whole channels of (batch, depth, rows, columns, channels); arguments as of ``SpatialDropout1D``."""

    _ndim = 5


class _Noisy(Layer):
    """Has a stream of random numbers; the shape stays."""

    supports_masking = True

    def __init__(self, seed, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


def _below_one(rate: Any) -> float:
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate < 1:
        raise ValueError(f"rate must be a number from 0 to 1, and below 1, not {rate!r}")
    return rate


class AlphaDropout(_Noisy):
    """Dropout for nets of selu: dropped elements go to its lower limit, and mean and variance stay.

    Args:
        rate: in [0, 1).
        noise_shape: shape of the mask, broadcast over the inputs; None where an extent is the inputs'.
        seed: for the same masks in every run.
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any):
        super().__init__(seed, **kwargs)
        self.rate, self.noise_shape = _below_one(rate), noise_shape

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        shape = self.noise_shape or inputs.shape
        shape = tuple(n if m is None else m for m, n in zip(shape, inputs.shape, strict=True))
        kept = ops.greater_equal(random.uniform(shape, dtype=inputs.dtype, seed=self.seed_generator), self.rate)
        a = ((1 - self.rate) * (1 + self.rate * _ALPHA**2)) ** -0.5
        return ops.add(ops.multiply(ops.where(kept, inputs, _ALPHA), a), -a * _ALPHA * self.rate)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


class GaussianDropout(_Noisy):
    """In training, each element times a normal number of mean 1 and variance rate / (1 - rate).

    Args:
        rate: in [0, 1).
        seed: for the same numbers in every run.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any):
        super().__init__(seed, **kwargs)
        self.rate = _below_one(rate)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return ops.multiply(inputs, random.normal(inputs.shape, 1.0, stddev, inputs.dtype, self.seed_generator))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


class GaussianNoise(_Noisy):
    """In training, each element plus a normal number of mean 0.

    Args:
        stddev: of the noise, from 0 on (Keras 3 insists on at most 1).
        seed: for the same numbers in every run.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any):
        super().__init__(seed, **kwargs)
        if isinstance(stddev, bool) or not isinstance(stddev, (int, float)) or not 0 <= stddev < math.inf:
            raise ValueError(f"stddev must be a number from 0 on, not {stddev!r}")
        self.stddev = stddev

    def call(self, inputs, training=False):
        if not training or self.stddev == 0:
            return inputs
        return ops.add(inputs, random.normal(inputs.shape, 0.0, self.stddev, inputs.dtype, self.seed_generator))

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}


class ActivityRegularization(Layer):
    """Hands its inputs on, and adds l1 * sum(|x|) + l2 * sum(x^2), divided by the batch size, to the loss.

    Args:
        l1, l2: factors from 0 on.
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any):
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1, self.l2 = l1, l2

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        settings = super().get_config()
        settings.pop("activity_regularizer", None)
        return {**settings, "l1": self.l1, "l2": self.l2}
