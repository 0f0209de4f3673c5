"""Value: a tensor of the graph that is written, in the layout of the model, in that of ONNX, or in both.

minidl's pictures have their channels last, ONNX's operators want them behind the batch axis. A value knows its names
in both layouts, and a Transpose is written only where a node asks for the one that is not there. So a chain of
convolutions, poolings and elementwise operators is transposed once where it begins and once where it ends.
"""

from typing import Any

import numpy as np

from .graph import Graph

__all__ = ["Value", "elementwise", "node", "reduced", "swapped"]


class Value:
    """A tensor of the graph.

    Args:
        graph: where it stands.
        shape: batch axis first; None where the data decides.
        dtype: as NumPy names it.
        plain: its name as the model has it.
        first: its name with the last axis moved behind the batch axis.
        array: the numbers, where it is a constant.
        label: what a constant is called.
    """

    def __init__(
        self, graph: Graph, shape: Any, dtype: Any, plain: str | None = None, first: str | None = None,
        array: np.ndarray | None = None, label: str = "constant",
    ):  # fmt: skip
        self.graph, self.shape, self.dtype = graph, tuple(shape), np.dtype(dtype)
        self._plain, self._first, self.array, self.label = plain, first, array, label
        self.mask: Value | None = None  # true where there is something, as tensors carry it

    @property
    def rank(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def plain(self) -> str:
        """The name in the layout of the model."""
        if self._plain is None:
            if self.array is not None:
                self._plain = self.graph.constant(self.array, self.label)
            else:
                order = [0, *range(2, self.rank), 1]
                self._plain = self.graph.emit("Transpose", [self._first or ""], perm=order)
        return self._plain

    @property
    def first(self) -> str:
        """The name in the layout of ONNX; for values of three axes and more."""
        if self._first is None:
            self._first = self.graph.emit("Transpose", [self.plain], perm=swapped(range(self.rank)))
        return self._first

    @property
    def is_swapped(self) -> bool:
        """Whether it is there in the layout of ONNX only."""
        return self._plain is None and self._first is not None

    def operand(self, rank: int, is_first: bool) -> str:
        """The name as an operand of an elementwise node whose result has ``rank`` axes."""
        if not is_first:
            return self.plain
        if self.array is None:
            return self.first
        if not self.shape:
            return self.plain
        whole = self.array.reshape((1,) * (rank - self.rank) + self.shape)
        return self.graph.constant(np.moveaxis(whole, -1, 1), self.label)

    def copy(self) -> "Value":
        """The same numbers, without a mask."""
        return Value(self.graph, self.shape, self.dtype, self._plain, self._first, self.array, self.label)

    def cast(self, dtype: Any) -> "Value":
        """The same numbers in another dtype."""
        if self.dtype == np.dtype(dtype):
            return self
        if self.array is not None:
            return Value(self.graph, self.shape, dtype, array=self.array.astype(dtype), label=self.label)
        number = self.graph.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return elementwise("Cast", self, dtype=dtype, to=number)

    def constant(self, numbers: Any, label: str = "constant") -> "Value":
        """Numbers beside this value, in its dtype."""
        array = np.asarray(numbers, self.dtype)
        return Value(self.graph, array.shape, self.dtype, array=array, label=label)

    def integers(self, *numbers: int) -> str:
        """The name of a row of whole numbers: shapes, axes and places."""
        return self.graph.constant(np.array(numbers, "int64"), "integers")

    def reshape(self, target: Any, shape: Any) -> "Value":
        """The elements in another shape.

        Args:
            target: as ONNX has it: 0 keeps an extent, -1 is found.
            shape: what comes out, None where the data decides.
        """
        return node("Reshape", self, self.integers(*target), shape=shape)

    def transpose(self, *order: int) -> "Value":
        """The axes in another order."""
        if order == tuple(range(self.rank)):
            return self.copy()
        return node("Transpose", self, shape=[self.shape[i] for i in order], perm=order)

    def __add__(self, other: Any) -> "Value":
        return elementwise("Add", self, other)

    def __sub__(self, other: Any) -> "Value":
        return elementwise("Sub", self, other)

    def __mul__(self, other: Any) -> "Value":
        return elementwise("Mul", self, other)

    def __truediv__(self, other: Any) -> "Value":
        return elementwise("Div", self, other)

    def __neg__(self) -> "Value":
        return elementwise("Neg", self)


def swapped(items: Any) -> list[Any]:
    """One item for each axis, in the order of ONNX: the last axis behind the first."""
    first, *rest, last = items
    return [first, last, *rest]


def node(kind: str, x: Value, *inputs: Any, shape: Any = None, dtype: Any = None, **attributes: Any) -> Value:
    """What a node makes of values as the model has them; ``inputs`` are values or names."""
    names = [one.plain if isinstance(one, Value) else one for one in inputs]
    made = x.graph.emit(kind, [x.plain, *names], **attributes)
    return Value(x.graph, x.shape if shape is None else shape, dtype or x.dtype, made)


def elementwise(kind: str, *operands: Any, dtype: Any = None, **attributes: Any) -> Value:
    """What a node makes of the elements that stand at the same place; it is written in the layout that is there.

    Args:
        operands: at least one value, and values, numbers or arrays, which get its dtype.
        dtype: of the result; default: that of the first value.
    """
    beside = next(one for one in operands if isinstance(one, Value))
    values = [one if isinstance(one, Value) else beside.constant(one) for one in operands]
    rank = max(one.rank for one in values)
    variable = [one for one in values if one.array is None]
    is_first = rank > 2 and any(one.is_swapped for one in variable) and all(one.rank == rank for one in variable)
    made = beside.graph.emit(kind, [one.operand(rank, is_first) for one in values], **attributes)
    shape = _broadcast([one.shape for one in values])
    return Value(beside.graph, shape, dtype or beside.dtype, **{"first" if is_first else "plain": made})


def _broadcast(shapes: Any) -> list[int | None]:
    rank = max(map(len, shapes))
    found: list[int | None] = []
    for extents in zip(*[(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes], strict=True):
        others = {n for n in extents if n != 1}
        known = others - {None}
        found.append(known.pop() if known else None if others else 1)
    return found


def reduced(kind: str, x: Value, axes: Any, keepdims: bool) -> Value:
    """A Reduce node over some axes, in the layout that is there where that is possible."""
    over = {axis % x.rank for axis in axes}
    is_first = x.is_swapped and (keepdims or {0, x.rank - 1}.isdisjoint(over) and len(over) == x.rank - 2)
    shape = [1 if i in over else n for i, n in enumerate(x.shape) if keepdims or i not in over]
    places = swapped(range(x.rank)) if is_first else list(range(x.rank))
    where = sorted(places.index(axis) for axis in over)
    name = x.first if is_first else x.plain
    if kind == "ReduceSum":  # its axes have been an input since opset 13
        made = x.graph.emit(kind, [name, x.integers(*where)], keepdims=int(keepdims))
    else:
        made = x.graph.emit(kind, [name], axes=where, keepdims=int(keepdims))
    return Value(x.graph, shape, x.dtype, **{"first" if is_first and keepdims else "plain": made})
