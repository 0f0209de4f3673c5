"""Layer: weights, and a ``call`` that uses them. The life cycle is Keras 3's: __init__, build (weights), call."""

import inspect
from collections.abc import Iterator
from contextvars import ContextVar
from functools import wraps
from typing import Any

import numpy as np
from minidl_kernels.arrays import is_array

from minidl import config, constraints, initializers, ops, registry, regularizers
from minidl.engine.op import selection
from minidl.engine.tensor import Tensor
from minidl.engine.variable import Variable
from minidl.graph.symbolic import KerasTensor, flatten, infer, map_structure, record, symbolic_in

__all__ = ["InputSpec", "Layer"]


class _CallContext:
    """What an outermost call hands down to the layers inside it."""

    __slots__ = ("losses", "training")

    def __init__(self, training: bool | None, losses: list[Any]):
        self.training = training
        self.losses = losses  # what add_loss gave during this outermost call, of all layers


_context: ContextVar[_CallContext | None] = ContextVar("call_context", default=None)


class InputSpec:
    """What a layer expects of its input.

    Args:
        ndim, min_ndim: how many axes, exactly or at least.
        axes: extents by axis, such as {-1: 784}.
    """

    def __init__(self, ndim: int | None = None, min_ndim: int | None = None, axes: dict[int, int] | None = None):
        self.ndim, self.min_ndim, self.axes = ndim, min_ndim, axes or {}

    def check(self, layer: str, shape: tuple[Any, ...]) -> None:
        """Raise ValueError where a shape does not fit."""
        problem = None
        if self.ndim is not None and len(shape) != self.ndim:
            problem = f"expected ndim={self.ndim}, found ndim={len(shape)}"
        elif self.min_ndim is not None and len(shape) < self.min_ndim:
            problem = f"expected min_ndim={self.min_ndim}, found ndim={len(shape)}"
        else:
            for axis, extent in self.axes.items():
                if shape[axis] is not None and shape[axis] != extent:
                    problem = f"expected axis {axis} of the input to have extent {extent}, found {shape[axis]}"
        if problem:
            raise ValueError(f"Input of layer {layer!r} is incompatible with the layer: {problem}. Full shape: {shape}")


class Layer:
    """Base class of layers and models.

    A subclass creates weights in ``build(input_shape)`` with ``add_weight`` and computes in ``call(inputs)``, of ops.

    Args:
        activity_regularizer: penalty on the outputs, divided by the batch size.
        trainable: whether the weights train.
        dtype: "float32" (default: ``config.floatx()``) or "float64".
        name: default: the class name in snake case, numbered.
        input_shape, input_dim, batch_input_shape: for a first layer of a Sequential model.
    """

    input_spec: InputSpec | None = None

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        self._trainable_list: list[Variable] = []
        self._non_trainable_list: list[Variable] = []
        self._call_losses: list[Any] = []
        self._run: list[Any] = []  # the losses of the outermost call that this layer was last part of
        self._inbound: list[Any] = []  # the symbolic calls
        self.batch_input_shape = _batch_input_shape(kwargs)
        kwargs.pop("input_dtype", None)
        if kwargs:
            raise TypeError(f"{type(self).__name__} got unknown arguments: {', '.join(kwargs)}")
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"name must be a text without '/', not {name!r}")
        self.name = name or registry.auto_name(type(self).__name__)
        self.built = False
        self.autocast = autocast
        self._trainable = bool(trainable)
        self.dtype = _dtype_of(dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:  # whoever calls build marks the layer as built
            cls.build = _marking_built(cls.__dict__["build"])  # type: ignore[method-assign]
        if "call" in cls.__dict__:
            parameters = inspect.signature(cls.__dict__["call"]).parameters
            cls._takes_training = "training" in parameters
            cls._call_parameters = tuple(parameters)[1:]

    _takes_training = False
    _call_parameters: tuple[str, ...] = ()

    # ---- what subclasses define ----

    def build(self, input_shape: Any) -> None:
        """Create the weights; ``input_shape`` includes the batch axis (None)."""
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError(f"layer {type(self).__name__} needs a method call(self, inputs)")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        settings: dict[str, Any] = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype}
        if self.activity_regularizer is not None:
            settings["activity_regularizer"] = registry.serialize(self.activity_regularizer)
        return settings

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer of a configuration."""
        return cls(**config)

    # ---- weights ----

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
        **ignored: Any,
    ) -> Variable:
        """Create a weight.

        Args:
            shape: default: ().
            initializer: default: "glorot_uniform" for floats, "zeros" for others.
            regularizer: penalty added to the loss while the weight trains.
            constraint: applied after every update.
        """
        dtype = np.dtype(dtype or self.dtype)
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        if any(n is None or n < 0 for n in shape):
            raise ValueError(f"layer {self.name!r}: a weight needs a known shape, not {shape}")
        default = "glorot_uniform" if dtype.kind == "f" else "zeros"
        start = initializers.get(default if initializer is None else initializer)(shape, dtype=dtype)  # type: ignore[misc]
        weight = Variable(start, trainable=trainable and self._trainable, name=name, dtype=dtype)
        if weight.shape != shape:
            raise ValueError(f"layer {self.name!r}: the initializer made shape {weight.shape} for a weight of shape {shape}")
        weight.path = f"{self.name}/{weight.name}"
        weight.regularizer, weight.constraint = regularizers.get(regularizer), constraints.get(constraint)
        (self._trainable_list if trainable else self._non_trainable_list).append(weight)
        return weight

    def _own_weights(self) -> tuple[list[Variable], list[Variable]]:
        """(trainable, non-trainable) weights of this layer itself: made by add_weight, or kept as attributes."""
        known = {id(v) for v in self._trainable_list + self._non_trainable_list}
        for value in vars(self).values():
            for variable in _found(value, Variable):
                if id(variable) not in known:
                    known.add(id(variable))
                    (self._trainable_list if variable.trainable else self._non_trainable_list).append(variable)
        return self._trainable_list, self._non_trainable_list

    def _sublayers(self) -> list["Layer"]:
        """The layers kept as attributes, or in lists and dictionaries that are."""
        return list({id(layer): layer for value in vars(self).values() for layer in _found(value, Layer)}.values())

    def _flatten_layers(self) -> list["Layer"]:
        """This layer and all below it, each once."""
        found: dict[int, Layer] = {}
        stack = [self]
        while stack:
            layer = stack.pop()
            if id(layer) not in found:
                found[id(layer)] = layer
                stack.extend(reversed(layer._sublayers()))
        return list(found.values())

    def _collect(self, which: str) -> list[Variable]:
        trainable, fixed = self._own_weights()
        own = {"all": trainable + fixed, "trainable": trainable, "fixed": fixed}[which]
        if which != "all" and not self._trainable:
            own = trainable + fixed if which == "fixed" else []
        below = [v for layer in self._sublayers() for v in layer._collect(which)]
        if which == "fixed" and not self._trainable:
            below = [v for layer in self._sublayers() for v in layer._collect("all")]
        elif which == "trainable" and not self._trainable:
            below = []
        return list({id(v): v for v in own + below}.values())

    @property
    def weights(self) -> list[Variable]:
        """All weights: for each layer the trainable ones, then the others."""
        return self._collect("all")

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that train; none of a frozen layer."""
        return self._collect("trainable")

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that do not train."""
        return self._collect("fixed")

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether the layer trains; setting it reaches all layers below. A compiled model wants compile() again."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._flatten_layers():
            layer._trainable = bool(value)
            for weight in layer._own_weights()[0]:
                weight.trainable = bool(value)

    def trains_now(self) -> bool:
        """The trainable flag, or, inside a training step, what it was when the model was compiled."""
        selected = selection.get()
        return self._trainable if selected is None else id(self) in selected

    def get_weights(self) -> list[np.ndarray]:
        """The values of all weights, as copies."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Assign all weights.

        Raises:
            ValueError: a different number of arrays, or a shape that differs; then nothing is assigned.
        """
        own = self.weights
        values = [np.asarray(w) for w in weights]
        if len(own) != len(values):
            raise ValueError(f"{self.name!r} has {len(own)} weights, but set_weights() was given {len(values)} arrays")
        for weight, value in zip(own, values, strict=True):
            if weight.shape != value.shape:
                raise ValueError(f"{weight.path} has shape {weight.shape}, but set_weights() was given {value.shape} for it")
        for weight, value in zip(own, values, strict=True):
            weight.assign(value)

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises:
            ValueError: the layer is not built yet.
        """
        if not self.built:
            raise ValueError(f"{self.name!r} has no weights yet; call it on data, or build(input_shape), first")
        return sum(weight.size for weight in self.weights)

    # ---- losses made on the way ----

    def add_loss(self, loss: Any) -> None:
        """Add a scalar (or a list of them) to the loss of the model; for use inside ``call``."""
        context = _context.get()
        if context is None:
            raise ValueError("add_loss() belongs inside call(); outside there is no step whose loss it could join")
        for one in loss if isinstance(loss, (list, tuple)) else [loss]:
            self._call_losses.append(one)
            context.losses.append(one)

    @property
    def losses(self) -> list[Any]:
        """What add_loss and activity regularizers gave in the last call, and the penalties on weights that train."""
        layers = self._flatten_layers()
        made = [one for layer in layers if layer._run is self._run for one in layer._call_losses]
        return made + [w.regularizer(w) for w in self.regularized_weights() if w.live()]

    def regularized_weights(self) -> list[Variable]:
        """All weights that have a regularizer."""
        return [weight for weight in self.weights if weight.regularizer is not None]

    # ---- calling ----

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(True for _ in symbolic_in((args, kwargs))):
            return self._call_symbolically(args, kwargs)
        args = tuple(self._converted(a) for a in args)
        if kwargs:
            kwargs = {name: self._converted(value) for name, value in kwargs.items()}
        if args and (self.input_spec is not None or not self.built):
            self._prepare(args, kwargs)
        outer = _context.get()
        training = kwargs.get("training") if self._takes_training else kwargs.pop("training", None)
        if training is None and outer is not None:
            training = outer.training
        if self._takes_training and training is not None:
            kwargs["training"] = bool(training)
        context, token = outer, None
        if outer is None or outer.training is not training:
            context = _CallContext(training, outer.losses if outer else [])
            token = _context.set(context)
        try:
            if self._run is not context.losses:  # type: ignore[union-attr]
                self._run, self._call_losses = context.losses, []  # type: ignore[union-attr]
            outputs = self.call(*args, **kwargs)
            if self.activity_regularizer is not None:
                for one in flatten(outputs):
                    self.add_loss(self.activity_regularizer(one) / max(one.shape[0], 1))
        finally:
            if token is not None:
                _context.reset(token)
        return outputs

    def _prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Check the input's shape, and build at the first call."""
        shapes = map_structure(lambda leaf: tuple(leaf.shape) if isinstance(leaf, Tensor) else None, args[0])
        self._check_spec(args[0])
        if not self.built:
            batch = map_structure(lambda leaf: (None, *leaf.shape[1:]) if isinstance(leaf, Tensor) else None, args[0])
            self.build(batch if not isinstance(args[0], KerasTensor) else shapes)
            self.built = True
            self._check_spec(args[0])

    def _check_spec(self, inputs: Any) -> None:
        if self.input_spec is not None:
            for leaf in flatten(inputs):
                if isinstance(leaf, Tensor):
                    self.input_spec.check(self.name, leaf.shape)

    def _converted(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            if self.autocast and value.dtype.kind == "f" and value.dtype != self.dtype:
                return ops.cast(value, self.dtype)
            return value
        if is_array(value):
            return Tensor.of(value if value.dtype.kind != "f" else value.astype(self.dtype, copy=False))
        if isinstance(value, (list, tuple)) and any(_is_tensor_like(one) for one in flatten(value)):
            return type(value)(self._converted(one) for one in value)
        if isinstance(value, dict):
            return {key: self._converted(one) for key, one in value.items()}
        if isinstance(value, list):
            return Tensor(value)
        return value

    def _call_symbolically(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._prepare(args, kwargs)
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            shapes = map_structure(lambda leaf: leaf.shape, args[0])
            shape = self.compute_output_shape(shapes)
            dtype = self.dtype
            if isinstance(shape, list):
                outputs: Any = [KerasTensor(one, dtype) for one in shape]
            else:
                outputs = KerasTensor(shape, dtype)
        else:
            outputs = infer(self, args, kwargs)
        record(self, args, kwargs, outputs)
        self._inbound.append(next(flatten(outputs)).call)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the outputs, batch axis first; found by a run on zeros where a layer does not define it."""
        like = map_structure_of_shapes(lambda shape: KerasTensor(shape, self.dtype), input_shape)
        return map_structure(lambda leaf: leaf.shape, infer(self, (like,), {}))

    @property
    def input(self) -> Any:
        """The symbolic input of the first symbolic call."""
        call = self._first_call("input")
        inputs = call.args[0]
        return inputs

    @property
    def output(self) -> Any:
        """The symbolic output of the first symbolic call."""
        outputs = self._first_call("output").outputs
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def _first_call(self, what: str) -> Any:
        if not self._inbound:
            raise AttributeError(f"layer {self.name!r} has no {what}: it was never called on a symbolic tensor")
        return self._inbound[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def map_structure_of_shapes(function: Any, shapes: Any) -> Any:
    """Apply a function to every shape of a nested structure; a tuple of numbers and None is a shape."""
    if isinstance(shapes, dict):
        return {key: map_structure_of_shapes(function, one) for key, one in shapes.items()}
    if isinstance(shapes, (list, tuple)) and any(isinstance(one, (list, tuple)) for one in shapes):
        return [map_structure_of_shapes(function, one) for one in shapes]
    return function(tuple(shapes))


def _marking_built(build: Any) -> Any:
    @wraps(build)
    def wrapper(self: Layer, *args: Any, **kwargs: Any) -> None:
        build(self, *args, **kwargs)
        self.built = True

    return wrapper


def _is_tensor_like(value: Any) -> bool:
    return isinstance(value, Tensor) or is_array(value)


def _found(value: Any, kind: type) -> Iterator[Any]:
    if isinstance(value, kind):
        yield value
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _found(one, kind)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _found(one, kind)


def _dtype_of(dtype: Any) -> str:
    if isinstance(dtype, dict):  # a DTypePolicy of Keras
        dtype = dtype.get("config", {}).get("name")
    name = config.floatx() if dtype is None else str(np.dtype(dtype)) if not isinstance(dtype, str) else dtype
    if name not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64', not {name!r}: minidl has no half or mixed precision")
    return name


def _batch_input_shape(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    batch = kwargs.pop("batch_input_shape", None) or kwargs.pop("batch_shape", None)
    shape = kwargs.pop("input_shape", None)
    extent = kwargs.pop("input_dim", None)
    if batch is not None:
        return tuple(batch)
    if extent is not None:
        shape = (extent,)
    return None if shape is None else (None, *shape)
