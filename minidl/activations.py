"""Activation functions by name. Formulas and defaults are those of Keras 3."""

from typing import Any

from minidl import ops, registry
from minidl.ops.activation import (
    elu,
    hard_sigmoid,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)  # fmt: skip
from minidl.ops.chains import one_launch
from minidl.ops.piecewise import (
    celu,
    glu,
    hard_shrink,
    hard_silu,
    hard_tanh,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh_shrink,
    threshold,
)  # fmt: skip

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid",
    "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip


def linear(x: Any) -> Any:
    """x itself."""
    return x


def exponential(x: Any) -> Any:
    """exp(x)."""
    return ops.exp(x)


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """x where it is above ``threshold``, else negative_slope * (x - threshold); at most ``max_value``."""
    if negative_slope and max_value is None and threshold == 0:
        return leaky_relu(x, negative_slope)
    y = ops.relu(x) if threshold == 0 else ops.where(ops.greater(x, threshold), x, 0.0)
    if max_value is not None:
        y = ops.clip(y, 0.0, float(max_value))
    if negative_slope:
        y = ops.subtract(y, ops.multiply(ops.relu(ops.subtract(threshold, x)), negative_slope))
    return y


@one_launch
def mish(x: Any) -> Any:
    """x tanh(softplus(x)) (Misra 2019)."""
    return ops.multiply(x, tanh(softplus(x)))


def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the normal distribution function of x."""
    return ops.gelu(x, approximate=approximate)


swish = silu
hard_swish = hard_silu
serialize = registry.serialize
deserialize = registry.deserializer("keras.activations", lambda name: get(name))


def get(identifier: Any) -> Any:
    """An activation by name, configuration or function; None is ``linear``."""
    if identifier is None:
        return linear
    if isinstance(identifier, dict):
        identifier = deserialize(identifier)
    if isinstance(identifier, str):
        return registry.lookup("keras.activations", identifier, "activation")
    if callable(identifier):
        return identifier
    raise TypeError(f"an activation is a name or a function, not {identifier!r}")


NOT_ACTIVATIONS = ("deserialize", "get", "serialize")
registry.publish("keras.activations", {name: globals()[name] for name in __all__ if name not in NOT_ACTIVATIONS})
