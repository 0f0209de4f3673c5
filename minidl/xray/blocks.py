"""The steps of the page: one block for each layer that the model called, for the loss, and for each penalty."""

from typing import Any

from .step import Step
from .trace import Call, Trace

__all__ = ["blocks_of", "outermost"]

SETTINGS = "units filters kernel_size pool_size strides padding rate axis epsilon momentum".split()


def outermost(trace: Trace, group: int | None) -> int | None:
    """The group of the layer that the model itself called: the model's own group is its outermost."""
    while group is not None and trace.groups[group].parent is not None:
        parent = trace.groups[group].parent
        if trace.groups[parent].parent is None:  # type: ignore[index]
            return group
        group = parent
    return group


def blocks_of(step: Step) -> list[dict[str, Any]]:
    """In the order of the forward pass: name, kind, settings, and the calls inside."""
    trace, found = step.trace, []
    leaves: list[frozenset[Any]] = []  # for each call, what it was computed from: weights, and None for anything else
    for kind, i in trace.order:
        if kind == "group":
            if trace.groups[i].parent is not None and outermost(trace, i) == i:
                found.append(_of_layer(trace, i))
            continue
        call = trace.calls[i]
        leaves.append(_leaves(call, trace, leaves))
        block = _outside(call, leaves[-1], step)
        top = outermost(trace, call.group)
        if top is not None and trace.groups[top].parent is None and trace.groups[top].layer is not step.model:
            block = _of_layer(trace, top)
        elif top is not None and trace.groups[top].parent is None:
            block = {"name": trace.groups[top].layer.name, "kind": "own", "group": top, "calls": []}
        elif top is not None:
            block = _of_layer(trace, top)
        elif block["kind"] == "loss" and _adds_a_penalty(call, trace, found):
            block = {"name": "total", "kind": "total", "group": None, "calls": []}
        if not found or any(found[-1][key] != block[key] for key in ("name", "kind", "group")):
            found.append(block)
        found[-1]["calls"].append(i)
    return found


def _adds_a_penalty(call: Call, trace: Trace, found: list[dict[str, Any]]) -> bool:
    """Whether the call joins the loss with a penalty, or with such a sum."""
    joined = {i for block in found if block["kind"] in ("penalty", "total") for i in block["calls"]}
    makers = {trace.spots[v[1]].maker for v in call.inputs.values() if isinstance(v, tuple) and v[:1] == ("spot",)}
    return bool(makers & joined)


def _of_layer(trace: Trace, group: int) -> dict[str, Any]:
    layer = trace.groups[group].layer
    settings = {name: getattr(layer, name) for name in SETTINGS if getattr(layer, name, None) is not None}
    activation = getattr(getattr(layer, "activation", None), "__name__", None)
    return {
        "name": layer.name, "kind": type(layer).__name__, "group": group, "calls": [],
        "settings": {**{k: str(v) for k, v in settings.items()}, **({"activation": activation} if activation else {})},
        "frozen": not layer.trainable and bool(layer.weights),
    }  # fmt: skip


def _leaves(call: Call, trace: Trace, known: list[frozenset[Any]]) -> frozenset[Any]:
    found: set[Any] = set()
    for value in call.inputs.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, tuple) and one[:1] == ("spot",):
                spot = trace.spots[one[1]]
                if spot.maker is not None:
                    found |= known[spot.maker] if spot.maker < len(known) else set()
                else:
                    found.add(spot.variable)
    return frozenset(found)


def _outside(call: Call, leaves: frozenset[Any], step: Step) -> dict[str, Any]:
    """The block of a call outside of all layers."""
    if step.model is None:
        return {"name": step.name, "kind": "function", "group": None, "calls": []}
    weights = {v for v in leaves if v is not None}
    if len(weights) == 1 and len(leaves) == 1:
        (variable,) = weights
        path = getattr(variable, "path", variable.name).removeprefix(f"{step.model.name}/")
        return {"name": path, "kind": "penalty", "group": None, "calls": []}
    loss = step.model.loss
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "loss")
    return {"name": str(name), "kind": "loss", "group": None, "calls": []}
