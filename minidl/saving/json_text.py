"""JSON that a stranger wrote: as ``json.loads``, with limits on depth and number of values, and no key twice."""

import json
from typing import Any

__all__ = ["parse_json"]

DEEPEST = 400
MEMORY = 100  # bytes that a value takes, about
MOST_BASE, MOST_FACTOR = 32 << 20, 8  # bytes that all values may take: 8 times the text, and 32 MiB


def parse_json(text: Any) -> Any:
    """The values of a JSON text.

    Args:
        text: a string, or bytes in UTF-8.

    Raises:
        ValueError: it is none, has a key twice, is nested too deeply, or would take much more memory than it has bytes.
    """
    if isinstance(text, (bytes, bytearray, memoryview)):
        text = bytes(text).decode("utf-8-sig")
    if not isinstance(text, str):
        raise ValueError(f"it should be a text, not {type(text).__name__}")
    values = text.count(",") + text.count("[") + text.count("{")
    if values * MEMORY > MOST_FACTOR * len(text) + MOST_BASE:
        raise ValueError(f"it has about {values} values in {len(text)} bytes")
    value = json.loads(text, object_pairs_hook=_without_doubles)
    level, depth = [value], 0
    while level:
        level = [one for holder in level for one in _inside(holder)]
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep")
    return value


def _inside(holder: Any) -> Any:
    """The lists and objects in a list or an object."""
    members = holder.values() if isinstance(holder, dict) else holder if isinstance(holder, list) else ()
    return (one for one in members if isinstance(one, (dict, list)))


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:100]!r} is there twice")
    return found
