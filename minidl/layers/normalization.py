"""Batch normalisation (Ioffe and Szegedy 2015) with Keras' defaults."""

from typing import Any

from minidl import config, initializers, ops, registry
from minidl.engine.tensor import raw

from .fusing import NormAndRelu, relu_behind, slope_of
from .gamma_beta import GammaAndBeta
from .input_spec import InputSpec

__all__ = ["BatchNormalization"]


class BatchNormalization(GammaAndBeta):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, for each place of ``axis``.

    In training, mean and (biased) variance are the batch's, and the moving ones follow:
    moving = momentum * moving + (1 - momentum) * batch. Otherwise, and wherever the layer is frozen, the moving
    ones are used and stay as they are.

    Args:
        axis: the axis of the channels.
        momentum, epsilon: as in the formulas.
        center, scale: whether there are beta and gamma.
    """

    supports_masking = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        **kwargs: Any,
    ):
        if kwargs.pop("renorm", False):
            raise ValueError("BatchNormalization: renorm=True is not supported")
        for ignored in ("renorm_clipping", "renorm_momentum"):
            kwargs.pop(ignored, None)
        super().__init__(**kwargs)
        if synchronized:
            raise ValueError("BatchNormalization: synchronized=True is not supported: there is one process")
        self.axis = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
        if not isinstance(self.axis, int):
            raise ValueError(f"axis must be a whole number, not {axis!r}")
        self.momentum, self.epsilon = float(momentum), float(epsilon)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self._settle_gamma_and_beta(
            center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint,
        )  # fmt: skip

    def build(self, input_shape):
        if not -len(input_shape) <= self.axis < len(input_shape):
            raise ValueError(
                f"layer {self.name!r}: axis={self.axis} is out of range for inputs of {len(input_shape)} axes, shape "
                f"{tuple(input_shape)}; the channels are axis=-1"
            )
        extent = input_shape[self.axis]
        if extent is None:
            raise ValueError(f"layer {self.name!r}: axis {self.axis} must be known, got shape {input_shape}")
        shape = (extent,)
        self._add_gamma_and_beta(shape)
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: extent})

    def fused_with(self, other):
        """What computes ``other(self(x))`` in fewer passes, for a layer behind this one; None where nothing does."""
        alike = type(self) is BatchNormalization and slope_of(other) is not None and other.dtype == self.dtype
        return NormAndRelu(self, other) if alike else None

    def call(self, inputs, training=False, mask=None):
        slope = relu_behind.get()
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ValueError(
                f"layer {self.name!r}: mask has one axis less than the inputs, not the shapes {tuple(mask.shape)} and "
                f"{inputs.shape}"
            )
        if not (training and self.trains_now()):
            return _with_relu(
                ops.batch_normalization(
                    inputs, self.moving_mean, self.moving_variance, self.axis, self.beta, self.gamma, self.epsilon
                ),
                slope,
            )
        if mask is not None:
            return _with_relu(self._by_masked_statistics(inputs, mask), slope)
        last = self.axis in (-1, len(inputs.shape) - 1)
        x = inputs if last else ops.moveaxis(inputs, self.axis, -1)
        extent = x.shape[-1]
        gamma = self.gamma if self.gamma is not None else ops.ones((extent,), x.dtype)
        beta = self.beta if self.beta is not None else ops.zeros((extent,), x.dtype)
        if slope is None:
            y, mean, variance = ops.batch_norm(x, gamma, beta, self.epsilon)
        else:
            y, mean, variance = ops.batch_norm_relu(x, gamma, beta, self.epsilon, slope)
        if x.size:
            self._move(mean, variance)
        return y if last else ops.moveaxis(y, -1, self.axis)

    def _move(self, mean, variance):
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving.data * self.momentum + raw(batch) * (1 - self.momentum))

    def _by_masked_statistics(self, inputs, mask):
        """Statistics of the places where the mask is true; a mask has no place for the last axis (as in Keras)."""
        axes = tuple(i for i in range(len(inputs.shape)) if i != self.axis % len(inputs.shape))
        weights = ops.cast(ops.not_equal(ops.expand_dims(mask, -1), 0), inputs.dtype)
        weights = ops.broadcast_to(weights, inputs.shape)
        count = ops.add(ops.sum(weights, axis=axes, keepdims=True), config.epsilon())
        mean = ops.divide(ops.sum(ops.multiply(inputs, weights), axis=axes, keepdims=True), count)
        apart = ops.multiply(ops.subtract(inputs, mean), weights)
        variance = ops.divide(ops.sum(ops.square(apart), axis=axes, keepdims=True), count)
        mean, variance = ops.reshape(mean, (-1,)), ops.reshape(variance, (-1,))
        self._move(mean, variance)
        return ops.batch_normalization(inputs, mean, variance, self.axis, self.beta, self.gamma, self.epsilon)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "moving_mean_initializer": registry.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": registry.serialize(self.moving_variance_initializer),
        }


def _with_relu(y, slope):
    if slope is None:
        return y
    return ops.leaky_relu(y, slope) if slope else ops.relu(y)
