"""NumPy and CuPy: whole-array operations."""

from ..arrays import Array, namespace
from . import (
    bias_relu,
    leaky_relu,
    leaky_relu_grad,
    relu,
    relu_bias_grad,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    tanh,
    tanh_grad,
)


@relu.implementation("array", on=("numpy", "cupy"))
def relu_array(x: Array, *, out: Array) -> None:
    namespace(x).maximum(x, 0, out=out)


@relu_grad.implementation("array", on=("numpy", "cupy"))
def relu_grad_array(g: Array, y: Array, *, out: Array) -> None:
    # Not g * (y > 0): an infinite g would become NaN where it should be 0.
    out[...] = namespace(g).where(y > 0, g, 0)


@relu_bias_grad.implementation("array", on=("numpy", "cupy"))
def relu_bias_grad_array(g: Array, y: Array, *, out: tuple[Array, Array]) -> None:
    relu_grad_array(g, y, out=out[0])
    out[0].sum(axis=tuple(range(g.ndim - 1)), out=out[1])


@leaky_relu.implementation("array", on=("numpy", "cupy"))
def leaky_relu_array(x: Array, *, negative_slope: float, out: Array) -> None:
    xp = namespace(x)
    xp.multiply(x, negative_slope, out=out)
    out[...] = xp.where(x >= 0, x, out)


@leaky_relu_grad.implementation("array", on=("numpy", "cupy"))
def leaky_relu_grad_array(g: Array, x: Array, *, negative_slope: float, out: Array) -> None:
    xp = namespace(g)
    xp.multiply(g, negative_slope, out=out)
    out[...] = xp.where(x >= 0, g, out)


@sigmoid.implementation("array", on=("numpy", "cupy"))
def sigmoid_array(x: Array, *, out: Array) -> None:
    xp = namespace(x)
    e = xp.exp(-abs(x))  # never overflows
    xp.divide(xp.where(x < 0, e, 1), 1 + e, out=out)


@sigmoid_grad.implementation("array", on=("numpy", "cupy"))
def sigmoid_grad_array(g: Array, y: Array, *, out: Array) -> None:
    namespace(g).multiply(g * y, 1 - y, out=out)


@tanh.implementation("array", on=("numpy", "cupy"))
def tanh_array(x: Array, *, out: Array) -> None:
    namespace(x).tanh(x, out=out)


@tanh_grad.implementation("array", on=("numpy", "cupy"))
def tanh_grad_array(g: Array, y: Array, *, out: Array) -> None:
    namespace(g).multiply(g, 1 - y * y, out=out)


@bias_relu.implementation("array", on=("numpy", "cupy"))
def bias_relu_array(x: Array, b: Array, *, out: Array) -> None:
    xp = namespace(x)
    xp.add(x, b, out=out)
    xp.maximum(out, 0, out=out)
