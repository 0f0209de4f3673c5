"""Tensors from nothing, and the way in and out."""

from typing import Any

import numpy as np

from minidl import config
from minidl.engine.tensor import Tensor, raw
from minidl_kernels.arrays import to_numpy
from minidl_kernels.devices import maker

__all__ = [
    "arange", "array", "bartlett", "blackman", "convert_to_numpy", "convert_to_tensor", "empty", "eye", "full",
    "geomspace", "hamming", "hanning", "identity", "is_tensor", "kaiser", "linspace", "logspace", "ones", "tri",
    "zeros", "dtype",
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
    return Tensor.of(maker().zeros(shape, dtype or config.floatx()))


def ones(shape: Any, dtype: Any = None) -> Tensor:
    """Ones."""
    return Tensor.of(maker().ones(shape, dtype or config.floatx()))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value everywhere."""
    return Tensor.of(maker().full(shape, raw(fill_value), dtype or config.floatx()))


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on the diagonal (``k`` above it), in N rows and M (default: N) columns."""
    return Tensor.of(maker().eye(N, M, k, dtype=dtype or config.floatx()))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """Numbers from start to stop (not included): int32, or floatx where one of the arguments is a float."""
    floats = any(isinstance(number, (float, np.floating)) for number in (start, stop, step))
    return Tensor(maker().arange(start, stop, step), dtype or (config.floatx() if floats else "int32"))


def _number(value: Any) -> Any:
    """A number, or numbers, on the CPU."""
    return value if isinstance(value, (int, float)) else to_numpy(raw(value))


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    """``num`` numbers from start to stop (included, if ``endpoint``); with ``retstep`` the step too."""
    numbers, step = np.linspace(_number(start), _number(stop), num, endpoint, retstep=True, axis=axis)
    found = Tensor(numbers, dtype or config.floatx())
    return (found, step) if retstep else found


def array(x: Any, dtype: Any = None) -> Tensor:
    """A Tensor of x; as ``convert_to_tensor``."""
    return convert_to_tensor(x, dtype)


def empty(shape: Any, dtype: Any = None) -> Tensor:
    """Zeros: memory that was not set would show what was there before."""
    return zeros(shape, dtype)


def identity(n: int, dtype: Any = None) -> Tensor:
    """Ones on the diagonal of n rows and columns."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on and below the k-th diagonal of N rows and M (default: N) columns."""
    return Tensor.of(maker().tri(N, M, k, dtype=dtype or config.floatx()))


def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: float = 10, dtype: Any = None, axis: int = 0
) -> Tensor:
    """``num`` numbers from base ** start to base ** stop, each the same factor after the one before."""
    dtype = dtype or config.floatx()
    return Tensor(np.logspace(_number(start), _number(stop), num, endpoint, base, axis=axis), dtype)


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Tensor:
    """``num`` numbers from start to stop, each the same factor after the one before."""
    return Tensor(np.geomspace(_number(start), _number(stop), num, endpoint, axis=axis), dtype or config.floatx())


def bartlett(x: int) -> Tensor:
    """A triangle of x samples, 0 at both ends."""
    return Tensor(np.bartlett(x), config.floatx())


def blackman(x: int) -> Tensor:
    """Blackman's window of x samples."""
    return Tensor(np.blackman(x), config.floatx())


def hamming(x: int) -> Tensor:
    """Hamming's window of x samples."""
    return Tensor(np.hamming(x), config.floatx())


def hanning(x: int) -> Tensor:
    """Von Hann's window of x samples."""
    return Tensor(np.hanning(x), config.floatx())


def kaiser(x: int, beta: float) -> Tensor:
    """Kaiser's window of x samples with the shape ``beta``."""
    return Tensor(np.kaiser(x, beta), config.floatx())


def dtype(x: Any) -> str:
    """The name of the dtype of x."""
    return str(x.dtype)
