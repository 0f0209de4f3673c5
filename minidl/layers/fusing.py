"""A batch norm and the ReLU behind it, computed in one pass instead of two.

Models ask for it where one layer's output goes to the other layer alone: ``first.fused_with(second)``. What is fused is
settled when the graph is built; whether it runs fused is looked at in every call. It does not where somebody listens to
one of the two layers (``visualize``, or an open trace), for then there must be something between them.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from minidl import activations

from .activation import LeakyReLU, ReLU
from .core import Activation
from .layer import Layer

__all__ = ["NormAndRelu", "Steps", "relu_behind", "slope_of"]

relu_behind: ContextVar[float | None] = ContextVar("relu_behind", default=None)  # the slope that a batch norm adds
_STRINGS = {activations.relu: 0.0, activations.leaky_relu: 0.2}
_call_layer = Layer.__call__


def slope_of(layer: Any) -> float | None:
    """The slope below 0 of a layer that is a ReLU (0) or a leaky one; None for any other."""
    if type(layer) is ReLU:
        return float(layer.negative_slope) if layer.max_value is None and layer.threshold == 0 else None
    if type(layer) is LeakyReLU:
        return float(layer.negative_slope) or None  # with a slope of 0 its gradient at 0 is not that of ReLU
    return _STRINGS.get(layer.activation) if type(layer) is Activation else None


class NormAndRelu:
    """``second(first(x))`` for a BatchNormalization and a layer with a slope."""

    def __init__(self, first: Any, second: Any):
        self.first, self.second = first, second

    def __call__(self, x: Any) -> Any:
        slope = slope_of(self.second)
        if slope is None or x.data is None or Layer.__call__ is not _call_layer or self._listened_to():
            return self.second(self.first(x))  # x without data is symbolic; with another __call__ a trace is open
        token = relu_behind.set(slope)
        try:
            return self.first(x)
        finally:
            relu_behind.reset(token)

    def _listened_to(self) -> bool:
        """Whether each of the two must be called: for somebody who replaced its ``call``, or for the first time."""
        return any(
            not one._was_called
            or one.activity_regularizer is not None
            or ("call" in vars(one) and not getattr(one.call, "fuses", False))
            for one in (self.first, self.second)
        )


class Steps:
    """What a Sequential model calls one after the other: its layers, some of them two in one.

    Args:
        layers: the layers in order.
    """

    def __init__(self, layers: Iterable[Any] = ()):
        self.called: list[Any] = []
        for layer in layers:
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Put a layer at the end."""
        ask = getattr(self.called[-1], "fused_with", None) if self.called else None
        both = None if ask is None else ask(layer)
        if both is None:
            self.called.append(layer)
        else:
            self.called[-1] = both
