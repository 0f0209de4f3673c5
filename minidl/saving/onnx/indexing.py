"""x[...] on symbolic tensors: Slice, Squeeze, Unsqueeze, and Gather for one array of places."""

from typing import Any

import numpy as np

from .value import Value, node

__all__ = ["getitem"]

END = 2**31 - 1  # "to the end", whatever the extent


def getitem(x: Value, index: Any) -> Value:
    """x[index], for slices, numbers, None, Ellipsis and one array of whole numbers.

    Raises:
        ValueError: truth values, several arrays, or numbers beside an array.
    """
    parts = _without_ellipsis(list(index) if isinstance(index, tuple) else [index], x.rank)
    arrays = [np.asarray(one) for one in parts if isinstance(one, (list, np.ndarray))]
    numbers = [one for one in parts if isinstance(one, (int, np.integer))]
    if len(arrays) > 1 or any(one.dtype.kind not in "iu" for one in arrays) or (arrays and numbers):
        raise ValueError(
            "x[...] with truth values, several arrays, or numbers beside an array cannot be exported to ONNX; slices, "
            "numbers, and one array of whole numbers can"
        )
    cuts: list[tuple[int, int, int, int]] = []  # start, end, axis and step of each slice
    dropped: list[int] = []
    added: list[int] = []
    gathered = axis = place = 0  # an axis of x, and its place in the result
    for part in parts:
        if part is None:
            added.append(place)
            place += 1
            continue
        if isinstance(part, slice):
            if part != slice(None):
                cuts.append(_cut(part, axis))
            place += 1
        elif isinstance(part, (int, np.integer)):
            cuts.append((int(part), END if part == -1 else int(part) + 1, axis, 1))
            dropped.append(axis)
        else:
            gathered = axis
            place += np.ndim(part)
        axis += 1
    if cuts:
        x = node("Slice", x, *[x.integers(*column) for column in zip(*cuts, strict=True)])
    if dropped:
        x = node("Squeeze", x, x.integers(*dropped))
    for array in arrays:
        x = node("Gather", x, x.graph.constant(array.astype("int64"), "places"), axis=gathered)
    return node("Unsqueeze", x, x.integers(*added)) if added else x


def _without_ellipsis(parts: list[Any], rank: int) -> list[Any]:
    """The parts with whole slices where "..." stands."""
    for i, one in enumerate(parts):
        if one is Ellipsis:
            missing = rank - sum(other is not None for other in parts) + 1
            return [*parts[:i], *[slice(None)] * missing, *parts[i + 1 :]]
    return parts


def _cut(part: slice, axis: int) -> tuple[int, int, int, int]:
    step = 1 if part.step is None else int(part.step)
    start = (0 if step > 0 else END) if part.start is None else int(part.start)
    end = (END if step > 0 else -END - 1) if part.stop is None else int(part.stop)
    return start, end, axis, step
