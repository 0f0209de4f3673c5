"""One picture turned, shifted, sheared, scaled or brightened: arrays of three axes in, arrays out.

Axes are named as in Keras: ``channel_axis`` is 0 or 2, rows and columns are the other two. Random numbers are
``numpy.random``'s, drawn as Keras draws them: the same ``numpy.random.seed`` gives the same pictures.
"""

from typing import Any

import numpy as np

from minidl.data.pictures import array_to_img, img_to_array

__all__ = [
    "FILL_MODES", "apply_affine_transform", "apply_brightness_shift", "apply_channel_shift", "flip_axis",
    "random_brightness", "random_channel_shift", "random_rotation", "random_shear", "random_shift", "random_zoom",
]  # fmt: skip

FILL_MODES = (  # of scipy.ndimage
    "constant", "nearest", "reflect", "wrap", "mirror", "grid-constant", "grid-mirror", "grid-wrap",
)  # fmt: skip


def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """A picture read at places that rotation, shift, shear and zoom (in this order, around its middle) give.

    Args:
        x: one picture, three axes.
        theta, shear: degrees.
        tx, ty: pixels. Where col_axis > row_axis, Keras' exchange of the axes is kept: tx then moves the picture to the
            left and ty up, and zx scales columns and zy rows; otherwise it is the other way round.
        zx, zy: how much of the picture is shown: below 1 zooms in.
        fill_mode: what stands outside, a mode of ``scipy.ndimage``; ``cval`` is the value for "constant".
        order: of the splines in between: 0 nearest, 1 linear, ... 5.

    Raises:
        ValueError: x has other than three axes, or the axes do not fit.
    """
    from scipy import ndimage

    if sorted((row_axis, col_axis, channel_axis)) != [0, 1, 2] or channel_axis == 1:
        raise ValueError(
            f"row_axis, col_axis and channel_axis must be 0, 1 and 2 in some order, and channel_axis 0 or 2; got "
            f"{row_axis}, {col_axis} and {channel_axis}"
        )
    if x.ndim != 3:
        raise ValueError(f"x must be one picture of three axes, not of shape {x.shape}")
    turn, slant = np.deg2rad(theta), np.deg2rad(shear)
    steps = [
        (theta != 0, [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]),
        (tx != 0 or ty != 0, [[1, 0, tx], [0, 1, ty], [0, 0, 1]]),
        (shear != 0, [[1, -np.sin(slant), 0], [0, np.cos(slant), 0], [0, 0, 1]]),
        (zx != 1 or zy != 1, [[zx, 0, 0], [0, zy, 0], [0, 0, 1]]),
    ]
    matrices = [np.array(matrix) for wanted, matrix in steps if wanted]
    if not matrices:
        return x
    matrix = matrices[0]
    for one in matrices[1:]:
        matrix = matrix @ one
    middle = np.eye(3)
    middle[:2, 2] = x.shape[row_axis] / 2 - 0.5, x.shape[col_axis] / 2 - 0.5
    back = np.eye(3)
    back[:2, 2] = -middle[:2, 2]
    matrix = middle @ matrix @ back
    if col_axis > row_axis:  # as Keras: from here on tx belongs to the columns, and ty to the rows
        matrix[:, [0, 1]] = matrix[:, [1, 0]]
        matrix[[0, 1]] = matrix[[1, 0]]
    channels = [
        ndimage.affine_transform(channel, matrix[:2, :2], matrix[:2, 2], order=order, mode=fill_mode, cval=cval)
        for channel in np.moveaxis(x, channel_axis, 0)
    ]
    return np.stack(channels, axis=channel_axis)


def flip_axis(x: Any, axis: int) -> np.ndarray:
    """x with the order along an axis reversed."""
    return np.flip(np.asarray(x), axis)


def apply_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """``intensity`` added to all channels, limited to the lowest and highest value that x has now."""
    return np.clip(x + intensity, x.min(), x.max())


def apply_brightness_shift(x: np.ndarray, brightness: float, scale: bool = True) -> np.ndarray:
    """A picture (rows, columns, channels) made darker (below 1) or brighter by Pillow, in 256 steps.

    Args:
        scale: stretch the values to 0 ... 255 first. Otherwise only values outside of that are stretched, and brought
            back afterwards.
    """
    from PIL import ImageEnhance

    low, high = x.min(), x.max()
    outside = bool(low < 0 or high > 255)
    image = ImageEnhance.Brightness(array_to_img(x, scale=outside or scale)).enhance(brightness)
    y = img_to_array(image)
    return y / 255 * (high - low) + low if outside and not scale else y


def _moved(
    x: np.ndarray, row_axis: int, col_axis: int, channel_axis: int, fill_mode: str, cval: float, order: int,
    **by: float,
) -> np.ndarray:  # fmt: skip
    axes = {"row_axis": row_axis, "col_axis": col_axis, "channel_axis": channel_axis}
    return apply_affine_transform(x, **by, **axes, fill_mode=fill_mode, cval=cval, order=order)  # type: ignore[arg-type]


def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """A picture turned by an angle between -rg and rg degrees."""
    theta = np.random.uniform(-rg, rg)
    return _moved(x, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order, theta=theta)


def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """A picture moved by up to the parts ``wrg`` of its width and ``hrg`` of its height."""
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    return _moved(x, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order, tx=tx, ty=ty)


def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """A picture sheared by an angle between -intensity and intensity degrees."""
    shear = np.random.uniform(-intensity, intensity)
    return _moved(x, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order, shear=shear)


def random_zoom(
    x: np.ndarray,
    zoom_range: Any,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """A picture scaled in rows and columns by two numbers of zoom_range (low, high).

    Raises:
        ValueError: zoom_range is not two numbers.
    """
    low, high = two_numbers("zoom_range", zoom_range)
    zx, zy = (1, 1) if low == 1 and high == 1 else np.random.uniform(low, high, 2)
    return _moved(x, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order, zx=zx, zy=zy)


def random_channel_shift(x: np.ndarray, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """``apply_channel_shift`` with a number between -intensity_range and intensity_range."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def random_brightness(x: np.ndarray, brightness_range: Any, scale: bool = True) -> np.ndarray:
    """``apply_brightness_shift`` with a number of brightness_range (low, high)."""
    return apply_brightness_shift(x, np.random.uniform(*two_numbers("brightness_range", brightness_range)), scale)


def two_numbers(name: str, value: Any) -> Any:
    """``value`` if it is a pair."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"{name} must be two numbers, not {value!r}")
    return value
