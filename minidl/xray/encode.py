"""Arrays as text for the page: base64 of their bytes, deflated where that is shorter; of the largest, a part.

An array in full is ``{"shape", "dtype", "b64"}`` or, deflated (RFC 1950), ``{"shape", "dtype", "z"}``. One that has no
room is ``{"shape", "dtype", "part", "corner", "coarse", "cells", "top"}``: a block of its numbers around the largest,
where that block begins, and the largest size in each cell of a coarse grid, as 256 steps of the ``top``.

A large array that follows from others bit for bit is ``{"shape", "dtype", "from", "of"}``. "outer", "scaled" and
"square" are float32 products, each rounded once: of two arrays, of one and ``factor``, of the rounded square of one and
``factor``. "xor" has in ``z`` the bits by which it differs from another.
"""

import base64
import zlib
from typing import Any

import numpy as np

__all__ = ["MOST_BYTES", "Tensors"]

MOST_BYTES = 2_800_000  # of all arrays of a page, as text
COARSE, PART = 48, 24  # cells and numbers along an axis
LARGE = 8192  # numbers from which it pays to look whether an array follows from others
_DTYPES = {"float32": "f4", "float64": "f8"}


class Tensors:
    """The arrays of a page, each once, by number."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self._numbers: dict[int, int] = {}
        self._hints: dict[int, tuple[str, list[int]]] = {}

    def add(self, array: np.ndarray | None) -> int | None:
        """The number of an array; None has none."""
        if array is None:
            return None
        number = self._numbers.get(id(array))
        if number is None:
            number = self._numbers[id(array)] = len(self.arrays)
            self.arrays.append(array)
        return number

    def hint(self, number: int | None, how: str, *of: int | None) -> None:
        """An array may follow from others; it is left out of the page where that turns out to be so bit for bit."""
        if number is not None and self.arrays[number].size >= LARGE and None not in of:
            self._hints.setdefault(number, (how, [one for one in of if one is not None]))

    def encoded(self, most: int = MOST_BYTES) -> list[dict[str, Any]]:
        """All arrays; those that would make the page larger than ``most`` are given in part, the largest first."""
        found = [self._derived(i) or _whole(array) for i, array in enumerate(self.arrays)]
        while sum(map(_length, found)) > most:
            number = max((i for i, one in enumerate(found) if "part" not in one), key=lambda i: _length(found[i]))
            found[number] = _in_part(self.arrays[number])
            for i, one in enumerate(found):
                if number in one.get("of", ()):
                    found[i] = _whole(self.arrays[i])
        return found

    def _derived(self, number: int) -> dict[str, Any] | None:
        """How an array follows from others, or None."""
        how, of = self._hints.get(number, ("", []))
        array, bases = self.arrays[number], [self.arrays[i] for i in of]
        if not how or any(base.dtype != np.float32 for base in (array, *bases)):
            return None
        one: dict[str, Any] = {"shape": list(array.shape), "dtype": "f4", "from": how, "of": of}
        if how == "xor" and bases[0].shape == array.shape:
            bits = np.ascontiguousarray(array).view(np.uint32) ^ np.ascontiguousarray(bases[0]).view(np.uint32)
            return {**one, "z": base64.b64encode(zlib.compress(bits.astype("<u4").tobytes(), 6)).decode()}
        if how == "outer":
            return one if _same(np.multiply.outer(bases[0].reshape(-1), bases[1].reshape(-1)), array) else None
        base = bases[0] * bases[0] if how == "square" else bases[0]
        place = int(np.abs(base).argmax())
        if not base.flat[place]:
            return None
        factor = np.float32(array.flat[place] / base.flat[place])  # rounded: the true one may be its neighbour
        for near in (factor, np.nextafter(factor, np.float32(0)), np.nextafter(factor, np.float32(1))):
            if _same(base * near, array):
                return {**one, "factor": float(near)}
        return None


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.size == b.size and a.dtype == b.dtype and a.tobytes() == np.ascontiguousarray(b).tobytes()


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
