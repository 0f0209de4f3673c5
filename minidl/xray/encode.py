"""Arrays as text for the page: base64 of their bytes, deflated where that is shorter; of the largest, a part.

An array in full is ``{"shape", "dtype", "b64"}`` or, deflated (RFC 1950), ``{"shape", "dtype", "z"}``. One that has no
room is ``{"shape", "dtype", "part", "corner", "coarse", "cells", "top"}``: a block of its numbers around the largest,
where that block begins, and the largest size in each cell of a coarse grid, as 256 steps of the ``top``.

An array that follows from others bit for bit is ``{"shape", "dtype", "from", "of"}``: "same" has the numbers of
another, and for the other ways see ``derive.py``.
"""

import base64
import json
import zlib
from typing import Any

import numpy as np

from .derive import derived

__all__ = ["Tensors"]

CUTS = (48, 24), (12, 8)  # cells and numbers along an axis of an array that is given in part; where all must be small
HOPELESS = 3  # times the room: an array of that many bytes is not even deflated (what it follows from is no larger)
WORTH = 128  # numbers from which it pays to look whether an array follows from others
_DTYPES = {"float32": "f4", "float64": "f8"}


class Tensors:
    """The arrays of a page, each once, by number."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self._numbers: dict[int, int] = {}
        self._hints: dict[int, tuple[str, list[int]]] = {}
        self._first: dict[tuple[str, int], int] = {}

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
        """An array may follow from others (``derive.py``); it is left out of the page where that turns out to be so."""
        if number is not None and self.arrays[number].size >= WORTH and None not in of and number not in of:
            self._hints.setdefault(number, (how, [one for one in of if one is not None]))

    def encoded(self, most: int, keep: frozenset[int] = frozenset()) -> list[dict[str, Any]]:
        """All arrays; where they take more than ``most`` bytes, some are given in part, the largest first.

        Those in ``keep`` come last.
        """
        large, small = CUTS
        room = HOPELESS * most
        found = [_in_part(a, large) if a.nbytes > room else self._shortest(i) for i, a in enumerate(self.arrays)]
        for i in range(len(found)):
            if _leads_back(i, found):
                found[i] = _whole(self.arrays[i])
        sizes = [_length(one) for one in found]
        for spared, size in ((keep, large), (keep, small), (frozenset(), large), (frozenset(), small)):
            self._cut(found, sizes, most, spared, size)
        return found

    def _cut(
        self, found: list[dict[str, Any]], sizes: list[int], most: int, spared: frozenset[int], size: tuple[int, int]
    ) -> None:
        """Replace arrays by parts of them until all fit, or nothing is left that would be shorter so."""
        left = {i for i, one in enumerate(found) if "from" not in one and self.arrays[i].size >= WORTH} - spared
        while sum(sizes) > most and left:
            number = max(left, key=lambda i: sizes[i])
            left.remove(number)
            cut = _in_part(self.arrays[number], size)
            if _length(cut) >= sizes[number]:
                continue
            found[number], sizes[number] = cut, _length(cut)
            for i, one in enumerate(found):
                if number in one.get("of", ()):
                    found[i] = _whole(self.arrays[i])
                    sizes[i] = _length(found[i])
                    left |= {i} - spared

    def _shortest(self, number: int) -> dict[str, Any]:
        """An array whole, or how it follows from others."""
        array = self.arrays[number]
        one: dict[str, Any] = {"shape": list(array.shape), "dtype": _plain(array)[1]}
        if array.size >= WORTH:
            first = self._first.setdefault((array.dtype.str, hash(array.tobytes())), number)
            if first != number and self.arrays[first].tobytes() == array.tobytes():
                return {**one, "from": "same", "of": [first]}
        whole = _whole(array)
        how, of = self._hints.get(number, ("", []))
        more = derived(how, array, [self.arrays[i] for i in of]) if how else None
        short = whole if more is None else {**one, "from": how, "of": of, **more}
        return short if _length(short) < _length(whole) else whole


def _leads_back(number: int, found: list[dict[str, Any]]) -> bool:
    """Whether an array would be made of itself: of two equal ones, each may follow from the other."""
    seen: set[int] = set()
    of = list(found[number].get("of", ()))
    while of:
        one = of.pop()
        if one == number:
            return True
        if one not in seen:
            seen.add(one)
            of += found[one].get("of", ())
    return False


def _length(one: dict[str, Any]) -> int:
    """Bytes on the page, with the comma."""
    return len(json.dumps(one, separators=(",", ":"))) + 1


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


def _in_part(array: np.ndarray, size: tuple[int, int]) -> dict[str, Any]:
    coarsest, numbers = size
    plain, dtype = _plain(array)
    sizes = np.abs(plain.astype("float64"))
    sizes[~np.isfinite(sizes)] = 0
    top = np.unravel_index(int(sizes.argmax()), sizes.shape) if sizes.size else (0,) * array.ndim
    kept = [min(extent, numbers if axis >= array.ndim - 2 else 1) for axis, extent in enumerate(array.shape)]
    pairs = list(zip(top, array.shape, kept, strict=True))
    corner = [int(min(max(place - size // 2, 0), extent - size)) for place, extent, size in pairs]
    part = plain[tuple(slice(start, start + size) for start, size in zip(corner, kept, strict=True))]
    flat = sizes.reshape(-1, array.shape[-1]) if array.ndim > 1 else sizes.reshape(1, -1)
    cells = [min(coarsest, extent) for extent in flat.shape]
    edges = [np.linspace(0, extent, n + 1).astype(int)[:-1] for extent, n in zip(flat.shape, cells, strict=True)]
    coarse = np.maximum.reduceat(np.maximum.reduceat(flat, edges[0], axis=0), edges[1], axis=1)
    largest = float(coarse.max(initial=0.0))
    steps = np.round(coarse * (255 / largest if largest else 0)).astype(np.uint8)
    return {
        "shape": list(array.shape), "dtype": dtype, "corner": corner, "part": list(part.shape), "cells": cells,
        "top": largest, "b64": base64.b64encode(np.ascontiguousarray(part).tobytes()).decode(),
        "coarse": base64.b64encode(steps.tobytes()).decode(),
    }  # fmt: skip
