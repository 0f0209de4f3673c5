"""Augmentation that changes colours: contrast and brightness. Every picture of a batch gets its own."""

from typing import Any

import numpy as np

from minidl import ops
from minidl.engine.tensor import raw

from .random_geometry import RandomLayer, limits

__all__ = ["RandomBrightness", "RandomContrast"]


class RandomContrast(RandomLayer):
    """(x - mean) * factor + mean, with the mean of each picture and channel, limited to value_range.

    Args:
        factor: two numbers (low, high) of [0, 1]: the factor lies between 1 - low and 1 + high. One number is (0,
            number), as in Keras.
        value_range: the lowest and highest value of the result.
        seed: for the same factors in every run.
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any):
        self.factor = limits("factor", factor, 0, 1)
        self.value_range = _range(value_range)
        super().__init__(seed=seed, **kwargs)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"contrast_factor": (n, 1, 1, 1)}."""
        if not training:
            return None
        return {"contrast_factor": self.drawn(data, 1 - self.factor[0], 1 + self.factor[1], seed).reshape(-1, 1, 1, 1)}

    def _changed(self, images: Any, transformation: Any) -> Any:
        mean = ops.mean(images, axis=(-3, -2), keepdims=True)
        y = (images - mean) * np.asarray(raw(transformation["contrast_factor"]), self.dtype) + mean
        return ops.clip(y, *self.value_range)

    def get_config(self):
        return {**super().get_config(), "factor": list(self.factor), "value_range": list(self.value_range)}


class RandomBrightness(RandomLayer):
    """Adds a number to all of a picture, and limits the result to value_range.

    Args:
        factor: part of the extent of value_range: between -factor and factor, or between two given ones of [-1, 1].
        value_range: the lowest and highest value of the result.
        seed: for the same numbers in every run.
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any):
        self.factor = limits("factor", factor or 0.0, -1, 1)
        self.value_range = sorted(_range(value_range))
        super().__init__(seed=seed, **kwargs)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"rgb_delta": (n, 1, 1, 1)}."""
        if not training:
            return None
        delta = self.drawn(data, *self.factor, seed).reshape(-1, 1, 1, 1)
        return {"rgb_delta": delta * (self.value_range[1] - self.value_range[0])}

    def _changed(self, images: Any, transformation: Any) -> Any:
        delta = np.asarray(raw(transformation["rgb_delta"]), self.dtype)
        return ops.clip(images + delta, *self.value_range)

    def get_config(self):
        return {**super().get_config(), "factor": list(self.factor), "value_range": list(self.value_range)}


def _range(value_range: Any) -> Any:
    if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
        raise ValueError(f"value_range must be two numbers, not {value_range!r}")
    return value_range
