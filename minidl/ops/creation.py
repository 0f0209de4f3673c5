"""Tensors from nothing, and the way in and out."""

from typing import Any

import numpy as np

from minidl import config
from minidl.engine.tensor import Tensor, raw
from minidl_kernels.arrays import to_numpy

__all__ = [
    "arange", "convert_to_numpy", "convert_to_tensor", "eye", "full", "is_tensor", "linspace", "ones",
    "zeros",
]  # fmt: skip


def convert_to_tensor(x: Any, dtype: Any = None) -> Tensor:
    """A Tensor of x: Python floats become floatx, Python integers int32, arrays keep their dtype."""
    if isinstance(x, Tensor):
        return x if dtype is None or x.dtype == np.dtype(dtype) else x.astype(dtype)
    return Tensor(x, dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    """A NumPy array of x, cut from the graph."""
    return np.array(to_numpy(raw(x)))


def is_tensor(x: Any) -> bool:
    """Whether x is a Tensor."""
    return isinstance(x, Tensor)


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """Zeros."""
    return Tensor.of(np.zeros(shape, dtype or config.floatx()))


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """Ones."""
    return Tensor.of(np.ones(shape, dtype or config.floatx()))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value everywhere."""
    return Tensor.of(np.full(shape, raw(fill_value), dtype or config.floatx()))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on the diagonal (``k`` above it), in N rows and M (default: N) columns."""
    return Tensor.of(np.eye(N, M, k, dtype=dtype or config.floatx()))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """Numbers from start to stop (not included): int32, or floatx where one of the arguments is a float."""
    floats = any(isinstance(number, (float, np.floating)) for number in (start, stop, step))
    return Tensor(np.arange(start, stop, step), dtype or (config.floatx() if floats else "int32"))


def linspace(start: float, stop: float, num: int = 50, dtype: Any = None) -> Tensor:
    """``num`` numbers from start to stop (included)."""
    return Tensor.of(np.linspace(start, stop, num, dtype=dtype or config.floatx()))
