"""The sequential model: one layer after the other."""

from typing import Any

from minidl import registry
from minidl.engine.tensor import Tensor
from minidl.graph.symbolic import KerasTensor
from minidl.layers import Input, InputLayer, Layer, masks
from minidl.layers.fusing import Steps

from .model import Model
from .trainer import Snapshot

__all__ = ["Sequential"]


class Sequential(Model):
    """Layers in a row.

    It has weights as soon as it knows its input's shape: from an ``Input`` in front, from ``input_shape`` of the first
    layer, or from the first data.

    Args:
        layers: a list of layers.
        name: default "sequential", numbered.
    """

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None):
        super().__init__(name=name)
        if isinstance(layers, Layer) or isinstance(trainable, Layer):
            raise ValueError("the layers of a Sequential model are one list: Sequential([Dense(8), Dense(1)])")
        self._stack: list[Layer] = []
        self._symbolic: list[KerasTensor] = []  # the input, then each layer's output
        self._steps = Steps()
        for layer in layers or []:
            self._append(layer)
        self._extend_graph()
        if not trainable:
            self.trainable = False

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer at the end.

        Raises:
            ValueError: not a layer; a second layer of the same name.
        """
        self._append(layer)
        self._extend_graph()
        self._changed()

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer off."""
        if not self.layers:
            raise ValueError(f"{self.name!r} has no layers to pop")
        layer = self._stack.pop()
        del self._symbolic[len(self.layers) + 1 :]
        self._steps = Steps(self.layers)
        self.built = self.built and bool(self.layers)
        self._changed()
        return layer

    def _append(self, layer: Any) -> None:
        if isinstance(layer, KerasTensor) and layer.call is not None:  # Sequential([Input(...), ...])
            if not isinstance(layer.call.operation, InputLayer):
                raise ValueError(
                    f"only layers can be added to a Sequential model, not the output of {layer.call.operation!r}; "
                    f"write the layer alone, without (x)"
                )
            layer = layer.call.operation
        if not isinstance(layer, Layer):
            hint = ""
            if isinstance(layer, type) and issubclass(layer, Layer):
                hint = f"; make one of the class: {layer.__name__}()"
            elif isinstance(layer, str):
                hint = f"; write Activation({layer!r})"
            elif callable(layer):
                hint = "; write Lambda(function)"
            raise ValueError(
                f"only layers can be added to a Sequential model, not {layer!r} of type {type(layer).__name__}{hint}"
            )
        if any(one is not layer and one.name == layer.name for one in self._stack):
            raise ValueError(f"the model has a layer called {layer.name!r} already; give this one another name=...")
        if isinstance(layer, InputLayer) and self._stack:
            raise ValueError(f"an Input belongs in front of all layers; {self.name!r} has {len(self._stack)} already")
        if not self._stack and not isinstance(layer, InputLayer):
            shape = layer.batch_input_shape or getattr(layer, "input_shape", None)
            if isinstance(shape, tuple):
                self._stack.append(Input(batch_shape=shape).call.operation)
        self._stack.append(layer)
        if not isinstance(layer, InputLayer):
            self._steps.add(layer)

    def _extend_graph(self) -> None:
        """Call the layers that the graph lacks, once it is known what comes in."""
        if not self._symbolic and self._stack and isinstance(self._stack[0], InputLayer):
            self._symbolic = [self._stack[0].output]
        if self._symbolic:
            with self._scope():
                for layer in self.layers[len(self._symbolic) - 1 :]:
                    self._symbolic.append(layer(self._symbolic[-1]))
            self.built = bool(self.layers)

    def _changed(self) -> None:
        """Forget recorded predictions, and look again which weights train, where the model is compiled already."""
        self._predictions = None
        if self.compiled:
            self._snapshot = Snapshot(self)

    def build(self, input_shape: Any = None) -> None:
        """Create the weights for inputs of this shape, batch axis first.

        Raises:
            ValueError: no shape, no layers, or a shape that differs from the one that the model has.
        """
        if not self._stack:
            raise ValueError(f"Sequential model {self.name!r} has no layers; add some with .add()")
        if not self._symbolic:
            if input_shape is None:
                raise ValueError(f"{self.name!r}: build() needs the shape of the input, batch axis first")
            self._symbolic = [Input(batch_shape=tuple(input_shape))]
        elif input_shape is not None and tuple(input_shape) != self._symbolic[0].shape:
            raise ValueError(
                f"{self.name!r} has inputs of shape {self._symbolic[0].shape}; it cannot be built again for "
                f"{tuple(input_shape)}"
            )
        self._extend_graph()

    def _prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not self.built and isinstance(args[0], Tensor):
            self.build(self._symbolic[0].shape if self._symbolic else (None, *args[0].shape[1:]))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None:
            masks.put(inputs, mask)
        x, first = inputs, self._stack[0]
        if isinstance(first, InputLayer):
            if not isinstance(x, Tensor):
                x = self._named_inputs(x, [first.name])[0]
            if x.shape[1:] != first.batch_shape[1:] or x.dtype != first.input_dtype:
                x = self._adapted(x, self._symbolic[0], first.name)
        for step in self._steps.called:
            x = step(x)
        return x

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = tuple(input_shape)
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input's."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def _sublayers(self) -> list[Layer]:
        return list({id(layer): layer for layer in self._stack}.values())

    def _known(self, what: str) -> list[KerasTensor]:
        if not self._symbolic:
            raise AttributeError(
                f"{self.name!r} has no {what} before its input's shape is known; put Input(shape=...) in "
                "front, or call it on data"
            )
        return self._symbolic

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic input."""
        return self._known("inputs")[:1]

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic output."""
        return self._known("outputs")[-1:]

    @property
    def input(self) -> KerasTensor:
        return self._known("input")[0]

    @property
    def output(self) -> KerasTensor:
        return self._known("output")[-1]

    @property
    def input_shape(self) -> tuple[Any, ...]:
        """The shape of the input, batch axis first."""
        return self._known("input_shape")[0].shape

    @property
    def output_shape(self) -> tuple[Any, ...]:
        """The shape of the output, batch axis first."""
        return self._known("output_shape")[-1].shape

    @property
    def output_names(self) -> list[str]:
        return [self._stack[-1].name if self._stack else "output"]

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype}
        config["layers"] = [registry.serialize(layer) for layer in self._stack]
        if self._symbolic:
            config["build_input_shape"] = list(self._symbolic[0].shape)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Sequential":
        layers = [registry.deserialize(layer) for layer in config["layers"]]
        model = cls(layers, name=config.get("name"))
        model._trainable = bool(config.get("trainable", True))  # the layers have flags of their own
        if not model.built and config.get("build_input_shape"):
            model.build(tuple(config["build_input_shape"]))
        return model
