"""Model: layers that are trained, summarised and saved together."""

import math
from typing import Any, cast

from minidl import ops
from minidl.graph.symbolic import KerasTensor, flatten, infer, map_structure, symbolic_in
from minidl.layers import Layer, masks
from minidl.optimizers import Optimizer
from minidl.registry import did_you_mean

from .graph_config import graph_of_config, takes_a_graph
from .memory_report import MemoryReport, memory_report
from .trainer import Trainer

__all__ = ["Model"]


class Model(Trainer, Layer):
    """A trainable whole.

    Either ``Model(inputs=x, outputs=y)`` with symbolic tensors (from ``Input``), or a subclass with layers as
    attributes and a method ``call(self, inputs, training=None)``.

    Args:
        inputs, outputs: symbolic tensors, or lists or dictionaries of them.
        name: default: the class name in snake case, numbered.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and (args or "inputs" in kwargs or "outputs" in kwargs):
            from .functional import Functional

            return super().__new__(Functional)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any):
        if args or "inputs" in kwargs or "outputs" in kwargs:
            if not any(True for _ in symbolic_in((args, kwargs))):
                raise TypeError(
                    f"{type(self).__name__}: Model.__init__ takes symbolic inputs and outputs, or none and name=... at "
                    f"most, not {args or kwargs}; keep other arguments in your own __init__"
                )
            from .functional import Functional

            _become_functional(type(self), Functional)
            Functional.__init__(cast(Functional, self), *args, **kwargs)
            return
        super().__init__(**kwargs)

    _input_shape_built: Any = None
    _warns_of_lost_masks = False  # the layers inside hand them on

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, in order."""
        return self._sublayers()

    @property
    def output_names(self) -> list[str] | None:
        """A name for each output; None while they are not known."""
        return None

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by index.

        Raises:
            ValueError: no such layer; names those there are.
        """
        if (name is None) == (index is None):
            raise ValueError("get_layer takes either a name or an index")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"the model has {len(self.layers)} layers; there is none with index {index}")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self.layers]
        raise ValueError(f"no layer is called {name!r}{did_you_mean(name, names)}; there are: {', '.join(names)}")

    def build(self, input_shape: Any = None) -> None:
        """Create the weights of a subclassed model for inputs of this shape, batch axis first."""
        if self.built or type(self).call is Layer.call or input_shape is None:
            return
        self._run_on_zeros(input_shape)
        self._input_shape_built = input_shape

    def _run_on_zeros(self, input_shape: Any) -> None:
        """Let the layers inside build themselves."""
        before, self.built = self.built, True
        try:
            infer(self, (self._symbolic_of(input_shape),), {})
        except Exception:
            self.built = before
            raise

    def _prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        # The layers inside a subclassed model build themselves when call() reaches them.
        self._check_spec(args[0])
        if not self.built:
            shapes = map_structure(lambda leaf: (None, *leaf.shape[1:]), args[0])
            if type(self).build is not Model.build:
                self.build(shapes)
            self._input_shape_built = shapes
        self.built = True

    def _call_symbolically(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        made = super()._call_symbolically(args, kwargs)
        own = getattr(self, "outputs", None) or ()
        for inner, outer in zip(own, flatten(made), strict=False):  # so that Model(x, inner.output) finds its way to x
            inner.elsewhere = [*getattr(inner, "elsewhere", ()), outer]
        return made

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A model of a configuration: of a graph where it holds one, else of the arguments of ``__init__``."""
        if "layers" not in config or not takes_a_graph(cls):
            return cls(**config)
        inputs, outputs = graph_of_config(config)
        graph = ("layers", "input_layers", "output_layers", "trainable")
        model = cls(inputs=inputs, outputs=outputs, **{key: one for key, one in config.items() if key not in graph})
        model._trainable = bool(config.get("trainable", True))  # the layers have flags of their own
        return model

    def get_build_config(self) -> dict[str, Any] | None:
        """What ``build_from_config`` needs to make the weights of a subclassed model; None before they are there."""
        return None if self._input_shape_built is None else {"input_shape": self._input_shape_built}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Make the weights as ``get_build_config`` noted it."""
        shape = config.get("input_shape")
        self.build(shape)
        if shape is not None and type(self).call is not Layer.call and self._has_unbuilt():
            self._run_on_zeros(shape)  # a build of the user's that leaves layers to the first call

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
        show_kernels: bool | int = False,
    ) -> None:
        """Print layers, output shapes and parameter counts.

        Args:
            line_length: characters a line; default: what the terminal has, at most 88 (108 with branches).
            positions: where the columns end, as parts of a line.
            print_fn: called with the text instead of printing it.
            expand_nested: show the layers of models inside, too.
            show_trainable: a further column.
            layer_range: the names (or patterns) of the first and the last layer shown.
            show_kernels: a second table: which kernels a training step calls in each layer, which implementation each
                chooses, what is fused, and why others refused. A number says for how many samples (True: 32). The
                layers are called once, on zeros; nothing is trained.

        Raises:
            ValueError: show_kernels is no number of samples, or layer_range names no layer.
        """
        from .summary import summary_text

        if not isinstance(show_kernels, bool) and (not isinstance(show_kernels, int) or show_kernels < 1):
            raise ValueError(f"show_kernels must be True, False or a number of samples, not {show_kernels!r}")
        text = summary_text(self, line_length, positions, expand_nested, show_trainable, layer_range, show_kernels)
        (print_fn or print)(text)

    def _movable(self) -> list[Any]:
        optimizer = self.optimizer if isinstance(self.optimizer, Optimizer) else None
        kept = [] if optimizer is None else optimizer.slots
        return [*super()._movable(), *kept, *(self._metric_variables() if self.compiled else ())]

    def memory_report(self) -> MemoryReport:
        """Where the bytes of a training are: weights, optimizer, results that are kept to be used again."""
        return memory_report(self)

    def save(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        """Save architecture, weights and the state of training to a ``.keras`` or ``.h5`` file; Keras 3 opens both.

        Further arguments are those of ``saving.save_model``.
        """
        from minidl.saving import save_model

        save_model(self, filepath, overwrite=overwrite, **kwargs)

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write what the model predicts as a file for other runtimes: ``export("net.onnx", format="onnx")``.

        Args:
            filepath: a path.
            format: "onnx"; Keras' other formats are not there.
            verbose: False: do not say where the file is.
            input_signature: shapes of the inputs other than the model's own, such as [InputSpec(shape=(1, 32, 32, 3))].
            **kwargs: ``opset_version``, of ONNX.

        Raises:
            ImportError: the package onnx is not installed.
            ValueError: another format; or a layer that the format cannot hold.
        """
        if format != "onnx":
            raise ValueError(
                f'format must be "onnx", not {format!r}: write export("net.onnx", format="onnx"); for other formats '
                f'save("net.keras"), open that in Keras, and export it there'
            )
        from minidl.saving.onnx import export_onnx

        export_onnx(self, filepath, verbose=verbose, input_signature=input_signature, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Save the weights to a ``.weights.h5`` or ``.safetensors`` file, or to ``.h5`` in the layout of Keras 2."""
        from minidl.saving import save_weights

        save_weights(self, filepath, overwrite=overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, by_name: bool = False) -> None:
        """Load weights that ``save_weights``, Keras 3 or Keras 2 wrote."""
        from minidl.saving import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, by_name=by_name)

    def to_json(self, filepath: Any = None, **kwargs: Any) -> str:
        """The architecture as JSON, without weights, for ``models.model_from_json``; ``kwargs`` go to json.dumps.

        A ``filepath`` (which Keras does not take) gets the text, too.
        """
        from minidl.saving.text import to_json

        return to_json(self, filepath, **kwargs)

    def to_yaml(self, filepath: Any = None, **kwargs: Any) -> str:
        """The architecture as YAML, without weights, for ``models.model_from_yaml``; ``kwargs`` go to yaml.dump.

        A ``filepath`` gets the text, too.
        Keras had this up to version 2.5; it needs PyYAML.
        """
        from minidl.saving.text import to_yaml

        return to_yaml(self, filepath, **kwargs)

    yaml = to_yaml

    def _named_inputs(self, inputs: Any, names: list[str]) -> list[Any]:
        """One value for each input, of an array, a list, or a dictionary by name."""
        if isinstance(inputs, dict):
            missing = [name for name in names if name not in inputs]
            if missing:
                raise ValueError(
                    f"model {self.name!r} lacks the inputs {missing}; its inputs are {names}, given were {list(inputs)}"
                )
            return [inputs[name] for name in names]
        values = list(flatten(inputs))
        if len(values) != len(names):
            hint = f"pass a list of {len(names)} arrays, or a dictionary by name"
            if len(names) == 1 and len(values) in (2, 3):
                hint = "targets are an argument of their own: fit(x, y)"
            raise ValueError(
                f"model {self.name!r} has the {len(names)} inputs {names}, but got {len(values)} arrays; {hint}"
            )
        return values

    def _adapted(self, value: Any, expected: KerasTensor, name: str) -> Any:
        """The value for an input: in its dtype, with a last axis of 1 added or taken off where that makes it fit.

        Raises:
            ValueError: another shape.
        """
        given, rank = value, len(expected.shape)
        if len(value.shape) == rank - 1 and expected.shape[-1] == 1:
            value = ops.expand_dims(value, -1)
        elif len(value.shape) == rank + 1 and value.shape[-1] == 1:
            value = ops.squeeze(value, axis=-1)
        fits = len(value.shape) == rank and all(
            a is None or b is None or a == b for a, b in zip(value.shape[1:], expected.shape[1:], strict=True)
        )
        if not fits:
            raise ValueError(
                f"model {self.name!r}: input {name!r} expects shape {expected.shape}, got {tuple(value.shape)}"
                f"{_way_to(expected.shape[1:], tuple(value.shape))}"
            )
        value = value if value.dtype == expected.dtype else ops.cast(value, expected.dtype)
        return value if value is given else masks.copied(given, value)


def _way_to(wanted: tuple[int | None, ...], given: tuple[int, ...]) -> str:
    """What to write where arrays of a shape are given, but samples of another one are wanted; or ""."""
    if given == wanted:
        return "; a single sample wants a batch axis in front: x[None]"
    if None in wanted:
        return ""
    if len(given) == len(wanted) + 1 == 4 and given[2:] + given[1:2] == wanted:
        return "; channels come last: x.transpose(0, 2, 3, 1)"
    if given and math.prod(given[1:]) == math.prod(wanted):  # type: ignore[arg-type]
        return f"; write x.reshape({(-1, *wanted)})"
    if len(given) == len(wanted) == 3 and given[1:] == wanted[:2]:
        return f"; repeat the one channel: np.repeat(x[..., None], {wanted[2]}, axis=-1)"
    return ""


def _become_functional(cls: type, functional: type) -> None:
    """Put Functional in the place of Model among a class's bases: a subclass given a graph is functional, as there."""
    for base in cls.__bases__:
        if base is not Model and issubclass(base, Model):
            _become_functional(base, functional)
    cls.__bases__ = tuple(functional if base is Model else base for base in cls.__bases__)
