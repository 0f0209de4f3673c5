"""Random numbers from counters (Philox): the same seed gives the same numbers on every machine and thread count.

Names follow ``keras.random``. A ``seed`` is a whole number (the same numbers at every call), a ``SeedGenerator``
(new numbers at every call), or None (a fresh seed, from ``utils.set_random_seed`` where that was called).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import minidl_kernels as kernels
from minidl import config, registry
from minidl.engine.tensor import Tensor
from minidl.engine.variable import Variable
from minidl.ops.randomness import masked_dropout
from minidl_kernels import devices
from minidl_kernels.arrays import Array, namespace, special, to_numpy

__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "shuffle",
    "truncated_normal", "uniform",
]  # fmt: skip

BLOCK = 1 << 16  # numbers that are drawn at once


class SeedGenerator:
    """A stream of keys; ``state`` holds the seed and how many keys were drawn, so that it can be saved.

    Args:
        seed: a whole number; None: a fresh one.
        name: for messages and configurations.
        on_cpu: keep the state on the CPU, whatever the device is; for keys that the program itself reads.
    """

    def __init__(self, seed: int | None = None, name: str | None = None, *, on_cpu: bool = False):
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0):
            raise ValueError(f"seed must be a whole number from 0 on, or None, not {seed!r}")
        self.seed, self.on_cpu = seed, on_cpu
        self.name = name or registry.auto_name("seed_generator")
        start = config.next_seed() if seed is None else int(seed) % 2**32
        with devices.scope(devices.CPU if on_cpu else devices.current()):
            self.state = Variable(np.array([start, 0], np.uint32), trainable=False, name="seed_generator_state")

    def next(self) -> Array:
        """The next key: two 32-bit words."""
        key = self.state.data
        if type(key) is np.ndarray:
            self.state.assign(np.array([key[0], (int(key[1]) + 1) % 2**32], np.uint32))
        else:  # on its device, unread; whole numbers without a sign begin anew at 2^32
            self.state.assign(key + namespace(key).arange(2, dtype="uint32"))
        return key

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SeedGenerator":
        return cls(**config)


def key_of(seed: Any) -> Array:
    """Two 32-bit words that name a stream of random numbers; what is drawn with them is drawn where they lie."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        return devices.here(np.array([config.next_seed(), 0], np.uint32))
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0 on, a SeedGenerator or None, not {seed!r}")
    return devices.here(np.array([int(seed) % 2**32, int(seed) >> 32 & 0xFFFFFFFF], np.uint32))


def _unit(shape: Any, key: Array, first: int = 0) -> Array:
    """float64 numbers in [0, 1) with 53 random bits: those of a stream from the first-th on."""
    size = math.prod(shape)
    words = kernels.random_bits(key, size=2 * size, offset=2 * first).astype("uint64")
    bits = (words[0::2] << np.uint64(21)) ^ (words[1::2] >> np.uint64(11))
    return (bits.astype("float64") * 2.0**-53).reshape(shape)


def _drawn(shape: Any, dtype: Any, key: Array, formula: Callable[..., Array], streams: int = 1) -> Tensor:
    """``formula`` of numbers in [0, 1), block by block: all at once would take eight times the memory of the result."""
    size = math.prod(shape)
    values = namespace(key).empty(size, dtype or config.floatx())
    for first in range(0, size, BLOCK):
        count = min(BLOCK, size - first)
        values[first : first + count] = formula(*(_unit((count,), key, k * size + first) for k in range(streams)))
    return Tensor.of(values.reshape(shape))


def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers spread evenly over [minval, maxval)."""
    return _drawn(shape, dtype, key_of(seed), lambda u: minval + (maxval - minval) * u)


def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normally distributed numbers (Box and Muller 1958)."""

    key = key_of(seed)
    xp = namespace(key)

    def formula(u: Array, v: Array) -> Array:
        return mean + stddev * (xp.sqrt(-2 * xp.log1p(-u)) * xp.cos(2 * math.pi * v))

    return _drawn(shape, dtype, key, formula, streams=2)


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None) -> Tensor:
    """Normally distributed numbers, none further than two ``stddev`` from ``mean``."""
    from scipy.special import ndtr

    key = key_of(seed)
    xp, ndtri = namespace(key), special(key).ndtri
    low, high = float(ndtr(-2.0)), float(ndtr(2.0))

    def formula(u: Array) -> Array:
        return mean + stddev * xp.clip(ndtri(low + (high - low) * u), -2.0, 2.0)

    return _drawn(shape, dtype, key, formula)


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Whole numbers from minval to maxval - 1."""
    drawn = (maxval - minval) * _unit(shape, key_of(seed))
    return Tensor.of((minval + namespace(drawn).floor(drawn)).astype(dtype))


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Classes drawn with the probabilities softmax(logits), (n, num_samples) for logits of (n, classes).

    Raises:
        ValueError: logits with another number of axes.
    """
    scores = Tensor(logits).data
    if scores.ndim != 2:
        raise ValueError(f"logits must have two axes, (n, classes), not shape {scores.shape}")
    # The largest of logits plus Gumbel noise is softmax-distributed (Gumbel 1954).
    drawn = _unit((scores.shape[0], num_samples, scores.shape[1]), key_of(seed))
    drawn = devices.beside(drawn, scores)
    xp = namespace(drawn)
    noise = -xp.log(-xp.log(xp.maximum(drawn, 2.0**-53)))
    return Tensor.of(xp.argmax(scores[:, None, :] + noise, axis=-1).astype(dtype))


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers of the gamma distribution of shape ``alpha``, which broadcasts to ``shape``, and scale 1."""
    return _of_numpy(seed, "standard_gamma", shape, dtype, alpha=alpha)


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Numbers of the beta distribution; ``alpha`` and ``beta`` broadcast to ``shape``."""
    return _of_numpy(seed, "beta", shape, dtype, alpha=alpha, beta=beta)


def binomial(shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """How many of ``counts`` trials succeed, each with a chance of ``probabilities``; both broadcast to ``shape``."""
    return _of_numpy(seed, "binomial", shape, dtype, counts=counts, probabilities=probabilities)


def _of_numpy(seed: Any, distribution: str, shape: Any, dtype: Any, **parameters: Any) -> Tensor:
    arrays = {name: to_numpy(Tensor(value).data) for name, value in parameters.items()}
    for name, array in arrays.items():
        wrong = (array <= 0) if name in ("alpha", "beta") else (array < 0)
        if np.any(wrong):
            raise ValueError(f"{name} must be {'positive' if name in ('alpha', 'beta') else 'at least 0'}, not {array}")
    if "probabilities" in arrays and np.any(arrays["probabilities"] > 1):
        raise ValueError(f"probabilities must be at most 1, not {arrays['probabilities']}")
    generator = np.random.Generator(np.random.PCG64(to_numpy(key_of(seed))))
    counted = [array.astype("int64") if name == "counts" else array for name, array in arrays.items()]
    drawn = getattr(generator, distribution)(*counted, size=tuple(shape))
    return Tensor(np.asarray(drawn).astype(dtype or config.floatx()))


def permutation(n: int, seed: Any = None) -> np.ndarray:
    """The numbers 0 to n - 1 in random order."""
    return np.random.Generator(np.random.PCG64(to_numpy(key_of(seed)))).permutation(n)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """x with the entries of one axis in random order."""
    array = Tensor(x).data
    order = devices.beside(permutation(array.shape[axis], seed), array)
    return Tensor.of(namespace(array).take(array, order, axis=axis))


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Each element is 0 with probability ``rate``, else divided by 1 - rate.

    Args:
        noise_shape: shape of the mask, broadcast over the inputs; default: the inputs' own.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"rate must be at least 0 and less than 1, not {rate!r}")
    key = key_of(seed)
    if noise_shape is None:
        return masked_dropout(inputs, key, rate)
    extents = tuple(n if m is None else m for m, n in zip(noise_shape, inputs.shape, strict=True))
    return inputs * masked_dropout(namespace(key).ones(extents, inputs.dtype), key, rate)


registry.publish("keras.random", {"SeedGenerator": SeedGenerator})
