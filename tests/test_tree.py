"""``minidl.tree``: nested structures, with the results of ``keras.tree``."""

from typing import NamedTuple

import pytest

from minidl import tree
from tests.parity.oracle import libraries

NESTED = {"b": [1, (2, None)], "a": {"z": 5, "y": [6]}}


class Pair(NamedTuple):
    one: object
    two: object


CASES = {
    "is_nested": lambda t: [t.is_nested(x) for x in ([], (1,), {}, Pair(1, 2), 3, None, "ab")],
    "flatten": lambda t: t.flatten(NESTED),
    "flatten_with_path": lambda t: [t.flatten_with_path(x) for x in (NESTED, 3, [[7], (8, [9])])],
    "map_structure": lambda t: t.map_structure(lambda x: x if x is None else 2 * x, NESTED),
    "map_structure of two": lambda t: t.map_structure(lambda x, y: x + y, [1, (2,)], [10, (20,)]),
    "map_structure of named tuples": lambda t: t.map_structure(str, Pair(1, [2])),
    "map_structure without None": lambda t: t.map_structure(str, [1, None], none_is_leaf=False),
    "map_structure_up_to": lambda t: t.map_structure_up_to({"a": 0, "b": 0}, len, {"b": [1, 2], "a": [1]}),
    "map_structure_up_to of two": lambda t: t.map_structure_up_to(
        [0, (0,)], lambda x, y: (x, y), [1, ([5],)], [2, ({"a": 1},)]
    ),
    "map_shape_structure": lambda t: t.map_shape_structure(tuple, {"a": [None, 2], "b": [(1, 2), [3]]}),
    "pack_sequence_as": lambda t: t.pack_sequence_as(NESTED, list("abcde")),
    "lists_to_tuples": lambda t: t.lists_to_tuples({"a": [1, [2]], "b": (3, [4])}),
    "traverse up": lambda t: t.traverse(lambda x: tuple(x) if isinstance(x, list) else None, NESTED, top_down=False),
    "traverse down": lambda t: t.traverse(lambda x: len(x) if isinstance(x, list) else None, NESTED),
    "traverse to None": lambda t: t.traverse(lambda x: t.MAP_TO_NONE if x == 5 else None, NESTED),
}  # fmt: skip


def test_a_part_becomes_none():
    assert tree.traverse(lambda x: tree.MAP_TO_NONE if x == [2] else None, [1, [2]]) == [1, None]


def visited(t, top_down):
    seen = []
    t.traverse(seen.append, [(1, 2), [3], {"a": 4}], top_down=top_down)
    return seen


@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES)
def test_results_are_those_of_keras(case):
    keras, _ = libraries()
    assert CASES[case](tree) == CASES[case](keras.tree)


@pytest.mark.oracle
@pytest.mark.parametrize("top_down", [True, False])
def test_the_order_of_a_traversal_is_that_of_keras(top_down):
    keras, _ = libraries()
    assert visited(tree, top_down) == visited(keras.tree, top_down)


CHECKS = [
    ([0, 1], [2, 3]), ([0, 1], (2, 3)), ([0], [1, 2]), ({"a": 1}, {"a": [1]}), ({"a": 1}, {"b": 1}),
    (Pair(1, 2), (1, 2)), (3, 4), (3, [3]),
]  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["assert_same_structure", "assert_same_paths"])
@pytest.mark.parametrize("a, b", CHECKS)
def test_structures_are_told_apart_as_in_keras(name, a, b):
    keras, _ = libraries()

    def differ(t):
        try:
            getattr(t, name)(a, b)
        except ValueError:
            return True
        return False

    assert differ(tree) == differ(keras.tree)


@pytest.mark.parametrize(
    "call",
    [
        lambda: tree.map_structure(len),
        lambda: tree.map_structure_up_to([0], len),
        lambda: tree.map_structure_up_to([0, 0], len, [[1]]),
        lambda: tree.map_structure_up_to({"a": 0}, len, {"b": [1]}),
        lambda: tree.map_structure_up_to([0], len, 3),
        lambda: tree.pack_sequence_as([1, 2], [1]),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(ValueError):
        call()
