"""Arrays as small PNG pictures inside the page (data URIs), drawn pixel by pixel.

Weights and feature maps are drawn in one or two hues whose opacity is the magnitude, so that they read on a light
and on a dark page alike: nothing there, nothing drawn.
"""

import base64
import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.atomic import replacing

from .svg import Figure, element

__all__ = ["Picture", "heat", "kernel_tiles", "map_tiles", "picture", "signed"]

_POSITIVE, _NEGATIVE = (47, 128, 208), (214, 94, 24)  # blue and orange: apart for colour-blind readers too


class Picture(Figure):
    """An ``<img>`` with its pixels inside; ``save`` to a .png writes these alone."""

    png: bytes
    alt: str

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file: the pixels where the name ends in .png, else the markup."""
        if not os.fspath(path).lower().endswith(".png"):
            return super().save(path)
        with replacing(path) as file:
            file.write(self.png)


def picture(values: np.ndarray, *, alt: str, class_: str = "pixels") -> Picture:
    """A picture as ``<img>``.

    Args:
        values: (h, w), (h, w, 1) or (h, w, 3); uint8, or floats from 0 to 1 (others are clipped).
        alt: what it shows, in words.

    Raises:
        ValueError: another shape.
    """
    values = np.asarray(values)
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[-1] != 3):
        raise ValueError(f"values must be a picture (h, w), (h, w, 1) or (h, w, 3), not of shape {values.shape}")
    if values.dtype != np.uint8:
        values = np.round(np.clip(np.nan_to_num(values), 0, 1) * 255).astype(np.uint8)
    from PIL import Image

    return _img(Image.fromarray(values), alt, class_)


def heat(values: np.ndarray, *, alt: str, largest: float | None = None) -> Picture:
    """Values from 0 up (h, w) as the opacity of one hue; ``largest`` (default: their own) is opaque."""
    values = _plane(values)
    scale = float(values.max(initial=0.0)) if largest is None else largest
    levels = np.clip(values / scale, 0, 1) if scale > 0 else np.zeros_like(values)
    return _tinted(np.round(levels * 255), [_POSITIVE] * 256, range(256), alt)


def signed(values: np.ndarray, *, alt: str, largest: float | None = None) -> Picture:
    """Values of both signs (h, w): blue above zero, orange below; ``largest`` (default: their own) is opaque."""
    values = _plane(values)
    scale = float(np.abs(values).max(initial=0.0)) if largest is None else largest
    levels = np.clip(values / scale, -1, 1) if scale > 0 else np.zeros_like(values)
    colours = [_NEGATIVE] * 128 + [_POSITIVE] * 128
    opacity = [min(255, 2 * abs(i - 128)) for i in range(255)] + [255]
    return _tinted(np.round(levels * 127) + 128, colours, opacity, alt)


def kernel_tiles(kernels: np.ndarray, *, limit: int = 64) -> list[Picture]:
    """The first ``limit`` kernels of a first layer as pictures.

    Args:
        kernels: (h, w, 1, n): drawn by sign, all on one scale; (h, w, 3, n): drawn as colours, grey is zero.

    Raises:
        ValueError: another shape.
    """
    kernels = np.asarray(kernels, np.float32)
    if kernels.ndim != 4 or kernels.shape[2] not in (1, 3):
        raise ValueError(f"kernels must be of shape (h, w, 1 or 3, n), not {kernels.shape}")
    largest = float(np.abs(kernels).max(initial=1e-12))
    shown = np.moveaxis(kernels[..., :limit], -1, 0)
    if kernels.shape[2] == 3:
        return [picture(one / (2 * largest) + 0.5, alt=f"kernel {i}") for i, one in enumerate(shown)]
    return [signed(one[..., 0], alt=f"kernel {i}", largest=largest) for i, one in enumerate(shown)]


def map_tiles(maps: np.ndarray, *, limit: int = 64) -> list[Picture]:
    """The first ``limit`` feature maps (h, w, n) of one picture; each on its own scale, a dead one stays empty."""
    maps = np.asarray(maps)
    if maps.ndim != 3:
        raise ValueError(f"maps must be of shape (h, w, n), not {maps.shape}")
    draw = signed if maps.min(initial=0) < 0 else heat
    shown = enumerate(np.moveaxis(maps[..., :limit], -1, 0))
    return [draw(one, alt=f"map {i}" if one.any() else f"map {i}, empty") for i, one in shown]


def _plane(values: Any) -> np.ndarray:
    values = np.nan_to_num(np.asarray(values, np.float64))
    if values.ndim != 2:
        raise ValueError(f"values must be of shape (h, w), not {values.shape}")
    return values


def _tinted(levels: np.ndarray, colours: Sequence[tuple[int, int, int]], opacity: Sequence[int], alt: str) -> Picture:
    """Levels from 0 to 255 as a picture with a palette: for each level a colour and how opaque it is."""
    from PIL import Image

    image = Image.fromarray(levels.astype(np.uint8))
    image.putpalette([part for colour in colours for part in colour])
    image.info["transparency"] = bytes(opacity)
    return _img(image, alt, "pixels tile")


def _img(image: Any, alt: str, class_: str) -> Picture:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    style = "image-rendering:pixelated"  # for use outside the report, where no style sheet says so
    size = {"width": image.width, "height": image.height}
    made = Picture(element("img", class_=class_, alt=alt, src=f"data:image/png;base64,{data}", style=style, **size))
    made.png, made.alt = stream.getvalue(), alt
    return made
