"""Dense, Flatten, Reshape, Activation, Dropout and the input of a model."""

import math
from typing import Any

import numpy as np

from minidl import activations, constraints, initializers, ops, random, registry, regularizers
from minidl.graph.symbolic import KerasTensor, record
from minidl.ops.layout import data_format_of

from .input_spec import InputSpec
from .layer import Layer

__all__ = ["Activation", "Dense", "Dropout", "Flatten", "Input", "InputLayer", "Reshape"]


class InputLayer(Layer):
    """Where data enters a model.

    Args:
        shape: of one sample; ``batch_shape`` instead includes the batch axis.
        batch_size: extent of the batch axis, where it is fixed.
        dtype: of the data.
    """

    def __init__(self, shape=None, batch_size=None, dtype=None, batch_shape=None, name=None, **kwargs):
        batch_shape = batch_shape or kwargs.pop("batch_input_shape", None)
        if (shape is None) == (batch_shape is None):
            raise ValueError("InputLayer needs shape (of one sample) or batch_shape, and not both")
        kwargs.pop("trainable", None)
        for ignored in ("sparse", "ragged", "optional"):
            if kwargs.pop(ignored, False):
                raise ValueError(f"InputLayer: {ignored}=True is not supported")
        super().__init__(name=name, **kwargs)
        if isinstance(shape, int):
            raise ValueError(f"shape must be a tuple such as ({shape},), not the number {shape}")
        self.batch_shape = tuple(batch_shape) if batch_shape is not None else (batch_size, *shape)
        if any(n is not None and (not isinstance(n, (int, np.integer)) or n < 1) for n in self.batch_shape):
            raise ValueError(f"shape must hold positive whole numbers, or None where the data decides, not {shape}")
        self.input_dtype = str(np.dtype(dtype or self.dtype))
        self.built = True
        tensor = KerasTensor(self.batch_shape, self.input_dtype, name=self.name)
        record(self, (), {}, tensor)
        self._inbound.append(tensor.call)

    def call(self, inputs):
        return inputs

    def get_config(self):
        return {"batch_shape": list(self.batch_shape), "dtype": self.input_dtype, "name": self.name}


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
) -> Any:
    """A symbolic tensor: the input of a functional model.

    Args:
        shape: of one sample, without the batch axis, such as (32, 32, 3).
        batch_size: where it is fixed.
        dtype: default floatx.
        batch_shape: shape with the batch axis, instead of ``shape``.
        name: the layer's name, by which data can be passed in a dictionary.
    """
    return InputLayer(shape=shape, batch_size=batch_size, dtype=dtype, batch_shape=batch_shape, name=name).output


class Dense(Layer):
    """activation(x @ kernel + bias).

    Args:
        units: how many outputs.
        activation: name or function; default: none.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: default "glorot_uniform" and "zeros".
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties added to the loss.
        kernel_constraint, bias_constraint: applied after every update.

    Shapes: (batch, ..., features) -> (batch, ..., units); kernel (features, units), bias (units,).
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ):
        kwargs.pop("quantization_config", None)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_int("units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape):
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"Dense {self.name!r}: the last axis of the input must be known, got shape {input_shape}; give all "
                f"sizes in Input(shape=...), or write GlobalAveragePooling2D() in place of Flatten()"
            )
        self.kernel = self.add_weight(
            (features, self.units), self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs):
        if self.bias is None:
            return self.activation(ops.matmul(inputs, self.kernel))
        if self.activation is activations.relu:
            return ops.dense(inputs, self.kernel, self.bias, "relu")
        return self.activation(ops.dense(inputs, self.kernel, self.bias, None))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), "units": self.units, **weighted_config(self)}


def weighted_config(layer: Any) -> dict[str, Any]:
    """The settings that all layers with a kernel and a bias share."""
    return {
        "activation": registry.serialize(layer.activation),
        "use_bias": layer.use_bias,
        "kernel_initializer": registry.serialize(layer.kernel_initializer),
        "bias_initializer": registry.serialize(layer.bias_initializer),
        "kernel_regularizer": registry.serialize(layer.kernel_regularizer),
        "bias_regularizer": registry.serialize(layer.bias_regularizer),
        "kernel_constraint": registry.serialize(layer.kernel_constraint),
        "bias_constraint": registry.serialize(layer.bias_constraint),
    }


def positive_int(name: str, value: Any) -> int:
    """``value`` as a positive whole number, or a clear error."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, not {value!r}")
    return int(value)


class Activation(Layer):
    """An activation function as a layer.

    Args:
        activation: name or function.
    """

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs):
        return self.activation(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "activation": registry.serialize(self.activation)}


class Flatten(Layer):
    """(batch, a, b, ...) -> (batch, a * b * ...); (batch,) -> (batch, 1).

    Args:
        data_format: with "channels_first" the first of these axes is moved to the end before.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = data_format_of(data_format)

    def call(self, inputs):
        if self.data_format == "channels_first" and len(inputs.shape) > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))

    def compute_output_shape(self, input_shape):
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


def channels_last(data_format: Any) -> str:
    """The only layout there is, or a clear error."""
    if data_format not in (None, "channels_last"):
        raise ValueError(
            f"data_format must be 'channels_last', not {data_format!r}: pictures are (batch, rows, columns, channels)"
        )
    return "channels_last"


class Reshape(Layer):
    """The elements of each sample in another shape.

    Args:
        target_shape: of one sample; one extent may be -1.
    """

    def __init__(self, target_shape: Any, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(target_shape, (list, tuple)):
            raise ValueError(f"target_shape must be a tuple such as (28, 28, 1), or (4,), not {target_shape!r}")
        self.target_shape = tuple(int(n) for n in target_shape)
        if any(n < -1 for n in self.target_shape) or self.target_shape.count(-1) > 1:
            raise ValueError(f"target_shape must hold whole numbers, at most one of them -1, not {target_shape!r}")

    def call(self, inputs):
        return ops.reshape(inputs, (inputs.shape[0], *self._resolved(inputs.shape[1:])))

    def _resolved(self, shape):
        if None in shape:
            return tuple(None if n == -1 else n for n in self.target_shape)
        size, known = math.prod(shape), math.prod(n for n in self.target_shape if n != -1)
        if -1 in self.target_shape:
            if known == 0 or size % known:
                raise ValueError(f"Reshape {self.name!r}: {tuple(shape)} does not fit {self.target_shape}")
            return tuple(size // known if n == -1 else n for n in self.target_shape)
        if size != known:
            hint = "; it is the shape of one sample, without the batch axis" if known % size == 0 else ""
            raise ValueError(
                f"Reshape {self.name!r}: {tuple(shape)} has {size} elements, but target_shape "
                f"{self.target_shape} has {known}{hint}"
            )
        return self.target_shape

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self._resolved(input_shape[1:]))

    def get_config(self):
        return {**super().get_config(), "target_shape": list(self.target_shape)}


class Dropout(Layer):
    """In training, each element is 0 with probability ``rate`` and else divided by 1 - rate; otherwise the identity.

    Args:
        rate: in [0, 1].
        noise_shape: shape of the mask, broadcast over the inputs.
        seed: for the same masks in every run.
    """

    supports_masking = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            percent = isinstance(rate, int) and 1 < rate <= 100
            hint = f"; {rate} percent are {rate / 100}" if percent else ""
            raise ValueError(f"rate must be a number from 0 to 1, not {rate!r}{hint}")
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed
        self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return ops.zeros_like(inputs)
        return random.dropout(inputs, self.rate, self.noise_shape, self.seed_generator)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
