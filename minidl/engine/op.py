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

A rule takes the upstream gradient ``g`` and asks for other values by name: ``y`` is the output, any other name an
input or an attribute of the call. A call with plain arrays runs the forward and records nothing. A call with Tensors
records a Node if a gradient can flow through it, and the node keeps only what the rules of its live inputs ask for.
"""

import inspect
import itertools
from collections.abc import Callable
from contextvars import ContextVar
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from minidl_kernels.config import setting
from minidl_kernels.devices import foreign, modules, overlap, together

from .tensor import Tensor, as_array, raw

__all__ = ["Node", "Op", "Rule", "is_recording", "no_grad", "op", "recording", "registered", "setting", "trainable_are"]

registered: dict[str, "Op"] = {}  # every op by name; the tests walk it

# What is recorded is a matter of context variables, so that two threads can train two models at once:
# whether anything is, and which variables count as trainable (None: those whose flag says so; else a set of ids).
recording: ContextVar[bool] = ContextVar("recording", default=True)
selection: ContextVar[Any] = ContextVar("selection", default=None)
_order = itertools.count()
PLAIN = {np.ndarray, int, float, bool, str, type(None)}  # of arguments that are no tensors, and hold none


class Rule(NamedTuple):
    """How the gradient of some inputs follows from the upstream gradient."""

    inputs: tuple[str, ...]
    asks: tuple[str, ...]  # without g
    take: Callable[[Any], tuple[Any, ...]]  # (*outputs, *inputs) of a call -> the values asked for
    function: Callable[..., Any]
    joint: bool = False  # returns a gradient for each of several inputs


class Node:
    """One recorded call: where its live inputs came from, and the values that their rules ask for.

    A source is the node that made a tensor, or the tensor itself where it is a leaf: a node that held its inputs
    themselves would keep every value of the forward pass alive.
    """

    __slots__ = ("dtype", "op", "order", "shape", "steps", "upstream", "versions")

    def __init__(self, op: Any, live: list[tuple[str, Any]], values: tuple[Any, ...], variables: list[Any]):
        self.op = op
        # For each live input its name, its source (for a list of tensors a list, with None for those that are not
        # live), its rule, and what that asks for: arrays, which a recorded walk makes Tensors of the graph again.
        self.steps: list[tuple[str, Any, Rule, tuple[Any, ...]]] = []
        asked: tuple[str, ...] = ()
        for name, source in live:
            if name not in op.rules:
                raise TypeError(f"op {op.name} has no rule for {name!r}; write @{op.name}.grad({name!r})")
            self.steps.append((name, source, rule := op.rules[name], rule.take(values)))
            asked += rule.asks
        self.upstream = op.first.take(values) if op.first else ()
        self.shape, self.dtype = values[0].shape, values[0].dtype
        self.order = next(_order)  # creation order is topological order
        # What is kept and may be assigned to before the walk.
        self.versions = [(name, v, v.version) for name, v in variables if name in asked] if variables else ()


class Op:
    """A differentiable function; made by the decorator ``op``."""

    trace: Callable[..., Any]  # called instead, when an argument is symbolic; minidl.graph sets it

    def __init__(self, forward: Callable[..., Any], outputs: tuple[str, ...], constant: bool):
        self.forward, self.name, self.outputs, self.constant = forward, forward.__name__, outputs, constant
        self.__doc__, self.__name__, self.__module__ = forward.__doc__, forward.__name__, forward.__module__
        self.__signature__ = inspect.signature(forward)
        parameters = self.__signature__.parameters
        self.parameters, self._count = tuple(parameters), len(parameters)
        self._defaults = {name: p.default for name, p in parameters.items() if p.default is not p.empty}
        self.rules: dict[str, Rule] = {}
        self.first: Rule | None = None
        registered[self.name] = self

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.parameters)})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != self._count:
            args = self._placed(args, kwargs)
        arrays = list(args)
        live: list[tuple[str, Any]] = []
        variables: list[tuple[str, Any]] = []
        records: Any = None  # whether calls are recorded, once a tensor was seen
        for place, value in enumerate(args):
            if (kind := type(value)) in PLAIN:
                continue
            if kind is Tensor or isinstance(value, Tensor):
                records = recording.get() if records is None else records
                arrays[place] = data = value.data
                if data is None:
                    return Op.trace(self, args, {})
                node = value.node
                if (records or foreign) and (node is not None or value.live()):
                    live.append((self.parameters[place], node or value))
                if value.assignable:
                    variables.append((self.parameters[place], value))
            elif isinstance(value, (list, tuple)) and (among := [v for v in value if isinstance(v, Tensor)]):
                records = recording.get() if records is None else records
                if any(v.data is None for v in among):
                    return Op.trace(self, args, {})
                if any(v.live() for v in among):
                    sources = [v.node or v if isinstance(v, Tensor) and v.live() else None for v in value]
                    live.append((self.parameters[place], sources))
                variables += [("", v) for v in among if v.assignable]
                arrays[place] = type(value)([raw(v) for v in value])
        if foreign or "cupy" in modules:  # else they are NumPy's, all of them
            live_at = {self.parameters.index(name): one for name, one in live}
            arrays = together(self.name, arrays, live_at, [one for _, one in variables])
        result = self.forward(*arrays)
        if records is None:
            return result
        y, others = (result[0], result[1:]) if type(result) is tuple else (result, ())
        if type(y) is not np.ndarray:  # NumPy's sums are no arrays
            y = as_array(y)
        for _, variable in variables:
            if y is variable.data or (y.base is not None and overlap(y, variable.data)):
                y = y.copy()  # an optimizer's update in place would change a view under the graph
        node = None
        if live and records and not self.constant and y.dtype.kind == "f":
            node = Node(self, live, (y, *others, *arrays), variables)
        if others:
            return (Tensor.of(y, node), *[Tensor.of(as_array(other)) for other in others])
        return Tensor.of(y, node)

    def _placed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """All arguments in the order of the parameters."""
        rest, given = self.parameters[len(args) :], {**self._defaults, **kwargs}
        if len(args) > len(self.parameters) or not kwargs.keys() <= set(rest) <= given.keys():
            self.forward(*args, **kwargs)  # refuses them as well, and says why
        return (*args, *[given[name] for name in rest])

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
        """Register what happens to ``g`` before any rule sees it: the gradient of a fused last step, done once.

        What rules would return for that g, where the function finds it on the way, it may return as well: a pair of g
        and a dictionary from rules' functions to what they need not compute then.
        """
        self.first = self._checked((), function)
        return function

    def _checked(self, inputs: tuple[str, ...], function: Callable[..., Any]) -> Rule:
        g, *asks = inspect.signature(function).parameters
        known = (*self.outputs, *self.parameters)
        unknown = [name for name in (*inputs, *asks) if name not in known] + [g] * (g != "g")
        if unknown:
            raise ValueError(f"rule of op {self.name} names {unknown}; it takes g, and may ask for {sorted(known)}")
        places = [known.index(name) for name in asks]
        one = slice(places[0], places[0] + 1) if places else slice(0)  # itemgetter gives a tuple of two and more only
        take = itemgetter(*places) if len(places) > 1 else itemgetter(one)
        return Rule(inputs, tuple(asks), take, function, len(inputs) > 1)


def op(forward: Any = None, *, outputs: tuple[str, ...] = ("y",), constant: bool = False) -> Any:
    """Make an op of a forward that takes and returns arrays.

    Args:
        outputs: names by which rules ask for the outputs. Gradients flow through the first; the others are constants.
        constant: the output does not depend smoothly on the inputs (comparisons, argmax): no gradient, no rules.
    """
    return Op(forward, outputs, constant) if forward else lambda f: Op(f, outputs, constant)


def is_recording() -> bool:
    """Whether ops record here."""
    return recording.get()


def no_grad() -> Any:
    """Record nothing inside the ``with`` block."""
    return setting(recording, False)


def trainable_are(ids: Any) -> Any:
    """Inside the ``with`` block, the variables (and layers) in this set of ids train, whatever their flags say."""
    return setting(selection, ids)
