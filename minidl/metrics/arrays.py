"""What metrics are given, as arrays that fit each other, on the device where they lie."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minidl.engine.tensor import Tensor, as_array
from minidl.engine.variable import Variable
from minidl_kernels.arrays import Array, foreign, is_array, namespace, to_numpy
from minidl_kernels.devices import beside

__all__ = [
    "add_to", "array_of", "fitting", "masked", "on_arrays", "on_cpu", "result_of", "same_rank", "same_shape",
    "together",
]  # fmt: skip


def array_of(value: Any, dtype: Any = None) -> Array:
    """The numbers as an array: floats of a list become floatx and integers int32, arrays keep their dtype."""
    if type(value) is not np.ndarray:
        value = as_array(value)
    return value if dtype is None else value.astype(dtype, copy=False)


def on_cpu(value: Any, dtype: Any = None) -> np.ndarray:
    """The same as an array of NumPy, for what is counted on the CPU."""
    return array_of(to_numpy(array_of(value)), dtype)


def together(first: Array, second: Array) -> tuple[Array, Array]:
    """Two arrays on one device: that of the second, or the first's where the second is NumPy's."""
    if not foreign or type(first) is type(second):
        return first, second
    return (first, beside(second, first)) if type(second) is np.ndarray else (beside(first, second), second)


def add_to(variable: Variable, amount: Array) -> None:
    """Add to a variable of a metric, which goes to where the amount lies: so nothing is read from a GPU."""
    if foreign and type(amount) is not np.ndarray:
        variable.data = beside(variable.data, amount)
    variable.assign_add(amount)


def result_of(value: Any, dtype: Any = None) -> Tensor:
    """A number (or several) as a Tensor, which belongs to no graph."""
    return Tensor.of(namespace(value).array(value, dtype))


def same_rank(first: Array, second: Array, widen: bool = True) -> tuple[Array, Array]:
    """Both with as many axes where the ranks differ by a last axis of 1 (Keras' rule).

    (n,) beside (n, 1) becomes (n, 1), unless ``widen`` is False; the 1 of any other shape is dropped.
    """
    if second.ndim == first.ndim + 1:
        return same_rank(second, first, widen)[::-1]
    if first.ndim == second.ndim + 1 and first.shape[-1] == 1:
        return (first, second[:, None]) if second.ndim == 1 and widen else (first[..., 0], second)
    return first, second


def fitting(name: str, y_true: Any, y_pred: Any, dtype: Any = None) -> tuple[Array, Array]:
    """Targets and predictions of one dtype (that of the predictions, where none is given) and one shape.

    Raises:
        ValueError: they differ in more than a last axis of 1.
    """
    y_pred = array_of(y_pred, dtype)
    return same_shape(name, *same_rank(*together(array_of(y_true, y_pred.dtype), y_pred)))


def same_shape(name: str, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Both as they are.

    Raises:
        ValueError: their shapes differ.
    """
    if y_true.shape != y_pred.shape:
        raise ValueError(f"{name}: targets of shape {y_true.shape} do not fit predictions of shape {y_pred.shape}")
    return y_true, y_pred


def masked(mask: Any, sample_weight: Any) -> Array:
    """The weights, and 0 where the mask is False; a mask has the axes of the weights, and may have more."""
    weights = array_of(1.0 if sample_weight is None else sample_weight, np.float64)
    mask, weights = same_rank(*together(array_of(mask), weights))
    return mask * weights.reshape(weights.shape + (1,) * (mask.ndim - weights.ndim))


def on_arrays(function: Callable[..., Array]) -> Callable[..., Any]:
    """A function of two arrays that also takes Tensors and lists; it then returns a Tensor, of no graph."""

    @wraps(function)
    def wrapper(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        values = function(*together(array_of(y_true), array_of(y_pred)), *args, **kwargs)
        return values if is_array(y_true) and is_array(y_pred) else Tensor.of(values)

    return wrapper
