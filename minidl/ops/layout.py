"""Where the axes of pictures and sequences stand, so that one set of ops on (n, rows, columns, channels) serves all.

A sequence (n, steps, channels) is a picture of one row, and "channels_first" is a transposition before and after.
"""

from typing import Any

import numpy as np

from .shaping import expand_dims, moveaxis, squeeze

__all__: list[str] = []

Pair = tuple[int, int]


def data_format_of(value: Any) -> str:
    """ "channels_last" (also for None) or "channels_first".

    Raises:
        ValueError: anything else.
    """
    if value is None or (type(value) is str and value == "channels_last"):
        return "channels_last"
    if not isinstance(value, str) or value.lower() not in ("channels_last", "channels_first"):
        raise ValueError(f"data_format must be 'channels_last' or 'channels_first', not {value!r}")
    return value.lower()


def several(value: Any, count: int, name: str, least: int = 1) -> tuple[int, ...]:
    """A number, or ``count`` of them, as a tuple of whole numbers of at least ``least``.

    Raises:
        ValueError: another count, or other numbers.
    """
    if type(value) is tuple and len(value) == count and {*map(type, value)} == {int} and min(value) >= least:
        return value
    found = tuple(value) if isinstance(value, (list, tuple)) else (value,) * count
    whole = all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) and v >= least for v in found)
    if len(found) != count or not whole:
        kind = "positive whole number" if least == 1 else f"whole number of at least {least}"
        raise ValueError(f"{name} must be a {kind}{' or two of them' if count == 2 else ''}, not {value!r}")
    return tuple(int(v) for v in found)


def rank_of(name: str, inputs: Any) -> int:
    """How many axes windows move along: 1 of (n, steps, channels), 2 of (n, rows, columns, channels).

    Raises:
        ValueError: other shapes.
    """
    rank = len(inputs.shape) - 2
    if rank not in (1, 2):
        raise ValueError(
            f"{name}: inputs have shape {tuple(inputs.shape)}; expected (n, steps, channels) or "
            "(n, rows, columns, channels)"
        )
    return rank


def as_pictures(x: Any, data_format: Any) -> Any:
    """x as (n, rows, columns, channels); a sequence becomes a single row."""
    if data_format_of(data_format) == "channels_first":
        x = moveaxis(x, 1, -1)
    return expand_dims(x, 1) if len(x.shape) == 3 else x


def from_pictures(y: Any, rank: int, data_format: Any) -> Any:
    """The way back of ``as_pictures``."""
    y = squeeze(y, 1) if rank == 1 else y
    return moveaxis(y, -1, 1) if data_format_of(data_format) == "channels_first" else y


def in_plane(value: Any, rank: int, name: str, first: int = 1, least: int = 1) -> Pair:
    """A setting for (rows, columns); of a sequence's it is (``first``, setting)."""
    found = several(value, rank, name, least)
    return (first, found[0]) if rank == 1 else (found[0], found[1])


def checked_padding(padding: Any, causal: bool = False) -> str:
    """ "valid" or "same" (or "causal", where that is allowed) in lower case.

    Raises:
        ValueError: anything else.
    """
    if type(padding) is str and padding in ("valid", "same"):
        return padding
    allowed = ("valid", "same", "causal") if causal else ("valid", "same")
    if not isinstance(padding, str) or padding.lower() not in allowed:
        listed = ", ".join(map(repr, allowed[:-1])) + f" or {allowed[-1]!r}"
        hint = "; a kernel of 3x5 is one argument, (3, 5)" if isinstance(padding, int) else ""
        raise ValueError(f"padding must be {listed}, not {padding!r}{hint}")
    return padding.lower()
