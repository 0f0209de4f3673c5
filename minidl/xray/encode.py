"""Arrays as text for the page: base64 of their bytes, deflated where that is shorter; of the largest, a part.

An array in full is ``{"shape", "dtype", "b64"}`` or, deflated (RFC 1950), ``{"shape", "dtype", "z"}``. One that has no
room is ``{"shape", "dtype", "part", "corner", "coarse", "cells", "top"}``: a block of its numbers around the largest,
where that block begins, and the largest size in each cell of a coarse grid, as 256 steps of the ``top``.
"""

import base64
import zlib
from typing import Any

import numpy as np

__all__ = ["MOST_BYTES", "Tensors"]

MOST_BYTES = 2_500_000  # of all arrays of a page, as text
COARSE, PART = 48, 24  # cells and numbers along an axis
_DTYPES = {"float32": "f4", "float64": "f8"}


class Tensors:
    """The arrays of a page, each once, by number."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self._numbers: dict[int, int] = {}

    def add(self, array: np.ndarray | None) -> int | None:
        """The number of an array; None has none."""
        if array is None:
            return None
        number = self._numbers.get(id(array))
        if number is None:
            number = self._numbers[id(array)] = len(self.arrays)
            self.arrays.append(array)
        return number

    def encoded(self, most: int = MOST_BYTES) -> list[dict[str, Any]]:
        """All arrays; those that would make the page larger than ``most`` are given in part, the largest first."""
        found = [_whole(array) for array in self.arrays]
        size = sum(map(_length, found))
        for number in sorted(range(len(found)), key=lambda i: -_length(found[i])):
            if size <= most:
                break
            size -= _length(found[number])
            found[number] = _in_part(self.arrays[number])
            size += _length(found[number])
        return found


def _length(one: dict[str, Any]) -> int:
    return sum(len(value) for key, value in one.items() if isinstance(value, str))


def _plain(array: np.ndarray) -> tuple[np.ndarray, str]:
    """Little-endian floats, or whole numbers of 32 bits; with the short name of the dtype."""
    name = _DTYPES.get(str(array.dtype))
    if name is None:
        name = "u4" if array.dtype.kind == "u" else "i4"
        if array.dtype.kind == "f":
            name = "f8"
    return np.ascontiguousarray(array, f"<{name}"), name


def _whole(array: np.ndarray) -> dict[str, Any]:
    plain, dtype = _plain(array)
    content = plain.tobytes()
    one: dict[str, Any] = {"shape": list(array.shape), "dtype": dtype}
    packed = zlib.compress(content, 6) if len(content) > 96 else content
    if len(packed) < 0.97 * len(content):
        return {**one, "z": base64.b64encode(packed).decode()}
    return {**one, "b64": base64.b64encode(content).decode()}


def _in_part(array: np.ndarray) -> dict[str, Any]:
    plain, dtype = _plain(array)
    sizes = np.abs(plain.astype("float64"))
    sizes[~np.isfinite(sizes)] = 0
    top = np.unravel_index(int(sizes.argmax()), sizes.shape) if sizes.size else (0,) * array.ndim
    kept = [min(extent, PART if axis >= array.ndim - 2 else 1) for axis, extent in enumerate(array.shape)]
    pairs = list(zip(top, array.shape, kept, strict=True))
    corner = [int(min(max(place - size // 2, 0), extent - size)) for place, extent, size in pairs]
    part = plain[tuple(slice(start, start + size) for start, size in zip(corner, kept, strict=True))]
    flat = sizes.reshape(-1, array.shape[-1]) if array.ndim > 1 else sizes.reshape(1, -1)
    cells = [min(COARSE, extent) for extent in flat.shape]
    edges = [np.linspace(0, extent, n + 1).astype(int)[:-1] for extent, n in zip(flat.shape, cells, strict=True)]
    coarse = np.maximum.reduceat(np.maximum.reduceat(flat, edges[0], axis=0), edges[1], axis=1)
    largest = float(coarse.max(initial=0.0))
    steps = np.round(coarse * (255 / largest if largest else 0)).astype(np.uint8)
    return {
        "shape": list(array.shape), "dtype": dtype, "corner": corner, "part": list(part.shape), "cells": cells,
        "top": largest, "b64": base64.b64encode(np.ascontiguousarray(part).tobytes()).decode(),
        "coarse": base64.b64encode(steps.tobytes()).decode(),
    }  # fmt: skip
