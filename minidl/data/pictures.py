"""Pictures as files, as Pillow's images and as arrays, with the functions of ``keras.preprocessing.image``."""

import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from minidl import config, ops
from minidl.atomic import replacing
from minidl.engine.tensor import Tensor, raw
from minidl_kernels.arrays import to_numpy

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_COLORS = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}
FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def channels_last(data_format: Any) -> None:
    """Refuse any other layout than (rows, columns, channels)."""
    if data_format not in (None, "channels_last"):
        raise ValueError(
            f"data_format must be 'channels_last', not {data_format!r}: pictures are (rows, columns, channels)"
        )


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """A Pillow image of an array (rows, columns, channels).

    Args:
        x: 1 channel (grey), 3 (RGB) or 4 (RGBA).
        scale: stretch the values to 0 ... 255; otherwise they are cut to whole numbers as they are.
        dtype: to compute in; default: floatx.

    Raises:
        ValueError: another rank or number of channels.
    """
    from PIL import Image

    channels_last(data_format)
    array = np.asarray(to_numpy(raw(x))).astype(dtype or config.floatx())
    if array.ndim != 3:
        raise ValueError(f"x must be one picture, (rows, columns, channels), not of shape {array.shape}")
    if array.shape[2] not in _MODES:
        raise ValueError(f"x must have 1, 3 or 4 channels, not {array.shape[2]}")
    if scale:
        array = array - array.min()
        largest = array.max()
        array = array / (largest if largest != 0 else 1) * 255
    if array.shape[2] == 1:
        grey = array[:, :, 0]
        return Image.fromarray(grey.astype("int32" if grey.max() > 255 else "uint8"))
    return Image.fromarray(array.astype("uint8"), _MODES[array.shape[2]])


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """The array (rows, columns, channels) of a Pillow image, or of an array without channels; default dtype floatx."""
    channels_last(data_format)
    array = np.array(raw(img), dtype=dtype or config.floatx())
    if array.ndim not in (2, 3):
        raise ValueError(f"img must have two or three axes, not shape {array.shape}")
    return array[:, :, None] if array.ndim == 2 else array


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """A picture file as a Pillow image.

    Args:
        path: a path, or ``io.BytesIO``.
        color_mode: "rgb", "rgba" or "grayscale".
        target_size: (rows, columns) to resize to; default: as it is.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: resize the largest middle part that has the proportions of target_size.

    Raises:
        TypeError, ValueError: an argument that is none of these.
        PIL.UnidentifiedImageError: no picture, or a damaged one; names the file.
    """
    from PIL import Image, UnidentifiedImageError

    if color_mode not in _COLORS:
        raise ValueError(f"color_mode must be one of {tuple(_COLORS)}, not {color_mode!r}")
    if interpolation not in FILTERS:
        raise ValueError(f"interpolation must be one of {FILTERS}, not {interpolation!r}")
    if isinstance(path, io.BytesIO):
        content = path
    elif isinstance(path, (str, bytes, os.PathLike)):
        with open(path, "rb") as file:  # read at once: Pillow would keep the file open
            content = io.BytesIO(file.read())
    else:
        raise TypeError(f"path must be a path or io.BytesIO, not {type(path).__name__}")
    try:
        image: Any = Image.open(content)
        image.load()
    except (OSError, SyntaxError) as error:  # SyntaxError: a broken PNG
        name = "path" if isinstance(path, io.BytesIO) else os.fsdecode(path)
        raise UnidentifiedImageError(f"{name} is no picture, or it is damaged; remove it, or write it anew") from error
    if image.mode not in _COLORS[color_mode]:
        image = image.convert(_COLORS[color_mode][0])
    if target_size is None or image.size == (target_size[1], target_size[0]):
        return image
    rows, columns = target_size
    box = None
    if keep_aspect_ratio:
        width, height = image.size
        wide, high = min(width, height * columns // rows), min(height, width * rows // columns)
        left, top = (width - wide) // 2, (height - high) // 2
        box = (left, top, left + wide, top + high)
    return image.resize((columns, rows), Image.Resampling[interpolation.upper()], box=box)


def save_img(
    path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Write an array (rows, columns, channels) as a picture file.

    Args:
        path: a path, or an open file (then file_format is needed).
        file_format: default: by the ending of the path.
        scale: as in ``array_to_img``.
        kwargs: for Pillow's ``save``.
    """
    if file_format is None and isinstance(path, (str, Path)):
        file_format = Path(path).suffix[1:].lower()
    if file_format and file_format.lower() == "jpg":
        file_format = "jpeg"
    image = array_to_img(x, data_format=data_format, scale=scale)
    if image.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("JPEG has no transparency: the fourth channel is dropped", stacklevel=2)
        image = image.convert("RGB")
    from PIL import Image

    if not isinstance(path, (str, os.PathLike)):
        image.save(path, format=file_format, **kwargs)
        return
    kind = file_format or Image.registered_extensions().get(Path(path).suffix.lower())
    if kind is None:
        raise ValueError(f"save_img: path {os.fspath(path)!r} has no ending of a picture; file_format names one")
    content = io.BytesIO()  # Pillow writes into real files by itself, and does not notice when the disk is full
    image.save(content, format=kind, **kwargs)
    with replacing(path) as file:
        file.write(content.getbuffer())


def smart_resize(x: Any, size: Any, interpolation: str = "bilinear", data_format: str = "channels_last") -> Any:
    """The largest middle part of pictures that has the proportions of ``size``, resized to it.

    Args:
        x: (rows, columns, channels) or a batch of such; an array gives an array, a Tensor a Tensor.
        size: (rows, columns).
        interpolation: as in ``ops.image.resize``.
    """
    channels_last(data_format)
    pictures = x if isinstance(x, Tensor) or hasattr(x, "dtype") else np.asarray(x, config.floatx())
    return ops.image.resize(pictures, tuple(size), interpolation=interpolation, crop_to_aspect_ratio=True)
