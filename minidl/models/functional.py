"""The functional model: a graph from inputs to outputs."""

from typing import Any

from minidl.graph.function import Function
from minidl.graph.symbolic import KerasTensor, map_structure
from minidl.layers import Layer, masks

from .graph_config import config_of_graph, takes_a_graph
from .model import Model

__all__ = ["Functional"]


class Functional(Model):
    """``Model(inputs, outputs)``.

    Args:
        inputs, outputs: symbolic tensors, or lists or dictionaries of them.
        name: default "functional", numbered.
    """

    first_call_number = 1  # in files, where a model's outputs are named

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any):
        if inputs is None or outputs is None:
            raise ValueError("a functional model needs both: Model(inputs=..., outputs=...)")
        self._function = Function(inputs, outputs)
        trainable = kwargs.pop("trainable", True)
        super().__init__(name=name, **kwargs)
        self.input_structure, self.output_structure = inputs, self._function.output_structure
        self._added: list[KerasTensor] = []  # the symbolic losses
        self._with_losses: Function | None = None
        self._loss_layers: list[Layer] = []  # those that only the losses need
        self._graph_layers = [one for one in self._function.operations() if isinstance(one, Layer)]
        names = [layer.name for layer in self._graph_layers]
        twice = sorted({one for one in names if names.count(one) > 1})
        if twice:
            raise ValueError(f"layer names must differ; {twice} are used by several layers: give them name=...")
        self.built = True
        if not trainable:
            self.trainable = False

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs."""
        return self._function.inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs."""
        return self._function.outputs

    @property
    def input(self) -> Any:
        return self.input_structure

    @property
    def output(self) -> Any:
        return self.output_structure

    @property
    def input_shape(self) -> Any:
        """The shape of the input, batch axis first; of several, a list of shapes."""
        return _one_or_all([t.shape for t in self.inputs])

    @property
    def output_shape(self) -> Any:
        """The shape of the output, batch axis first; of several, a list of shapes."""
        return _one_or_all([t.shape for t in self.outputs])

    @property
    def layers(self) -> list[Layer]:
        return list(self._graph_layers)

    def _sublayers(self) -> list[Layer]:
        return self._graph_layers + self._loss_layers

    def add_loss(self, loss: Any) -> None:
        """Add a loss that every call makes anew: a symbolic tensor that follows from the inputs, or a list of them.

        Keras 2 had this for functional models; in a ``call`` method, ``add_loss`` takes values. It is no part of the
        model's configuration or files: add it again to a model that was opened.

        Raises:
            ValueError: a loss that does not follow from the inputs of the model.
        """
        given = list(loss) if isinstance(loss, (list, tuple)) else [loss]
        symbolic = [one for one in given if isinstance(one, KerasTensor)]
        values = [one for one in given if not isinstance(one, KerasTensor)]
        if values:
            super().add_loss(values)
        if symbolic:
            both = {"outputs": self.output_structure, "losses": [*self._added, *symbolic]}
            self._with_losses = Function(self.input_structure, both)
            self._added += symbolic
            known = {id(layer) for layer in self._flatten_layers()}
            needed = (one for one in self._with_losses.operations() if isinstance(one, Layer))
            self._loss_layers += [one for one in needed if id(one) not in known]

    @property
    def input_names(self) -> list[str]:
        """The names by which inputs can be given in a dictionary."""
        return [_maker_name(t) for t in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: those of the layers that make them, or the keys of a dictionary."""
        if isinstance(self.output_structure, dict):
            return sorted(self.output_structure)
        return [_maker_name(t) for t in self.outputs]

    def _prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        return None

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None:
            masks.put(inputs, mask)
        names = sorted(self.input_structure) if isinstance(self.input_structure, dict) else self.input_names
        given = self._named_inputs(inputs, names)
        values = [self._adapted(v, t, _maker_name(t)) for v, t in zip(given, self.inputs, strict=True)]
        if self._with_losses is None:
            return _one_or_all(self._function(values))
        made = self._with_losses(values)
        super().add_loss(made["losses"])
        return _one_or_all(made["outputs"])

    def get_config(self) -> dict[str, Any]:
        if not takes_a_graph(type(self)):
            return super().get_config()
        config = {"name": self.name, "trainable": self._trainable}
        return {**config, **config_of_graph(self._function, self.input_structure, self.output_structure)}

    def compute_output_shape(self, input_shape: Any) -> Any:
        given = [input_shape] if not isinstance(input_shape, (list, dict)) else list(_shapes(input_shape))
        if [tuple(s)[1:] for s in given] == [t.shape[1:] for t in self.inputs]:
            return map_structure(lambda t: (given[0][0], *t.shape[1:]), _one_or_all(self.output_structure))
        return super().compute_output_shape(input_shape)


def _one_or_all(values: Any) -> Any:
    return values[0] if isinstance(values, (list, tuple)) and len(values) == 1 else values


def _shapes(structure: Any) -> Any:
    return structure.values() if isinstance(structure, dict) else structure


def _maker_name(tensor: KerasTensor) -> str:
    return tensor.call.operation.name if tensor.call is not None else tensor.name
