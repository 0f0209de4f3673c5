"""Layers that bring numbers to a common scale."""

from typing import Any

import numpy as np

from minidl import config, layers
from minidl.engine.tensor import raw
from minidl_kernels.arrays import to_numpy

from .table import exports
from .value import Value, elementwise, node, reduced

__all__ = ["batch_normalization", "group_normalization", "layer_normalization", "rms_normalization"]


def sqrt(x: Value) -> Value:
    """The root."""
    return elementwise("Sqrt", x)


def _along(x: Value, weight: Any, axes: Any, label: str) -> Value:
    """A weight in a shape that broadcasts over x."""
    places = {axis % x.rank for axis in axes}
    shape = [n if i in places else 1 for i, n in enumerate(x.shape)]
    return x.constant(weight.numpy().reshape(shape), label)


def _scaled(layer: Any, y: Value, axes: Any) -> Value:
    """gamma * y + beta, where they are there."""
    y = y if layer.gamma is None else y * _along(y, layer.gamma, axes, "gamma")
    return y if layer.beta is None else y + _along(y, layer.beta, axes, "beta")


@exports(layers.BatchNormalization, takes=("mask",))
def batch_normalization(layer: Any, x: Value, mask: Any = None) -> Value:
    """BatchNormalization, where the channels come second or can be brought there; else its formula."""
    axis = layer.axis % x.rank
    if axis == 1 or (axis == x.rank - 1 and x.is_swapped):
        name = x.plain if axis == 1 else x.first
        extent = layer.moving_mean.shape[0]
        weights = {
            "gamma": np.ones(extent) if layer.gamma is None else layer.gamma.numpy(),
            "beta": np.zeros(extent) if layer.beta is None else layer.beta.numpy(),
            "moving_mean": layer.moving_mean.numpy(),
            "moving_variance": layer.moving_variance.numpy(),
        }
        names = [x.graph.constant(array.astype(x.dtype), label) for label, array in weights.items()]
        made = x.graph.emit("BatchNormalization", [name, *names], epsilon=layer.epsilon)
        return Value(x.graph, x.shape, x.dtype, **{"plain" if axis == 1 else "first": made})
    deviation = np.sqrt(layer.moving_variance.numpy() + layer.epsilon)
    shape = [n if i == axis else 1 for i, n in enumerate(x.shape)]
    y = x - x.constant(layer.moving_mean.numpy().reshape(shape), "moving_mean")
    return _scaled(layer, y / x.constant(deviation.reshape(shape), "deviation"), [axis])


def _normalised(x: Value, axes: Any, epsilon: float) -> Value:
    """(x - mean) / sqrt(variance + epsilon) over some axes."""
    apart = x - reduced("ReduceMean", x, axes, keepdims=True)
    return apart / sqrt(reduced("ReduceMean", apart * apart, axes, keepdims=True) + epsilon)


@exports(layers.LayerNormalization)
def layer_normalization(layer: Any, x: Value) -> Value:
    """LayerNormalization, where the axes are the last ones; else its formula."""
    axes = sorted(axis % x.rank for axis in layer.axis)
    if axes != list(range(axes[0], x.rank)):
        return _scaled(layer, _normalised(x, axes, layer.epsilon), axes)
    extents = x.shape[axes[0] :]
    gamma = np.ones(extents) if layer.gamma is None else layer.gamma.numpy().reshape(extents)
    names = [x.constant(gamma, "gamma")]
    if layer.beta is not None:
        names.append(x.constant(layer.beta.numpy().reshape(extents), "beta"))
    return node("LayerNormalization", x, *names, axis=axes[0], epsilon=float(layer.epsilon))


@exports(layers.GroupNormalization)
def group_normalization(layer: Any, x: Value) -> Value:
    """InstanceNormalization of the groups, each in one row."""
    axis = layer.axis % x.rank
    if axis == x.rank - 1 and x.rank > 2:
        name, shape = x.first, (x.shape[0], x.shape[axis], *x.shape[1:-1])
    else:
        order = [0, axis, *[i for i in range(1, x.rank) if i != axis]]
        turned = x.transpose(*order)
        name, shape = turned.plain, turned.shape
    inner = Value(x.graph, shape, x.dtype, name)
    rows = inner.reshape((0, layer.groups, -1), (shape[0], layer.groups, None))
    one, zero = (x.constant(np.full(layer.groups, number), "groups") for number in (1, 0))
    rows = node("InstanceNormalization", rows, one, zero, epsilon=float(layer.epsilon))
    back = x.graph.emit("Reshape", [rows.plain, x.graph.emit("Shape", [name])])
    if axis == x.rank - 1 and x.rank > 2:
        return _scaled(layer, Value(x.graph, x.shape, x.dtype, first=back), [axis])
    return _scaled(layer, Value(x.graph, shape, x.dtype, back).transpose(*np.argsort(order)), [axis])


@exports(layers.RMSNormalization)
def rms_normalization(layer: Any, x: Value) -> Value:
    """Its formula."""
    mean = reduced("ReduceMean", x * x, layer.axis, keepdims=True)
    return x / sqrt(mean + layer.epsilon) * _along(x, layer.scale, layer.axis, "scale")


@exports(layers.UnitNormalization)
def unit_normalization(layer: Any, x: Value) -> Value:
    """x divided by its length, by 1e-12 at least."""
    axes = [layer.axis] if isinstance(layer.axis, int) else layer.axis
    return normalized(x, axes, 1e-12)


def normalized(x: Value, axes: Any, smallest: float) -> Value:
    """x divided by its length over some axes, and by ``smallest`` where that is larger."""
    length = sqrt(reduced("ReduceSum", x * x, axes, keepdims=True))
    return x / elementwise("Max", length, smallest)


@exports(layers.Normalization, integers=True)
def normalization(layer: Any, x: Value) -> Value:
    """Sub and Div, or the other way round."""
    x = x.cast(layer.dtype)
    mean = x.constant(layer.mean.numpy(), "mean")
    deviation = x.constant(np.maximum(np.sqrt(layer.variance.numpy()), config.epsilon()), "deviation")
    return x * deviation + mean if layer.invert else (x - mean) / deviation


@exports(layers.Rescaling, integers=True)
def rescaling(layer: Any, x: Value) -> Value:
    """Mul and Add."""
    x = x.cast(layer.dtype)
    scale, offset = (np.asarray(to_numpy(raw(one))) for one in (layer.scale, layer.offset))
    return x * x.constant(scale, "scale") + x.constant(offset, "offset")
