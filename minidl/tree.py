"""Nested structures of lists, tuples and dictionaries, with the names of ``keras.tree``."""

from collections.abc import Callable
from typing import Any

__all__ = ["assert_same_structure", "flatten", "is_nested", "lists_to_tuples", "map_structure", "pack_sequence_as"]


def is_nested(structure: Any) -> bool:
    """Whether it is a list, tuple or dictionary."""
    return isinstance(structure, (list, tuple, dict))


def flatten(structure: Any) -> list[Any]:
    """The leaves in a row; those of dictionaries in the order of their keys."""
    found: list[Any] = []
    _collect(structure, found)
    return found


def _collect(structure: Any, found: list[Any]) -> None:
    if isinstance(structure, (list, tuple)):
        for one in structure:
            _collect(one, found)
    elif isinstance(structure, dict):
        for key in sorted(structure, key=str):
            _collect(structure[key], found)
    else:
        found.append(structure)


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """The nesting of the first structure, with func(leaf of each structure) at its leaves.

    Raises:
        ValueError: the structures differ.
    """
    if not structures:
        raise ValueError("map_structure needs at least one structure")
    if len(structures) == 1 and none_is_leaf:
        return _mapped(func, structures[0])
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    rows = zip(*map(flatten, structures), strict=True)
    kept = [None if not none_is_leaf and row[0] is None else func(*row) for row in rows]
    return pack_sequence_as(structures[0], kept)


def _mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    if isinstance(structure, (list, tuple)):
        return type(structure)(_mapped(function, one) for one in structure)
    if isinstance(structure, dict):
        # Visited in flatten's order, so that the two can be walked side by side; kept in the dictionary's own.
        mapped = {key: _mapped(function, structure[key]) for key in sorted(structure, key=str)}
        return {key: mapped[key] for key in structure}
    return function(structure)


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """The nesting of ``structure`` with other leaves.

    Raises:
        ValueError: another number of them.
    """
    leaves, values = flatten(structure), list(flat_sequence)
    if len(leaves) != len(values):
        raise ValueError(f"the structure has {len(leaves)} leaves, but {len(values)} values were given")
    row = iter(values)
    return _mapped(lambda _: next(row), structure)


def assert_same_structure(a: Any, b: Any) -> None:
    """Raise ValueError where the nestings of a and b differ, naming both."""
    same = is_nested(a) == is_nested(b) and (not is_nested(a) or type(a) is type(b))
    if same and isinstance(a, dict):
        same = set(a) == set(b)
        pairs = [(a[key], b[key]) for key in a] if same else []
    elif same and is_nested(a):
        same, pairs = len(a) == len(b), list(zip(a, b, strict=False))
    else:
        pairs = []
    if not same:
        raise ValueError(f"the structures differ: {a!r} and {b!r}")
    for one, other in pairs:
        assert_same_structure(one, other)


def lists_to_tuples(structure: Any) -> Any:
    """Tuples in place of lists."""
    if isinstance(structure, dict):
        return {key: lists_to_tuples(value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return tuple(lists_to_tuples(value) for value in structure)
    return structure
