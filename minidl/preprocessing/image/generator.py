"""ImageDataGenerator: the settings of an augmentation, and what makes batches with them (Keras' older way)."""

import math
import warnings
from typing import Any

import numpy as np

from minidl import config

from .iterators import DirectoryIterator, NumpyArrayIterator
from .transforms import (
    FILL_MODES,
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    flip_axis,
    two_numbers,
)

__all__ = ["ImageDataGenerator"]


class ImageDataGenerator:
    """Batches of pictures, changed at random as they are asked for.

    Every picture is first transformed (rotation, shifts, shear and zoom in one; channel shift; flips; brightness), then
    standardized (preprocessing_function; rescale; samplewise; featurewise; ZCA).

    Args:
        featurewise_center, featurewise_std_normalization: subtract the mean of the data set, divide by its deviation
            + 1e-6, for each channel; both are found by ``fit``.
        samplewise_center, samplewise_std_normalization: the same with the mean and deviation of each picture.
        zca_whitening, zca_epsilon: decorrelate the pixels, by a matrix that ``fit`` finds.
        rotation_range: degrees, to both sides.
        width_shift_range, height_shift_range: below 1, a part of the extent; from 1 on, pixels; a list: one of its
            numbers, to either side. As in Keras, height_shift_range moves pictures sideways and width_shift_range up or
            down (of the height, of the width): apply_affine_transform exchanges the axes.
        brightness_range: two numbers; 1 leaves a picture as it is.
        shear_range: degrees.
        zoom_range: (low, high), or one number for (1 - number, 1 + number), drawn apart for rows and columns.
        channel_shift_range: what is added to all channels.
        fill_mode, cval: what stands outside of a moved picture, "nearest", "constant" (cval), "reflect" or "wrap".
        horizontal_flip, vertical_flip: mirror every other picture.
        rescale: a factor.
        preprocessing_function: of one picture (rows, columns, channels).
        data_format: None or "channels_last".
        validation_split: the part that ``subset="validation"`` takes; it is the first one.
        interpolation_order: of the splines between pixels.
        dtype: of the batches; default: floatx.

    Raises:
        ValueError: an argument out of its range.
    """

    row_axis, col_axis, channel_axis = 1, 2, 3

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Any = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ):
        if data_format not in (None, "channels_last"):
            raise ValueError(f"data_format must be 'channels_last', not {data_format!r}")
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(f"validation_split must lie between 0 and 1, not {validation_split!r}")
        if fill_mode not in FILL_MODES:
            raise ValueError(f"fill_mode must be one of {FILL_MODES}, not {fill_mode!r}")
        self.data_format, self.dtype = "channels_last", dtype or config.floatx()
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening, self.zca_epsilon = zca_whitening, zca_epsilon
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.brightness_range = None if brightness_range is None else two_numbers("brightness_range", brightness_range)
        one = isinstance(zoom_range, (int, float))
        self.zoom_range = [1 - zoom_range, 1 + zoom_range] if one else list(two_numbers("zoom_range", zoom_range))
        self.channel_shift_range = channel_shift_range
        self.fill_mode, self.cval = fill_mode, cval
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.interpolation_order = interpolation_order
        self._validation_split = validation_split
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None
        self._settle("zca_whitening", "featurewise_center", True)
        self._settle("zca_whitening", "featurewise_std_normalization", False)
        self._settle("featurewise_std_normalization", "featurewise_center", True)
        self._settle("samplewise_std_normalization", "samplewise_center", True)

    def _settle(self, one: str, other: str, value: bool) -> None:
        """Where ``one`` is asked for, ``other`` must be ``value``."""
        if getattr(self, one) and getattr(self, other) is not value:
            setattr(self, other, value)
            warnings.warn(f"ImageDataGenerator: {one} sets {other} to {value}", stacklevel=3)

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of pictures (n, rows, columns, channels), with their targets and weights.

        Args:
            x: the pictures, or (pictures, [other inputs]).
            seed: for the same orders and changes in every run; sets ``numpy.random``'s.
            save_to_dir, save_prefix, save_format: write every picture that is made to a folder.
            subset: "training" or "validation"; see validation_split.
        """
        return NumpyArrayIterator(
            x, y, self, batch_size, shuffle, sample_weight, seed, save_to_dir, save_prefix, save_format, subset,
            ignore_class_split, self.dtype,
        )  # fmt: skip

    def flow_from_directory(
        self,
        directory: Any,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Batches of the pictures under ``directory``, which holds one folder for each class.

        Args:
            target_size: (rows, columns) that pictures are resized to.
            color_mode: "rgb", "rgba" or "grayscale".
            classes: names of folders, in the order of their numbers; default: all, sorted.
            class_mode: "categorical" (one hot), "binary" or "sparse" (numbers), "input" (the pictures again) or None.
            interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos", by Pillow.
            keep_aspect_ratio: cut the middle to the proportions of target_size first.
        """
        return DirectoryIterator(
            directory, self, target_size, color_mode, classes, class_mode, batch_size, shuffle, seed, save_to_dir,
            save_prefix, save_format, follow_links, subset, interpolation, keep_aspect_ratio, self.dtype,
        )  # fmt: skip

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """A picture after preprocessing_function, rescale, samplewise and featurewise normalisation and whitening.

        Floats are changed in place, as in Keras.
        """
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        x = x if x.dtype.kind == "f" else x.astype(self.dtype)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= x.mean(keepdims=True)
        if self.samplewise_std_normalization:
            x /= x.std(keepdims=True) + 1e-6
        if self.featurewise_center and self._fitted("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._fitted("featurewise_std_normalization", self.std):
            x /= self.std + 1e-6
        if self.zca_whitening and self._fitted("zca_whitening", self.zca_whitening_matrix):
            x = (x.reshape(-1, math.prod(x.shape[-3:])) @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _fitted(self, what: str, value: Any) -> bool:
        if value is None:
            warnings.warn(f"{what} has no effect before fit(pictures) was called", stacklevel=3)
        return value is not None

    def get_random_transform(self, img_shape: Any, seed: int | None = None) -> dict[str, Any]:
        """Parameters for ``apply_transform``, drawn from ``numpy.random`` for a picture of this shape."""
        if seed is not None:
            np.random.seed(seed)
        theta = self._around_zero(self.rotation_range)
        tx = _shift(self.height_shift_range, img_shape[self.row_axis - 1])
        ty = _shift(self.width_shift_range, img_shape[self.col_axis - 1])
        shear = self._around_zero(self.shear_range)
        low, high = self.zoom_range
        zx, zy = (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)
        flip_horizontal = (np.random.random() < 0.5) * self.horizontal_flip
        flip_vertical = (np.random.random() < 0.5) * self.vertical_flip
        shift = self._around_zero(self.channel_shift_range) if self.channel_shift_range else None
        brightness = None if self.brightness_range is None else np.random.uniform(*self.brightness_range)
        return {
            "theta": theta, "tx": tx, "ty": ty, "shear": shear, "zx": zx, "zy": zy,
            "flip_horizontal": flip_horizontal, "flip_vertical": flip_vertical, "channel_shift_intensity": shift,
            "brightness": brightness,
        }  # fmt: skip

    @staticmethod
    def _around_zero(extent: float) -> float:
        return np.random.uniform(-extent, extent) if extent else 0

    def apply_transform(self, x: np.ndarray, transform_parameters: dict[str, Any]) -> np.ndarray:
        """A picture (rows, columns, channels) changed by given parameters; those left out change nothing."""
        given = transform_parameters
        affine = {name: given[name] for name in ("theta", "tx", "ty", "shear", "zx", "zy") if name in given}
        x = apply_affine_transform(
            x, **affine, row_axis=0, col_axis=1, channel_axis=2, fill_mode=self.fill_mode, cval=self.cval,
            order=self.interpolation_order,
        )  # fmt: skip
        if given.get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, given["channel_shift_intensity"], 2)
        if given.get("flip_horizontal", False):
            x = flip_axis(x, 1)
        if given.get("flip_vertical", False):
            x = flip_axis(x, 0)
        if given.get("brightness") is not None:
            x = apply_brightness_shift(x, given["brightness"], False)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """A picture changed by parameters that are drawn for it."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Find mean, deviation and whitening matrix, as far as the settings ask for them.

        Args:
            x: pictures (n, rows, columns, channels).
            augment: of pictures that are changed at random, ``rounds`` times each.

        Raises:
            ValueError: x has other than four axes.
        """
        x = np.array(x, self.dtype)
        if x.ndim != 4:
            raise ValueError(f"fit() takes pictures, (n, rows, columns, channels), not shape {x.shape}")
        if x.shape[3] not in (1, 3, 4):
            warnings.warn(f"pictures have 1, 3 or 4 channels on the last axis; x has shape {x.shape}", stacklevel=2)
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            x *= self.rescale
        if augment:
            x = np.stack([self.random_transform(one) for _ in range(rounds) for one in x]).astype(self.dtype)
        if self.featurewise_center:
            self.mean = x.mean(axis=(0, 1, 2)).reshape(1, 1, -1)
            x -= self.mean
        if self.featurewise_std_normalization:
            self.std = x.std(axis=(0, 1, 2)).reshape(1, 1, -1)
            x /= self.std + 1e-6
        if self.zca_whitening:
            flat = x.reshape(len(x), -1)
            u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(x)) / (s + self.zca_epsilon))) @ u.T


def _shift(extent: Any, length: int) -> Any:
    """Pixels to move: below 1 a part of the length; of a list (or 1 and more, whole) one number to either side."""
    if np.ndim(extent) == 0 and not extent:
        return 0
    try:  # np.random.choice takes lists, and whole numbers n for 0 ... n - 1; it draws nothing where it refuses
        shift = np.random.choice(extent)
        shift = shift * np.random.choice([-1, 1])
    except ValueError:
        shift = np.random.uniform(-extent, extent)
    return shift * length if np.max(extent) < 1 else shift
