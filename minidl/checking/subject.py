"""What gradcheck moves, evaluates and differentiates: a function, layer or model as a function of float64 arrays."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minidl.engine.op import no_grad
from minidl.engine.tensor import Tensor, raw
from minidl.engine.variable import Variable
from minidl.engine.walk import gradients
from minidl_kernels import devices
from minidl_kernels.arrays import is_array, to_numpy

__all__ = ["Subject", "state_of"]


class Subject:
    """A callable with its inputs. It is computed on a GPU where its variables or one of its inputs lie there.

    Args:
        f: takes Tensors, gives a Tensor or a list, tuple or dictionary of them. Where it has
            ``trainable_variables`` (a layer, a model), these count as further inputs.
        inputs: an array, Tensor or Variable, or a list or tuple of them. Whole numbers are handed on as they are.
        arguments: further arguments of f, by name.
        twin: evaluated in place of f.
    """

    def __init__(self, f: Callable[..., Any], inputs: Any, arguments: dict[str, Any], twin: Callable[..., Any] | None):
        if not callable(f):
            raise TypeError(f"gradcheck takes a function of Tensors, a layer or a model, not {type(f).__name__}")
        self.f, self.arguments, self.twin = f, arguments, twin or f
        self.name = str(getattr(f, "name", None) or getattr(f, "__name__", None) or type(f).__name__)
        values = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        self.device = _device(f, values)
        with devices.scope(self.device):
            self.args = [_leaf(value, name) for value, name in zip(values, _names(f, len(values)), strict=True)]
        self.leaves = {name: arg for name, arg in zip(_names(f, len(values)), self.args, strict=True) if _is_float(arg)}
        self.variables: list[Variable] = []

    @contextmanager
    def in_float64(self) -> Iterator[None]:
        """Inside the block everything is computed in float64; weights and settings come back afterwards."""
        with devices.scope(self.device), self._in_float64():
            yield

    @contextmanager
    def _in_float64(self) -> Iterator[None]:
        if getattr(self.f, "built", True) is False:
            with no_grad():
                self.f(*self.args, **self.arguments)  # makes the weights
        layers: list[Any] = self.f._flatten_layers() if hasattr(self.f, "_flatten_layers") else [self.f]
        trainable = [v for v in getattr(self.f, "trainable_variables", []) if _is_float(v)]
        self.variables = [*state_of(self.f, layers), *(a for a in self.args if isinstance(a, Variable))]
        values = [(v, v.data) for v in self.variables]
        dtypes: list[tuple[Any, str]] = [(one, one.dtype) for one in layers if hasattr(one, "dtype")]
        try:
            for layer, _ in dtypes:
                layer.dtype = "float64"
            for variable, data in values:
                if data.dtype.kind == "f":
                    variable.data = data.astype("float64")
            for i, v in enumerate(trainable):
                name = v.path if v.path not in self.leaves else f"{v.path} ({i})"
                if not any(v is leaf for leaf in self.leaves.values()):
                    self.leaves[name] = v
            if not self.leaves:
                kinds = ", ".join(str(a.dtype) for a in self.args)
                raise TypeError(f"nothing to differentiate: the inputs are {kinds}; write x.astype('float64')")
            self._state = [(v, v.data) for v in self.variables if not any(v is one for one in self.leaves.values())]
            yield
        finally:
            for layer, dtype in dtypes:
                layer.dtype = dtype
            for variable, data in values:
                variable.data = data
                variable.version += 1  # data was written into

    @property
    def values(self) -> list[np.ndarray]:
        """The point at which f is checked: the float64 values of all leaves."""
        return [to_numpy(leaf.data).astype("float64") for leaf in self.leaves.values()]

    def outputs(self, arrays: list[np.ndarray], f: Callable[..., Any] | None = None) -> list[Tensor]:
        """The floating outputs (of ``f``, where it is given) at ``arrays``, as Tensors with their graph."""
        # Moving averages and streams of random numbers start from the same state at every call.
        for variable, data in self._state:
            variable.data = data.copy()
        for leaf, array in zip(self.leaves.values(), arrays, strict=True):
            leaf.data = devices.move(array, self.device)
        found = []
        for y in _flat((f or self.f)(*self.args, **self.arguments)):
            if not isinstance(y, Tensor):
                raise TypeError(
                    f"{self.name} returned {type(y).__name__}, not a Tensor: the graph is lost; compute with minidl.ops"
                )
            if _is_float(y):
                found.append(y)
        if not found:
            raise TypeError(f"{self.name} returned no floating Tensor; there is nothing to differentiate")
        return found

    def evaluate_f(self, arrays: list[np.ndarray]) -> np.ndarray:
        """All outputs of f in one row."""
        return self._row(arrays, self.f)

    def evaluate(self, arrays: list[np.ndarray]) -> np.ndarray:
        """All outputs of the twin in one row."""
        return self._row(arrays, self.twin)

    def _row(self, arrays: list[np.ndarray], f: Callable[..., Any]) -> np.ndarray:
        with no_grad():
            ys = self.outputs(arrays, f)
        return np.concatenate([to_numpy(y.data).astype("float64").reshape(-1) for y in ys])

    def gradients(self, arrays: list[np.ndarray], weights: Any, create_graph: bool = False) -> list[Any]:
        """The gradients of the weighted sum of all outputs for each leaf; None where none arrives.

        Args:
            weights: one for each output, in one row; a Tensor, to differentiate with respect to it.
        """
        ys = self.outputs(arrays)
        ends = np.cumsum([y.size for y in ys])
        parts = [weights[end - y.size : end].reshape(y.shape) for y, end in zip(ys, ends, strict=True)]
        found = gradients(ys, parts, list(self.leaves.values()), create_graph)
        return found if create_graph else [None if g is None else to_numpy(raw(g)).astype("float64") for g in found]


def _device(f: Callable[..., Any], inputs: Any) -> devices.Device:
    """Where f is computed: where its variables or inputs lie; the current device where those are all on the CPU."""
    there = map(devices.device_of, [*(v.data for v in getattr(f, "variables", [])), *map(raw, inputs)])
    return next((device for device in there if device != devices.CPU), devices.current())


def _names(f: Callable[..., Any], count: int) -> list[str]:
    """The names of f's first parameters."""
    try:
        parameters = inspect.signature(getattr(f, "call", f)).parameters.values()
        names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    except (TypeError, ValueError):
        names = []
    return [names[i] if i < len(names) else f"input {i}" for i in range(count)]


def _is_float(tensor: Tensor) -> bool:
    return bool(tensor.dtype.kind == "f")


def _leaf(value: Any, name: str) -> Tensor:
    if isinstance(value, Variable):
        return value
    array = raw(value)
    if not is_array(array):
        array = np.asarray(array)
    if array.dtype.kind == "f":
        return Tensor(array.astype("float64"), requires_grad=True)
    if array.dtype.kind not in "iub":
        raise TypeError(f"gradcheck: input {name!r} is {type(value).__name__} of {array.dtype}; expected numbers")
    return Tensor(array)


def _flat(structure: Any) -> Iterator[Any]:
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, (list, tuple)):
        for one in structure:
            yield from _flat(one)
    else:
        yield structure


def state_of(f: Any, layers: list[Any]) -> list[Variable]:
    """All variables of a layer or model, and the states of its random numbers."""
    seeds = [getattr(part, "state", None) for layer in layers for part in getattr(layer, "__dict__", {}).values()]
    found = [*getattr(f, "variables", []), *(s for s in seeds if isinstance(s, Variable))]
    return list({id(v): v for v in found}.values())
