"""Activations that are layers of their own."""

from typing import Any

from minidl import activations, constraints, initializers, ops, registry, regularizers

from .input_spec import InputSpec
from .layer import Layer

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class ReLU(Layer):
    """max(x, 0), with Keras' options.

    Args:
        max_value: the output's upper limit.
        negative_slope: slope below the threshold.
        threshold: where the ramp starts.
    """

    supports_masking = True

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

    supports_masking = True

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


class ELU(Layer):
    """x where it is positive, else alpha * (exp(x) - 1) (Clevert et al. 2016).

    Args:
        alpha: minus the limit for small x.
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs):
        return activations.elu(inputs, self.alpha)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


class PReLU(Layer):
    """x where it is positive, else alpha * x with a learned alpha for each feature (He et al. 2015).

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: of the slopes; they start at 0.
        shared_axes: along these axes (1 is the first behind the batch axis) one slope serves all places, such as
            [1, 2] of pictures.

    Shapes: alpha has the shape of a sample, with 1 for the shared axes.
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes and list(shared_axes)

    def build(self, input_shape):
        shared = {axis % len(input_shape) for axis in self.shared_axes or ()}
        shape = tuple(1 if i in shared else n for i, n in enumerate(input_shape))[1:]
        if None in shape:
            raise ValueError(
                f"PReLU {self.name!r}: axes without a known extent must be in shared_axes={self.shared_axes}, "
                f"got shape {input_shape}"
            )
        self.alpha = self.add_weight(
            shape, self.alpha_initializer, regularizer=self.alpha_regularizer, constraint=self.alpha_constraint,
            name="alpha",
        )  # fmt: skip
        axes = {i: n for i, n in enumerate(input_shape) if i and i not in shared} if shared else {}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)

    def call(self, inputs):
        return ops.subtract(ops.relu(inputs), ops.multiply(self.alpha, ops.relu(ops.negative(inputs))))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "alpha_initializer": registry.serialize(self.alpha_initializer),
            "alpha_regularizer": registry.serialize(self.alpha_regularizer),
            "alpha_constraint": registry.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }


class Softmax(Layer):
    """Softmax over an axis.

    Args:
        axis: a number, or several, over which the outputs sum to 1.

    Call with ``mask``, of a shape that broadcasts to the inputs', to leave out the places where it is false: they
    become 0, and the others sum to 1.
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs, mask=None):
        if mask is not None:
            mask = self._as_mask(mask, inputs.shape)
            inputs = ops.where(mask, inputs, -1e9)
        axes = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else (self.axis,)
        if len(axes) > 1:
            y = ops.exp(ops.subtract(inputs, ops.logsumexp(inputs, axis=axes, keepdims=True)))
        else:
            y = activations.softmax(inputs, axis=axes[0])
        return y if mask is None else ops.where(mask, y, 0.0)

    def _as_mask(self, mask, shape):
        fits = len(mask.shape) <= len(shape)
        for extent, of_inputs in zip(reversed(mask.shape), reversed(shape), strict=False):
            fits = fits and extent in (1, of_inputs)
        if not fits:
            raise ValueError(
                f"Softmax {self.name!r}: mask of shape {tuple(mask.shape)} does not broadcast to the inputs' {shape}"
            )
        return mask if mask.dtype.kind == "b" else ops.greater(mask, 0.5)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
