"""KerasTensor: a tensor that is not there yet. It has a shape, a dtype, and the call that will make it."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minidl.engine.op import Op, no_grad
from minidl.engine.tensor import Tensor
from minidl.tree import flatten, map_structure

__all__ = ["Call", "KerasTensor", "flatten", "infer", "map_structure", "record", "symbolic_in"]

_counter = itertools.count()


class KerasTensor(Tensor):
    """A symbolic tensor; ``None`` in its shape is an extent that the data will decide.

    Args:
        shape: with the batch axis first.
        dtype: a dtype's name.
        name: a name for messages and summaries.
    """

    __slots__ = ("_dtype", "_shape", "call", "index", "name")

    def __init__(self, shape: tuple[int | None, ...], dtype: Any = "float32", name: str | None = None):
        self.data, self.node, self.grad, self.version, self.requires_grad = None, None, None, 0, False
        self._shape, self._dtype = tuple(shape), np.dtype(dtype)
        self.name = name or f"keras_tensor_{next(_counter)}"
        self.call: Call | None = None  # what makes it
        self.index = 0  # which of the call's outputs it is

    @property
    def shape(self) -> tuple[Any, ...]:
        return self._shape

    @property
    def dtype(self) -> Any:
        return self._dtype

    def numpy(self) -> np.ndarray:
        raise TypeError(
            "a symbolic tensor has no values; build a model of it, Model(inputs, outputs), and call that with data"
        )

    def __bool__(self) -> bool:
        raise TypeError(
            "a symbolic tensor is neither true nor false; branch on values inside the call method of a layer or model"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if len(inputs) == 2:  # perhaps array + tensor
            return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)
        raise _not_by_numpy(ufunc.__name__)

    def sum(self, axis: Any = None, keepdims: bool = False, **numpy: Any) -> Any:
        if numpy:  # dtype and out: np.sum(x) calls this
            raise _not_by_numpy("sum")
        return super().sum(axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False, **numpy: Any) -> Any:
        if numpy:
            raise _not_by_numpy("mean")
        return super().mean(axis, keepdims)

    def __len__(self) -> int:
        raise TypeError(
            f"a symbolic tensor of shape {self.shape} has no length, and no loop runs over it; write an op of "
            f"minidl.ops, or x[:, i]"
        )

    def __iter__(self) -> Any:
        len(self)

    __array__ = __float__ = __int__ = __index__ = item = numpy  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


def _not_by_numpy(function: str) -> TypeError:
    return TypeError(f"np.{function} takes no symbolic tensor; write minidl.ops.{function}(x)")


class Call:
    """One call of a layer or an op on symbolic tensors: a node of the graph.

    Attributes:
        operation: the layer or op.
        args, kwargs: what it was called with; KerasTensors stand where data will.
        outputs: the KerasTensors it makes.
    """

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: list[KerasTensor]):
        self.operation, self.args, self.kwargs, self.outputs = operation, args, kwargs, outputs
        self.order = next(_counter)
        for index, output in enumerate(outputs):
            output.call, output.index = self, index

    def inputs(self) -> list[KerasTensor]:
        """The symbolic tensors among the arguments."""
        return list(symbolic_in((self.args, self.kwargs)))


def symbolic_in(structure: Any) -> Iterator[KerasTensor]:
    """The symbolic tensors among the leaves."""
    return (leaf for leaf in flatten(structure) if isinstance(leaf, KerasTensor))


def infer(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Shapes and dtypes of the result of ``function``, by running it on zeros (and on True).

    Unknown extents are tried as 2 and as 3: an extent of the result that changes with them is unknown.
    """

    def run(extent: int) -> Any:
        def stand_in(leaf: Any) -> Any:
            if not isinstance(leaf, KerasTensor):
                return leaf
            shape = [extent if n is None else n for n in leaf.shape]
            return Tensor.of(np.full(shape, leaf.dtype.kind == "b", leaf.dtype))  # a mask of nothing divides by 0

        with no_grad():
            return function(*map_structure(stand_in, args), **map_structure(stand_in, kwargs))

    first, second = run(2), run(3)
    others = iter(list(flatten(second)))

    def merge(leaf: Any) -> KerasTensor:
        other = next(others)
        if not isinstance(leaf, (Tensor, np.ndarray)):  # an array where the result does not depend on the inputs
            name = getattr(function, "name", "") or getattr(function, "__name__", "a function")
            hint = "; does it end with return?" if leaf is None else ""
            raise TypeError(f"{name}: a call on symbolic tensors must return tensors, not {type(leaf).__name__}{hint}")
        shape = tuple(a if a == b else None for a, b in zip(leaf.shape, other.shape, strict=True))
        return KerasTensor(shape, leaf.dtype)

    return map_structure(merge, first)


def record(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> Any:
    """Note that ``operation`` makes ``outputs`` (a structure of KerasTensors) of its arguments."""
    Call(operation, args, kwargs, list(flatten(outputs)))
    return outputs


def _trace(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return record(op, args, kwargs, infer(op, args, kwargs))


Op.trace = staticmethod(_trace)
