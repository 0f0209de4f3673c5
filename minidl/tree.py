"""Nested structures of lists, tuples and dictionaries, with the names of ``keras.tree``."""

from collections.abc import Callable
from typing import Any

__all__ = [
    "MAP_TO_NONE", "assert_same_paths", "assert_same_structure", "flatten", "flatten_with_path", "is_nested",
    "lists_to_tuples", "map_shape_structure", "map_structure", "map_structure_up_to", "pack_sequence_as", "traverse",
]  # fmt: skip


class MAP_TO_NONE:
    """What a function given to ``traverse`` returns to put None in the place of a part."""


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


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) of every leaf, in the order of ``flatten``; a path is a tuple of keys and indices."""
    if isinstance(structure, dict):
        inside = [(key, structure[key]) for key in sorted(structure, key=str)]
    elif isinstance(structure, (list, tuple)):
        inside = list(enumerate(structure))
    else:
        return [((), structure)]
    return [((key, *path), leaf) for key, part in inside for path, leaf in flatten_with_path(part)]


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
        parts = [_mapped(function, one) for one in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)  # named tuples
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


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """The structure with parts replaced by what ``func`` makes of them, where that is not None.

    Args:
        func: called with every part, from the whole to the leaves; ``MAP_TO_NONE`` stands for None.
        top_down: whether a part comes before what is inside it, which is then only visited where func gave None; else
            after, with what is inside replaced already.
    """
    made = func(structure) if top_down else None
    if made is None:
        if isinstance(structure, dict):
            inside = {key: traverse(func, structure[key], top_down) for key in sorted(structure, key=str)}
            structure = {key: inside[key] for key in structure}
        elif isinstance(structure, (list, tuple)):
            parts = [traverse(func, one, top_down) for one in structure]
            structure = type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
        made = None if top_down else func(structure)
    return structure if made is None else None if made is MAP_TO_NONE else made


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """``map_structure`` down to the leaves of ``shallow_structure`` only: func gets what the others have there.

    Raises:
        ValueError: no structure was given, or one that is shallower or nested otherwise.
    """
    if not structures:
        raise ValueError("map_structure_up_to needs at least one structure")
    rows = zip(*(_cut(shallow_structure, one) for one in structures), strict=True)
    return pack_sequence_as(shallow_structure, [func(*row) for row in rows])


def _cut(shallow: Any, deep: Any) -> list[Any]:
    """What ``deep`` has at the leaves of ``shallow``."""
    if not is_nested(shallow):
        return [deep]
    alike = type(shallow) is type(deep)
    if not alike or (set(shallow) != set(deep) if isinstance(shallow, dict) else len(shallow) != len(deep)):
        raise ValueError(f"the structures differ: {shallow!r} and {deep!r}")
    keys = sorted(shallow, key=str) if isinstance(shallow, dict) else range(len(shallow))
    return [part for key in keys for part in _cut(shallow[key], deep[key])]


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with func(shape) in place of its shapes: lists and tuples of whole numbers and None."""

    def of(part: Any) -> Any:
        shape = isinstance(part, (list, tuple)) and all(one is None or isinstance(one, int) for one in part)
        if not shape and is_nested(part):
            return None
        made = func(part)
        return MAP_TO_NONE if made is None else made

    return traverse(of, structure)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise ValueError where the paths to the leaves of a and b differ; lists and tuples count as the same."""
    first, second = ({path for path, _ in flatten_with_path(one)} for one in (a, b))
    if first != second:
        raise ValueError(
            f"the paths differ: {sorted(first - second)} only in the first, {sorted(second - first)} "
            f"only in the second structure"
        )
