"""Sums, means and extremes over axes. ``axis``: None (all), a number, or a tuple or list of them."""

import math
from typing import Any

import numpy as np

import minidl_kernels as kernels
from minidl.engine.op import op
from minidl.engine.tensor import operations
from minidl_kernels.arrays import Array, is_array, library_name, namespace

from .arithmetic import cast, equal, exp, floating, isfinite, log, sqrt, square, subtract, where
from .custom import stop_gradient
from .shaping import axes_of, broadcast_to, concatenate, moveaxis, ones_like, reshape, squeeze, stack

__all__ = [
    "all", "any", "argmax", "argmin", "argsort", "count_nonzero", "logsumexp", "max", "mean", "min", "moments",
    "prod", "std", "sum", "var",
]  # fmt: skip

Axis = int | tuple[int, ...] | list[int] | None


def kept(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    """The shape with the reduced axes kept as 1."""
    axes = axes_of(axis, len(shape))
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def count(x: Any, axis: Any) -> int:
    """How many elements are reduced into one."""
    return math.prod(x.shape if axis is None else [x.shape[a] for a in axes_of(axis, len(x.shape))])


def _spread(g: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """The gradient of a reduction, so that it broadcasts to the shape before it."""
    return g if axis is None else reshape(g, kept(shape, axis))


def _places(axis: Any) -> Any:
    """The axis as arrays take it: Keras' programs name several in a list, too."""
    return tuple(axis) if isinstance(axis, list) else axis


@op
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    """The sum over ``axis``."""
    if is_array(x) and x.ndim > 1 and x.dtype.kind == "f" and axis is not None:
        if axes_of(axis, x.ndim) == tuple(range(x.ndim - 1)):  # the gradient of a bias
            total = kernels.column_sum(x)
            return total.reshape((1,) * (x.ndim - 1) + total.shape) if keepdims else total
    return namespace(x).sum(x, axis=_places(axis), keepdims=keepdims)


@sum.grad("x")
def _(g, x, axis):
    return broadcast_to(_spread(g, x.shape, axis), x.shape)


@op
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean over ``axis``; integers are averaged as floatx."""
    ours = type(x) is np.ndarray or (is_array(x) and library_name(x) == "numpy")
    if axis is None and ours and x.dtype.char in "fd" and x.size:
        # x.mean() is this, at three times the price.
        total: Any = namespace(x).add.reduce(x, axis=None, keepdims=keepdims)
        return total / x.size
    return namespace(x).mean(floating(x), axis=_places(axis), keepdims=keepdims)


@mean.grad("x")
def _(g, x, axis):
    return broadcast_to(_spread(g, x.shape, axis) * (1 / count(x, axis)), x.shape)


@op
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    """The largest over ``axis``; ties share the gradient equally (as JAX)."""
    return namespace(x).max(x, axis=_places(axis), keepdims=keepdims)


@max.grad("x")
def _(g, x, y, axis):
    return _to_the_chosen(g, x, y, axis)


@op
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    """The smallest over ``axis``; ties share the gradient equally (as JAX)."""
    return namespace(x).min(x, axis=_places(axis), keepdims=keepdims)


@min.grad("x")
def _(g, x, y, axis):
    return _to_the_chosen(g, x, y, axis)


def _to_the_chosen(g: Any, x: Any, y: Any, axis: Any) -> Any:
    shape = kept(x.shape, axis)
    chosen = cast(equal(x, reshape(y, shape)), g.dtype)
    return chosen / sum(chosen, axis=axis, keepdims=True) * reshape(g, shape)


@op
def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    """The product over ``axis``."""
    return namespace(x).prod(x, axis=_places(axis), keepdims=keepdims)


@prod.grad("x")
def _(g, x, axis):
    # y / x would fail at zeros, so each element gets the product of the others.
    axes = axes_of(axis, len(x.shape))
    return reshape(g, kept(x.shape, axis)) * _product_of_others(x, axes)


def _product_of_others(x: Any, axes: tuple[int, ...]) -> Any:
    rest = tuple(i for i in range(len(x.shape)) if i not in axes)
    flat = reshape(moveaxis(x, rest + axes, tuple(range(len(x.shape)))), (*(x.shape[i] for i in rest), -1))
    n = flat.shape[-1]
    if n == 1:
        return ones_like(x)
    others = [prod(concatenate([flat[..., :i], flat[..., i + 1 :]], axis=-1), axis=-1) for i in range(n)]
    back = reshape(stack(others, axis=-1), tuple(x.shape[i] for i in rest + axes))
    return moveaxis(back, tuple(range(len(x.shape))), rest + axes)


def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The biased variance over ``axis``."""
    return mean(square(subtract(x, mean(x, axis=axis, keepdims=True))), axis=axis, keepdims=keepdims)


def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The square root of the biased variance over ``axis``."""
    return sqrt(var(x, axis=axis, keepdims=keepdims))


def moments(x: Any, axes: Axis, keepdims: bool = False) -> tuple[Any, Any]:
    """Mean and biased variance over ``axes``."""
    return mean(x, axis=axes, keepdims=keepdims), var(x, axis=axes, keepdims=keepdims)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over ``axis``, shifted by the largest element so that nothing overflows."""
    axis = _places(axis)
    largest = stop_gradient(max(x, axis=axis, keepdims=True))  # a shift is a constant
    # Where all are -inf the shift is 0: -inf - -inf would be NaN.
    shift = where(isfinite(largest), largest, 0)
    total = log(sum(exp(subtract(x, shift)), axis=axis, keepdims=True)) + shift
    return total if keepdims else squeeze(total, axis=axis)


@op(constant=True)
def argmax(x: Any, axis: int | None = None) -> Array:
    """Where the (first) largest element stands, as int32."""
    return namespace(x).argmax(x, axis=axis).astype("int32")


@op(constant=True)
def argmin(x: Any, axis: int | None = None) -> Array:
    """Where the (first) smallest element stands, as int32."""
    return namespace(x).argmin(x, axis=axis).astype("int32")


@op(constant=True)
def argsort(x: Any, axis: int = -1) -> Array:
    """The order that sorts x, as int32."""
    return namespace(x).argsort(x, axis=axis).astype("int32")


@op(constant=True)
def count_nonzero(x: Any, axis: Axis = None) -> Array:
    """How many elements are not 0, as int32."""
    return namespace(x).asarray(namespace(x).count_nonzero(x, axis=_places(axis)), dtype="int32")


@op(constant=True)
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether all elements over ``axis`` are true."""
    return namespace(x).all(x, axis=_places(axis), keepdims=keepdims)


@op(constant=True)
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether any element over ``axis`` is true."""
    return namespace(x).any(x, axis=_places(axis), keepdims=keepdims)


operations.sum, operations.mean = sum, mean
