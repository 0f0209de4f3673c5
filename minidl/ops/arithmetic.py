"""Elementwise arithmetic, with NumPy's broadcasting. Names and arguments are those of ``keras.ops``.

Rules ignore broadcasting: the walk sums a gradient back to the shape of its input.
"""

from typing import Any

import numpy as np

import minidl_kernels as kernels
from minidl import config
from minidl.engine.op import op
from minidl.engine.tensor import as_array, operations
from minidl_kernels.arrays import FLOATS, Array, is_array, namespace, special

__all__ = [
    "abs", "absolute", "add", "cast", "clip", "cos", "divide", "equal", "erf", "exp", "expm1", "greater",
    "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal", "log", "log1p", "logical_and", "logical_not",
    "logical_or", "maximum", "minimum", "multiply", "negative", "not_equal", "power", "reciprocal", "rsqrt", "sign",
    "sin", "sqrt", "square", "subtract", "true_divide", "where",
]  # fmt: skip


def floating(x: Any) -> Any:
    """``x`` itself; integers and booleans are cast to floatx (as Keras does before exp, mean, ...)."""
    if is_array(x) or isinstance(x, np.generic):
        return x.astype(config.floatx()) if x.dtype.kind in "iub" else x
    return float(x) if isinstance(x, (int, float)) else np.asarray(x, config.floatx())


def alike(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Both, so that the result has the dtype that Keras gives it: NumPy would turn float32 into float64.

    Next to a float array, whole numbers take its dtype, and a NumPy number counts no more than a Python one.
    """
    a, b = getattr(x1, "dtype", None), getattr(x2, "dtype", None)
    if a is b:
        return (x1, x2) if a is not None else (np.asarray(x1), np.asarray(x2))
    if a is None:
        return x1, floating(x2) if isinstance(x1, float) else x2
    if b is None:
        return floating(x1) if isinstance(x2, float) else x1, x2
    if isinstance(x1, np.generic) != isinstance(x2, np.generic):
        return alike(weak(x1), weak(x2))
    if a.kind == "f" and b.kind in "iu":
        return x1, x2.astype(a)
    if b.kind == "f" and a.kind in "iu":
        return x1.astype(b), x2
    return x1, x2


def weak(x: Any) -> Any:
    """A NumPy number as a Python number, whose dtype does not count."""
    return x.item() if isinstance(x, np.generic) else x


@op
def add(x1: Any, x2: Any) -> Array:
    """x1 + x2; two large arrays of one shape are shared out among the cores."""
    x1, x2 = alike(x1, x2)
    large = getattr(x1, "size", 0) >= kernels.ADD_FROM and getattr(x2, "shape", None) == x1.shape
    plain = large and x1.dtype in FLOATS and x2.dtype == x1.dtype and x1.flags.c_contiguous and x2.flags.c_contiguous
    return kernels.add(x1, x2) if plain else x1 + x2


@add.grad("x1")
def _(g):
    return g


@add.grad("x2")
def _(g):
    return g


@op
def subtract(x1: Any, x2: Any) -> Array:
    """x1 - x2."""
    x1, x2 = alike(x1, x2)
    return x1 - x2


@subtract.grad("x1")
def _(g):
    return g


@subtract.grad("x2")
def _(g):
    return -g


@op
def multiply(x1: Any, x2: Any) -> Array:
    """x1 * x2."""
    x1, x2 = alike(x1, x2)
    return x1 * x2


@multiply.grad("x1")
def _(g, x2):
    return g * x2


@multiply.grad("x2")
def _(g, x1):
    return g * x1


@op
def divide(x1: Any, x2: Any) -> Array:
    """x1 / x2; integers are divided as floatx."""
    return namespace(x1, x2).true_divide(*alike(floating(x1), floating(x2)))


@divide.grad("x1")
def _(g, x2):
    return g / x2


@divide.grad("x2")
def _(g, x1, x2):
    return -g * x1 / (x2 * x2)


@op
def negative(x: Any) -> Array:
    """-x."""
    return namespace(x).negative(x)


@negative.grad("x")
def _(g):
    return -g


@op
def power(x1: Any, x2: Any) -> Array:
    """x1 ** x2."""
    return namespace(x1, x2).power(*alike(x1, x2))


@power.grad("x1")
def _(g, x1, x2):
    # x2 - 1 would be negative for x2 = 0, and 0 ** -1 infinite; the slope there is 0.
    return g * x2 * power(x1, where(equal(x2, 0), 1, subtract(x2, 1)))


@power.grad("x2")
def _(g, x1, x2, y):
    # 0 ** x2 is constant for x2 > 0, although log(0) is not finite.
    return g * y * log(where(greater(x1, 0), x1, 1))


@op
def maximum(x1: Any, x2: Any) -> Array:
    """The larger of each pair; at a tie each gets half of the gradient (as JAX)."""
    return namespace(x1, x2).maximum(*alike(x1, x2))


@maximum.grad("x1")
def _(g, x1, x2):
    return g * _share_of(greater(x1, x2), equal(x1, x2), g)


@maximum.grad("x2")
def _(g, x1, x2):
    return g * _share_of(greater(x2, x1), equal(x1, x2), g)


@op
def minimum(x1: Any, x2: Any) -> Array:
    """The smaller of each pair; at a tie each gets half of the gradient (as JAX)."""
    return namespace(x1, x2).minimum(*alike(x1, x2))


@minimum.grad("x1")
def _(g, x1, x2):
    return g * _share_of(less(x1, x2), equal(x1, x2), g)


@minimum.grad("x2")
def _(g, x1, x2):
    return g * _share_of(less(x2, x1), equal(x1, x2), g)


def _share_of(wins: Any, ties: Any, like: Any) -> Any:
    return cast(wins, like.dtype) + cast(ties, like.dtype) * 0.5


@op
def clip(x: Any, x_min: Any, x_max: Any) -> Array:
    """x limited to [x_min, x_max]; the gradient passes inside and at the limits."""
    return namespace(x).clip(x, weak(x_min), weak(x_max))


@clip.grad("x")
def _(g, x, x_min, x_max):
    return g * cast(logical_and(greater_equal(x, x_min), less_equal(x, x_max)), g.dtype)


@op
def abs(x: Any) -> Array:
    """|x|; the gradient at 0 is 0."""
    return namespace(x).abs(x)


@abs.grad("x")
def _(g, x):
    return g * sign(x)


@op(constant=True)
def sign(x: Any) -> Array:
    """-1, 0 or 1."""
    return namespace(x).sign(x)


@op
def exp(x: Any) -> Array:
    """e ** x."""
    return namespace(x).exp(floating(x))


@exp.grad("x")
def _(g, y):
    return g * y


@op
def expm1(x: Any) -> Array:
    """e ** x - 1, exact near 0."""
    return namespace(x).expm1(floating(x))


@expm1.grad("x")
def _(g, y):
    return g * (y + 1)


@op
def log(x: Any) -> Array:
    """The natural logarithm."""
    return namespace(x).log(floating(x))


@log.grad("x")
def _(g, x):
    return g / x


@op
def log1p(x: Any) -> Array:
    """log(1 + x), exact near 0."""
    return namespace(x).log1p(floating(x))


@log1p.grad("x")
def _(g, x):
    return g / (x + 1)


@op
def sqrt(x: Any) -> Array:
    """The square root."""
    return namespace(x).sqrt(floating(x))


@sqrt.grad("x")
def _(g, y):
    return g * 0.5 / y


def rsqrt(x: Any) -> Any:
    """1 / sqrt(x)."""
    return divide(1.0, sqrt(x))


def reciprocal(x: Any) -> Any:
    """1 / x."""
    return divide(1.0, x)


@op
def square(x: Any) -> Array:
    """x * x."""
    return namespace(x).square(x)


@square.grad("x")
def _(g, x):
    return g * 2 * x


@op
def sin(x: Any) -> Array:
    """The sine."""
    return namespace(x).sin(floating(x))


@sin.grad("x")
def _(g, x):
    return g * cos(x)


@op
def cos(x: Any) -> Array:
    """The cosine."""
    return namespace(x).cos(floating(x))


@cos.grad("x")
def _(g, x):
    return -g * sin(x)


@op
def erf(x: Any) -> Array:
    """The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    return special(x).erf(floating(x))


@erf.grad("x")
def _(g, x):
    return g * (2 / float(np.sqrt(np.pi))) * exp(-square(x))


@op
def where(condition: Any, x1: Any, x2: Any) -> Array:
    """x1 where the condition holds, else x2."""
    xp = namespace(condition, x1) if is_array(x1) else namespace(condition, x2)
    if not hasattr(x1, "dtype") and not hasattr(x2, "dtype"):
        x1 = as_array(x1)
    return xp.where(xp.asarray(condition, dtype=bool), *alike(x1, x2))


@where.grad("x1")
def _(g, condition):
    return where(condition, g, 0)


@where.grad("x2")
def _(g, condition):
    return where(condition, 0, g)


@op
def cast(x: Any, dtype: Any) -> Array:
    """x in another dtype; the walk casts the gradient back."""
    return (x if is_array(x) else np.asarray(x)).astype(dtype, copy=False)


@cast.grad("x")
def _(g):
    return g


def _comparison(name: str, doc: str) -> Any:
    def compare(x1: Any, x2: Any) -> Array:
        xp = namespace(x1, x2)
        return getattr(xp, name)(x1, x2)

    compare.__name__, compare.__doc__ = name, doc
    return op(compare, constant=True)


equal = _comparison("equal", "x1 == x2, elementwise.")
not_equal = _comparison("not_equal", "x1 != x2, elementwise.")
less = _comparison("less", "x1 < x2, elementwise.")
less_equal = _comparison("less_equal", "x1 <= x2, elementwise.")
greater = _comparison("greater", "x1 > x2, elementwise.")
greater_equal = _comparison("greater_equal", "x1 >= x2, elementwise.")
logical_and = _comparison("logical_and", "Both, elementwise.")
logical_or = _comparison("logical_or", "Either, elementwise.")


@op(constant=True)
def logical_not(x: Any) -> Array:
    """Not x, elementwise."""
    return namespace(x).logical_not(x)


@op(constant=True)
def isnan(x: Any) -> Array:
    """Whether each element is not a number."""
    return namespace(x).isnan(x)


@op(constant=True)
def isinf(x: Any) -> Array:
    """Whether each element is infinite."""
    return namespace(x).isinf(x)


@op(constant=True)
def isfinite(x: Any) -> Array:
    """Whether each element is neither infinite nor not a number."""
    return namespace(x).isfinite(x)


absolute = abs
true_divide = divide
operations.true_divide = divide
for _op in (add, subtract, multiply, divide, negative, power, abs, cast, maximum, minimum, equal, not_equal, less,
            less_equal, greater, greater_equal):  # fmt: skip
    setattr(operations, _op.name, _op)
