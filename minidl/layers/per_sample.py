"""Layers that normalise within a sample: layer, group, unit and root-mean-square normalisation."""

from typing import Any

from minidl import ops

from .gamma_beta import GammaAndBeta
from .input_spec import InputSpec
from .layer import Layer

__all__ = ["GroupNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization"]


class _Scaled(GammaAndBeta):
    """Has gamma and beta, and axes."""

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        if kwargs.pop("rms_scaling", False):  # Keras writes it for LayerNormalization
            raise ValueError(f"{type(self).__name__}: rms_scaling=True is not supported; use RMSNormalization")
        super().__init__(**kwargs)
        self.axis, self.epsilon = checked_axes(axis), epsilon
        self._settle_gamma_and_beta(
            center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint,
        )  # fmt: skip

    def compute_output_shape(self, input_shape):
        extents_of(self, input_shape)
        return input_shape

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


def checked_axes(axis: Any) -> Any:
    """``axis`` as it is if it is a number, else as a list of numbers."""
    axes = [axis] if isinstance(axis, int) else list(axis) if isinstance(axis, (list, tuple)) else [None]
    if not axes or not all(isinstance(a, int) for a in axes):
        raise TypeError(f"axis must be a whole number or a list of them, not {axis!r}")
    return axis if isinstance(axis, int) else axes


def extents_of(layer: Any, input_shape: Any, known: bool = False) -> tuple[Any, ...]:
    """The extents of a layer's axes.

    Raises:
        ValueError: an axis that the input lacks, or (where they must be ``known``) an extent that is not.
    """
    axes = layer.axis if isinstance(layer.axis, list) else [layer.axis]
    ndim = len(input_shape)
    if any(not -ndim <= a < ndim for a in axes):
        raise ValueError(f"{type(layer).__name__} {layer.name!r}: axis={layer.axis} is out of range for {input_shape}")
    extents = tuple(input_shape[a] for a in axes)
    if known and None in extents:
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r}: the extents of axis={layer.axis} must be known, got shape "
            f"{input_shape}"
        )
    return extents


class LayerNormalization(_Scaled):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta with the statistics of each sample (Ba et al. 2016).

    Args:
        axis: over which mean and variance are taken; gamma and beta have its extents.
        epsilon: added to the variance.
        center, scale: whether there are beta and gamma.
        beta_initializer, gamma_initializer: default "zeros" and "ones".
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of the weights.
    """

    supports_masking = True

    def build(self, input_shape):
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        self._add_gamma_and_beta(extents_of(self, input_shape, known=True))

    def call(self, inputs):
        return ops.layer_normalization(inputs, self.gamma, self.beta, self.axis, self.epsilon)


class GroupNormalization(_Scaled):
    """Normalises groups of channels, each over all places of its sample (Wu and He 2018).

    Args:
        groups: how many; 1 takes all channels together, -1 each for itself (instance normalisation).
        axis: of the channels; gamma and beta have its extent.
        epsilon: added to the variance.
        center, scale: whether there are beta and gamma.
        beta_initializer, gamma_initializer: default "zeros" and "ones".
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of the weights.
    """

    supports_masking = True

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        if not isinstance(groups, int) or (groups < 1 and groups != -1):
            raise ValueError(f"groups must be a positive whole number, or -1 for one channel each, not {groups!r}")
        self.groups = groups

    def build(self, input_shape):
        (channels,) = extents_of(self, input_shape, known=True)
        self.groups = channels if self.groups == -1 else self.groups
        if channels % self.groups:
            raise ValueError(
                f"GroupNormalization {self.name!r}: {channels} channels cannot be cut into {self.groups} equal groups"
            )
        self._add_gamma_and_beta((channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs):
        axis = self.axis % len(inputs.shape)
        before, channels, after = inputs.shape[:axis], inputs.shape[axis], inputs.shape[axis + 1 :]
        grouped = (*before, self.groups, channels // self.groups, *after)
        over = [i for i in range(1, len(grouped)) if i != axis]
        y = ops.reshape(
            ops.layer_normalization(ops.reshape(inputs, grouped), None, None, over, self.epsilon), inputs.shape
        )
        extents = tuple(n if i == axis else 1 for i, n in enumerate(inputs.shape))
        y = y if self.gamma is None else ops.multiply(y, ops.reshape(self.gamma, extents))
        return y if self.beta is None else ops.add(y, ops.reshape(self.beta, extents))

    def get_config(self):
        return {**super().get_config(), "groups": self.groups}


class UnitNormalization(Layer):
    """x divided by its length over an axis.

    Args:
        axis: a number, or several; each sample (or row of one) then has length 1.
    """

    supports_masking = True

    def __init__(self, axis: Any = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = checked_axes(axis)

    def call(self, inputs):
        return ops.normalize(inputs, self.axis, order=2, epsilon=1e-12)

    def compute_output_shape(self, input_shape):
        extents_of(self, input_shape)
        return input_shape

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class RMSNormalization(Layer):
    """scale * x / sqrt(mean(x^2) + epsilon) (Zhang and Sennrich 2019).

    Args:
        axis: over which the mean is taken; the weight ``scale`` has its extents.
        epsilon: added to the mean.
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis, self.epsilon = checked_axes(axis), epsilon

    def build(self, input_shape):
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        self.scale = self.add_weight(extents_of(self, input_shape, known=True), "ones", name="scale")

    def call(self, inputs):
        return ops.rms_normalization(inputs, self.scale, self.axis, self.epsilon)

    def compute_output_shape(self, input_shape):
        extents_of(self, input_shape)
        return input_shape

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
