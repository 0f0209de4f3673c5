"""Initializers that draw: normal, truncated normal, uniform and orthogonal."""

import math
from typing import Any

import numpy as np

from minidl import config, random, registry

from .constant import Initializer

__all__ = ["Orthogonal", "RandomInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal"]


class RandomInitializer(Initializer):
    """An initializer with a seed: the same object gives the same values at every call, as in Keras 3.

    Args:
        seed: a whole number; a ``SeedGenerator``, which gives new values at every call; None: a fresh seed.

    Raises:
        ValueError: a seed that is none of these.
    """

    def __init__(self, seed: Any = None):
        seed = registry.deserialize(seed) if isinstance(seed, dict) else seed
        whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
        if seed is not None and not isinstance(seed, random.SeedGenerator) and not whole:
            raise ValueError(
                f"{type(self).__name__}: seed must be a whole number, a SeedGenerator or None, not {seed!r}"
            )
        self.seed = seed
        self.drawn_with = config.next_seed() if seed is None else seed

    def get_config(self):
        return {"seed": registry.serialize(self.seed)}


class RandomNormal(RandomInitializer):
    """Normally distributed."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape, dtype=None):
        return random.normal(shape, self.mean, self.stddev, dtype, self.drawn_with)

    def get_config(self):
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """Normally distributed, redrawn within two standard deviations; its own deviation is not corrected for that."""

    def __call__(self, shape, dtype=None):
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, self.drawn_with)


class RandomUniform(RandomInitializer):
    """Spread evenly over [minval, maxval)."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape, dtype=None):
        return random.uniform(shape, self.minval, self.maxval, dtype, self.drawn_with)

    def get_config(self):
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class Orthogonal(RandomInitializer):
    """``gain`` times a matrix whose rows (or columns, whichever are fewer) are orthonormal (Saxe et al. 2014).

    All axes but the last are one for this: a kernel (3, 3, 16, 32) is a matrix of 144 rows. The matrix is the Q of the
    QR decomposition of normal numbers, with the signs of R's diagonal, so that all orthogonal matrices are equally
    likely (Mezzadri 2007).

    Raises:
        ValueError: at the call, a shape with fewer than two axes.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: a shape of at least two axes is expected, not {tuple(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(random.normal(tall, dtype="float64", seed=self.drawn_with).numpy())
        q = q * np.sign(np.diag(r))
        return (self.gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype or config.floatx())

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}
