"""The names of dtypes, and the dtype that operations on several of them give."""

from typing import Any

import numpy as np

from minidl import config

__all__ = ["is_float_dtype", "is_int_dtype", "result_type", "standardize_dtype"]

_FLOATS = ("float16", "float32", "float64")
_WHOLE = tuple(f"{sign}int{bits}" for bits in (8, 16, 32, 64) for sign in ("", "u"))
_OF_PYTHON = {bool: "bool", int: "int32", "int": "int32", float: "float32"}


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype: of a name, a type or dtype of NumPy, or Python's bool, int and float; None is floatx.

    Raises:
        ValueError: a dtype that tensors cannot have.
    """
    if dtype is None:
        return config.floatx()
    name = _OF_PYTHON.get(dtype, dtype) if isinstance(dtype, (type, str)) else dtype
    name = getattr(name, "name", None) or getattr(name, "__name__", name)
    if name not in ("bool", *_WHOLE, *_FLOATS):
        raise ValueError(f"dtype must be bool, one of {', '.join((*_WHOLE, *_FLOATS))}, or None, not {dtype!r}")
    return str(name)


def is_float_dtype(dtype: Any) -> bool:
    """Whether it is a dtype of numbers with a fraction."""
    return standardize_dtype(dtype) in _FLOATS


def is_int_dtype(dtype: Any) -> bool:
    """Whether it is a dtype of whole numbers, with or without a sign (bool is none)."""
    return standardize_dtype(dtype) in _WHOLE


def result_type(*dtypes: Any) -> str:
    """The dtype that operations on tensors of these dtypes give (JAX' rules of promotion, which Keras follows).

    Python's ``int`` and ``float`` stand for numbers in the source: they take the type of a tensor that is of their
    kind or of one with a fraction. Whole numbers never widen numbers with a fraction: int64 and float32 are float32.
    64 bits stay 64 bits (Keras on JAX makes 32 of them). Of no dtype at all it is floatx.
    """
    if not dtypes:
        return config.floatx()
    strong = [standardize_dtype(one) for one in dtypes if not _weak(one)]
    weak = [one for one in dtypes if _weak(one)]
    floats = [one for one in strong if one in _FLOATS]
    if floats:
        return max(floats, key=_FLOATS.index)
    if float in weak:
        return "float32"
    whole = [one for one in strong if one in _WHOLE]
    if not whole:
        return "int32" if weak else "bool"
    found = str(np.result_type(*whole))
    return "float32" if found in _FLOATS else found  # uint64 and a type with a sign have no whole number in common


def _weak(dtype: Any) -> bool:
    return dtype in (int, float, "int") and (isinstance(dtype, type) or dtype == "int")
