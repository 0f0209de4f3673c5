"""What single layers give while a model runs: their outputs are kept, and gradients can be asked for at them."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minidl.engine.op import Node
from minidl.engine.tensor import Tensor
from minidl.layers import InputLayer, Layer

__all__ = ["Watch", "before_softmax", "find_layer", "one_picture"]


class Watch:
    """Inside the ``with`` block, ``values`` holds what each watched layer gave in its last call.

    Works for models of every kind, also for layers inside models inside models: nothing is built anew.

    Args:
        layers: layers (or models) of the model that will run.
        leaves: let the graph begin anew at these outputs. Gradients can then be taken with respect to them whether or
            not anything below trains, and the walk stops there.
    """

    def __init__(self, layers: Iterable[Layer], leaves: bool = False):
        self.layers, self.leaves = list(layers), leaves
        self.values: dict[Layer, Tensor] = {}

    def __enter__(self) -> "Watch":
        for layer in self.layers:
            layer.__dict__["call"] = self._kept(layer, layer.call)
        return self

    def __exit__(self, *exception: object) -> None:
        for layer in self.layers:
            layer.__dict__.pop("call", None)

    def _kept(self, layer: Layer, call: Any) -> Any:
        def keep(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            if isinstance(outputs, Tensor) and outputs.data is not None:
                if self.leaves and outputs.dtype.kind == "f":
                    outputs = Tensor(outputs.data, requires_grad=True)
                self.values[layer] = outputs
            return outputs

        return keep


def find_layer(model: Any, layer: Any) -> Layer:
    """The layer itself, the one of a name (at any depth), or the one at an index of ``model.layers``.

    Raises:
        ValueError: the model has no such layer.
        TypeError: not a layer, name or index.
    """
    if isinstance(layer, (int, np.integer)) and not isinstance(layer, bool):
        if not -len(model.layers) <= layer < len(model.layers):
            raise ValueError(f"layer {layer} was asked for, but {model.name!r} has {len(model.layers)} layers")
        return model.layers[layer]
    inside = [one for one in model._flatten_layers() if one is not model and not isinstance(one, InputLayer)]
    if isinstance(layer, str):
        named = [one for one in inside if one.name == layer]
        if not named:
            raise ValueError(f"{model.name!r} has no layer {layer!r}; it has {[one.name for one in inside]}")
        return named[0]
    if not isinstance(layer, Layer):
        raise TypeError(f"layer must be a layer, its name or its index, not {layer!r}")
    if not any(one is layer for one in inside):
        raise ValueError(f"layer {layer.name!r} is not part of {model.name!r}")
    return layer


def one_picture(model: Any, x: Any) -> np.ndarray:
    """A sample as a batch of one, in floats; ``x`` comes with or without that axis.

    Raises:
        ValueError: more than one sample, or a shape that the model does not take.
    """
    array = x.numpy() if isinstance(x, Tensor) else np.asarray(x)
    axes = len(model.input_shape) if model.built and isinstance(getattr(model, "input_shape", None), tuple) else 4
    if array.ndim == axes - 1:
        array = array[None]
    if array.ndim != axes or len(array) != 1:
        wanted = getattr(model, "input_shape", ("batch", "height", "width", "channels"))
        raise ValueError(f"x must be one sample of a batch of shape {tuple(wanted)}, not of shape {np.shape(x)}")
    return array.astype(model.dtype, copy=False)


def before_softmax(outputs: Tensor) -> Tensor:
    """What went into the softmax or sigmoid at the end of a model; the outputs themselves where there is none.

    Gradients of a probability vanish where it is near 0 or 1; those of the number before do not. Only the place in the
    graph is right, not the values: softmax does not keep what went in.
    """
    node = outputs.node
    if node is None or node.op.name not in ("softmax_last", "sigmoid"):
        return outputs
    source = node.steps[0][1]
    return Tensor.of(outputs.data, source) if isinstance(source, Node) else source
