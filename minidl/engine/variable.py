"""Variable: a leaf that can be assigned to, and that trains unless it is frozen."""

from typing import Any

from minidl import registry
from minidl_kernels.devices import beside, used

from .op import selection
from .tensor import Tensor, as_array, operations

__all__ = ["Variable"]


class Variable(Tensor):
    """A tensor that keeps its identity while its value changes; the weights of layers are Variables.

    Args:
        value: the start value (copied).
        trainable: whether gradients flow to it.
        name: a name for messages and files.
        dtype: cast to this dtype; default: floatx for Python floats, int32 for Python integers.
    """

    __slots__ = ("constraint", "name", "path", "regularizer", "trainable")
    assignable = True

    def __init__(self, value: Any, trainable: bool = True, name: str | None = None, dtype: Any = None):
        super().__init__(value, dtype)
        self.data = self.data.copy()
        self.name = name or "variable"
        self.path = registry.scoped(self.name)
        self.trainable = trainable
        self.regularizer: Any = None
        self.constraint: Any = None

    def live(self) -> bool:
        selected = selection.get()
        trains = self.trainable and self.data.dtype.kind == "f" if selected is None else id(self) in selected
        return trains or self.requires_grad

    @property
    def value(self) -> Tensor:
        """The value now, as a Tensor through which gradients flow to this variable."""
        return operations.cast(self, self.dtype)

    def assign(self, value: Any) -> "Variable":
        """Replace the value by one of the same shape.

        Raises:
            ValueError: the shape differs.
        """
        array = beside(as_array(value), used(self).data)
        if array.shape != self.data.shape:
            raise ValueError(f"{self.name}: cannot assign shape {array.shape} to a variable of shape {self.shape}")
        # A new array, so that views and copies taken earlier keep the value they were taken of.
        self.data = array.astype(self.data.dtype, copy=True)
        self.version += 1
        return self

    def assign_add(self, value: Any) -> "Variable":
        """Add ``value``."""
        return self.assign(self.data + beside(as_array(value, self.dtype), self.data))

    def assign_sub(self, value: Any) -> "Variable":
        """Subtract ``value``."""
        return self.assign(self.data - beside(as_array(value, self.dtype), self.data))

    def __repr__(self) -> str:
        return f"<Variable {self.path}, shape={self.shape}, dtype={self.dtype}, trainable={self.trainable}>"
