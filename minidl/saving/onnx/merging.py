"""Layers that join branches."""

from functools import reduce
from typing import Any

from minidl import layers

from .normalization import normalized
from .table import exports, refusal
from .value import Value, elementwise, node, swapped

__all__ = ["concatenate", "dot", "joined"]

OPERATORS = {
    layers.Add: "Add",
    layers.Average: "Add",
    layers.Maximum: "Max",
    layers.Minimum: "Min",
    layers.Multiply: "Mul",
    layers.Subtract: "Sub",
}


def in_one_dtype(values: Any) -> list[Value]:
    """Values that may be joined."""
    dtype = reduce(lambda a, b: a if a == b else _common(a, b), [one.dtype for one in values])
    return [one.cast(dtype) for one in values]


def _common(a: Any, b: Any) -> Any:
    floats = [dtype for dtype in (a, b) if dtype.kind == "f"]
    return max(floats or [a, b], key=lambda dtype: dtype.itemsize)


@exports(*OPERATORS, integers=True)
def joined(layer: Any, inputs: Any) -> Value:
    """An operator for two, several times; tensors of fewer axes get new ones behind the batch axis."""
    rank = max(one.rank for one in inputs)
    values = in_one_dtype([_with_axes(one, rank) for one in inputs])
    kind = next(OPERATORS[cls] for cls in type(layer).__mro__ if cls in OPERATORS)
    y = reduce(lambda a, b: elementwise(kind, a, b), values)
    if not isinstance(layer, layers.Average):
        return y
    return (y if y.dtype.kind == "f" else y.cast(layer.dtype)) / len(values)


def _with_axes(x: Value, rank: int) -> Value:
    missing = rank - x.rank
    if not missing:
        return x
    shape = (x.shape[0], *(1,) * missing, *x.shape[1:])
    return node("Unsqueeze", x, x.integers(*range(1, missing + 1)), shape=shape)


@exports(layers.Concatenate, integers=True)
def concatenate(layer: Any, inputs: Any) -> Value:
    """Concat."""
    return concatenated(in_one_dtype(inputs), layer.axis)


def concatenated(values: list[Value], axis: int) -> Value:
    """Values one behind the other along an axis, in the layout that is there."""
    beside = values[0]
    axis %= beside.rank
    is_first = any(one.is_swapped for one in values)
    place = swapped(range(beside.rank)).index(axis) if is_first else axis
    names = [one.first if is_first else one.plain for one in values]
    made = beside.graph.emit("Concat", names, axis=place)
    extents = [one.shape[axis] for one in values]
    known = [next((n for n in row if n is not None), None) for row in zip(*[v.shape for v in values], strict=True)]
    shape = [n if i != axis else (None if None in extents else sum(extents)) for i, n in enumerate(known)]
    return Value(beside.graph, shape, beside.dtype, **{"first" if is_first else "plain": made})


@exports(layers.Dot)
def dot(layer: Any, inputs: Any) -> Value:
    """MatMul of one matrix for each sample."""
    first, second = inputs
    a, b = layer._axes_of(first.shape, second.shape)
    if layer.normalize:
        first, second = normalized(first, [a], 1e-7), normalized(second, [b], 1e-7)
    left = first.transpose(*[i for i in range(first.rank) if i != a], a)
    right = second.transpose(0, b, *[i for i in range(1, second.rank) if i != b])
    rest = (*left.shape[1:-1], *right.shape[2:])
    if rest.count(None) > 1:
        raise refusal(layer, f"of its inputs {first.shape} and {second.shape} more than one extent is not known")
    y = node("MatMul", _matrix(left, (0, -1, left.shape[-1])), _matrix(right, (0, right.shape[1], -1)))
    shape = (first.shape[0], *(rest or (1,)))
    return y.reshape((0, *[-1 if n is None else n for n in rest or (1,)]), shape)


def _matrix(x: Value, target: tuple[Any, ...]) -> Value:
    return x.reshape([0 if n is None else n for n in target], (None, None, None))
