"""Layers that bring numbers to a common scale: Rescaling, Normalization."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minidl import config, ops
from minidl.engine.tensor import Tensor, raw
from minidl_kernels.arrays import is_array, to_numpy

from .layer import Layer

__all__ = ["Normalization", "Rescaling", "batches_of"]


class Rescaling(Layer):
    """inputs * scale + offset, in floats.

    Args:
        scale, offset: a number each, or as many as there are channels. Rescaling(1 / 127.5, offset=-1) brings
            0 ... 255 to -1 ... 1.
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, inputs):
        scale, offset = (np.asarray(to_numpy(raw(number)), self.dtype) for number in (self.scale, self.offset))
        return ops.cast(inputs, self.dtype) * scale + offset

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "scale": _plain(self.scale), "offset": _plain(self.offset)}

    @classmethod
    def from_config(cls, config):
        numbers = {name: _number(config[name]) for name in ("scale", "offset") if name in config}
        return cls(**{**config, **numbers})


def _plain(value: Any) -> Any:
    """A number, or numbers in lists, as a file holds them."""
    array = np.asarray(to_numpy(raw(value)))
    return value if isinstance(value, (int, float, list, tuple)) else array.tolist()


def _number(value: Any) -> Any:
    """What a file holds for a number: Keras writes arrays as {"class_name": "__numpy__", ...}."""
    if isinstance(value, dict) and value.get("class_name") in ("__numpy__", "__tensor__"):
        return np.asarray(value["config"]["value"], value["config"]["dtype"])
    return value


class Normalization(Layer):
    """(inputs - mean) / max(sqrt(variance), 1e-7), for each place of ``axis``.

    Mean and variance are given, or found by ``adapt(data)``; they do not train.

    Args:
        axis: the axes that keep numbers of their own; None: one mean and variance for all.
        mean, variance: both or neither; numbers, or arrays that fit the axes.
        invert: undo it instead: mean + inputs * max(sqrt(variance), 1e-7).

    Weights (without given numbers): mean, variance and count (int32, unused; files of Keras have it).
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if (mean is None) != (variance is None):
            raise ValueError(f"mean and variance go together; got mean={mean!r} and variance={variance!r}")
        if np.shape(raw(mean)) != np.shape(raw(variance)):
            raise ValueError(
                f"mean and variance must have one shape; got {np.shape(raw(mean))} and {np.shape(raw(variance))}"
            )
        if mean is not None and np.ndim(raw(mean)) > len(self.axis):
            raise ValueError(f"mean has shape {np.shape(raw(mean))}, but axis names {len(self.axis)} axes: {self.axis}")
        self.input_mean, self.input_variance, self.invert = mean, variance, invert
        self._kept: tuple[int, ...] = ()

    def build(self, input_shape):
        ndim = len(input_shape)
        if any(not -ndim <= a < ndim for a in self.axis):
            raise ValueError(f"axis {self.axis} is out of range for inputs of shape {tuple(input_shape)}")
        self._kept = tuple(sorted(a % ndim for a in self.axis))
        if any(input_shape[a] is None for a in self._kept):
            raise ValueError(f"axis {self.axis} must have known extents, but inputs have shape {tuple(input_shape)}")
        self._adapted_shape = tuple(input_shape)
        self._places = tuple(input_shape[a] if a in self._kept else 1 for a in range(ndim))
        if self.input_mean is None:
            shape = tuple(input_shape[a] for a in self._kept)
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")

    @property
    def mean(self) -> Any:
        """The mean, of a shape that broadcasts over the inputs; None before it is known."""
        return self._broadcast("mean")

    @property
    def variance(self) -> Any:
        """The variance, of a shape that broadcasts over the inputs; None before it is known."""
        return self._broadcast("variance")

    def _broadcast(self, name: str) -> Any:
        if not self.built:
            return None
        if self.input_mean is None:
            return ops.reshape(Tensor.of(getattr(self, f"adapt_{name}").data.copy()), self._places)
        given = np.asarray(to_numpy(raw(getattr(self, f"input_{name}"))), self.dtype)
        shape = [1] * len(self._places)
        for a, n in zip(self._kept[::-1], given.shape[::-1], strict=False):
            shape[a] = n
        return Tensor.of(np.broadcast_to(given.reshape(shape), self._places))

    def adapt(self, data: Any) -> None:
        """Find mean and (biased) variance.

        Args:
            data: an array, or an iterable of batches (of each the first part, where batches are tuples).

        Raises:
            ValueError: mean and variance were given, or the data does not fit what the layer was built for.
            TypeError: neither an array nor an iterable of arrays.
        """
        if self.input_mean is not None:
            raise ValueError("adapt() is for layers without given mean and variance")
        batches = batches_of(data)
        total_mean = total_variance = np.zeros(())
        total = 0
        for batch in batches:
            if not self.built:
                self.build(batch.shape)
            self._check_fits(batch.shape)
            reduced = tuple(a for a in range(batch.ndim) if a not in self._kept)
            count = math.prod(batch.shape[a] for a in reduced)
            mean, variance = batch.mean(axis=reduced), batch.var(axis=reduced)
            total += count
            part = count / total
            new_mean = total_mean * (1 - part) + mean * part
            total_variance = (total_variance + (total_mean - new_mean) ** 2) * (1 - part)
            total_variance = total_variance + (variance + (mean - new_mean) ** 2) * part
            total_mean = new_mean
        if not total:
            raise ValueError("adapt() was given no data")
        self.adapt_mean.assign(total_mean.astype(self.dtype))
        self.adapt_variance.assign(total_variance.astype(self.dtype))

    def _check_fits(self, shape: tuple[int, ...]) -> None:
        known = self._adapted_shape
        if len(shape) != len(known) or any(shape[a] != known[a] for a in self._kept):
            raise ValueError(f"adapt() was given data of shape {shape}, but the layer was built for {known}")

    def call(self, inputs):
        inputs = ops.cast(inputs, self.dtype)
        deviation = ops.maximum(ops.sqrt(self.variance), config.epsilon())
        if self.invert:
            return self.mean + inputs * deviation
        return (inputs - self.mean) / deviation

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        mean, variance = (
            None if v is None else np.asarray(to_numpy(raw(v))).tolist() for v in (self.input_mean, self.input_variance)
        )
        return {
            **super().get_config(), "axis": list(self.axis), "invert": self.invert, "mean": mean, "variance": variance,
        }  # fmt: skip


def batches_of(data: Any) -> Iterator[np.ndarray]:
    """The arrays of floats that data holds; a whole array is one batch."""
    if is_array(raw(data)):
        yield _floats(to_numpy(raw(data)))
        return
    if hasattr(data, "__len__") and hasattr(data, "__getitem__"):  # once: a data set's own iterator may never end
        batches: Any = map(data.__getitem__, range(len(data)))
    elif hasattr(data, "__iter__"):
        batches = data
    else:
        raise TypeError(f"adapt() takes an array or an iterable of batches, not {type(data).__name__}")
    for batch in batches:
        array = raw(batch[0] if isinstance(batch, tuple) else batch)
        if not is_array(array):
            raise TypeError(f"adapt() takes batches that are arrays, not {type(array).__name__}")
        yield _floats(to_numpy(array))


def _floats(array: np.ndarray) -> np.ndarray:
    return array if array.dtype.kind == "f" else array.astype("float64")
