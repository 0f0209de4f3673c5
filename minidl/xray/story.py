"""A recorded step as plain data for the page: values, calls, blocks, rules with their sources, updates."""

import inspect
import re
import textwrap
from typing import Any

import numpy as np

from minidl.engine.op import registered
from minidl.engine.tensor import raw
from minidl_kernels.arrays import is_array, to_numpy

from .blocks import blocks_of, outermost
from .describe import about
from .encode import Tensors
from .formulas import in_both
from .page_ops import PAGE_OPS
from .step import Step
from .trace import Call, Spot, Trace

__all__ = ["story"]

MOST_JACOBIAN = 4096  # numbers of a derivative that is put into the page for an op that the page cannot compute
MOST_PARAMETERS = 2000  # of a net that the page computes itself
MOST_WORK = 3_000_000  # multiply-adds of its forward pass


def story(step: Step) -> tuple[dict[str, Any], Tensors]:
    """What the page needs, and the arrays it names by number."""
    trace, tensors = step.trace, Tensors()
    numbers = {key: i for i, key in enumerate(trace.spots)}
    names = _names(step)
    values = [_value(spot, key, names, numbers, tensors, trace) for key, spot in trace.spots.items()]
    calls = [_call(call, numbers, tensors, trace) for call in trace.calls]
    updates = [_update(update, numbers, tensors, trace) for update in trace.updates]
    parameters = sum(u.before.size for u in trace.updates)
    used = {call.op.name: call.op for call in trace.calls}
    made = {
        "title": step.name,
        "loss": step.loss,
        "parameters": parameters,
        "live": parameters <= MOST_PARAMETERS and _work(trace) <= MOST_WORK,
        "values": values,
        "calls": calls,
        "groups": [{"name": g.layer.name, "kind": type(g.layer).__name__, "parent": g.parent} for g in trace.groups],
        "blocks": blocks_of(step),
        "ops": {name: _op(op) for name, op in used.items()},
        "updates": updates,
    }
    return made, tensors


def _names(step: Step) -> dict[Any, tuple[str, str]]:
    """(kind, name) of values that have one."""
    trace, found = step.trace, {}
    users = {"input": step.inputs, "target": step.targets, "sample weight": step.weights}
    for key, spot in trace.spots.items():
        if spot.variable is not None:
            path = getattr(spot.variable, "path", spot.variable.name)
            if step.model is not None:
                path = path.removeprefix(f"{step.model.name}/")
            found[key] = ("weight", path)
        elif spot.maker is None:
            found[key] = ("constant", "")
            for kind, arrays in users.items():
                for name, array in arrays.items():
                    if array.size == spot.array.size and np.shares_memory(array, spot.array):
                        found[key] = (kind, name)
            if found[key][0] == "constant" and step.targets and spot.array.dtype.kind in "iu":
                for name, array in step.targets.items():
                    if array.size == spot.array.size and np.array_equal(array.reshape(-1), spot.array.reshape(-1)):
                        found[key] = ("target", name)
    return found


def _value(spot: Spot, key: Any, names: Any, numbers: Any, tensors: Tensors, trace: Trace) -> dict[str, Any]:
    kind, name = names.get(key, ("output", ""))
    if kind == "output" and spot.maker is not None:
        call = trace.calls[spot.maker]
        group = outermost(trace, call.group)
        name = trace.groups[group].layer.name if group is not None else call.op.name
    one = {"kind": kind, "name": name, "t": tensors.add(spot.array), "maker": spot.maker}
    if spot.gradient is not None:
        one["g"] = tensors.add(spot.gradient)
        one["parts"] = [[call, name, tensors.add(part)] for call, name, part in spot.parts]
    if kind == "weight":
        one["frozen"] = spot.gradient is None
    return one


def _call(call: Call, numbers: dict[Any, int], tensors: Tensors, trace: Trace) -> dict[str, Any]:
    inputs = [[name, _given(value, numbers)] for name, value in call.inputs.items()]
    one: dict[str, Any] = {
        "op": call.op.name, "group": call.group, "in": inputs, "out": numbers[call.output],
        "others": {name: numbers[key] for name, key in call.others.items()}, "kernels": call.kernels,
    }  # fmt: skip
    if call.op.name == "masked_dropout":
        settings = {name: _array(value, trace) for name, value in call.inputs.items()}
        ones = np.ones_like(settings.pop("x"))
        one["mask"] = tensors.add(to_numpy(raw(call.op.forward(ones, **settings))))
    one["passes"] = [
        {
            "g": tensors.add(p.upstream),
            "after": tensors.add(p.after),
            "parts": [[name, numbers[key], tensors.add(part)] for name, key, part in p.parts if key in numbers],
            "kernels": p.kernels,
        }
        for p in call.passes
    ]
    _hints(call, tensors, trace)
    if call.op.name not in PAGE_OPS and call.passes:
        found = {name: _jacobian(call, name, rule, taken) for name, _, rule, taken in call.node.steps}
        one["jacobians"] = {name: tensors.add(one) for name, one in found.items() if one is not None}
    return one


def _hints(call: Call, tensors: Tensors, trace: Trace) -> None:
    """How the arrays of a call may follow from one another."""
    name, y = call.op.name, tensors.add(trace.spots[call.output].array)
    x, bias = (_number(call.inputs.get(key), tensors, trace) for key in ("x", "bias"))
    if name in ("relu", "bias_relu"):
        tensors.hint(y, "gate" if name == "relu" else "bias_relu", x, x if name == "relu" else bias)
    for one in call.passes:
        upstream, after = tensors.add(one.upstream), tensors.add(one.after)
        tensors.hint(after, "gate", upstream, y)
        for which, _, part in one.parts:
            if name in ("relu", "bias_relu") and which == "x":
                tensors.hint(tensors.add(part), "gate", upstream, y)
            if name == "dense" and which == "kernel":
                tensors.hint(tensors.add(part), "outer", x, upstream if after is None else after)
            if name == "square":
                tensors.hint(tensors.add(part), "scaled", x)


def _number(value: Any, tensors: Tensors, trace: Trace) -> int | None:
    """The number of an argument's array, where it is one."""
    array = _array(value, trace)
    return tensors.add(array) if isinstance(array, np.ndarray) else None


def _array(value: Any, trace: Trace) -> Any:
    return trace.spots[value[1]].array if isinstance(value, tuple) and value[:1] == ("spot",) else value


def _given(value: Any, numbers: dict[Any, int]) -> dict[str, Any]:
    """An argument: ``v`` for a value, ``vs`` for a list of them, ``c`` for a setting."""
    if isinstance(value, tuple) and value and isinstance(value[0], str) and value[0] == "spot":
        return {"v": numbers[value[1]]}
    if isinstance(value, list) and any(isinstance(one, tuple) and one[:1] == ("spot",) for one in value):
        return {"vs": [_given(one, numbers) for one in value]}
    return {"c": _plain(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(value)


def _jacobian(call: Call, name: str, rule: Any, taken: tuple[Any, ...]) -> np.ndarray | None:
    """d output / d input, (outputs, inputs), of the op's own rule with one unit upstream gradient after another."""
    value = call.inputs.get(name)
    on_device = any(is_array(one) and not isinstance(one, np.ndarray) for one in taken)
    if not isinstance(value, tuple) or not call.passes or on_device:
        return None
    upstream = call.passes[0].upstream
    sizes = [part.size for which, _, part in call.passes[0].parts if which == name]
    if not sizes or not 0 < upstream.size * sizes[0] <= MOST_JACOBIAN:
        return None
    rows = []
    for i in range(upstream.size):
        g: Any = np.zeros_like(upstream)
        g.flat[i] = 1
        if call.op.first is not None:
            g = call.op.first.function(g, *call.node.upstream)
            g = g[0] if type(g) is tuple else g
        row = rule.function(g, *taken)
        row = row[rule.inputs.index(name)] if rule.joint else row
        if row is None or row.size != sizes[0]:
            return None
        rows.append(to_numpy(raw(row)).reshape(-1))
    return np.stack(rows)


def _op(op: Any) -> dict[str, Any]:
    words = about(op)
    rules = {id(rule): rule for rule in op.rules.values()}
    sources = [{"inputs": list(rule.inputs), **_source(rule.function)} for rule in rules.values()]
    first = [] if op.first is None else [{"inputs": [], **_source(op.first.function)}]
    return {
        "formula": in_both(words.formula), "rules": {name: in_both(rule) for name, rule in words.rules.items()},
        "en": words.en, "ko": words.ko, "sources": first + sources, "forward": _source(op.forward),
        "known": op.name in PAGE_OPS,
    }  # fmt: skip


def _source(function: Any) -> dict[str, Any]:
    """The text of a function and where it stands; nothing where Python cannot find it."""
    try:
        lines, line = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return {"text": "", "where": ""}
    text = textwrap.dedent("".join(lines)).rstrip()
    called = {name for name in re.findall(r"\b(\w+)\(", text) if name in registered and name != function.__name__}
    calls = {name: (registered[name].__doc__ or "").strip().split("\n")[0] for name in sorted(called)}
    return {"text": text, "where": f"{function.__module__}:{line}", "calls": calls}


def _update(update: Any, numbers: dict[Any, int], tensors: Tensors, trace: Trace) -> dict[str, Any]:
    variable = update.variable
    spot = trace.spots.get(variable)
    before = update.before if spot is None else spot.array
    g, old, new = tensors.add(update.gradient), tensors.add(before), tensors.add(update.after)
    slots = [[name, tensors.add(b), tensors.add(a)] for name, b, a in update.slots]
    tensors.hint(new, "xor", old)
    for name, _, slot in slots:
        tensors.hint(slot, "square" if name == "velocities" else "scaled", g)
    config = {key: _plain(value) for key, value in update.optimizer.get_config().items() if value is not None}
    return {
        "value": None if spot is None else numbers[variable], "name": getattr(variable, "path", variable.name),
        "optimizer": type(update.optimizer).__name__, "config": config, "step": update.iteration + 1,
        "rate": update.learning_rate, "g": g, "before": old, "after": new, "slots": slots,
        "constraint": variable.constraint is not None,
        "decays": bool(update.optimizer.weight_decay) and update.optimizer._decays(variable),
    }  # fmt: skip


def _work(trace: Trace) -> int:
    """Multiply-adds of the forward pass."""
    total = 0
    for call in trace.calls:
        kernel = _array(call.inputs.get("kernel"), trace)
        size = trace.spots[call.output].array.size
        total += size * (kernel.size // kernel.shape[-1] if isinstance(kernel, np.ndarray) else 1)
    return total
