"""What stands in for the engine's functions while a trace is open: each calls the original, and tells the trace.

They are put in place when the first trace opens and taken away when the last one closes. What another thread computes
meanwhile passes through them unseen: the trace is a context variable.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minidl.engine import walk
from minidl.engine.op import Op, is_recording
from minidl.engine.tensor import Tensor, as_array, raw
from minidl.engine.variable import Variable
from minidl.layers import Layer
from minidl.optimizers import Optimizer
from minidl_kernels.arrays import to_numpy
from minidl_kernels.watching import watch

from .trace import Trace, Update, watching

__all__ = ["recorded"]

_lock = threading.Lock()
_open = 0
_call_op, _call_layer = Op.__call__, Layer.__call__
_apply_rules, _apply = walk._apply_rules, Optimizer.apply


def _op(self: Any, *args: Any, **kwargs: Any) -> Any:
    result = _call_op(self, *args, **kwargs)
    trace = watching.get()
    first = result[0] if isinstance(result, tuple) else result
    if trace is not None and is_recording() and isinstance(first, Tensor) and first.data is not None:
        if kwargs or len(args) != len(self.parameters):
            args = self._placed(args, kwargs)
        trace.called(self, args, result)
    return result


def _layer(self: Any, *args: Any, **kwargs: Any) -> Any:
    trace = watching.get()
    if trace is None or not is_recording() or (trace._stack and trace.groups[trace._stack[-1]].layer is self):
        return _call_layer(self, *args, **kwargs)  # the first call of a layer goes through __call__ twice
    group, outputs = trace.entered(self, args), None
    try:
        outputs = _call_layer(self, *args, **kwargs)
    finally:
        trace.left(group, outputs)
    return outputs


class _Watched(dict[Any, Any]):
    """The dictionary that a rule's results are added up in; looks empty, so that each one arrives by itself."""

    def __init__(self, found: dict[Any, Any], told: Any):
        super().__init__()
        self.found, self.told = found, told

    def __setitem__(self, source: Any, part: Any) -> None:
        self.told(source, part)
        found = self.found
        found[source] = walk.operations.add(found[source], part) if source in found else part


def _rules(node: Any, g: Any, found: dict[Any, Any], useful: Any, create_graph: bool) -> None:
    trace = watching.get()
    first = node.op.first
    after = None if trace is None or first is None or create_graph else first.function(raw(g), *node.upstream)
    after = after[0] if type(after) is tuple else after
    one = None if trace is None else trace.reached(node, g, after, found)
    if trace is None or one is None:
        _apply_rules(node, g, found, useful, create_graph)
        return
    wanted = [(name, s) for name, source, *_ in node.steps for s in (source if type(source) is list else [source])]

    def told(source: Any, part: Any) -> None:
        while wanted:  # in the order of the steps; what got no gradient is passed over
            name, s = wanted.pop(0)
            if s is source:
                trace.passed(node, one, name, source, part)
                return

    _apply_rules(node, g, _Watched(found, told), useful, create_graph)


def _optimizer(self: Any, grads: Any, trainable_variables: Any = None) -> Any:
    trace = watching.get()
    if trace is None:
        return _apply(self, grads, trainable_variables)
    grads = list(grads)
    variables = list(self._variables if trainable_variables is None else trainable_variables)
    if not self.built:
        self.build(variables)
    slots = _slots(self)
    before = {id(v): _copy(v) for v in (*variables, *(s for _, several in slots for s in several.values()))}
    iteration, rate = int(self.iterations.data), float(raw(self.learning_rate))
    result = _apply(self, grads, trainable_variables)
    for variable, g in zip(variables, grads, strict=True):
        own = [(name, several[id(variable)]) for name, several in slots if id(variable) in several]
        changed = [(name, before[id(s)], _copy(s)) for name, s in own]
        g = None if g is None else to_numpy(as_array(raw(g), variable.dtype))
        trace.updated(Update(self, variable, g, before[id(variable)], _copy(variable), changed, iteration, rate))
    return result


def _copy(variable: Variable) -> np.ndarray:
    return np.array(to_numpy(variable.data))


def _slots(optimizer: Any) -> list[tuple[str, dict[int, Variable]]]:
    """(name, weight's id -> slot) for every attribute of an optimizer that holds a variable for each weight."""
    found = []
    for name, several in vars(optimizer).items():
        if name in ("_variables", "_slots") or not isinstance(several, list) or not several:
            continue
        if len(several) == len(optimizer._variables) and all(isinstance(s, Variable) for s in several):
            own = {id(v): s for v, s in zip(optimizer._variables, several, strict=True)}
            found.append((name.strip("_"), own))
    return found


def _put(op: Any, layer: Any, rules: Any, apply: Any) -> None:
    Op.__call__, Layer.__call__ = op, layer  # type: ignore[method-assign]
    walk._apply_rules, Optimizer.apply = rules, apply  # type: ignore[method-assign]


@contextmanager
def recorded() -> Iterator[Trace]:
    """Record everything in the ``with`` block into a new trace (this thread only)."""
    global _open
    with _lock:
        _open += 1
        if _open == 1:
            _put(_op, _layer, _rules, _optimizer)
    try:
        with watch() as kernels:
            trace = Trace(kernels)
            token = watching.set(trace)
            try:
                yield trace
                trace.finish()
            finally:
                watching.reset(token)
    finally:
        with _lock:
            _open -= 1
            if not _open:
                _put(_call_op, _call_layer, _apply_rules, _apply)
