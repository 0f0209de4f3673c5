"""Activation functions made of pieces, gates and sparse cousins of the usual ones; defaults are those of Keras 3."""

from typing import Any

from minidl.engine.op import op
from minidl_kernels.arrays import Array, namespace

from .activation import hard_sigmoid, sigmoid, tanh
from .arithmetic import abs as absolute
from .arithmetic import (
    add,
    cast,
    clip,
    divide,
    expm1,
    floating,
    greater,
    less,
    maximum,
    minimum,
    multiply,
    sqrt,
    square,
    subtract,
    where,
)
from .chains import one_launch
from .custom import of_extents
from .reductions import sum
from .shaping import expand_dims, moveaxis, split

__all__ = [
    "celu", "glu", "hard_shrink", "hard_silu", "hard_swish", "hard_tanh", "soft_shrink", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "tanh_shrink", "threshold",
]  # fmt: skip


@one_launch
def celu(x: Any, alpha: float = 1.0) -> Any:
    """max(x, 0) + alpha (exp(min(x, 0) / alpha) - 1): an ELU whose slope has no jump (Barron 2017)."""
    return add(maximum(x, 0.0), multiply(expm1(divide(minimum(x, 0.0), alpha)), alpha))


@of_extents
def glu(x: Any, axis: int = -1) -> Any:
    """The first half along ``axis`` times the sigmoid of the second (Dauphin et al. 2017).

    Raises:
        ValueError: an odd number along the axis.
    """
    if x.shape[axis] % 2:
        raise ValueError(f"glu: axis {axis} of a shape {tuple(x.shape)} cannot be halved: an even number is expected")
    values, gates = split(x, 2, axis=axis)
    return multiply(values, sigmoid(gates))


@one_launch
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x where |x| > threshold, else 0."""
    return where(greater(absolute(x), threshold), x, 0.0)


@one_launch
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved by ``threshold`` towards 0, and 0 where it would cross it."""
    below = where(less(x, -threshold), add(x, threshold), 0.0)
    return where(greater(x, threshold), subtract(x, threshold), below)


@one_launch
def tanh_shrink(x: Any) -> Any:
    """x - tanh(x)."""
    return subtract(x, tanh(x))


@one_launch
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where it is above ``threshold``, else ``default_value``."""
    return where(greater(x, threshold), x, default_value)


@one_launch
def hard_tanh(x: Any) -> Any:
    """x limited to [-1, 1]."""
    return clip(x, -1.0, 1.0)


@one_launch
def hard_silu(x: Any) -> Any:
    """x relu6(x + 3) / 6 (Howard et al. 2019)."""
    return multiply(x, hard_sigmoid(x))


hard_swish = hard_silu


@one_launch
def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2 limited to [0, 1]."""
    return multiply(clip(add(x, 1.0), 0.0, 2.0), 0.5)


@one_launch
def sparse_plus(x: Any) -> Any:
    """0 up to -1, x from 1 on, and (x + 1)^2 / 4 between: the integral of ``sparse_sigmoid``."""
    between = multiply(square(add(clip(x, -1.0, 1.0), 1.0)), 0.25)
    return where(greater(x, 1.0), x, between)


@one_launch
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x^2 + b)) / 2: a softplus without exponentials (Barron 2021)."""
    return multiply(add(x, sqrt(add(square(x), b))), 0.5)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest point of the probability simplex, along ``axis``: a softmax with zeros (Martins and Astudillo 2016).

    Keras 3.15 shifts by another amount where more than one number is left, so that its results do not sum to 1.
    """
    if axis in (-1, len(x.shape) - 1):
        return sparsemax_last(x)
    return moveaxis(sparsemax_last(moveaxis(x, axis, -1)), -1, axis)


@op
def sparsemax_last(x: Any) -> Array:
    """Sparsemax over the last axis."""
    xp, x = namespace(x), floating(x)
    falling = -xp.sort(-x, axis=-1)
    totals = xp.cumsum(falling, axis=-1) - 1
    k = xp.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    # Those stay that are above the mean excess of all that are at least as large.
    number = (falling * k > totals).sum(axis=-1, keepdims=True)
    return xp.maximum(x - xp.take_along_axis(totals, number - 1, axis=-1) / number.astype(x.dtype), 0)


@sparsemax_last.grad("x")
def _(g, y):
    # On its support the result is x less a shift that makes the sum 1; the support is constant almost everywhere.
    support = cast(greater(y, 0), g.dtype)
    kept = multiply(g, support)
    mean = divide(sum(kept, axis=-1), sum(support, axis=-1))
    return subtract(kept, multiply(support, expand_dims(mean, -1)))
