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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

    def __init__(self, op: Any, inputs: dict[str, list[Any]], saved: dict[str, Any], output: Array):
        self.op = op
        self.inputs = inputs  # name -> its sources: one, or one for each of a list of tensors (None: not live)
        self.saved = saved
        self.versions = [(name, v, v.version) for name, v in saved.items() if isinstance(v, Tensor)]
        self.shape, self.dtype = output.shape, output.dtype
        self.order = next(_order)  # creation order is topological order

    def sources(self) -> list[Any]:
        """The nodes and leaves that gradients flow to from here."""
        return [source for among in self.inputs.values() for source in among if source is not None]


class Op:
    """A differentiable function; made by the decorator ``op``."""

    trace: Callable[..., Any]  # called instead, when an argument is symbolic; minidl.graph sets it

    def __init__(self, forward: Callable[..., Any], outputs: tuple[str, ...], constant: bool):
        self.forward, self.name, self.outputs, self.constant = forward, forward.__name__, outputs, constant
        self.__doc__, self.__name__, self.__module__ = forward.__doc__, forward.__name__, forward.__module__
        self.__signature__ = inspect.signature(forward)
        self.parameters = tuple(self.__signature__.parameters)
        self.defaults = {n: p.default for n, p in self.__signature__.parameters.items() if p.default is not p.empty}
        self.rules: dict[str, Rule] = {}
        self.first: Rule | None = None
        self._asked: dict[tuple[str, ...], tuple[str, ...]] = {}
        registered[self.name] = self

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.parameters)})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call = dict(zip(self.parameters, args, strict=False), **kwargs)
        arrays, tensors = dict(call), list[Tensor]()
        inputs: dict[str, list[Any]] = {}
        for name, value in call.items():
            if isinstance(value, Tensor):
                tensors.append(value)
                arrays[name] = value.data
                if value.live():
                    inputs[name] = [value.node or value]
            elif isinstance(value, (list, tuple)) and (among := [v for v in value if isinstance(v, Tensor)]):
                tensors += among
                arrays[name] = type(value)([raw(v) for v in value])
                call[name] = type(value)(value)  # a list might be appended to before the backward pass
                sources = [v.node or v if isinstance(v, Tensor) and v.live() else None for v in value]
                if any(source is not None for source in sources):
                    inputs[name] = sources
        if not tensors or len(args) + len(kwargs) != len(call):
            return self.forward(*args, **kwargs)  # also raises Python's own error for arguments that do not fit
        for tensor in tensors:
            if tensor.data is None:
                return Op.trace(self, args, kwargs)
        result = self.forward(**arrays)
        several = result if isinstance(result, tuple) else (result,)
        # NumPy's reductions give scalars, whose dtype would count for less than an array's.
        results = [r if isinstance(r, np.ndarray) else as_array(r) for r in several]
        for tensor in tensors:
            if tensor.assignable and (results[0] is tensor.data or results[0].base is not None):
                results[0] = results[0].copy()  # an optimizer's update in place would change a view under the graph
        node = None
        if inputs and _recording.get() and not self.constant and results[0].dtype.kind == "f":
            node = Node(self, inputs, self._keep(call, results, tuple(inputs)), results[0])
        outputs = [Tensor.of(results[0], node), *map(Tensor.of, results[1:])]
        return tuple(outputs) if isinstance(result, tuple) else outputs[0]

    def _keep(self, call: dict[str, Any], results: list[Array], live: tuple[str, ...]) -> dict[str, Any]:
        asked = self._asked.get(live)
        if asked is None:
            for name in live:
                if name not in self.rules:
                    raise TypeError(f"op {self.name} has no rule for {name!r}; write @{self.name}.grad({name!r})")
            rules = [self.rules[name] for name in live] + ([self.first] if self.first else [])
            names = dict.fromkeys(ask for rule in rules for ask in rule.asks)
            asked = self._asked[live] = tuple(name for name in names if name != "g")
        # Outputs are kept as arrays: a Tensor would hold its own node in a cycle.
        known = {**self.defaults, **dict(zip(self.outputs, results, strict=True)), **call}
        return {name: known[name] for name in asked}

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


@contextmanager
def setting(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    """A context variable's value inside the ``with`` block."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


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
