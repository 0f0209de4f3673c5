"""Layer: weights, and a ``call`` that uses them. The life cycle is Keras 3's: __init__, build (weights), call."""

import inspect
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl import config, ops, registry, regularizers
from minidl.engine.tensor import Tensor
from minidl.graph.symbolic import KerasTensor, flatten, infer, map_structure, record, symbolic_in
from minidl_kernels import devices
from minidl_kernels.arrays import FLOATS, foreign, is_array

from . import masks
from .arguments import parameters_of, plain_settings, shapes_by_name, without_settings
from .weights import WeightHolder

__all__ = ["Layer"]


class _CallContext:
    """What an outermost call hands down to the layers inside it."""

    __slots__ = ("losses", "training")

    def __init__(self, training: bool | None, losses: list[Any]):
        self.training = training
        self.losses = losses  # what add_loss gave during this outermost call, of all layers


_context: ContextVar[_CallContext | None] = ContextVar("call_context", default=None)
_FLOATS = {str(dtype): dtype for dtype in FLOATS}


class Layer(WeightHolder):
    """Base class of layers and models.

    A subclass creates weights in ``build(input_shape)`` with ``add_weight`` and computes in ``call(inputs)``, of ops.

    Args:
        activity_regularizer: penalty on the outputs, divided by the batch size.
        trainable: whether the weights train.
        dtype: "float32" (default: ``config.floatx()``) or "float64".
        name: default: the class name in snake case, numbered.
        input_shape, input_dim, batch_input_shape: for a first layer of a Sequential model.
    """

    input_spec: Any = None  # an InputSpec, or a list of them for several inputs
    _call_losses: list[Any]
    _built_for: Any = None  # the input shape that build() was called with
    _fitting: tuple[Any, ...] | None = None  # the shape of a sample that was found to fit input_spec
    _run: list[Any]
    _was_called = False
    _made_with: dict[str, Any] | None = None  # what a layer without get_config was made with
    supports_masking = False  # whether the outputs carry the mask that compute_mask gives
    _warns_of_lost_masks = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        layer = super().__new__(cls)
        if cls.get_config is Layer.get_config and cls.__init__ is not Layer.__init__:
            layer._made_with = plain_settings(cls, args, kwargs)
        return layer

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
        self._trainable_list = []
        self._non_trainable_list = []
        self._call_losses = []
        self._run = []  # the losses of the outermost call that this layer was last part of
        self._inbound: list[Any] = []  # the symbolic calls
        self.batch_input_shape = _batch_input_shape(kwargs)
        kwargs.pop("input_dtype", None)
        if kwargs:
            known = inspect.signature(type(self).__init__).parameters
            hints = [f"{name}{registry.did_you_mean(name, known)}" for name in kwargs]
            raise TypeError(f"{type(self).__name__} got unknown arguments: {', '.join(hints)}")
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
        if "compute_output_shape" in cls.__dict__:
            cls._shape_parameters = parameters_of(cls.__dict__["compute_output_shape"])
        if "compute_mask" in cls.__dict__:
            cls.supports_masking = True
            if not cls.__module__.startswith("minidl."):
                masks.start()
        if "build" in cls.__dict__:  # whoever calls build marks the layer as built
            cls._build_parameters = parameters_of(cls.__dict__["build"])
            cls.build = _marking_built(cls.__dict__["build"])  # type: ignore[method-assign]
        if "call" in cls.__dict__:
            parameters = inspect.signature(cls.__dict__["call"]).parameters
            cls._takes_training = "training" in parameters
            cls._trains_by_default = cls._takes_training and parameters["training"].default is True
            cls._call_parameters = tuple(parameters)[1:]

    _takes_training = _trains_by_default = False
    _call_parameters: tuple[str, ...] = ()
    _build_parameters: tuple[str, ...] = ("input_shape",)
    _shape_parameters: tuple[str, ...] = ("input_shape",)

    # ---- what subclasses define ----

    def build(self, input_shape: Any = None) -> None:
        """Create the weights; ``input_shape`` includes the batch axis (None).

        A layer without a build of its own builds the layers inside it, by a run of ``call`` on zeros.
        """
        self.built, self._built_for = True, input_shape
        if type(self).build is Layer.build and input_shape is not None and self._has_unbuilt():
            infer(self, (self._symbolic_of(input_shape),), {})

    def _has_unbuilt(self) -> bool:
        return not all(layer.built for layer in self._sublayers())

    def _symbolic_of(self, shapes: Any) -> Any:
        return map_structure_of_shapes(lambda shape: KerasTensor(shape, self.dtype), shapes)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError(f"layer {type(self).__name__} needs a method call(self, inputs)")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer.

        A layer that takes arguments of its own adds them; without a get_config, those that are texts, numbers or lists
        of them are added here.

        Raises:
            NotImplementedError: other arguments, and no get_config that adds them.
        """
        settings: dict[str, Any] = {"name": self.name, "trainable": self._trainable, "dtype": self.dtype}
        if type(self).get_config is Layer.get_config and type(self).__init__ is not Layer.__init__:
            if self._made_with is None:
                raise without_settings(type(self))
            settings = {**self._made_with, **settings}
        if self.activity_regularizer is not None:
            settings["activity_regularizer"] = registry.serialize(self.activity_regularizer)
        return settings

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer of a configuration."""
        return cls(**config)

    # ---- losses made on the way ----

    def add_loss(self, loss: Any) -> None:
        """Add a scalar (or a list of them) to the loss of the model; for use inside ``call``."""
        context = _context.get()
        if context is None:
            raise ValueError("add_loss() belongs inside call(); outside there is no step whose loss it could join")
        made = list(flatten(loss))
        wrong = [one for one in made if not isinstance(one, (Tensor, int, float, np.generic)) and not is_array(one)]
        if wrong:
            raise ValueError(f"add_loss() takes a scalar tensor, or a list of them, not {wrong[0]!r}")
        for one in made:
            self._call_losses.append(one)
            context.losses.append(one)

    @property
    def losses(self) -> list[Any]:
        """What add_loss and activity regularizers gave in the last call, and the penalties on weights that train."""
        layers = self._flatten_layers()
        made = [one for layer in layers if layer._run is self._run for one in layer._call_losses]
        return made + [w.regularizer(w) for w in self.regularized_weights() if w.live()]

    # ---- calling ----

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._was_called:
            return self._first(args, kwargs)
        if foreign and _context.get() is None and (home := self._home()) not in (None, devices.current()):
            with devices.scope(home):  # what is made on the way is made where the weights are
                return self(*args, **kwargs)
        if len(args) != 1:
            args, kwargs = self._by_place(args, kwargs)
        simple = args and not args[1:] and type(args[0]) is Tensor and (not kwargs or kwargs.keys() <= {"training"})
        if not simple:
            if any(True for _ in symbolic_in((args, kwargs))):
                return self._call_symbolically(args, kwargs)
            kwargs = {name: self._converted(value) for name, value in kwargs.items()}
            if kwargs.get("mask") is not None:
                masks.start()
        if not simple or foreign or args[0].dtype is not _FLOATS[self.dtype]:
            args = tuple([self._converted(a) for a in args])
        fits = simple and args[0].shape[1:] == self._fitting
        if args and not fits and (self.input_spec is not None or not self.built):
            self._prepare(args, kwargs)
        outer = _context.get()
        training = (kwargs.get if self._takes_training else kwargs.pop)("training", None) if kwargs else None
        if training is None:
            training = outer.training if outer is not None else None
            if training is None and self._trains_by_default and "training" not in kwargs:
                training = True
        if self._takes_training and training is not None:
            kwargs["training"] = bool(training)
        mask = masks.given(self, args, kwargs) if masks.made else None
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
        if masks.made:
            masks.hand_on(self, args, outputs, mask)
        return outputs

    def _first(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The first call, inside the name scope: layers that it builds are part of this one."""
        if "_inbound" not in self.__dict__:
            raise RuntimeError(f"{type(self).__name__}: write super().__init__(**kwargs) at the top of its __init__")
        with self._scope():
            self._was_called = True
            try:
                outputs = self(*args, **kwargs)
            except Exception:
                self._was_called = False
                raise
            for layer in self._sublayers():
                if layer._around is None and not layer.built:  # a later call may reach it
                    layer._around = registry.opened_scopes()
        return outputs

    def _by_place(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with the inputs by position and ``training`` by name, however they were given."""
        names = self._call_parameters
        if not args and names and names[0] in kwargs:
            args, kwargs = (kwargs[names[0]],), {key: value for key, value in kwargs.items() if key != names[0]}
        place = names.index("training") if self._takes_training else len(args)
        return args[:place], {**kwargs, **dict(zip(names[place:], args[place:], strict=False))}

    def _prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Check the input's shape, and build at the first call."""
        if not self._call_parameters and type(self).call is not Layer.call:
            raise TypeError(f"{type(self).__name__}.call() takes no inputs; write def call(self, inputs)")
        self._check_spec(args[0])
        if not self.built:
            symbolic = isinstance(args[0], KerasTensor)  # else the batch axis is left open: it is this data's alone

            def shape_of(leaf: Any) -> Any:
                shape = tuple(leaf.shape) if isinstance(leaf, Tensor) else None
                return shape if symbolic or shape is None else (None, *shape[1:])

            if len(self._build_parameters) > 1:
                given = {**dict(zip(self._call_parameters, args, strict=False)), **kwargs}
                self.build(**shapes_by_name(self, "build", self._build_parameters, given, shape_of))
            elif type(self).build is Layer.build:  # the layers inside are built when call() reaches them
                self._built_for = map_structure(shape_of, args[0])
            else:
                self.build(map_structure(shape_of, args[0]))
            self.built = True
            self._check_spec(args[0])

    def _check_spec(self, inputs: Any) -> None:
        if self.input_spec is not None:
            if not isinstance(inputs, Tensor):
                self._check_specs(self._in_order_of_specs(inputs))
            elif inputs.shape[1:] != self._fitting:  # else: as the last time
                self._check_specs([inputs])
                self._fitting = tuple(inputs.shape[1:]) if self.built else None

    def _in_order_of_specs(self, inputs: Any) -> list[Any]:
        """The leaves; of a dictionary, where the specs have names, those of these names."""
        specs = self.input_spec if isinstance(self.input_spec, (list, tuple)) else [self.input_spec]
        names = [spec.name for spec in specs if spec is not None and spec.name]
        if not isinstance(inputs, dict) or len(names) < len(specs):
            return list(flatten(inputs))
        missing = [name for name in names if name not in inputs]
        if missing:
            raise ValueError(
                f"layer {self.name!r} takes inputs by the names {names}, but {', '.join(missing)} is missing"
            )
        return [inputs[name] for name in names]

    def _check_specs(self, inputs: list[Any]) -> None:
        specs = self.input_spec if isinstance(self.input_spec, (list, tuple)) else [self.input_spec]
        if not any(isinstance(one, Tensor) for one in inputs) and not all(s is None or s.optional for s in specs):
            if inputs == [None]:
                raise ValueError(
                    f"layer {self.name!r} was called on None; does what is in front of it end with return?"
                )
            if all(one is None or isinstance(one, int) for one in inputs):
                raise ValueError(
                    f"layer {self.name!r} was called on the shape {tuple(inputs)}; write Input(shape=...) first"
                )
            raise ValueError(f"layer {self.name!r} takes tensors or arrays, not {inputs[0]!r}")
        if len(inputs) != len(specs):
            raise ValueError(f"layer {self.name!r} takes {len(specs)} input(s), but got {len(inputs)}")
        for spec, leaf in zip(specs, inputs, strict=True):
            if spec is not None and isinstance(leaf, Tensor):
                spec.check(self.name, leaf.shape, leaf.dtype)

    def _converted(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            dtype = value.dtype
            if self.autocast and dtype.kind == "f" and dtype is not _FLOATS[self.dtype]:
                return masks.copied(value, ops.cast(value, self.dtype))
            return self._brought(value) if foreign else value
        if is_array(value):
            value = self._brought(Tensor.of(value)).data if foreign else value
            return Tensor.of(value if value.dtype.kind != "f" else value.astype(self.dtype, copy=False))
        if isinstance(value, (list, tuple)) and any(_is_tensor_like(one) for one in flatten(value)):
            return type(value)(self._converted(one) for one in value)
        if isinstance(value, dict):
            return {key: self._converted(one) for key, one in value.items()}
        if isinstance(value, list):
            try:
                return Tensor(value)
            except ValueError as error:
                raise ValueError(
                    f"layer {self.name!r} was called on a list of rows of different lengths; arrays are rectangular"
                ) from error
        return value

    def _brought(self, value: Tensor) -> Tensor:
        """An input of the outermost call, that no gradient flows to, where the weights are."""
        outermost = _context.get() is None and value.data is not None and not value.live()
        if not outermost or self._home() is None or (there := devices.brought(value.data)) is value.data:
            return value
        return masks.copied(value, Tensor.of(there))

    def _call_symbolically(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._prepare(args, kwargs)
        everything = dict(kwargs)  # the graph holds no masks: in a model they are made anew, of its data
        mask = masks.given(self, args, everything) if masks.made else None
        outputs = self.compute_output_spec(*args, **everything)
        record(self, args, kwargs, outputs)
        if masks.made:
            masks.hand_on(self, args, outputs, mask)
        self._inbound.append(flatten(outputs)[0].call)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic outputs (shapes and dtypes) of a call with symbolic inputs."""
        if type(self).compute_output_shape is Layer.compute_output_shape:
            return infer(self, args, kwargs)
        if len(self._shape_parameters) > 1:
            given = {**dict(zip(self._call_parameters, args, strict=False)), **kwargs}
            shapes = shapes_by_name(
                self, "compute_output_shape", self._shape_parameters, given, lambda leaf: getattr(leaf, "shape", None)
            )
            return self._symbolic_of(self.compute_output_shape(**shapes))
        return self._symbolic_of(self.compute_output_shape(map_structure(lambda leaf: leaf.shape, args[0])))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the outputs, batch axis first; found by a run on zeros where a layer does not define it."""
        return map_structure(lambda leaf: leaf.shape, infer(self, (self._symbolic_of(input_shape),), {}))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the outputs for that of the inputs, None where there is none; here the same.

        The outputs carry it (``_keras_mask``) where ``supports_masking`` is true, which it is for a class that defines
        this method. Layers whose ``call`` takes ``mask`` get the one that their inputs carry, and losses count only
        what the mask of the predictions leaves.
        """
        return previous_mask

    @property
    def input(self) -> Any:
        """The symbolic input of the first symbolic call."""
        return self._first_call("input").args[0]

    @property
    def output(self) -> Any:
        """The symbolic output of the first symbolic call."""
        outputs = self._first_call("output").outputs
        return outputs[0] if len(outputs) == 1 else list(outputs)

    def _first_call(self, what: str) -> Any:
        if not self._inbound:
            raise AttributeError(f"layer {self.name!r} has no {what}: it was never called on a symbolic tensor")
        return self._inbound[0]

    if not TYPE_CHECKING:  # where it stands, mypy takes any attribute for known

        def __getattr__(self, name: str) -> Any:
            if any(name in cls.__dict__ for cls in type(self).__mro__):  # a property that raised
                return object.__getattribute__(self, name)
            hint = ""
            if not self.__dict__.get("built", True):
                hint = "; it is not built yet: call it on data, or build(input_shape), first"
            elif _context.get() is not None:
                hint = "; is it made in __init__() or build()?"
            message = f"{type(self).__name__!r} object has no attribute {name!r}{hint}"
            raise AttributeError(message, name=name, obj=self)

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
        with self._scope():
            build(self, *args, **kwargs)
        self.built, self._built_for = True, args[0] if args else None

    return wrapper


def _is_tensor_like(value: Any) -> bool:
    return isinstance(value, Tensor) or is_array(value)


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
    if isinstance(shape, int):
        raise ValueError(f"input_shape must be a tuple such as ({shape},), not the number {shape}")
    return None if shape is None else (None, *shape)
