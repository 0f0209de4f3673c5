"""Tensor: an array, and where it came from.

Read this file first, then op.py (what a call of an op records), walk.py (the chain rule) and variable.py.
"""

import operator
from collections.abc import Iterator
from operator import attrgetter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl import config
from minidl_kernels.arrays import Array, foreign, is_array, to_numpy
from minidl_kernels.devices import here

if TYPE_CHECKING:
    from .op import Node

__all__ = ["Tensor", "operations", "raw"]

# What Tensor's methods and the walk need of the files that come after this one: backward() of walk.py, and a few
# operations, which minidl.ops puts here.
operations: Any = SimpleNamespace()


def raw(value: Any) -> Any:
    """The array inside a Tensor; anything else as it is."""
    return value.data if isinstance(value, Tensor) else value


def as_array(value: Any, dtype: Any = None) -> Array:
    """An array of ``value``: Python floats become floatx and Python integers int32, arrays keep their dtype."""
    if type(value) is np.ndarray or is_array(value := raw(value)):
        return value if dtype is None or value.dtype == dtype else value.astype(dtype)
    several = value if isinstance(value, (list, tuple)) else ()
    if any(isinstance(v, Tensor) and v.live() for v in several):
        raise TypeError("an array of Tensors would cut the graph; write minidl.ops.stack([...]) to join them")
    found = np.asarray(value)
    if found.dtype.kind in "OUS":
        raise TypeError(f"a Tensor holds numbers; {value!r} of type {type(value).__name__} cannot be one")
    if dtype is None and not any(hasattr(v, "dtype") for v in (value, *several)):
        dtype = {"f": config.floatx(), "i": "int32"}.get(found.dtype.kind)
    return here(found.astype(dtype or found.dtype, copy=False))


def _both_sides(name: str) -> tuple[Any, Any]:
    """The methods ``tensor <operator> other`` and ``other <operator> tensor``."""
    return (lambda a, b: getattr(operations, name)(a, b)), (lambda a, b: getattr(operations, name)(b, a))


class Tensor:
    """An array that remembers the op that made it.

    Args:
        data: a NumPy or CuPy array (not copied), a number, or nested lists of numbers. What is not on a GPU yet goes to
            the device that ``minidl.device`` names.
        dtype: cast to this dtype; default: as in ``convert_to_tensor`` of Keras.
        requires_grad: keep the gradient of ``backward()`` in ``.grad``; floating dtypes only.
    """

    __slots__ = ("__dict__", "__weakref__", "data", "node")

    data: Array
    node: "Node | None"  # what made it; None: a leaf
    grad: Array | None = None
    requires_grad = False
    version = 0
    assignable = False  # Variables are

    def __init__(self, data: Any, dtype: Any = None, requires_grad: bool = False):
        self.data = here(as_array(data, dtype)) if foreign else as_array(data, dtype)
        if requires_grad and self.data.dtype.kind != "f":
            raise TypeError(f"only floating tensors have gradients; this one is {self.data.dtype}")
        self.node, self.requires_grad = None, requires_grad

    @staticmethod
    def of(data: Array, node: "Node | None" = None) -> "Tensor":
        """The result of an op: no checks, no conversion."""
        tensor = object.__new__(Tensor)
        tensor.data, tensor.node = data, node
        return tensor

    def live(self) -> bool:
        """Whether gradients flow to or through this tensor."""
        return self.node is not None or self.requires_grad

    # ---- what it holds ----

    # (As attrgetter, they are read in a third of the time that a method takes.)
    shape = property(attrgetter("data.shape"))
    dtype = property(attrgetter("data.dtype"))
    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: int(self.data.size))
    T = property(lambda self: operations.transpose(self))

    def numpy(self) -> np.ndarray:
        """A copy of the values as a NumPy array, cut from the graph."""
        return np.array(to_numpy(self.data))

    def item(self) -> Any:
        """The one value of a tensor of one element as a Python number."""
        return self.data.item()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        # ndarray + Tensor comes here, as np.add. Any other function of NumPy would cut the graph silently.
        operation = ufunc.__name__
        if method == "__call__" and not kwargs and len(inputs) == 2 and hasattr(operations, operation):
            return getattr(operations, operation)(*inputs)
        raise TypeError(
            f"np.{ufunc.__name__} on a Tensor would cut the graph; write minidl.ops.{operation}(x), "
            f"or np.{ufunc.__name__}(x.numpy()) where no gradient is wanted"
        )

    def __repr__(self) -> str:
        values = np.array2string(to_numpy(self.data), separator=", ", threshold=50)
        return f"Tensor({values}, shape={self.shape}, dtype={self.dtype})"

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return operator.index(self.data)

    def __format__(self, spec: str) -> str:
        return format(self.data.item(), spec) if self.data.size == 1 and spec else repr(self)

    # ---- the gradient ----

    def backward(self, upstream: Any = None) -> None:
        """Add the gradient of this tensor to ``.grad`` of every trainable variable and every leaf that asked for it.

        Args:
            upstream: gradient of the final result with respect to this tensor; ones where it is left out.
        """
        operations.backward(self, upstream)

    # ---- operators ----

    __hash__ = object.__hash__

    __add__, __radd__ = _both_sides("add")
    __sub__, __rsub__ = _both_sides("subtract")
    __mul__, __rmul__ = _both_sides("multiply")
    __truediv__, __rtruediv__ = _both_sides("divide")
    __pow__, __rpow__ = _both_sides("power")
    __matmul__, __rmatmul__ = _both_sides("matmul")
    __eq__, __ne__ = _both_sides("equal")[0], _both_sides("not_equal")[0]
    __lt__, __le__ = _both_sides("less")[0], _both_sides("less_equal")[0]
    __gt__, __ge__ = _both_sides("greater")[0], _both_sides("greater_equal")[0]

    def __neg__(self) -> "Tensor":
        return operations.negative(self)

    def __abs__(self) -> "Tensor":
        return operations.abs(self)

    def __getitem__(self, index: Any) -> "Tensor":
        return operations.getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError("tensors cannot be written into; write minidl.ops.where(mask, value, x) for a new one")

    def reshape(self, *shape: Any) -> "Tensor":
        return operations.reshape(self, shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)

    def astype(self, dtype: Any) -> "Tensor":
        return operations.cast(self, dtype)

    def sum(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        return operations.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> "Tensor":
        return operations.mean(self, axis=axis, keepdims=keepdims)
