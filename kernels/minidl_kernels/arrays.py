"""Which array library owns an array. NumPy is always there; CuPy only where it is already in use."""

import sys
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["FLOATS", "Array", "is_array", "library_name", "namespace", "promote", "to_numpy"]

Array = Any  # a numpy.ndarray or a cupy.ndarray
FLOATS = (np.dtype("float32"), np.dtype("float64"))


def _cupy() -> ModuleType | None:
    # An array of CuPy can only exist after the user imported CuPy, so there is nothing to import here.
    return sys.modules.get("cupy")


def is_array(value: object) -> bool:
    """Whether ``value`` is an array of a library that the kernels know."""
    if isinstance(value, np.ndarray):
        return True
    cupy = _cupy()
    return cupy is not None and isinstance(value, cupy.ndarray)


def namespace(value: object) -> Any:
    """The array library that owns ``value`` (a module: ``numpy`` or ``cupy``); NumPy for plain numbers and lists."""
    if isinstance(value, (np.ndarray, np.generic, int, float)):
        return np
    cupy = _cupy()
    return cupy if cupy is not None and isinstance(value, cupy.ndarray) else np


def library_name(value: object) -> str:
    """``"numpy"`` or ``"cupy"``."""
    return namespace(value).__name__


def to_numpy(value: Any) -> np.ndarray:
    """The values as a NumPy array; copies only from a device."""
    cupy = _cupy()
    if cupy is not None and isinstance(value, cupy.ndarray):
        return cupy.asnumpy(value)
    return np.asarray(value)


def promote(name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Give arrays one floating dtype: integers (pictures as uint8) are cast, float32 with float64 becomes float64.

    Raises:
        TypeError: a dtype that no kernel computes in, such as float16 or complex64.
    """
    xp = namespace(values[0])
    arrays = [value if is_array(value) else xp.asarray(value) for value in values]
    floats = []
    for position, array in enumerate(arrays):
        if array.dtype.kind == "f" and array.dtype in FLOATS:
            floats.append(array.dtype)
        elif array.dtype.kind not in "iub":
            raise TypeError(
                f"{name}: array {position + 1} has dtype {array.dtype}; kernels compute in float32 and float64 "
                f"(integers are cast): write x.astype('float32')"
            )
    dtype = np.result_type(*floats) if floats else FLOATS[0]
    return tuple(array if array.dtype == dtype else array.astype(dtype) for array in arrays)
