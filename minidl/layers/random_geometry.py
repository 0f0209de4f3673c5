"""Augmentation that moves pixels: flips, rotation, translation, zoom. Every picture of a batch gets its own."""

import math
from typing import Any

import numpy as np

from minidl import ops, random
from minidl.engine.tensor import raw
from minidl_kernels.arrays import to_numpy

from .image_layer import ImageLayer

__all__ = ["RandomFlip", "RandomLayer", "RandomRotation", "RandomTranslation", "RandomZoom"]

_FLIPS = {"horizontal": (-2,), "vertical": (-3,), "horizontal_and_vertical": (-2, -3)}
_FILLS, _INTERPOLATIONS = ("reflect", "wrap", "constant", "nearest"), ("nearest", "bilinear")


class RandomLayer(ImageLayer):
    """Base of layers that change pictures at random in training, and leave them as they are otherwise.

    Args:
        seed: for the same changes in every run.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed, self.generator = seed, random.SeedGenerator(seed, on_cpu=True)

    def drawn(self, data: Any, low: float, high: float, seed: Any) -> np.ndarray:
        """A number from [low, high) for each picture."""
        n = data.shape[0] if len(data.shape) == 4 else 1
        return random.uniform((n,), low, high, dtype=self.dtype, seed=self.generator if seed is None else seed).numpy()

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        images = ops.cast(images, self.dtype)
        return self._changed(images, transformation) if training and transformation is not None else images

    def _changed(self, images: Any, transformation: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} needs a method transform_images(self, images, ...)")

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


class RandomFlip(RandomLayer):
    """Mirrors every other picture; with "horizontal_and_vertical" in both directions at once, as Keras does.

    Args:
        mode: "horizontal" (left and right change places), "vertical" or "horizontal_and_vertical".
        seed: for the same flips in every run.
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        if mode not in _FLIPS:
            raise ValueError(f"mode must be one of {tuple(_FLIPS)}, not {mode!r}")
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.mode = mode

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"flips": which pictures are mirrored, (n, 1, 1, 1)}."""
        return {"flips": self.drawn(data, 0, 1, seed).reshape(-1, 1, 1, 1) <= 0.5} if training else None

    def _changed(self, images: Any, transformation: Any) -> Any:
        return ops.where(transformation["flips"], ops.flip(images, _FLIPS[self.mode]), images)

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}


class _Affine(RandomLayer):
    """A layer that reads each picture at places that an affine map gives."""

    def __init__(self, fill_mode: str, interpolation: str, fill_value: float, **kwargs: Any):
        if fill_mode not in _FILLS:
            raise ValueError(f"fill_mode must be one of {_FILLS}, not {fill_mode!r}")
        if interpolation not in _INTERPOLATIONS:
            raise ValueError(f"interpolation must be one of {_INTERPOLATIONS}, not {interpolation!r}")
        super().__init__(**kwargs)
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, fill_value

    def _read(self, images: Any, transforms: np.ndarray) -> Any:
        return ops.image.affine_transform(
            images, transforms.astype(self.dtype), self.interpolation, self.fill_mode, self.fill_value
        )

    def get_config(self):
        return {
            **super().get_config(), "fill_mode": self.fill_mode, "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }  # fmt: skip


class RandomRotation(_Affine):
    """Turns pictures around their middle.

    Args:
        factor: a part of a full turn: the angle lies between -factor and factor, or between two given ones.
        fill_mode: what stands outside: "reflect" (d c b a | a b c d | d c b a), "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: for the same angles in every run.
        fill_value: for fill_mode "constant".
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        self.factor = limits("factor", factor or 0.0, -1, 1)
        super().__init__(fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"angle": degrees, (n,); "rotation_matrix": for ``ops.image.affine_transform``, (n, 8)}."""
        if not training:
            return None
        angle = self.drawn(data, self.factor[0] * 360.0, self.factor[1] * 360.0, seed)
        radians = angle * np.asarray(math.pi / 180, self.dtype)
        cosine, sine, zero = np.cos(radians), np.sin(radians), np.zeros_like(angle)
        x, y = (np.asarray(0.5 * (extent - 1), self.dtype) for extent in (data.shape[-2], data.shape[-3]))
        rows = [cosine, -sine, x - x * cosine + y * sine, sine, cosine, y - x * sine - y * cosine, zero, zero]
        return {"angle": angle, "rotation_matrix": np.stack(rows, axis=1)}

    def _changed(self, images: Any, transformation: Any) -> Any:
        return self._read(images, _array(transformation["rotation_matrix"]).reshape(-1, 8))

    def get_config(self):
        return {**super().get_config(), "factor": list(self.factor)}


class RandomTranslation(_Affine):
    """Shifts pictures.

    Args:
        height_factor, width_factor: part of the height, of the width: between -factor and factor, or between two given
            ones; positive shifts down, right.
        fill_mode, interpolation, seed, fill_value: as in ``RandomRotation``.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = limits("height_factor", height_factor, -1, 1)
        self.width_lower, self.width_upper = limits("width_factor", width_factor, -1, 1)
        super().__init__(fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"translations": pixels to the right and down, (n, 2)}."""
        if not training:
            return None
        down = self.drawn(data, self.height_lower, self.height_upper, seed) * data.shape[-3]
        right = self.drawn(data, self.width_lower, self.width_upper, seed) * data.shape[-2]
        return {"translations": np.stack([right, down], axis=1)}

    def _changed(self, images: Any, transformation: Any) -> Any:
        shifts = _array(transformation["translations"])
        transforms = np.tile([1.0, 0, 0, 0, 1, 0, 0, 0], (len(shifts), 1))
        transforms[:, [2, 5]] = -shifts
        return self._read(images, transforms)

    def get_config(self):
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


class RandomZoom(_Affine):
    """Scales pictures around their middle.

    Args:
        height_factor: between -factor and factor, or between two given numbers: 0.2 shows 20 % more rows (zooms out),
            -0.2 shows fewer (zooms in).
        width_factor: likewise; None: the same as for the height, so that the proportions stay.
        fill_mode, interpolation, seed, fill_value: as in ``RandomRotation``.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = limits("height_factor", height_factor, -1, 1, open_below=True)
        if width_factor is not None:
            self.width_lower, self.width_upper = limits("width_factor", width_factor, -1, 1, open_below=True)
        super().__init__(fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """{"height_zoom", "width_zoom": how much of the picture is shown, (n, 1); 1 is all of it}."""
        if not training:
            return None
        height = self.drawn(data, 1 + self.height_lower, 1 + self.height_upper, seed)[:, None]
        if self.width_factor is None:
            return {"height_zoom": height, "width_zoom": height}
        return {
            "height_zoom": height,
            "width_zoom": self.drawn(data, 1 + self.width_lower, 1 + self.width_upper, seed)[:, None],
        }

    def _changed(self, images: Any, transformation: Any) -> Any:
        down, right = (_array(transformation[name])[:, 0] for name in ("height_zoom", "width_zoom"))
        transforms = np.zeros((len(down), 8), self.dtype)
        transforms[:, 0], transforms[:, 2] = right, (images.shape[-2] - 1.0) / 2.0 * (1.0 - right)
        transforms[:, 4], transforms[:, 5] = down, (images.shape[-3] - 1.0) / 2.0 * (1.0 - down)
        return self._read(images, transforms)

    def get_config(self):
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


def limits(name: str, factor: Any, lowest: float, highest: float, open_below: bool = False) -> tuple[float, float]:
    """(lower, upper) of one number (from its negative on, but not below ``lowest``) or two.

    Raises:
        ValueError: something else, or a number out of range.
    """
    several = isinstance(factor, (tuple, list))
    numbers = list(factor) if several else [factor]
    usable = all(isinstance(n, (int, float, np.number)) and not isinstance(n, bool) for n in numbers)
    if not usable or len(numbers) != (2 if several else 1):
        raise ValueError(f"{name} must be a number or a pair of numbers, not {factor!r}")
    if any(not lowest <= n <= highest or (open_below and n == lowest) for n in numbers):
        raise ValueError(f"{name} must lie in {'(' if open_below else '['}{lowest}, {highest}], not {factor!r}")
    if several:
        return tuple(sorted(numbers))
    return max(-abs(factor), lowest), abs(factor)


def _array(value: Any) -> np.ndarray:
    return np.asarray(to_numpy(raw(value)))
