"""Activations: the operators and formulas of all functions in minidl.activations."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl import activations, layers
from minidl.layers import Layer

from .table import exports, refusal, write
from .value import Value, elementwise, node, reduced

__all__ = ["activated", "along_axis", "log_softmax", "softmax", "where"]


def operator(kind: str, **attributes: Any) -> Callable[[Value], Value]:
    """A function that is one operator."""
    return lambda x: elementwise(kind, x, **attributes)


sigmoid, tanh, relu, exp = operator("Sigmoid"), operator("Tanh"), operator("Relu"), operator("Exp")


def where(condition: Value, x: Any, y: Any) -> Value:
    """x where the condition holds, else y; one of them is a value."""
    beside = x if isinstance(x, Value) else y
    both = [one if isinstance(one, Value) else beside.constant(one) for one in (x, y)]
    return elementwise("Where", condition, *both, dtype=beside.dtype)


def compared(kind: str, x: Value, other: Any) -> Value:
    """Whether x is "Less", "Greater", ..."""
    return elementwise(kind, x, other, dtype=bool)


def clipped(x: Value, low: float, high: float) -> Value:
    """x limited to [low, high]."""
    return elementwise("Clip", x, low, high)


def along_axis(kind: str, x: Value, axis: int) -> Value:
    """An operator that looks along an axis."""
    return node(kind, x, axis=axis % x.rank)


def softmax(x: Value, axis: int = -1) -> Value:
    """exp(x) / sum(exp(x))."""
    return along_axis("Softmax", x, axis)


def log_softmax(x: Value, axis: int = -1) -> Value:
    """log(softmax(x))."""
    return along_axis("LogSoftmax", x, axis)


def gelu(x: Value, approximate: bool = False) -> Value:
    """x times the normal distribution function of x."""
    if approximate:
        return x * 0.5 * (tanh((x + x * x * x * 0.044715) * 0.7978845608028654) + 1.0)
    return x * 0.5 * (elementwise("Erf", x * 0.7071067811865476) + 1.0)


def glu(x: Value, axis: int = -1) -> Value:
    """The first half of an axis times the sigmoid of the second."""
    axis %= x.rank
    shape = [n // 2 if i == axis else n for i, n in enumerate(x.shape)]
    halves = x.graph.emit("Split", [x.plain], outputs=2, axis=axis)
    values, gates = (Value(x.graph, shape, x.dtype, half) for half in halves)
    return values * sigmoid(gates)


def hard_shrink(x: Value) -> Value:
    """x where |x| > 1/2, else 0."""
    return where(compared("Greater", elementwise("Abs", x), 0.5), x, 0.0)


def soft_shrink(x: Value) -> Value:
    """x moved by 1/2 towards 0, and 0 where it would cross it."""
    return relu(x - 0.5) - relu(-x - 0.5)


def sparse_plus(x: Value) -> Value:
    """0 up to -1, x from 1 on, and (x + 1)^2 / 4 between."""
    between = clipped(x, -1.0, 1.0) + 1.0
    return where(compared("Greater", x, 1.0), x, between * between * 0.25)


def sparsemax(x: Value) -> Value:
    """The nearest point of the probability simplex: x less a shift, where that is positive."""
    extent = x.shape[-1]
    best = x.graph.emit("TopK", [x.plain, x.integers(extent)], outputs=2, axis=-1)[0]
    falling = Value(x.graph, x.shape, x.dtype, best)
    totals = node("CumSum", falling, x.graph.constant(np.array(x.rank - 1), "axis")) - 1.0
    stays = compared("Greater", falling * np.arange(1, extent + 1), totals).cast(x.dtype)
    number = reduced("ReduceSum", stays, [-1], keepdims=True)
    # Of the numbers that stay, the smallest is the last: the totals up to there are the sum of all that stay, less 1.
    total = reduced("ReduceSum", falling * stays, [-1], keepdims=True) - 1.0
    return relu(x - total / number)


FUNCTIONS: dict[Any, Callable[[Value], Value]] = {
    activations.celu: operator("Elu"),  # which it is, with alpha 1
    activations.elu: operator("Elu"),
    activations.exponential: exp,
    activations.gelu: gelu,
    activations.glu: glu,
    activations.hard_shrink: hard_shrink,
    activations.hard_sigmoid: operator("HardSigmoid", alpha=1 / 6, beta=0.5),
    activations.hard_silu: operator("HardSwish"),
    activations.hard_tanh: lambda x: clipped(x, -1.0, 1.0),
    activations.leaky_relu: operator("LeakyRelu", alpha=0.2),
    activations.linear: lambda x: x,
    activations.log_sigmoid: lambda x: -elementwise("Softplus", -x),
    activations.log_softmax: log_softmax,
    activations.mish: lambda x: x * tanh(elementwise("Softplus", x)),
    activations.relu: relu,
    activations.relu6: lambda x: clipped(x, 0.0, 6.0),
    activations.selu: operator("Selu"),
    activations.sigmoid: sigmoid,
    activations.silu: lambda x: x * sigmoid(x),
    activations.soft_shrink: soft_shrink,
    activations.softmax: softmax,
    activations.softplus: operator("Softplus"),
    activations.softsign: operator("Softsign"),
    activations.sparse_plus: sparse_plus,
    activations.sparse_sigmoid: lambda x: clipped(x + 1.0, 0.0, 2.0) * 0.5,
    activations.sparsemax: sparsemax,
    activations.squareplus: lambda x: (x + elementwise("Sqrt", x * x + 4.0)) * 0.5,
    activations.tanh: tanh,
    activations.tanh_shrink: lambda x: x - tanh(x),
}


def activated(layer: Any, y: Value) -> Value:
    """The activation of a layer."""
    function = layer.activation
    if isinstance(function, Layer):
        return write(function, y)
    if function not in FUNCTIONS:
        name = getattr(function, "__name__", repr(function))
        raise refusal(
            layer, f"its activation {name!r} is Python code, which ONNX cannot hold; use one of minidl.activations"
        )
    return FUNCTIONS[function](y)


@exports(layers.Activation)
def activation(layer: Any, x: Value) -> Value:
    """Its function."""
    return activated(layer, x)


@exports(layers.ReLU)
def relu_layer(layer: Any, x: Value) -> Value:
    """Relu or LeakyRelu; with a threshold, 0 up to there."""
    if not layer.threshold and layer.max_value is None:
        return elementwise("LeakyRelu", x, alpha=float(layer.negative_slope)) if layer.negative_slope else relu(x)
    y = where(compared("Greater", x, layer.threshold), x, 0.0) if layer.threshold else relu(x)
    if layer.max_value is not None:
        y = clipped(y, 0.0, layer.max_value)
    return y - relu(-(x - layer.threshold)) * layer.negative_slope if layer.negative_slope else y


@exports(layers.LeakyReLU)
def leaky_relu(layer: Any, x: Value) -> Value:
    """LeakyRelu."""
    return elementwise("LeakyRelu", x, alpha=float(layer.negative_slope))


@exports(layers.ELU)
def elu(layer: Any, x: Value) -> Value:
    """Elu."""
    return elementwise("Elu", x, alpha=float(layer.alpha))


@exports(layers.PReLU)
def prelu(layer: Any, x: Value) -> Value:
    """PRelu, with a slope for each feature."""
    return elementwise("PRelu", x, x.constant(layer.alpha.numpy(), "alpha"))


@exports(layers.Softmax, takes=("mask",))
def softmax_layer(layer: Any, x: Value, mask: Any = None) -> Value:
    """Softmax; over several axes, their elements are brought into a row."""
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    if mask is not None:
        keeps = mask if mask.dtype.kind == "b" else compared("Greater", mask, 0.5)
        x = where(keeps, x, -1e9)
    if len(axes) == 1:
        y = softmax(x, axes[0])
    else:
        e = exp(x - reduced("ReduceMax", x, axes, keepdims=True))
        y = e / reduced("ReduceSum", e, axes, keepdims=True)
    return y if mask is None else where(keeps, y, 0.0)
