"""Activations that are layers of their own."""

from typing import Any

from minidl import activations, ops

from .layer import Layer

__all__ = ["LeakyReLU", "ReLU", "Softmax"]


class ReLU(Layer):
    """max(x, 0), with Keras' options.

    Args:
        max_value: the output's upper limit.
        negative_slope: slope below the threshold.
        threshold: where the ramp starts.
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ):
        super().__init__(**kwargs)
        for name, value in (("max_value", max_value), ("negative_slope", negative_slope), ("threshold", threshold)):
            if value is not None and value < 0 or (value is None and name != "max_value"):
                raise ValueError(f"{name} must be a number from 0 on, not {value!r}")
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, inputs):
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(Layer):
    """x where it is positive, else negative_slope * x.

    Args:
        negative_slope: default 0.3 (the string activation "leaky_relu" has 0.2, as in Keras).
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any):
        if "alpha" in kwargs:  # Keras 2's name
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(f"negative_slope must be a number from 0 on, not {negative_slope!r}")
        self.negative_slope = negative_slope

    def call(self, inputs):
        return activations.leaky_relu(inputs, self.negative_slope)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "negative_slope": float(self.negative_slope)}


class Softmax(Layer):
    """Softmax over an axis.

    Args:
        axis: a number, or several, over which the outputs sum to 1.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs):
        if isinstance(self.axis, (list, tuple)):
            axes = tuple(self.axis)
            return ops.exp(ops.subtract(inputs, ops.logsumexp(inputs, axis=axes, keepdims=True)))
        return activations.softmax(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
