"""Elementary functions beyond those that nets need: circular, hyperbolic, other logarithms, special functions.

Each is elementwise; whole numbers are taken as floatx. Angles are in radians.
"""

import math
from typing import Any

from minidl.engine.op import op
from minidl_kernels.arrays import Array, namespace, special

from .arithmetic import (
    abs,
    alike,
    divide,
    equal,
    exp,
    floating,
    greater,
    multiply,
    negative,
    sin,
    sqrt,
    square,
    subtract,
    where,
)  # fmt: skip

__all__ = [
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "cbrt", "cosh", "deg2rad",
    "divide_no_nan", "erfc", "erfinv", "exp2", "hypot", "log10", "log2", "logaddexp", "logaddexp2", "rad2deg", "sinc",
    "sinh", "tan",
]  # fmt: skip


@op
def tan(x: Any) -> Array:
    """The tangent."""
    return namespace(x).tan(floating(x))


@tan.grad("x")
def _(g, y):
    return g * (square(y) + 1)


@op
def arcsin(x: Any) -> Array:
    """The angle in [-pi/2, pi/2] whose sine is x; NaN outside [-1, 1]."""
    return namespace(x).arcsin(floating(x))


@arcsin.grad("x")
def _(g, x):
    return g / sqrt(1 - square(x))


@op
def arccos(x: Any) -> Array:
    """The angle in [0, pi] whose cosine is x; NaN outside [-1, 1]."""
    return namespace(x).arccos(floating(x))


@arccos.grad("x")
def _(g, x):
    return -g / sqrt(1 - square(x))


@op
def arctan(x: Any) -> Array:
    """The angle in (-pi/2, pi/2) whose tangent is x."""
    return namespace(x).arctan(floating(x))


@arctan.grad("x")
def _(g, x):
    return g / (square(x) + 1)


@op
def arctan2(x1: Any, x2: Any) -> Array:
    """The angle in (-pi, pi] of the point with ordinate x1 and abscissa x2."""
    return namespace(x1, x2).arctan2(*alike(floating(x1), floating(x2)))


@arctan2.grad("x1")
def _(g, x1, x2):
    return g * x2 / (square(x1) + square(x2))


@arctan2.grad("x2")
def _(g, x1, x2):
    return -g * x1 / (square(x1) + square(x2))


@op
def sinh(x: Any) -> Array:
    """The hyperbolic sine."""
    return namespace(x).sinh(floating(x))


@sinh.grad("x")
def _(g, x):
    return g * cosh(x)


@op
def cosh(x: Any) -> Array:
    """The hyperbolic cosine."""
    return namespace(x).cosh(floating(x))


@cosh.grad("x")
def _(g, x):
    return g * sinh(x)


@op
def arcsinh(x: Any) -> Array:
    """The inverse of ``sinh``."""
    return namespace(x).arcsinh(floating(x))


@arcsinh.grad("x")
def _(g, x):
    return g / sqrt(square(x) + 1)


@op
def arccosh(x: Any) -> Array:
    """The inverse of ``cosh`` for x >= 1; NaN below."""
    return namespace(x).arccosh(floating(x))


@arccosh.grad("x")
def _(g, x):
    return g / sqrt(square(x) - 1)


@op
def arctanh(x: Any) -> Array:
    """The inverse of ``tanh``; NaN outside [-1, 1]."""
    return namespace(x).arctanh(floating(x))


@arctanh.grad("x")
def _(g, x):
    return g / (1 - square(x))


@op
def exp2(x: Any) -> Array:
    """2 ** x."""
    return namespace(x).exp2(floating(x))


@exp2.grad("x")
def _(g, y):
    return g * y * math.log(2)


@op
def log2(x: Any) -> Array:
    """The logarithm to base 2."""
    return namespace(x).log2(floating(x))


@log2.grad("x")
def _(g, x):
    return g / (x * math.log(2))


@op
def log10(x: Any) -> Array:
    """The logarithm to base 10."""
    return namespace(x).log10(floating(x))


@log10.grad("x")
def _(g, x):
    return g / (x * math.log(10))


@op
def cbrt(x: Any) -> Array:
    """The cube root, also of negative numbers."""
    return namespace(x).cbrt(floating(x))


@cbrt.grad("x")
def _(g, y):
    return g / (3 * square(y))


@op
def erfinv(x: Any) -> Array:
    """The inverse of ``erf`` on (-1, 1)."""
    return special(x).erfinv(floating(x))


@erfinv.grad("x")
def _(g, y):
    return g * (math.sqrt(math.pi) / 2) * exp(square(y))


@op
def erfc(x: Any) -> Array:
    """1 - erf(x), exact where erf is near 1."""
    return special(x).erfc(floating(x))


@erfc.grad("x")
def _(g, x):
    return g * (-2 / math.sqrt(math.pi)) * exp(negative(square(x)))


@op
def hypot(x1: Any, x2: Any) -> Array:
    """sqrt(x1^2 + x2^2), without overflow on the way."""
    return namespace(x1, x2).hypot(*alike(floating(x1), floating(x2)))


@hypot.grad("x1")
def _(g, x1, y):
    return g * x1 / y


@hypot.grad("x2")
def _(g, x2, y):
    return g * x2 / y


@op
def logaddexp(x1: Any, x2: Any) -> Array:
    """log(exp(x1) + exp(x2)), without overflow on the way."""
    return namespace(x1, x2).logaddexp(*alike(floating(x1), floating(x2)))


@logaddexp.grad("x1")
def _(g, x1, y):
    return g * exp(subtract(x1, y))


@logaddexp.grad("x2")
def _(g, x2, y):
    return g * exp(subtract(x2, y))


def logaddexp2(x1: Any, x2: Any) -> Any:
    """log2(2 ** x1 + 2 ** x2)."""
    return multiply(logaddexp(multiply(x1, math.log(2)), multiply(x2, math.log(2))), 1 / math.log(2))


def sinc(x: Any) -> Any:
    """sin(pi x) / (pi x), and 1 at 0."""
    # Near 0 the series 1 - (pi x)^2 / 6 + (pi x)^4 / 120, so that the derivatives are right there too.
    angle = multiply(x, math.pi)
    near = greater(1e-3, abs(angle))
    squared = square(angle)
    return where(near, 1 - squared / 6 + square(squared) / 120, divide(sin(angle), where(near, 1.0, angle)))


def divide_no_nan(x1: Any, x2: Any) -> Any:
    """x1 / x2, and 0 where x2 is 0."""
    zero = equal(x2, 0)
    return where(zero, 0.0, divide(x1, where(zero, 1.0, x2)))


def deg2rad(x: Any) -> Any:
    """Degrees as radians."""
    return multiply(x, math.pi / 180)


def rad2deg(x: Any) -> Any:
    """Radians as degrees."""
    return multiply(x, 180 / math.pi)
