"""Pictures side by side in rows, as one SVG or PNG: kernels, feature maps, a picture under its heat map."""

import base64
import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.atomic import replacing

from .pictures import Picture, picture
from .svg import Figure, element, text
from .where import enlarge

__all__ = ["Sheet", "overlay"]

_GAP, _LINE, _SIZE = 8, 18, 13  # pixels: between tiles, of a line of text, of its letters
_INK, _PAPER, _BORDER = "#1c2227", "#ffffff", "#dcdfd8"


class Sheet:
    """Rows of pictures, each row with a title and each picture with a caption where it has one.

    Args:
        rows: (title, pictures) for each row; pictures as made by ``picture``, ``heat``, ``signed``, ``kernel_tiles``,
            ``map_tiles`` or ``overlay``, or (picture, caption).
        side: the width of each picture, in pixels.
        columns: pictures in a line; longer rows go on in the next line.
        title: what the sheet shows, for readers who cannot see it.

    Raises:
        ValueError: no pictures, or a side or number of columns below 1.
    """

    def __init__(
        self, rows: Sequence[tuple[str, Sequence[Any]]], *, side: int = 72, columns: int = 8, title: str = "Pictures"
    ):
        if not any(tiles for _, tiles in rows):
            raise ValueError("rows must hold at least one picture")
        if side < 1 or columns < 1:
            raise ValueError(f"side and columns must be 1 or more, not {side} and {columns}")
        self.side, self.columns, self.title = side, columns, title
        self.rows = [(name, [one if isinstance(one, tuple) else (one, "") for one in tiles]) for name, tiles in rows]
        self.width = _GAP + max(min(columns, len(tiles)) for _, tiles in self.rows) * (side + _GAP)
        self.width = max(self.width, *(_GAP * 2 + round(8 * len(name)) for name, _ in self.rows))
        self._places, self.height = self._layout()

    def _layout(self) -> tuple[list[tuple[int, int, Any, str]], int]:
        """(left, top, picture or None, words) of everything, and the height."""
        placed: list[tuple[int, int, Any, str]] = []
        top = _GAP
        for name, tiles in self.rows:
            if name:
                placed.append((_GAP, top, None, name))
                top += _LINE + 4
            for first in range(0, len(tiles), self.columns):
                line = tiles[first : first + self.columns]
                heights = [self._height(tile) for tile, _ in line]
                for i, (tile, words) in enumerate(line):
                    placed.append((_GAP + i * (self.side + _GAP), top, tile, words))
                top += max(heights) + _GAP + (_LINE if any(words for _, words in line) else 0)
        return placed, top

    def _height(self, tile: Picture) -> int:
        width, height = _opened(tile).size
        return round(self.side * height / width)

    @property
    def svg(self) -> Figure:
        """The drawing as SVG, on white paper."""
        parts: list[Any] = [element("title", self.title)]
        parts.append(element("rect", width=self.width, height=self.height, fill=_PAPER))
        for left, top, tile, words in self._places:
            if tile is None:
                style = f"fill:{_INK};font-weight:600"
                parts.append(text(left, top + _SIZE, words, size=_SIZE, style=style))
                continue
            high = self._height(tile)
            data = base64.b64encode(tile.png).decode("ascii")
            frame = {"x": left - 0.5, "y": top - 0.5, "width": self.side + 1, "height": high + 1}
            parts.append(element("rect", **frame, fill="none", stroke=_BORDER))
            parts.append(element(
                "image", element("title", tile.alt), x=left, y=top, width=self.side, height=high,
                href=f"data:image/png;base64,{data}", style="image-rendering:pixelated",
            ))  # fmt: skip
            if words:
                style, middle = f"fill:{_INK}", left + self.side / 2
                parts.append(text(middle, top + high + _SIZE + 1, words, anchor="middle", size=11, style=style))
        return element(
            "svg", *parts, viewBox=f"0 0 {self.width} {self.height}", width=self.width, height=self.height, role="img",
            xmlns="http://www.w3.org/2000/svg", font_family="system-ui, sans-serif",
        )  # fmt: skip

    def png(self, scale: int = 1) -> bytes:
        """The drawing as PNG; ``scale`` pixels of it for each of the SVG."""
        from PIL import Image, ImageDraw, ImageFont

        paper = Image.new("RGB", (self.width * scale, self.height * scale), _PAPER)
        draw = ImageDraw.Draw(paper)
        for left, top, tile, words in self._places:
            if tile is None:
                draw.text((left * scale, top * scale), words, fill=_INK, font=ImageFont.load_default(_SIZE * scale))
                continue
            high = self._height(tile)
            corner, size = (left * scale, top * scale), (self.side * scale, high * scale)
            image = _opened(tile).convert("RGBA").resize(size, Image.Resampling.NEAREST)
            paper.paste(image, corner, image)
            draw.rectangle([corner[0] - 1, corner[1] - 1, corner[0] + size[0], corner[1] + size[1]], outline=_BORDER)
            if words:
                at = (corner[0] + size[0] / 2, corner[1] + size[1] + 2 * scale)
                draw.text(at, words, fill=_INK, font=ImageFont.load_default(11 * scale), anchor="ma")
        stream = io.BytesIO()
        paper.save(stream, "PNG", optimize=True)
        return stream.getvalue()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a .svg or a .png.

        Raises:
            ValueError: another ending.
        """
        ending = os.path.splitext(os.fspath(path))[1].lower()
        if ending not in (".svg", ".png"):
            raise ValueError(f"path must end in .svg or .png, not {os.fspath(path)!r}")
        content = self.png() if ending == ".png" else str(self.svg).encode("utf-8")
        with replacing(path) as file:
            file.write(content)

    def _repr_svg_(self) -> str:
        return str(self.svg)


def overlay(values: np.ndarray, map_: np.ndarray, *, alt: str, strength: float = 0.6) -> Picture:
    """A picture in grey with a map over it: blue where the map is above zero, orange below.

    Args:
        values: the picture (h, w), (h, w, 1) or (h, w, 3); uint8, or floats from 0 to 1.
        map_: (h', w') of any size, as of ``grad_cam`` or ``occlusion``; it is enlarged to the picture.
        strength: how much of the picture the largest value of the map covers, from 0 to 1.

    Raises:
        ValueError: other shapes, or a strength outside 0 to 1.
    """
    values = np.asarray(values)
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[-1] not in (1, 3)):
        raise ValueError(f"values must be a picture (h, w), (h, w, 1) or (h, w, 3), not of shape {values.shape}")
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be from 0 to 1, not {strength}")
    grey = values / 255 if values.dtype == np.uint8 else np.clip(np.nan_to_num(values), 0, 1)
    grey = grey.mean(-1) if grey.ndim == 3 else grey
    large = enlarge(np.nan_to_num(map_), grey.shape)
    large = large / (np.abs(large).max(initial=0.0) or 1.0)
    tint = np.where(large[..., None] > 0, (0.18, 0.5, 0.82), (0.84, 0.37, 0.09))
    cover = strength * np.abs(large)[..., None]
    return picture(grey[..., None] * (1 - cover) + tint * cover, alt=alt)


def _opened(tile: Picture) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(tile.png))
