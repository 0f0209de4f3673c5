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

__all__ = [
    "elu", "exponential", "gelu", "get", "hard_sigmoid", "leaky_relu", "linear", "log_sigmoid",
    "log_softmax", "relu", "relu6",
    "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh",
]  # fmt: skip


def linear(x: Any) -> Any:
    """x itself."""
    return x


def exponential(x: Any) -> Any:
    """exp(x)."""
    return ops.exp(x)


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """x where it is above ``threshold``, else negative_slope * (x - threshold); at most ``max_value``."""
    if threshold == 0 and negative_slope == 0:
        y = ops.relu(x)
    else:
        above = ops.greater_equal(x, threshold) if threshold == 0 else ops.greater(x, threshold)
        y = ops.where(above, x, ops.multiply(ops.subtract(x, threshold), negative_slope))
    return y if max_value is None else ops.minimum(y, float(max_value))


def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the normal distribution function of x."""
    return ops.gelu(x, approximate=approximate)


swish = silu


def get(identifier: Any) -> Any:
    """An activation by name, configuration or function; None is ``linear``."""
    if identifier is None:
        return linear
    if isinstance(identifier, dict):
        identifier = registry.deserialize(identifier)
    if isinstance(identifier, str):
        return registry.lookup("keras.activations", identifier, "activation")
    if callable(identifier):
        return identifier
    raise TypeError(f"an activation is a name or a function, not {identifier!r}")


registry.publish("keras.activations", {name: globals()[name] for name in __all__ if name != "get"})

serialize, deserialize = registry.serialize, registry.deserialize
__all__ += ["deserialize", "serialize"]
