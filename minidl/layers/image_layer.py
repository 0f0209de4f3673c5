"""ImageLayer: what layers share that change pictures; and those that only cut or resize them."""

from typing import Any

from minidl import ops, random
from minidl.data.pictures import smart_resize

from .core import channels_last, positive_int
from .layer import Layer

__all__ = ["CenterCrop", "ImageLayer", "RandomCrop", "Resizing"]


class ImageLayer(Layer):
    """Base of layers on pictures: (rows, columns, channels), or a batch of them.

    A subclass draws the parameters of a change in ``get_random_transformation`` and applies them in
    ``transform_images``; ``layer(x)`` does both. As in Keras, ``layer(x)`` outside a model counts as training.

    Args:
        data_format: None or "channels_last".
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        self.data_format = channels_last(data_format)
        super().__init__(**kwargs)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Parameters for ``transform_images``, drawn for pictures of the shape of ``data``."""
        return None

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """Pictures changed by given parameters."""
        raise NotImplementedError(f"{type(self).__name__} needs a method transform_images(self, images, ...)")

    def call(self, data, training=True):
        if len(getattr(data, "shape", ())) not in (3, 4):
            raise ValueError(
                f"{type(self).__name__} {self.name!r} takes pictures, (rows, columns, channels) or (n, rows, columns, "
                f"channels), not {getattr(data, 'shape', type(data).__name__)}"
            )
        transformation = self.get_random_transformation(data, training=training)
        if len(data.shape) == 4:
            return self.transform_images(data, transformation, training=training)
        images = self.transform_images(ops.expand_dims(data, 0), transformation, training=training)
        return ops.squeeze(images, 0)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


class _Sized(ImageLayer):
    """A layer whose pictures have a fixed size."""

    def __init__(self, height: int, width: int, **kwargs: Any):
        self.height, self.width = positive_int("height", height), positive_int("width", width)
        super().__init__(**kwargs)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-3], self.height, self.width, input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}


class Resizing(_Sized):
    """Pictures of another size; see ``ops.image.resize``. Pictures of whole numbers keep their dtype.

    Args:
        height, width: rows and columns of the result.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: cut the largest middle part that has the proportions of the result first.
        pad_to_aspect_ratio: add ``fill_value`` on two sides first, so that the proportions fit.
        antialias: when shrinking, let all pixels count.
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(height, width, data_format=data_format, **kwargs)
        self.interpolation, self.antialias = interpolation, bool(antialias)
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = crop_to_aspect_ratio, pad_to_aspect_ratio
        self.fill_mode, self.fill_value = fill_mode, fill_value

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        return ops.image.resize(images, (self.height, self.width), **self._settings())

    def _settings(self) -> dict[str, Any]:
        return {
            "interpolation": self.interpolation, "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": self.pad_to_aspect_ratio, "fill_mode": self.fill_mode,
            "fill_value": self.fill_value, "antialias": self.antialias,
        }  # fmt: skip

    def get_config(self):
        return {**super().get_config(), **self._settings()}


class CenterCrop(_Sized):
    """The middle of pictures; those that are too small are resized, after cutting them to the proportions.

    Args:
        height, width: rows and columns of the result.
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any):
        super().__init__(height, width, data_format=data_format, **kwargs)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = ops.cast(images, self.dtype)
        above, beside = images.shape[-3] - self.height, images.shape[-2] - self.width
        if above < 0 or beside < 0:
            return smart_resize(images, (self.height, self.width))
        return _cut(images, above // 2, beside // 2, self.height, self.width)


class RandomCrop(_Sized):
    """In training, a part at a random place, the same for all pictures of a batch; otherwise pictures stay as they are.

    Pictures that are not larger than the part in both directions are cut to its proportions and resized.

    Args:
        height, width: rows and columns of the part.
        seed: for the same places in every run.
    """

    def __init__(self, height: int, width: int, seed: int | None = None, data_format: str | None = None, **kwargs: Any):
        super().__init__(height, width, data_format=data_format, **kwargs)
        self.seed, self.generator = seed, random.SeedGenerator(seed, on_cpu=True)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> tuple[int, int]:
        rows, columns = data.shape[-3:-1]
        if training and rows > self.height and columns > self.width:
            places = random.uniform((2,), dtype="float64", seed=self.generator if seed is None else seed).numpy()
            return int(places[0] * (rows - self.height + 1)), int(places[1] * (columns - self.width + 1))
        high = max(min(rows, int(float(columns * self.height) / self.width)), 1)
        wide = max(min(columns, int(float(rows * self.width) / self.height)), 1)
        return int(float(rows - high) / 2), int(float(columns - wide) / 2)

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        top, left = (int(place) for place in transformation)
        part = _cut(ops.cast(images, self.dtype), top, left, self.height, self.width)
        if part.shape[-3:-1] == (self.height, self.width):
            return part
        return ops.image.resize(part, (self.height, self.width))

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


def _cut(images: Any, top: int, left: int, height: int, width: int) -> Any:
    return ops.getitem(images, (Ellipsis, slice(top, top + height), slice(left, left + width), slice(None)))
