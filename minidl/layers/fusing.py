"""Two layers in fewer passes: a batch norm and the ReLU behind it, a convolution and the pooling behind it.

Models ask for it where one layer's output goes to the other layer alone: ``first.fused_with(second)``. What is fused is
settled when the graph is built; whether it runs fused is looked at in every call. It does not where somebody listens to
one of the two layers (``visualize``, or an open trace), for then there must be something between them.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from minidl import activations
from minidl.engine.op import is_recording

from .activation import LeakyReLU, ReLU
from .core import Activation
from .layer import Layer

__all__ = ["ConvAndPool", "NormAndRelu", "Steps", "pool_behind", "relu_behind", "slope_of"]

relu_behind: ContextVar[float | None] = ContextVar("relu_behind", default=None)  # the slope that a batch norm adds
pool_behind: ContextVar[Any] = ContextVar("pool_behind", default=None)  # the layer that pools between kernel and bias
_STRINGS = {activations.relu: 0.0, activations.leaky_relu: 0.2}
_call_layer = Layer.__call__


def slope_of(layer: Any) -> float | None:
    """The slope below 0 of a layer that is a ReLU (0) or a leaky one; None for any other."""
    if type(layer) is ReLU:
        return float(layer.negative_slope) if layer.max_value is None and layer.threshold == 0 else None
    if type(layer) is LeakyReLU:
        return float(layer.negative_slope) or None  # with a slope of 0 its gradient at 0 is not that of ReLU
    return _STRINGS.get(layer.activation) if type(layer) is Activation else None


class _Pair:
    """``second(first(x))``: the first layer is told of the second, and does what both do."""

    told: ContextVar[Any]  # where the first layer finds what it is told

    def __init__(self, first: Any, second: Any):
        self.first, self.second = first, second

    def message(self) -> Any:
        """What the first layer is told; None where the two must run apart."""
        raise NotImplementedError

    def __call__(self, x: Any) -> Any:
        apart = x.data is None or Layer.__call__ is not _call_layer  # x without data is symbolic; else a trace is open
        message = None if apart or self._listened_to() else self.message()
        if message is None:
            return self.second(self.first(x))
        token = self.told.set(message)
        try:
            return self.first(x)
        finally:
            self.told.reset(token)

    def _listened_to(self) -> bool:
        """Whether each of the two must be called: for somebody who replaced its ``call``, or for the first time."""
        return any(
            not one._was_called
            or one.activity_regularizer is not None
            or ("call" in vars(one) and not getattr(one.call, "fuses", False))
            for one in (self.first, self.second)
        )


class NormAndRelu(_Pair):
    """A BatchNormalization and a layer with a slope."""

    told = relu_behind

    def message(self) -> float | None:
        return slope_of(self.second)


class ConvAndPool(_Pair):
    """A Conv2D with bias and ReLU, and a MaxPooling2D, which come in another order: maximum, bias, ReLU.

    Adding a number and cutting at 0 keep the order of numbers, so the largest one stays the largest: max(relu(z + b))
    is relu(max(z) + b). Then bias, ReLU and their gradients are passes over the windows, with 2x2 a quarter of the
    pixels. (Without a gradient there is nothing to gain: the convolution adds bias and ReLU on its way.)
    """

    told = pool_behind

    def message(self) -> Any:
        adds = self.first.activation is activations.relu and self.first.bias is not None
        return self.second if adds and is_recording() else None


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
