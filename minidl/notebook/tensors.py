"""Tensors and variables: the values, what made them, and the gradient beside the value it belongs to."""

from typing import Any

import numpy as np

from minidl.markup import box, pre
from minidl_kernels.arrays import to_numpy

__all__ = ["symbolic_html", "tensor_html", "variable_html"]

_MOST = 100  # elements; of larger arrays the corners are shown


def tensor_html(tensor: Any) -> str:
    """A tensor: shape, dtype, the op that made it and the inputs that gradients flow on to, its values."""
    notes = [_kind(tensor)]
    if tensor.node is not None:
        onto = ", ".join(name for name, *_ in tensor.node.steps)
        notes.append(f"made by {tensor.node.op.name}; gradients flow on to {onto}")
    elif tensor.live():
        notes.append("a leaf that asks for its gradient")
    return box(type(tensor).__name__, *_values(tensor), note=" · ".join(notes))


def variable_html(variable: Any) -> str:
    """A variable: its name, its value, and its gradient where ``backward()`` left one."""
    notes = [_kind(variable), "trainable" if variable.trainable else "frozen"]
    return box(f"Variable {variable.path}", *_values(variable), note=" · ".join(notes))


def symbolic_html(tensor: Any) -> str:
    """A symbolic tensor: it has no values; ``None`` stands for the batch."""
    maker = f" · made by {tensor.call.operation.name}" if tensor.call is not None else ""
    return box(f"KerasTensor {tensor.name}", note=f"{tensor.shape} {tensor.dtype}{maker}")


def _kind(tensor: Any) -> str:
    return f"{tensor.shape} {tensor.dtype}"


def _values(tensor: Any) -> list[str]:
    if tensor.grad is None:
        return [pre(_numbers(tensor.data))]
    return [pre(_numbers(tensor.data), "value"), pre(_numbers(tensor.grad), "gradient")]


def _numbers(data: Any) -> str:
    values = to_numpy(data)
    edge = 3 if values.size > _MOST else None
    return np.array2string(values, separator=" ", precision=5, suppress_small=True, threshold=_MOST, edgeitems=edge)
