"""Pictures: ``keras.ops.image``. A picture is (rows, columns, channels), a batch (n, rows, columns, channels)."""

from typing import Any

import numpy as np

from minidl.engine.tensor import raw

from .arithmetic import cast, floating
from .products import matmul
from .resampling import NEAREST, nearest_places, weights
from .sampling import FILL_MODES, ORDERS, sample, saturated
from .shaping import expand_dims, getitem, pad, reshape, squeeze, stack, take

__all__ = [
    "affine_transform", "crop_images", "extract_patches", "map_coordinates", "pad_images", "resize", "rgb_to_grayscale",
]  # fmt: skip


def resize(
    images: Any,
    size: tuple[int, int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Any:
    """Pictures of another size; whole numbers stay whole numbers of their dtype.

    Args:
        images: one picture or a batch.
        size: (rows, columns) of the result.
        interpolation: "bilinear", "nearest", "bicubic" (Keys 1981, a = -0.5), "lanczos3" or "lanczos5".
        antialias: when shrinking, let all pixels count, by a wider filter.
        crop_to_aspect_ratio: first cut the largest middle part that has the proportions of ``size``.
        pad_to_aspect_ratio: first add ``fill_value`` on two sides, so that the proportions are those of ``size``.

    Raises:
        ValueError: an unknown interpolation or fill mode, no two sizes, or both cropping and padding.
    """
    _last(data_format)
    _checked_rank("images", images)
    if interpolation not in (NEAREST, *weights):
        raise ValueError(f"interpolation must be one of {(NEAREST, *weights)}, not {interpolation!r}")
    if fill_mode != "constant":
        raise ValueError(f"fill_mode must be 'constant', not {fill_mode!r}")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True")
    if not isinstance(size, (tuple, list)) or len(size) != 2 or min(size) < 1:
        raise ValueError(f"size must be two positive numbers (rows, columns), not {size!r}")
    rows, columns = (int(n) for n in size)
    if crop_to_aspect_ratio:
        images = _cropped_to(images, rows, columns)
    elif pad_to_aspect_ratio:
        images = _padded_to(images, rows, columns, fill_value)
    if interpolation == NEAREST:
        for axis, extent in ((-3, rows), (-2, columns)):
            if images.shape[axis] != extent:
                images = take(images, nearest_places(images.shape[axis], extent), axis=axis)
        return images
    dtype = np.dtype(images.dtype)
    values = images if dtype.kind == "f" else cast(images, floating(np.zeros(0, dtype)).dtype)
    shape = tuple(values.shape)
    if shape[-3] != rows:
        mixer = weights[interpolation](shape[-3], rows, antialias).astype(values.dtype)
        flat = reshape(values, (*_batch(shape), shape[-3], shape[-2] * shape[-1]))
        values = reshape(matmul(mixer, flat), (*_batch(shape), rows, *shape[-2:]))
    if shape[-2] != columns:
        mixer = weights[interpolation](shape[-2], columns, antialias).astype(values.dtype)
        values = matmul(mixer, values)
    return values if dtype.kind == "f" else saturated(values, dtype.name)


def _batch(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """The extents before the picture's, for reshape: an unknown one is found there."""
    return tuple(-1 if n is None else n for n in shape[:-3])


def _cropped_to(images: Any, rows: int, columns: int) -> Any:
    height, width = images.shape[-3:-1]
    # Integers are cut off, not rounded, as in Keras.
    high = max(min(height, int(float(width * rows) / columns)), 1)
    wide = max(min(width, int(float(height * columns) / rows)), 1)
    top, left = int(float(height - high) / 2), int(float(width - wide) / 2)
    return getitem(images, (Ellipsis, slice(top, top + high), slice(left, left + wide), slice(None)))


def _padded_to(images: Any, rows: int, columns: int, fill_value: float) -> Any:
    height, width = images.shape[-3:-1]
    top = int(float(max(height, int(float(width * rows) / columns)) - height) / 2)
    left = int(float(max(width, int(float(height * columns) / rows)) - width) / 2)
    left = 0 if top else left
    widths = ((0, 0),) * (len(images.shape) - 3) + ((top, top), (left, left), (0, 0))
    return pad(images, widths, constant_values=fill_value) if top or left else images


def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Any:
    """Pictures moved, turned, sheared and scaled: output (x, y) is read at (a0 x + a1 y + a2, b0 x + b1 y + b2).

    Args:
        images: one picture or a batch; x counts columns and y rows.
        transform: (8,), or (n, 8) with one for each picture: a0, a1, a2, b0, b1, b2, 0, 0.
        interpolation: "bilinear" or "nearest".
        fill_mode: "constant" (with ``fill_value``), "nearest", "wrap", "mirror" or "reflect"; see ``sample``.

    Raises:
        ValueError: an unknown mode, or a wrong shape.
    """
    _last(data_format)
    _checked_rank("images", images)
    _checked_modes(interpolation, fill_mode)
    if not hasattr(transform, "shape"):
        transform = np.asarray(transform, "float32")
    if len(transform.shape) not in (1, 2) or transform.shape[-1] != 8:
        raise ValueError(f"transform must have shape (8,) or (n, 8), not {tuple(transform.shape)}")
    if raw(transform) is not None and raw(transform)[..., 6:].any():
        raise ValueError("transform must end in two zeros: a projection (c0, c1) is not supported")
    single = len(images.shape) == 3
    batch = expand_dims(images, 0) if single else images
    one = len(transform.shape) == 1
    numbers = expand_dims(transform, 0) if one else transform
    height, width = batch.shape[1:3]
    dtype = numbers.dtype if np.dtype(numbers.dtype).kind == "f" else "float32"
    y, x = np.arange(height, dtype=dtype)[:, None], np.arange(width, dtype=dtype)
    a0, a1, a2, b0, b1, b2 = (reshape(getitem(numbers, (slice(None), i)), (-1, 1, 1)) for i in range(6))
    coordinates = stack([y * b1 + x * b0 + b2, y * a1 + x * a0 + a2])
    if one and batch.shape[0] != 1:
        coordinates = take(coordinates, np.zeros(batch.shape[0], int), axis=1)
    moved = sample(batch, coordinates, ORDERS[interpolation], fill_mode, fill_value)
    return squeeze(moved, 0) if single else moved


def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0.0
) -> Any:
    """The values of an array of any rank at places given by real numbers.

    Args:
        inputs: (s1, ..., sk).
        coordinates: (k, ...), one number for each axis and output.
        order: 0 (nearest) or 1 (linear).
        fill_mode, fill_value: as in ``affine_transform``.
    """
    if not hasattr(coordinates, "shape"):
        coordinates = stack([np.asarray(c) if not hasattr(c, "shape") else c for c in coordinates])
    if coordinates.shape[0] != len(inputs.shape) or len(coordinates.shape) < 2:
        raise ValueError(
            f"coordinates must have shape ({len(inputs.shape)}, ...) for inputs of shape {tuple(inputs.shape)}, "
            f"not {tuple(coordinates.shape)}"
        )
    if order not in (0, 1):
        raise ValueError(f"order must be 0 or 1, not {order!r}")
    _checked_modes("nearest", fill_mode)
    if np.dtype(coordinates.dtype).kind != "f":
        coordinates = cast(coordinates, "float32")
    places = expand_dims(coordinates, 1)
    return squeeze(sample(expand_dims(inputs, (0, -1)), places, order, fill_mode, fill_value), (0, -1))


def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Any:
    """0.2989 red + 0.5870 green + 0.1140 blue, in one channel; pictures of one channel stay as they are."""
    _last(data_format)
    _checked_rank("images", images)
    if images.shape[-1] not in (1, 3):
        raise ValueError(f"images must have 1 or 3 channels, not shape {tuple(images.shape)}")
    if images.shape[-1] == 1:
        return images
    dtype = np.dtype(images.dtype)
    values = images if dtype.kind == "f" else cast(images, floating(np.zeros(0, dtype)).dtype)
    grey = matmul(values, np.array([[0.2989], [0.5870], [0.1140]], values.dtype))
    return grey if dtype.kind == "f" else cast(grey, dtype.name)


def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Pictures without some rows and columns at their edges.

    Of top_cropping, bottom_cropping and target_height exactly two are given, and likewise of left_cropping,
    right_cropping and target_width.
    """
    _last(data_format)
    _checked_rank("images", images)
    height, width = images.shape[-3:-1]
    top, _, high = _third("cropping", height, top=top_cropping, bottom=bottom_cropping, target_height=target_height)
    left, _, wide = _third("cropping", width, left=left_cropping, right=right_cropping, target_width=target_width)
    return getitem(images, (Ellipsis, slice(top, top + high), slice(left, left + wide), slice(None)))


def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Pictures with zeros around them.

    Of top_padding, bottom_padding and target_height exactly two are given, and likewise of left_padding, right_padding
    and target_width.
    """
    _last(data_format)
    _checked_rank("images", images)
    height, width = images.shape[-3:-1]
    top, bottom, _ = _third("padding", height, top=top_padding, bottom=bottom_padding, target_height=target_height)
    left, right, _ = _third("padding", width, left=left_padding, right=right_padding, target_width=target_width)
    return pad(images, ((0, 0),) * (len(images.shape) - 3) + ((top, bottom), (left, right), (0, 0)))


def _third(kind: str, extent: int, **given: int | None) -> tuple[int, int, int]:
    """(before, after, extent of the result), of which two are given."""
    names = [name if name.startswith("target") else f"{name}_{kind}" for name in given]
    shown = ", ".join(f"{name}={value}" for name, value in zip(names, given.values(), strict=True))
    if list(given.values()).count(None) != 1:
        raise ValueError(f"give exactly two of {', '.join(names)}; got {shown}")
    before, after, target = given.values()
    sign = 1 if kind == "padding" else -1
    if before is not None and after is not None:
        target = extent + sign * (before + after)
    elif before is None:
        before = sign * (int(target or 0) - extent) - int(after or 0)
    else:
        after = sign * (int(target or 0) - extent) - before
    found = int(before), int(after or 0), int(target or 0)
    if min(found) < 0:
        raise ValueError(f"{', '.join(names)} must not be negative for an extent of {extent}; got {shown}")
    return found


def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Windows of the pictures, each as one row of numbers.

    Args:
        images: (rows, columns, channels) or a batch of them.
        size: extent of a window, a number or two.
        strides: steps between windows; default: size.
        dilation_rate: distance between the pixels of a window.
        padding: "valid", or "same" (zeros around).

    Returns:
        (..., rows of windows, columns of windows, size * size * channels); channels change fastest.
    """
    _last(data_format)
    _checked_rank("images", images)
    if padding not in ("valid", "same"):
        raise ValueError(f"padding must be 'valid' or 'same', not {padding!r}")
    steps = _pair("strides", strides) if strides else _pair("size", size)
    places = []
    for i, (k, s, d) in enumerate(zip(_pair("size", size), steps, _pair("dilation_rate", dilation_rate), strict=True)):
        extent, reach = images.shape[i - 3], (k - 1) * d + 1
        if padding == "same":
            missing = max((-(-extent // s) - 1) * s + reach - extent, 0)
            widths = [(0, 0)] * len(images.shape)
            widths[i - 3] = (missing // 2, missing - missing // 2)
            images = pad(images, tuple(widths)) if missing else images
            extent += missing
        if extent < reach:
            raise ValueError(f"a window of {reach} pixels does not fit into images of shape {tuple(images.shape)}")
        places.append(np.arange(0, extent - reach + 1, s)[:, None] + np.arange(k) * d)
    rows, columns = places[0][:, None, :, None], places[1][None, :, None, :]
    windows = getitem(images, (*[slice(None)] * (len(images.shape) - 3), rows, columns))
    shape = tuple(windows.shape)
    return reshape(windows, (*(-1 if n is None else n for n in shape[:-5]), *shape[-5:-3], int(np.prod(shape[-3:]))))


def _pair(name: str, value: Any) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2 or min(pair) < 1:
        raise ValueError(f"{name} must be a positive number or two of them, not {value!r}")
    return pair


def _last(data_format: str | None) -> None:
    if data_format not in (None, "channels_last"):
        raise ValueError(f"data_format must be 'channels_last', not {data_format!r}")


def _checked_rank(name: str, images: Any) -> None:
    if len(getattr(images, "shape", ())) not in (3, 4):
        raise ValueError(
            f"{name} must be (rows, columns, channels) or (n, rows, columns, channels), "
            f"not {getattr(images, 'shape', type(images).__name__)}"
        )


def _checked_modes(interpolation: str, fill_mode: str) -> None:
    if interpolation not in ORDERS:
        raise ValueError(f"interpolation must be one of {tuple(ORDERS)}, not {interpolation!r}")
    if fill_mode not in FILL_MODES:
        raise ValueError(f"fill_mode must be one of {FILL_MODES}, not {fill_mode!r}")
