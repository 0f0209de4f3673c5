"""Activation functions; formulas and defaults are those of ``keras.activations`` (Keras 3)."""

import warnings
from typing import Any

import minidl_kernels as kernels
from minidl.engine.op import op
from minidl.engine.tensor import Tensor
from minidl_kernels.arrays import Array, namespace

from .arithmetic import abs as absolute
from .arithmetic import (
    add,
    divide,
    erf,
    exp,
    expm1,
    floating,
    greater,
    minimum,
    multiply,
    negative,
    where,
)  # fmt: skip
from .chains import is_launched, one_launch
from .reductions import sum
from .shaping import moveaxis

__all__ = [
    "bias_relu", "bias_relu_composed", "elu", "gelu", "hard_sigmoid", "leaky_relu", "log_sigmoid", "log_softmax",
    "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh",
]  # fmt: skip


@op
def relu(x: Any) -> Array:
    """max(x, 0); the gradient at 0 is 0."""
    return kernels.relu(x)


@relu.grad("x")
def _(g, y):
    return relu_grad(g, y)


@op
def relu_grad(upstream: Any, output: Any) -> Array:
    """The upstream gradient where relu's output is positive, else 0."""
    return kernels.relu_grad(upstream, output)


@relu_grad.grad("upstream")
def _(g, output):
    return relu_grad(g, output)


@relu_grad.grad("output")
def _(g):
    return None  # the mask is constant almost everywhere


@op
def bias_relu(x: Any, bias: Any) -> Array:
    """max(x + bias, 0) in one pass; x (..., channels), bias (channels,)."""
    return kernels.bias_relu(x, bias)


@bias_relu.upstream
def through_relu(g, y):
    """The gradient below the ReLU, and its sum for the bias in the same pass over memory."""
    if isinstance(g, Tensor):
        return relu_grad(g, y)
    g, total = kernels.relu_bias_grad(g, y)
    return g, {bias_grad: total}


@bias_relu.grad("x")
def _(g):
    return g


@bias_relu.grad("bias")
def bias_grad(g):
    """The sum of g over all axes but the last."""
    return sum(g, axis=tuple(range(len(g.shape) - 1)))


def bias_relu_composed(x: Any, bias: Any) -> Any:
    """What ``bias_relu`` computes, one op at a time."""
    return relu(add(x, bias))


@op
def sigmoid(x: Any) -> Array:
    """1 / (1 + exp(-x))."""
    return kernels.sigmoid(x)


@sigmoid.grad("x")
def _(g, y):
    return sigmoid_grad(g, y)


@op
def sigmoid_grad(upstream: Any, output: Any) -> Array:
    """upstream * s * (1 - s), where s is sigmoid's output."""
    return kernels.sigmoid_grad(upstream, output)


@sigmoid_grad.grad("upstream")
def _(g, output):
    return sigmoid_grad(g, output)


@sigmoid_grad.grad("output")
def _(g, upstream, output):
    return g * upstream * (1 - 2 * output)


@op
def tanh(x: Any) -> Array:
    """The hyperbolic tangent."""
    return kernels.tanh(x)


@tanh.grad("x")
def _(g, y):
    return tanh_grad(g, y)


@op
def tanh_grad(upstream: Any, output: Any) -> Array:
    """upstream * (1 - t^2), where t is tanh's output."""
    return kernels.tanh_grad(upstream, output)


@tanh_grad.grad("upstream")
def _(g, output):
    return tanh_grad(g, output)


@tanh_grad.grad("output")
def _(g, upstream, output):
    return g * upstream * (-2) * output


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / sum(exp(x)) over ``axis``."""
    if isinstance(axis, int) and tuple(x.shape[axis : axis + 1 or None]) == (1,):
        warnings.warn(
            f"softmax over axis {axis} of shape {tuple(x.shape)} is 1 everywhere; one unit wants activation='sigmoid'",
            stacklevel=2,
        )
    return _over_last_axis(softmax_last, x, axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """log(softmax(x)) over ``axis``, without overflow."""
    return _over_last_axis(log_softmax_last, x, axis)


def _over_last_axis(function: Any, x: Any, axis: int) -> Any:
    if axis in (-1, len(x.shape) - 1):
        return function(x)
    return moveaxis(function(moveaxis(x, axis, -1)), -1, axis)


@op
def softmax_last(x: Any) -> Array:
    """Softmax over the last axis."""
    return kernels.softmax(x)


@softmax_last.grad("x")
def _(g, y):
    return softmax_grad(g, y)


@op
def softmax_grad(upstream: Any, output: Any) -> Array:
    """output * (upstream - sum(upstream * output)): the Jacobian of softmax, which is symmetric, times upstream."""
    return kernels.softmax_grad(upstream, output)


@softmax_grad.grad("upstream")
def _(g, output):
    return softmax_grad(g, output)


@softmax_grad.grad("output")
def _(g, upstream, output):
    weighted = sum(multiply(upstream, output), axis=-1, keepdims=True)
    return g * (upstream - weighted) - upstream * sum(multiply(g, output), axis=-1, keepdims=True)


@op
def log_softmax_last(x: Any) -> Array:
    """Log-softmax over the last axis."""
    return kernels.log_softmax(x)


@log_softmax_last.grad("x")
def _(g, y):
    return log_softmax_grad(g, y)


@op
def log_softmax_grad(upstream: Any, output: Any) -> Array:
    """upstream - exp(output) * sum(upstream)."""
    return kernels.log_softmax_grad(upstream, output)


@log_softmax_grad.grad("upstream")
def _(g, output):
    return g - sum(multiply(g, exp(output)), axis=-1, keepdims=True)


@log_softmax_grad.grad("output")
def _(g, upstream, output):
    return -g * exp(output) * sum(upstream, axis=-1, keepdims=True)


@op
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Array:
    """x where it is positive, else negative_slope * x; the gradient at 0 is 1."""
    return kernels.leaky_relu(floating(x), negative_slope=float(negative_slope))


@leaky_relu.grad("x")
def _(g, x, negative_slope):
    return leaky_relu_grad(g, x, negative_slope)


@op
def leaky_relu_grad(upstream: Any, x: Any, negative_slope: float) -> Array:
    """The upstream gradient where leaky_relu's input is positive, else negative_slope times it."""
    return kernels.leaky_relu_grad(upstream, x, negative_slope=float(negative_slope))


@leaky_relu_grad.grad("upstream")
def _(g, x, negative_slope):
    return leaky_relu_grad(g, x, negative_slope)


@leaky_relu_grad.grad("x")
def _(g):
    return None  # the mask is constant almost everywhere


@one_launch
def relu6(x: Any) -> Any:
    """min(max(x, 0), 6)."""
    return minimum(relu(x), 6.0)


@one_launch
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, else alpha * (exp(x) - 1)."""
    # exp of the positive side could overflow, and 0 * inf in the gradient would be NaN.
    return where(greater(x, 0), x, multiply(expm1(where(greater(x, 0), 0.0, x)), alpha))


@one_launch
def selu(x: Any) -> Any:
    """Scaled ELU with the constants of Klambauer et al. 2017."""
    return multiply(elu(x, 1.6732632423543772), 1.0507009873554805)


@op
def softplus(x: Any) -> Array:
    """log(1 + exp(x)), without overflow."""
    xp, x = namespace(x), floating(x)
    if is_launched(x):
        return kernels.elementwise(x, chain="softplus")
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x)))


@softplus.grad("x")
def _(g, x):
    if is_launched(x) and not isinstance(g, Tensor):
        return kernels.elementwise_grad(g, x, chain="softplus")
    return g * sigmoid(x)


@one_launch
def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x))."""
    return negative(softplus(negative(x)))


@one_launch
def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    return divide(x, add(absolute(x), 1.0))


@one_launch
def silu(x: Any) -> Any:
    """x * sigmoid(x)."""
    return multiply(x, sigmoid(x))


@one_launch
def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6 (Keras 3; Keras 2 had 0.2 x + 0.5)."""
    return divide(relu6(add(x, 3.0)), 6.0)


def gelu(x: Any, approximate: bool = True) -> Any:
    """x times the normal distribution function of x; ``approximate``: through tanh (Hendrycks and Gimpel 2016)."""
    return gelu_tanh(x) if approximate else gelu_erf(x)


@one_launch
def gelu_tanh(x: Any) -> Any:
    """``gelu`` through tanh."""
    inner = multiply(add(x, multiply(multiply(multiply(x, x), x), 0.044715)), 0.7978845608028654)
    return multiply(multiply(x, 0.5), add(tanh(inner), 1.0))


@one_launch
def gelu_erf(x: Any) -> Any:
    """``gelu`` as it is defined."""
    return multiply(multiply(x, 0.5), add(erf(multiply(x, 0.7071067811865476)), 1.0))


swish = silu
