"""An op: a forward and one equation per input.

::

    @op
    def multiply(a, b):
        return a * b

    @multiply.grad("a")
    def _(g, b):
        return multiply(g, b)

    @multiply.grad("b")
    def _(g, a):
        return multiply(g, a)

A rule asks for values by name: ``g`` is the upstream gradient, ``y`` the output, any other name an input or an
attribute of the call. A call with plain arrays runs the forward and records nothing. A call with Tensors records a
Node if a gradient can flow through it, and the node keeps only what the rules of its live inputs ask for.
"""

import inspect
import itertools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from minidl_kernels.arrays import Array

from .tensor import Tensor, as_array, raw

__all__ = [
    "Node", "Op", "Rule", "is_recording", "no_grad", "op", "recording", "registered", "selection", "trainable_are",
]  # fmt: skip

registered: dict[str, "Op"] = {}  # every op by name; the tests walk it

# What is recorded is a matter of context variables, so that two threads can train two models at once:
# whether anything is, and which variables count as trainable (None: those whose flag says so; else a set of ids).
_recording: ContextVar[bool] = ContextVar("recording", default=True)
selection: ContextVar[Any] = ContextVar("selection", default=None)
_order = itertools.count()


class Rule(NamedTuple):
    """How the gradient of some inputs follows from the upstream gradient."""

    inputs: tuple[str, ...]
    asks: tuple[str, ...]
    function: Callable[..., Any]


class Node:
    """One recorded call: where its live inputs came from, and the values that their rules will ask for.

    A source is the node that made a tensor, or the tensor itself where it is a leaf: a node that held its inputs
    themselves would keep every value of the forward pass alive.
    """

    __slots__ = ("dtype", "inputs", "op", "order", "saved", "shape", "versions")

    def __init__(self, op: Any, inputs: dict[str, list[Any]], saved: dict[str, Any], y: Array, variables: Any = ()):
        self.op = op
        self.inputs = inputs  # name -> its sources: one, or one for each of a list of tensors (None: not live)
        self.saved = saved  # arrays; with their sources they are Tensors again where the walk itself is recorded
        # What was saved and may be assigned to before the walk.
        self.versions = [(name, v, v.version) for v in variables for name, array in saved.items() if array is v.data]
        self.shape, self.dtype = y.shape, y.dtype
        self.order = next(_order)  # creation order is topological order


class Op:
    """A differentiable function; made by the decorator ``op``."""

    trace: Callable[..., Any]  # called instead, when an argument is symbolic; minidl.graph sets it

    def __init__(self, forward: Callable[..., Any], outputs: tuple[str, ...], constant: bool):
        self.forward, self.name, self.outputs, self.constant = forward, forward.__name__, outputs, constant
        self.__doc__, self.__name__, self.__module__ = forward.__doc__, forward.__name__, forward.__module__
        self.__signature__ = inspect.signature(forward)
        self.parameters = tuple(self.__signature__.parameters)
        # Python itself puts arguments into their places: a function of the same parameters that returns them.
        names = ", ".join(self.parameters)
        self._placed: Any = eval(f"lambda {names}: ({names},)")
        self._placed.__defaults__, self._placed.__qualname__ = forward.__defaults__, self.name
        self.rules: dict[str, Rule] = {}
        self.first: Rule | None = None
        self._asked: dict[tuple[str, ...], list[tuple[str, int]]] = {}
        registered[self.name] = self

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.parameters)})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args = self._placed(*args, **kwargs)
        arrays: list[Any] = []
        inputs: dict[str, list[Any]] = {}
        variables: list[Any] = []
        plain = True
        for value in args:
            if isinstance(value, Tensor):
                plain = False
                if value.data is None:
                    return Op.trace(self, args, {})
                if value.node is not None or value.live():
                    inputs[self.parameters[len(arrays)]] = [value.node or value]
                if value.assignable:
                    variables.append(value)
                value = value.data
            elif isinstance(value, (list, tuple)) and (among := [v for v in value if isinstance(v, Tensor)]):
                plain = False
                if any(v.data is None for v in among):
                    return Op.trace(self, args, {})
                sources = [v.node or v if isinstance(v, Tensor) and v.live() else None for v in value]
                if any(source is not None for source in sources):
                    inputs[self.parameters[len(arrays)]] = sources
                variables += [v for v in among if v.assignable]
                value = type(value)([raw(v) for v in value])
            arrays.append(value)
        result = self.forward(*arrays)
        if plain:
            return result
        results = result if isinstance(result, tuple) else (result,)
        y = results[0] if isinstance(results[0], np.ndarray) else as_array(results[0])  # NumPy's sums are no arrays
        if variables and (y.base is not None or any(y is variable.data for variable in variables)):
            y = y.copy()  # an optimizer's update in place would change a view under the graph
        node = None
        if inputs and _recording.get() and not self.constant and y.dtype.kind == "f":
            saved = self._keep(tuple(inputs), (y, *results[1:], *arrays))
            node = Node(self, inputs, saved, y, variables)
        if isinstance(result, tuple):
            return (Tensor.of(y, node), *[Tensor.of(as_array(other)) for other in results[1:]])
        return Tensor.of(y, node)

    def _keep(self, live: tuple[str, ...], values: tuple[Any, ...]) -> dict[str, Any]:
        asked = self._asked.get(live)
        if asked is None:
            for name in live:
                if name not in self.rules:
                    raise TypeError(f"op {self.name} has no rule for {name!r}; write @{self.name}.grad({name!r})")
            rules = [self.rules[name] for name in live] + ([self.first] if self.first else [])
            places = {name: place for place, name in enumerate((*self.outputs, *self.parameters))}
            names = dict.fromkeys(ask for rule in rules for ask in rule.asks if ask != "g")
            asked = self._asked[live] = [(name, places[name]) for name in names]
        return {name: values[place] for name, place in asked}

    def grad(self, *inputs: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register the rule for one input, or one joint rule for several that returns a tuple in their order.

        Raises:
            ValueError: a name that is neither an input, an output nor ``g``.
        """

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            self.rules.update(dict.fromkeys(inputs, self._checked(inputs, function)))
            return function

        return register

    def upstream(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Register what happens to ``g`` before any rule sees it: the gradient of a fused last step, done once."""
        self.first = self._checked((), function)
        return function

    def _checked(self, inputs: tuple[str, ...], function: Callable[..., Any]) -> Rule:
        asks = tuple(inspect.signature(function).parameters)
        known = {"g", *self.outputs, *self.parameters}
        unknown = [name for name in (*inputs, *asks) if name not in known]
        if unknown:
            raise ValueError(f"rule of op {self.name} names {unknown}; it may ask for {sorted(known)}")
        self._asked.clear()
        return Rule(inputs, asks, function)


def op(forward: Any = None, *, outputs: tuple[str, ...] = ("y",), constant: bool = False) -> Any:
    """Make an op of a forward that takes and returns arrays.

    Args:
        outputs: names by which rules ask for the outputs. Gradients flow through the first; the others are constants.
        constant: the output does not depend smoothly on the inputs (comparisons, argmax): no gradient, no rules.
    """
    return Op(forward, outputs, constant) if forward else lambda f: Op(f, outputs, constant)


class setting:
    """A context variable's value inside the ``with`` block."""

    def __init__(self, variable: ContextVar[Any], value: Any):
        self.variable, self.value = variable, value

    def __enter__(self) -> None:
        self.token = self.variable.set(self.value)

    def __exit__(self, *exception: object) -> None:
        self.variable.reset(self.token)


def is_recording() -> bool:
    """Whether ops record here."""
    return _recording.get()


def recording(on: bool) -> Any:
    """Record, or not, inside the ``with`` block."""
    return setting(_recording, on)


def no_grad() -> Any:
    """Record nothing inside the ``with`` block."""
    return recording(False)


def trainable_are(ids: Any) -> Any:
    """Inside the ``with`` block, the variables (and layers) in this set of ids train, whatever their flags say."""
    return setting(selection, ids)
