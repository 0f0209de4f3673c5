"""Arrays of the page that follow from others bit for bit, so that the page can make them itself.

Each way is float32 arithmetic rounded once, which a browser does alike (``Math.fround``); ``data.js`` has its twin.
What is claimed here is verified: an array that turns out otherwise is written out.

* ``outer``: the products of two arrays, plus 0 (a sum of products is never -0);
* ``scaled``: an array times ``factor``; ``square``: its rounded square times that;
* ``bias_relu``: max(a + b, 0) with one b for each channel; ``gate``: a where b is above zero, else 0;
* ``xor``: ``z`` holds the bits by which it differs from another.
"""

import base64
import zlib
from typing import Any

import numpy as np

__all__ = ["derived"]

_ZERO = np.float32(0)


def derived(how: str, array: np.ndarray, bases: list[np.ndarray]) -> dict[str, Any] | None:
    """What the page needs besides ``bases`` to make the array, or None where it does not follow from them."""
    if any(one.dtype != np.float32 for one in (array, *bases)):
        return None
    a = bases[0]
    if how == "xor":
        if a.shape != array.shape:
            return None
        bits = np.ascontiguousarray(array).view(np.uint32) ^ np.ascontiguousarray(a).view(np.uint32)
        return {"z": base64.b64encode(zlib.compress(bits.astype("<u4").tobytes(), 6)).decode()}
    if how == "outer":
        return {} if _same(np.multiply.outer(a.reshape(-1), bases[1].reshape(-1)) + _ZERO, array) else None
    if how == "bias_relu":
        if bases[1].ndim != 1 or a.shape[-1:] != bases[1].shape:
            return None
        total = a + bases[1]
        return {} if _same(np.where(total > 0, total, _ZERO), array) else None
    if how == "gate":
        return {} if a.shape == bases[1].shape and _same(np.where(bases[1] > 0, a, _ZERO), array) else None
    return _times(a * a if how == "square" else a, array)


def _times(base: np.ndarray, array: np.ndarray) -> dict[str, float] | None:
    """The factor between two arrays."""
    if base.shape != array.shape or not base.size:
        return None
    place = int(np.abs(base).argmax())
    if not base.flat[place]:
        return None
    factor = np.float32(array.flat[place] / base.flat[place])  # rounded: the true one may be its neighbour
    for near in (factor, np.nextafter(factor, _ZERO), np.nextafter(factor, np.float32(1))):
        if _same(base * near, array):
            return {"factor": float(near)}
    return None


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.size == b.size and a.dtype == b.dtype and a.tobytes() == np.ascontiguousarray(b).tobytes()
