"""Lambda: a function as a layer."""

import inspect
from typing import Any

from minidl import registry
from minidl.graph.symbolic import flatten, infer

from .layer import Layer, map_structure_of_shapes

__all__ = ["Lambda"]


class Lambda(Layer):
    """A function of the inputs as a layer; for weights, write a Layer.

    Args:
        function: of the inputs, and of ``mask`` and ``training`` where it takes them; made of ``minidl.ops``.
        output_shape: of one sample, or a function from the shape of the inputs to that of the outputs; default: found
            by a run on zeros.
        mask: what ``compute_mask`` returns, or a function of inputs and mask that gives it.
        arguments: further arguments of the function, by name.

    A Lambda of a named function is saved by that name, which must be registered where the file is opened. One of a
    Python lambda cannot be saved: its code would be, and opening a file would run it.
    """

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"function must be a function of the inputs, not {function!r}")
        self.function, self.arguments = function, arguments or {}
        self._output_shape, self.mask = output_shape, mask
        self.supports_masking = mask is not None
        taken = inspect.signature(function).parameters
        self._takes = {name for name in ("mask", "training") if name in taken}

    def call(self, inputs, mask=None, training=None):
        more = {name: value for name, value in (("mask", mask), ("training", training)) if name in self._takes}
        return self.function(inputs, **{**more, **self.arguments})

    def compute_output_spec(self, *args, **kwargs):
        if self._output_shape is None:  # a run finds the dtype as well
            return infer(self, args, kwargs)
        return super().compute_output_spec(*args, **kwargs)

    def compute_output_shape(self, input_shape):
        if self._output_shape is None:
            return Layer.compute_output_shape(self, input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        batch = flatten(input_shape)[0]
        return map_structure_of_shapes(lambda shape: (batch, *shape), self._output_shape)

    def compute_mask(self, inputs, previous_mask=None):
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def get_config(self):
        settings = {**super().get_config(), "function": _named(self.function, "function")}
        if self._output_shape is not None:
            settings["output_shape"] = _named(self._output_shape, "output_shape")
        if self.mask is not None:
            settings["mask"] = _named(self.mask, "mask")
        return {**settings, "arguments": registry.serialize(self.arguments)}

    @classmethod
    def from_config(cls, config):
        settings = {
            **config,
            **{key: registry.deserialize(config[key]) for key in ("function", "mask") if key in config},
        }
        shape = registry.deserialize(config.get("output_shape"))
        if isinstance(shape, list) and all(isinstance(n, (int, type(None))) for n in shape):
            shape = tuple(shape)
        return cls(**{**settings, "output_shape": shape, "arguments": registry.deserialize(config.get("arguments"))})


def _named(value: Any, argument: str) -> Any:
    """A configuration of what a file can hold by name.

    Raises:
        ValueError: a Python lambda.
    """
    if getattr(value, "__name__", "") == "<lambda>":
        raise ValueError(
            f"a Lambda layer whose {argument} is a lambda cannot be saved: write it as a function with a name, and "
            f"decorate that with @minidl.saving.register_keras_serializable()"
        )
    return registry.serialize(value)
