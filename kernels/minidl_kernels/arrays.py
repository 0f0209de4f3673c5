"""Which array library owns an array. NumPy is always there; another only where it is already in use.

CuPy is known by itself. Whatever else has the names of CuPy can be made known with ``register``, and takes its place:
its arrays are computed on by the implementations that are for "cupy".
"""

import importlib
import sys
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from . import graphs

__all__ = [
    "FLOATS", "Array", "Library", "is_array", "library_name", "library_of", "namespace", "foreign", "promote",
    "register", "special", "to_numpy",
]  # fmt: skip

Array = Any  # a numpy.ndarray or a cupy.ndarray
FLOATS = (np.dtype("float32"), np.dtype("float64"))


class Library(NamedTuple):
    """A library of arrays that lie on devices; all that is asked of it are names that CuPy has."""

    kind: str  # of its devices, what stands before the colon: "gpu"
    namespace: Any  # the module
    special: str  # the module that has erf and its like
    noted: bool = False  # its arrays are NumPy's, whose work is noted (repeats.py): kernels for the CPU compute on them


foreign: dict[type, Library] = {}  # by the type of their arrays; empty as long as all arrays are NumPy's
modules = sys.modules  # "cupy" in modules: arrays of CuPy, which nobody has looked at yet, may be about


def register(kind: str, namespace: Any, special: str = "cupyx.scipy.special") -> Library:
    """Make a library known whose devices are called ``kind``, and whose names are those of CuPy."""
    return foreign.setdefault(namespace.ndarray, Library(kind, namespace, special))


def _cupy() -> ModuleType | None:
    # An array of CuPy can only exist after the user imported CuPy, so there is nothing to import here.
    return modules.get("cupy")


def library_of(value: object) -> Library | None:
    """The library whose array ``value`` is; None for NumPy's, and for what is no array."""
    found = foreign.get(type(value))
    if found is None and (cupy := _cupy()) is not None and isinstance(value, cupy.ndarray):
        found = register("gpu", cupy)
    return found


def is_array(value: object) -> bool:
    """Whether ``value`` is an array of a library that the kernels know."""
    return isinstance(value, np.ndarray) or library_of(value) is not None


def namespace(value: object, other: object = 0) -> Any:
    """The array library that owns ``value``, or else ``other`` (a module: ``numpy`` or ``cupy``); NumPy for numbers."""
    if isinstance(value, np.ndarray) or not (foreign or "cupy" in modules):
        return np
    library = library_of(value) or library_of(other)
    return np if library is None else library.namespace


def library_name(value: object) -> str:
    """Whose implementations compute on ``value``: ``"numpy"`` or ``"cupy"``."""
    library = library_of(value)
    return "numpy" if library is None or library.noted else "cupy"


def special(value: object) -> Any:
    """The module with erf, erfc and erfinv for an array: neither NumPy nor CuPy has them in its main namespace."""
    library = library_of(value)
    found = importlib.import_module("scipy.special" if library is None else library.special)
    return found if library is None or not library.noted else library.namespace.of(found)


def to_numpy(value: Any) -> np.ndarray:
    """The values as a NumPy array; copies only from a device."""
    library = library_of(value)
    if library is None:
        return np.asarray(value)
    graphs.refuse("it reads values")
    return library.namespace.asnumpy(value)


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
