"""What many ops share: operators for one and two, comparisons, reductions, with the dtypes that the ops give."""

from collections.abc import Callable
from typing import Any

from minidl import config

from .activations import operator
from .merging import in_one_dtype
from .value import Value, elementwise, node, reduced

__all__ = ["alike", "arg", "binary", "comparing", "floats", "logical", "reducing", "testing", "unary"]


def floats(x: Value) -> Value:
    """Whole numbers as floatx."""
    return x if x.dtype.kind == "f" else x.cast(config.floatx())


def alike(*operands: Any) -> list[Any]:
    """Values and numbers, so that the result has the dtype that the ops give it."""
    values = [one for one in operands if isinstance(one, Value)]
    if len(values) < len(operands) and any(isinstance(one, float) for one in operands):
        values = [floats(one) for one in values]
    found = iter(in_one_dtype(values))
    return [next(found) if isinstance(one, Value) else one for one in operands]


def binary(kind: str) -> Callable[..., Value]:
    """An operator for two."""
    return lambda x1, x2: elementwise(kind, *alike(x1, x2))


def comparing(kind: str, negated: bool = False) -> Callable[..., Value]:
    """An operator that compares two."""

    def compare(x1: Any, x2: Any) -> Value:
        y = elementwise(kind, *alike(x1, x2), dtype=bool)
        return elementwise("Not", y) if negated else y

    return compare


def logical(kind: str) -> Callable[..., Value]:
    """An operator for truth values."""
    return lambda *operands: elementwise(kind, *[one.cast(bool) for one in operands])


def unary(kind: str, **attributes: Any) -> Callable[[Value], Value]:
    """An operator for floats."""
    return lambda x: operator(kind, **attributes)(floats(x))


def reducing(kind: str, floating: bool = False) -> Callable[..., Value]:
    """A reduction over some axes, or all."""

    def reduce(x: Value, axis: Any, keepdims: bool) -> Value:
        axes = range(x.rank) if axis is None else [axis] if isinstance(axis, int) else axis
        x = x.cast("int64") if x.dtype == bool else x
        return reduced(kind, floats(x) if floating else x, axes, keepdims)

    return reduce


def testing(kind: str) -> Callable[..., Value]:
    """Whether all or any are true, along some axes."""
    return lambda x, axis, keepdims: reducing(kind)(x.cast(bool).cast("int32"), axis, keepdims).cast(bool)


def arg(kind: str) -> Callable[..., Value]:
    """Where the largest or smallest element stands."""

    def place(x: Value, axis: int | None) -> Value:
        if axis is None:
            x, axis = x.reshape((-1,), (None,)), 0
        return node(kind, x, dtype="int64", axis=axis % x.rank, keepdims=0).cast("int32")

    return place
