"""What metrics are given, as arrays of NumPy that fit each other."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minidl.engine.tensor import Tensor, as_array
from minidl_kernels.arrays import is_array, to_numpy

__all__ = ["array_of", "fitting", "masked", "on_arrays", "result_of", "same_rank", "same_shape"]


def array_of(value: Any, dtype: Any = None) -> np.ndarray:
    """The numbers as a NumPy array: floats of a list become floatx and integers int32, arrays keep their dtype."""
    if type(value) is not np.ndarray:
        value = to_numpy(as_array(value))
    return value if dtype is None else value.astype(dtype, copy=False)


def result_of(value: Any, dtype: Any = None) -> Tensor:
    """A number (or several) as a Tensor, which belongs to no graph."""
    return Tensor.of(np.array(value, dtype))


def same_rank(first: np.ndarray, second: np.ndarray, widen: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Both with as many axes where the ranks differ by a last axis of 1 (Keras' rule).

    (n,) beside (n, 1) becomes (n, 1), unless ``widen`` is False; the 1 of any other shape is dropped.
    """
    if second.ndim == first.ndim + 1:
        return same_rank(second, first, widen)[::-1]
    if first.ndim == second.ndim + 1 and first.shape[-1] == 1:
        return (first, second[:, None]) if second.ndim == 1 and widen else (first[..., 0], second)
    return first, second


def fitting(name: str, y_true: Any, y_pred: Any, dtype: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Targets and predictions of one dtype (that of the predictions, where none is given) and one shape.

    Raises:
        ValueError: they differ in more than a last axis of 1.
    """
    y_pred = array_of(y_pred, dtype)
    return same_shape(name, *same_rank(array_of(y_true, y_pred.dtype), y_pred))


def same_shape(name: str, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as they are.

    Raises:
        ValueError: their shapes differ.
    """
    if y_true.shape != y_pred.shape:
        raise ValueError(f"{name}: targets of shape {y_true.shape} do not fit predictions of shape {y_pred.shape}")
    return y_true, y_pred


def masked(mask: Any, sample_weight: Any) -> np.ndarray:
    """The weights, and 0 where the mask is False; a mask has the axes of the weights, and may have more."""
    weights = array_of(1.0 if sample_weight is None else sample_weight, np.float64)
    mask, weights = same_rank(array_of(mask), weights)
    return mask * weights.reshape(weights.shape + (1,) * (mask.ndim - weights.ndim))


def on_arrays(function: Callable[..., np.ndarray]) -> Callable[..., Any]:
    """A function of two arrays that also takes Tensors and lists; it then returns a Tensor, of no graph."""

    @wraps(function)
    def wrapper(y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        values = function(array_of(y_true), array_of(y_pred), *args, **kwargs)
        return values if is_array(y_true) and is_array(y_pred) else Tensor.of(values)

    return wrapper
