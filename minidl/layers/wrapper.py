"""Layers around a layer."""

from typing import Any

from minidl import ops, registry

from .layer import Layer

__all__ = ["TimeDistributed", "Wrapper"]


class Wrapper(Layer):
    """Base class of layers around a layer, which is ``self.layer``.

    Args:
        layer: any layer or model.
    """

    def __init__(self, layer: Any, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(f"{type(self).__name__} goes around a layer, not {layer!r}")
        self.layer = layer

    def build(self, input_shape=None):
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    def get_config(self):
        return {**super().get_config(), "layer": registry.serialize(self.layer)}

    @classmethod
    def from_config(cls, config):
        settings = dict(config)
        layer = settings.pop("layer")
        return cls(registry.deserialize(layer) if isinstance(layer, dict) else layer, **settings)


class TimeDistributed(Wrapper):
    """A layer for each step of a sequence, one step after the other, with the same weights.

    Args:
        layer: what each step goes through.

    Shapes: (batch, steps, ...) -> (batch, steps, ...), where each step goes through ``layer`` as (batch, ...).
    """

    supports_masking = True

    def build(self, input_shape):
        super().build(self._of_one_step(input_shape))

    def _of_one_step(self, input_shape):
        if not isinstance(input_shape, (list, tuple)) or len(input_shape) < 3:
            raise ValueError(
                f"TimeDistributed {self.name!r} takes inputs of 3 axes at least, (batch, steps, ...), not {input_shape}"
            )
        return (input_shape[0], *input_shape[2:])

    def call(self, inputs, training=None, mask=None):
        if mask is not None and tuple(mask.shape[:2]) != tuple(inputs.shape[:2]):
            raise ValueError(
                f"TimeDistributed {self.name!r}: mask of shape {tuple(mask.shape)} does not have the batch and "
                f"steps of inputs of shape {inputs.shape}"
            )
        masked = mask is not None and "mask" in self.layer._call_parameters
        steps = [
            self.layer(inputs[:, i], training=training, **({"mask": mask[:, i]} if masked else {}))
            for i in range(inputs.shape[1])
        ]
        return ops.stack(steps, axis=1)

    def compute_output_shape(self, input_shape):
        made = self.layer.compute_output_shape(self._of_one_step(input_shape))
        return (made[0], input_shape[1], *made[1:])
