"""Rounding, remainders, bits, and questions with yes or no: what is constant almost everywhere has no gradient."""

from typing import Any

import numpy as np

from minidl.engine.op import op
from minidl_kernels.arrays import Array, namespace

from .arithmetic import (
    alike,
    cast,
    clip,
    divide,
    floating,
    isnan,
    maximum,
    minimum,
    multiply,
    sign,
    subtract,
    where,
)  # fmt: skip
from .elementary import exp2
from .reductions import all

__all__ = [
    "allclose", "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "ceil", "fabs", "floor", "floor_divide", "fmax", "fmin", "fmod", "gcd",
    "heaviside", "isclose", "isneginf", "isposinf", "lcm", "ldexp", "left_shift", "logical_xor", "mod", "nan_to_num",
    "nextafter", "right_shift", "round", "saturate_cast", "signbit", "trunc",
]  # fmt: skip


def _of_x(name: str, doc: str) -> Any:
    """An op without gradient that is NumPy's function of that name."""

    def function(x: Any) -> Array:
        return getattr(namespace(x), name)(x)

    function.__name__, function.__doc__ = name, doc
    return op(function, constant=True)


def _of_two(name: str, doc: str) -> Any:
    def function(x1: Any, x2: Any) -> Array:
        return getattr(namespace(x1, x2), name)(*alike(x1, x2))

    function.__name__, function.__doc__ = name, doc
    return op(function, constant=True)


def _of_bits(name: str, doc: str) -> Any:
    def function(x: Any, y: Any) -> Array:
        return getattr(namespace(x, y), name)(x, y)

    function.__name__, function.__doc__ = "bitwise_" + name.removeprefix("bitwise_"), doc
    return op(function, constant=True)


ceil = _of_x("ceil", "The smallest whole number that is not below x.")
floor = _of_x("floor", "The largest whole number that is not above x.")
trunc = _of_x("trunc", "x without its fraction.")
signbit = _of_x("signbit", "Whether the sign bit is set: x < 0, or x is -0.0.")
isposinf = _of_x("isposinf", "Whether x is plus infinity.")
isneginf = _of_x("isneginf", "Whether x is minus infinity.")
floor_divide = _of_two("floor_divide", "The whole part of x1 / x2, rounded down.")
nextafter = _of_two("nextafter", "The next number after x1 in the direction of x2.")
heaviside = _of_two("heaviside", "0 where x1 < 0, x2 where x1 is 0, 1 above.")
gcd = _of_two("gcd", "The greatest common divisor of whole numbers.")
lcm = _of_two("lcm", "The least common multiple of whole numbers.")
logical_xor = _of_two("logical_xor", "Either, but not both.")
bitwise_and = _of_bits("bitwise_and", "Bits that are set in both.")
bitwise_or = _of_bits("bitwise_or", "Bits that are set in either.")
bitwise_xor = _of_bits("bitwise_xor", "Bits that are set in one of both.")
bitwise_left_shift = _of_bits("left_shift", "The bits of x moved up by y places.")
bitwise_right_shift = _of_bits("right_shift", "The bits of x moved down by y places.")


@op(constant=True)
def bitwise_not(x: Any) -> Array:
    """Every bit the other way."""
    return namespace(x).invert(x)


@op(constant=True)
def round(x: Any, decimals: int = 0) -> Array:
    """The nearest number with so many decimals; of two equally near ones the even one."""
    return namespace(x).round(x, decimals)


def mod(x1: Any, x2: Any) -> Any:
    """What remains of x1 / x2 rounded down; it has the sign of x2."""
    return subtract(x1, multiply(x2, floor_divide(x1, x2)))


def fmod(x1: Any, x2: Any) -> Any:
    """What remains of x1 / x2 cut to a whole number; it has the sign of x1."""
    return subtract(x1, multiply(x2, trunc(divide(x1, x2))))


@op
def fabs(x: Any) -> Array:
    """|x| as a float; the gradient at 0 is 0."""
    return namespace(x).abs(floating(x))


@fabs.grad("x")
def _(g, x):
    return g * sign(x)


def fmax(x1: Any, x2: Any) -> Any:
    """The larger of each pair; the other one where one is NaN."""
    return where(isnan(x1), x2, where(isnan(x2), x1, maximum(x1, x2)))


def fmin(x1: Any, x2: Any) -> Any:
    """The smaller of each pair; the other one where one is NaN."""
    return where(isnan(x1), x2, where(isnan(x2), x1, minimum(x1, x2)))


def ldexp(x1: Any, x2: Any) -> Any:
    """x1 * 2 ** x2."""
    return multiply(x1, exp2(x2))


def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """x with numbers in place of NaN and the infinities (default: 0 and the largest finite numbers of the dtype)."""
    limits = np.finfo(x.dtype) if np.dtype(x.dtype).kind == "f" else None
    if limits is None:
        return x
    x = where(isnan(x), nan, x)
    x = where(isposinf(x), limits.max if posinf is None else posinf, x)
    return where(isneginf(x), limits.min if neginf is None else neginf, x)


@op(constant=True)
def isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Array:
    """Whether |x1 - x2| <= atol + rtol |x2|, elementwise."""
    return namespace(x1, x2).isclose(x1, x2, rtol, atol, equal_nan)


def allclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether ``isclose`` holds for all elements."""
    return all(isclose(x1, x2, rtol, atol, equal_nan))


def saturate_cast(x: Any, dtype: Any) -> Any:
    """x in another dtype, limited to the numbers that it holds (255.7 and 300 are both 255 in uint8)."""
    to = np.dtype(dtype)
    if to.kind == "b":
        return cast(x, dtype)
    limits = np.iinfo(to) if to.kind in "iu" else np.finfo(to)
    return cast(clip(x, limits.min, limits.max), dtype)


bitwise_invert, left_shift, right_shift = bitwise_not, bitwise_left_shift, bitwise_right_shift
