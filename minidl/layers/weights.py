"""The weights of a layer and of the layers inside it: how they are made, listed, frozen, read and assigned."""

from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from minidl import constraints, initializers, opening, random, registry, regularizers
from minidl.engine.op import selection
from minidl.engine.tensor import raw
from minidl.engine.variable import Variable
from minidl.metrics import Metric
from minidl.noticed import Noticed
from minidl_kernels import devices
from minidl_kernels.arrays import to_numpy

__all__ = ["WeightHolder"]


class WeightHolder(Noticed):
    """The part of a Layer that holds weights.

    Weights are those made by ``add_weight`` and the Variables kept as attributes; layers inside are those kept as
    attributes, in lists or in dictionaries.
    """

    name: str
    dtype: str
    built: bool
    _trainable: bool
    _trainable_list: list[Variable]
    _non_trainable_list: list[Variable]
    _around: tuple[str, ...] | None = None  # the names of what it is part of, which its weights' paths begin with

    def _scopes_around(self) -> tuple[str, ...]:
        return registry.opened_scopes() if self._around is None else self._around

    def _scope(self) -> AbstractContextManager[None]:
        """The name scope of the layer; where it is opened first, it stays."""
        self._around = self._scopes_around()
        return registry.inside((*self._around, self.name))

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
        autocast: bool = True,
        aggregation: str | None = None,
        overwrite_with_gradient: bool = False,
    ) -> Variable:
        """Create a weight.

        Args:
            shape: default: ().
            initializer: default: "glorot_uniform" for floats, "zeros" for others.
            dtype: default: the layer's.
            trainable: whether optimizers change it.
            regularizer: penalty added to the loss while the weight trains.
            constraint: applied after every update.
            name: default: "variable", numbered.
            autocast, aggregation, overwrite_with_gradient: taken for Keras' sake; there is one precision and one copy.

        Raises:
            ValueError: a shape that is not known, or a name where the shape belongs.
        """
        if "_trainable_list" not in self.__dict__:
            raise RuntimeError(f"{type(self).__name__}: write super().__init__(**kwargs) at the top of its __init__")
        if isinstance(shape, str):
            raise ValueError(f"add_weight() takes the shape first; write add_weight(shape=..., name={shape!r})")
        dtype = np.dtype(dtype or self.dtype)
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        if any(n is None or n < 0 for n in shape):
            hint = "; take input_shape[-1], for input_shape[0] is the batch axis" if shape[0] is None else ""
            raise ValueError(f"layer {self.name!r}: a weight needs a known shape, not {shape}{hint}")
        default = "glorot_uniform" if dtype.kind == "f" else "zeros"
        opening.may_allocate(shape, dtype, f"layer {self.name!r}: a weight")
        make: Any = initializers.get(default if initializer is None else initializer)
        start = np.zeros(shape, dtype) if opening.values_follow() else make(shape, dtype=dtype)
        with registry.inside((*self._scopes_around(), self.name)):
            weight = Variable(start, trainable=trainable and self._trainable, name=name, dtype=dtype)
        if weight.shape != shape:
            raise ValueError(f"layer {self.name!r}: the initializer made {weight.shape} for a weight of shape {shape}")
        weight.regularizer, weight.constraint = regularizers.get(regularizer), constraints.get(constraint)
        (self._trainable_list if trainable else self._non_trainable_list).append(weight)
        return weight

    def _own_weights(self) -> tuple[list[Variable], list[Variable]]:
        """(trainable, non-trainable) weights of this layer itself: made by add_weight, or kept as attributes."""
        known = {id(v) for v in self._trainable_list + self._non_trainable_list}
        for value in _held(self, Variable):
            for variable in _found(value, Variable):
                if id(variable) not in known:
                    known.add(id(variable))
                    (self._trainable_list if variable.trainable else self._non_trainable_list).append(variable)
        return self._trainable_list, self._non_trainable_list

    def _sublayers(self) -> list[Any]:
        """The layers kept as attributes, or in lists and dictionaries that are."""
        found = (layer for value in _held(self, WeightHolder) for layer in _found(value, WeightHolder))
        return list({id(layer): layer for layer in found}.values())

    def _flatten_layers(self) -> list[Any]:
        """This layer and all below it, each once."""
        found: dict[int, WeightHolder] = {}
        stack: list[WeightHolder] = [self]
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

    @property
    def metrics(self) -> list[Any]:
        """The metrics kept as attributes, of this layer and then of those inside."""
        own = [m for value in _held(self, Metric) for m in _found(value, Metric)]
        below = [m for layer in self._sublayers() for m in layer.metrics]
        return list({id(m): m for m in own + below}.values())

    variables = weights
    add_variable = add_weight
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def compute_dtype(self) -> str:
        """The dtype of the computation, which is that of the weights: there is no mixed precision."""
        return self.dtype

    variable_dtype = compute_dtype

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
        values = [np.asarray(to_numpy(raw(w))) for w in weights]
        if len(own) != len(values):
            hint = "" if self.built else "; it has none yet: call it on data, or build(input_shape), first"
            raise ValueError(
                f"{self.name!r} has {len(own)} weights, but set_weights() was given {len(values)} arrays{hint}"
            )
        for weight, value in zip(own, values, strict=True):
            if weight.shape != value.shape:
                raise ValueError(f"{weight.path} has shape {weight.shape}, but set_weights() was given {value.shape}")
        for weight, value in zip(own, values, strict=True):
            weight.assign(value)

    def to(self, device: str) -> Any:
        """Move all weights and states of random generators to a device, and what a model's optimizer and metrics keep.

        Returns the layer.

        Args:
            device: "cpu", "gpu" or "gpu:0", "gpu:1", ...; errors as of ``minidl.device``, before anything is moved.
        """
        target = devices.find(device)
        for variable in self._movable():
            variable.data = devices.move(variable.data, target)
            variable.version += 1
        return self

    def _movable(self) -> list[Variable]:
        """What lies on the device of the layer."""
        held = [one for layer in self._flatten_layers() for value in _held(layer, random.SeedGenerator) for one in
                _found(value, random.SeedGenerator)]  # fmt: skip
        return [*self.weights, *(one.state for one in held if not one.on_cpu)]

    def _home(self) -> devices.Device | None:
        """The device of the weights; None where there are none."""
        first = self._first_weight()
        return None if first is None else devices.device_of(first.data)

    def _first_weight(self) -> Variable | None:
        for some in self._own_weights():
            if some:
                return some[0]
        return next((found for layer in self._sublayers() if (found := layer._first_weight()) is not None), None)

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises:
            ValueError: the layer is not built yet.
        """
        if not self.built:
            raise ValueError(f"{self.name!r} has no weights yet; call it on data, or build(input_shape), first")
        return sum(weight.size for weight in self.weights)

    def regularized_weights(self) -> list[Variable]:
        """All weights that have a regularizer."""
        return [weight for weight in self.weights if weight.regularizer is not None]


def _found(value: Any, kind: type) -> list[Any]:
    """The objects of a kind that an attribute holds, itself or in lists and dictionaries."""
    if isinstance(value, kind):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    nested = (kind, list, tuple, dict)
    return [one for part in parts if isinstance(part, nested) for one in _found(part, kind)]


def _held(layer: Any, kind: type) -> list[Any]:
    """The attributes that can hold objects of a kind."""
    return [value for value in vars(layer).values() if isinstance(value, (kind, list, tuple, dict))]
