"""What is recorded of a step: every op that ran, every gradient that passed, every layer entered, every update.

The engine knows nothing of this and pays nothing for it. While a trace is open, stand-ins (``stand_ins.py``) call the
engine's own code and note what went in and what came out, so nothing is computed a second time or in another way.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minidl.engine.op import Node
from minidl.engine.tensor import Tensor, raw
from minidl.engine.variable import Variable
from minidl_kernels.arrays import is_array, to_numpy
from minidl_kernels.watching import Watch

__all__ = ["Call", "Group", "Pass", "Spot", "Trace", "Update", "watching"]

watching: ContextVar["Trace | None"] = ContextVar("watching", default=None)


@dataclass
class Spot:
    """A value of the graph: an input, a weight, a constant or the output of an op, and the gradient that came to it."""

    array: np.ndarray
    maker: int | None = None  # the index of the call
    variable: Variable | None = None
    parts: list[tuple[int, str, np.ndarray]] = field(default_factory=list)  # (call, its input, what it added)
    gradient: np.ndarray | None = None


@dataclass
class Group:
    """One call of a layer; ``parent`` is the group around it, None for the outermost."""

    layer: Any
    parent: int | None
    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)


@dataclass
class Pass:
    """A walk through one call: the gradient that reached its output, and what its rules made of it.

    ``after`` is what the rule of a fused last step left of it (None: there is no such rule).
    """

    upstream: np.ndarray
    after: np.ndarray | None
    parts: list[tuple[str, Any, np.ndarray]] = field(default_factory=list)
    kernels: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Call:
    """One op that ran. Inputs are keys of spots (``("spot", key)``), lists of them, or plain settings."""

    op: Any
    group: int | None
    inputs: dict[str, Any]
    output: Any
    others: dict[str, Any]
    node: Any
    kernels: list[dict[str, Any]]
    passes: list[Pass] = field(default_factory=list)


@dataclass
class Update:
    """What an optimizer did to one variable; slots are (name, before, after)."""

    optimizer: Any
    variable: Variable
    gradient: np.ndarray | None
    before: np.ndarray
    after: np.ndarray
    slots: list[tuple[str, np.ndarray, np.ndarray]]
    iteration: int
    learning_rate: float
    kernels: list[dict[str, Any]] = field(default_factory=list)


class Trace:
    """The record of one step.

    Args:
        kernels: lists the calls of kernels meanwhile.
    """

    def __init__(self, kernels: Watch) -> None:
        self.spots: dict[Any, Spot] = {}
        self.calls: list[Call] = []
        self.groups: list[Group] = []
        self.order: list[tuple[str, int]] = []  # ("group", i) and ("call", i) as they came
        self.updates: list[Update] = []
        self._stack: list[int] = []
        self.kernels = kernels
        self._told = 0  # how many of them belong to an event
        self._found: list[dict[Any, Any]] = []  # the walks' own dictionaries: gradients of leaves stay in them
        self._nodes: dict[Any, int] = {}
        self._kept: list[Any] = []  # ids are keys, so what they belong to must live as long

    # ---- what the stand-ins tell ----

    def key(self, tensor: Any) -> Any:
        """What names a value: the node that made it, the leaf itself, or the array of a constant."""
        if isinstance(tensor, Tensor):
            if tensor.node is not None:
                return tensor.node
            if isinstance(tensor, Variable) or tensor.live():
                return tensor
        return id(raw(tensor))

    def spot(self, value: Any) -> Any:
        """The key of a value, whose spot is made where there is none."""
        key = self.key(value)
        if key not in self.spots:
            self._kept.append((value, raw(value)))
            variable = value if isinstance(value, Variable) else None
            array = to_numpy(raw(value))
            self.spots[key] = Spot(np.array(array) if variable is not None else array, variable=variable)
        return key

    def entered(self, layer: Any, args: tuple[Any, ...]) -> int:
        """A layer is called."""
        parent = self._stack[-1] if self._stack else None
        self.groups.append(Group(layer, parent, [self.spot(a) for a in _tensors(args)]))
        self._stack.append(len(self.groups) - 1)
        self.order.append(("group", len(self.groups) - 1))
        return len(self.groups) - 1

    def left(self, group: int, outputs: Any) -> None:
        """It is done."""
        self._stack.pop()
        self.groups[group].outputs = [self.spot(a) for a in _tensors(outputs)]

    def called(self, op: Any, args: tuple[Any, ...], result: Any) -> None:
        """An op ran, with all its arguments in order."""
        y, others = (result[0], result[1:]) if isinstance(result, tuple) else (result, ())
        inputs = {name: self._input(value) for name, value in zip(op.parameters, args, strict=True)}
        key = self.spot(y)
        call = Call(
            op, self._stack[-1] if self._stack else None, inputs, key,
            {name: self.spot(one) for name, one in zip(op.outputs[1:], others, strict=True)}, y.node, self._taken(),
        )  # fmt: skip
        self.spots[key].maker = len(self.calls)
        if y.node is not None:
            self._nodes[y.node] = len(self.calls)
        self.order.append(("call", len(self.calls)))
        self.calls.append(call)

    def _input(self, value: Any) -> Any:
        if isinstance(value, Tensor) or (is_array(value) and value.dtype.kind in "fiub"):
            return ("spot", self.spot(value))
        if isinstance(value, (list, tuple)) and any(isinstance(one, Tensor) or is_array(one) for one in value):
            return [self._input(one) for one in value]
        return value

    def _taken(self) -> list[dict[str, Any]]:
        """The kernels that ran since the last event."""
        first, self._told = self._told, len(self.kernels.calls)
        calls = self.kernels.calls[first:]
        return [{"name": c.kernel, "ran": c.implementation, "refused": dict(c.refused)} for c in calls]

    def reached(self, node: Node, upstream: Any, after: Any, found: dict[Any, Any]) -> Pass | None:
        """A walk came to a node."""
        self._told = len(self.kernels.calls)
        if not any(found is one for one in self._found):
            self._found.append(found)
        place = self._nodes.get(node)
        if place is None:
            return None
        upstream = to_numpy(raw(upstream))
        self.spots[node].gradient = upstream
        one = Pass(upstream, None if after is None else to_numpy(raw(after)))
        self.calls[place].passes.append(one)
        return one

    def passed(self, node: Node, one: Pass, name: str, source: Any, part: Any) -> None:
        """A rule gave a gradient to an input."""
        part = to_numpy(raw(part))
        one.parts.append((name, source, part))
        one.kernels += self._taken()
        if source in self.spots:
            self.spots[source].parts.append((self._nodes[node], name, part))

    def updated(self, update: Update) -> None:
        """An optimizer changed a variable."""
        self.updates.append(update)

    # ---- afterwards ----

    def finish(self) -> None:
        """Take the gradients of leaves out of the walks."""
        for found in self._found:
            for key, g in found.items():
                if key in self.spots:
                    self.spots[key].gradient = to_numpy(raw(g))


def _tensors(values: Any) -> list[Any]:
    """All tensors of a nested structure."""
    if isinstance(values, (Tensor, np.ndarray)):
        return [values]
    if isinstance(values, dict):
        values = list(values.values())
    return [t for one in values for t in _tensors(one)] if isinstance(values, (list, tuple)) else []
