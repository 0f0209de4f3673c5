"""Control flow by functions, as ``keras.ops`` has it. Python's own if and for do the same: nothing here is compiled."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minidl import tree
from minidl.engine.tensor import raw

from .custom import of_extents
from .shaping import flip, getitem, stack

__all__ = ["associative_scan", "cond", "fori_loop", "map", "scan", "switch", "vectorized_map", "while_loop"]


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """What ``true_fn()`` gives if ``pred`` holds, else what ``false_fn()`` gives; the other one is not called."""
    return true_fn() if bool(raw(pred)) else false_fn()


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """What the branch number ``index`` gives for the operands; an index out of range counts as the nearest."""
    return branches[min(max(int(raw(index)), 0), len(branches) - 1)](*operands)


def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """``loop_vars = body(*loop_vars)`` as long as ``cond(*loop_vars)`` holds."""
    several = isinstance(loop_vars, (list, tuple))
    values, done = tuple(loop_vars) if several else (loop_vars,), 0
    while bool(raw(cond(*values))) and (maximum_iterations is None or done < maximum_iterations):
        found = body(*values)
        values, done = tuple(found) if isinstance(found, (list, tuple)) else (found,), done + 1
    return values if several else values[0]


def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """``value = body_fun(i, value)`` for i from ``lower`` to ``upper`` (not included)."""
    for i in range(int(raw(lower)), int(raw(upper))):
        init_val = body_fun(i, init_val)
    return init_val


@of_extents
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """f of each part of ``xs`` along the first axis, stacked; ``xs`` may be a list, tuple or dict of tensors."""
    found = [f(part) for part in _parts(xs, None)]
    return tree.map_structure(lambda *ys: stack(ys), *found)


@of_extents
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """As ``map``."""
    return map(function, elements)


@of_extents
def scan(
    f: Callable[[Any, Any], Any], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:  # fmt: skip
    """``carry, y = f(carry, x)`` for each part x of ``xs`` along the first axis.

    Returns:
        The last carry, and all y stacked (in the order of xs, with ``reverse`` too).
    """
    if xs is None and length is None:
        raise ValueError("scan: give xs, or length for a function that needs none")
    parts: list[Any] = [None] * int(length or 0) if xs is None else _parts(xs, length)
    found = []
    for part in reversed(parts) if reverse else parts:
        init, y = f(init, part)
        found.append(y)
    if reverse:
        found.reverse()
    return init, None if not found or found[0] is None else tree.map_structure(lambda *ys: stack(ys), *found)


@of_extents
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """The running combination x1, f(x1, x2), f(f(x1, x2), x3), ... along an axis, for an associative f."""

    def turned(x: Any) -> Any:
        return flip(x, axis) if reverse else x

    several = tree.map_structure(turned, elems)
    extent = tree.flatten(several)[0].shape[axis]
    parts = [tree.map_structure(lambda x, i=i: _part(x, i, axis), several) for i in range(extent)]
    found = [parts[0]]
    for part in parts[1:]:
        found.append(f(found[-1], part))
    return tree.map_structure(lambda *ys: turned(stack(ys, axis=axis)), *found)


def _part(x: Any, i: int, axis: int) -> Any:
    return getitem(x, (slice(None),) * (axis % len(x.shape)) + (i,))


def _parts(xs: Any, length: int | None) -> list[Any]:
    extents = {np.shape(raw(x))[0] for x in tree.flatten(xs)}
    if len(extents) != 1 or (length is not None and extents != {length}):
        raise ValueError(f"the first axes must have one extent, but have {sorted(extents)}, and length is {length}")
    return [tree.map_structure(lambda x, i=i: getitem(x, i), xs) for i in range(extents.pop())]
