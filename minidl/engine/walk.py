"""The walk: the chain rule, from the result back to the leaves.

Nodes are visited from the newest to the oldest, which is topological order, so it is a loop over a sorted list and
works at any depth. Gradients live in a dictionary here; only variables, and leaves that asked, keep one.
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from minidl_kernels.arrays import namespace
from minidl_kernels.devices import beside

from .op import Node, Rule, recording, setting
from .tensor import Tensor, as_array, operations, raw

__all__ = ["backward", "grad", "gradients"]


def grad(y: Tensor, xs: Any, upstream: Any = None, create_graph: bool = False) -> Any:
    """The gradient of ``y`` (of the sum of its elements, where it has several) with respect to ``xs``.

    Args:
        y: a Tensor.
        xs: a Tensor, or a list of them.
        upstream: weights of y's elements, of its shape; ones where left out.
        create_graph: record the walk itself, so that the gradients can be differentiated again.

    Returns:
        A Tensor for each of ``xs``, of its shape; ``None`` where ``y`` does not depend on it.
    """
    found = gradients([y], [upstream], [xs] if isinstance(xs, Tensor) else list(xs), create_graph)
    return found[0] if isinstance(xs, Tensor) else found


def gradients(ys: list[Tensor], upstreams: list[Any], targets: list[Tensor], create_graph: bool) -> list[Any]:
    """Gradients of the sum of ``ys`` for each target; None: no dependence."""
    for value in (*ys, *targets):
        if not isinstance(value, Tensor):
            raise TypeError(f"grad takes Tensors, not {type(value).__name__}; write Tensor(x, requires_grad=True)")
    sources = [t.node or t for t in targets]
    found = _walk(ys, upstreams, set(sources), create_graph)
    chosen = [found[source] if source in found else None for source in sources]
    return [g if g is None or isinstance(g, Tensor) else Tensor.of(as_array(g)) for g in chosen]


def backward(y: Tensor, upstream: Any) -> None:
    """Add gradients to ``.grad`` of all leaves below ``y``; what ``Tensor.backward`` does."""
    if not y.live():
        raise ValueError("backward(): no gradient flows here; the tensor was made under no_grad, or of constants only")
    owned = {id(raw(upstream))}
    for leaf, g in _walk([y], [upstream], None, False).items():
        g = as_array(g if leaf.grad is None else leaf.grad + g)
        # A view, or an array that two leaves share, would change with what the user does to another.
        leaf.grad = g.copy() if id(g) in owned or g.base is not None else g
        owned.add(id(g))


def _walk(ys: list[Tensor], upstreams: list[Any], targets: set[Any] | None, create_graph: bool) -> dict[Any, Any]:
    """Gradients by source (a node, or a leaf): of the targets, or of all leaves where ``targets`` is None."""
    nodes = _nodes_below(ys)
    useful: Any = None if targets is None else set(targets)  # and the nodes through which some target is reached
    for node in nodes if useful is not None else ():
        for _, source, _, _ in node.steps:
            if source in useful if type(source) is not list else not useful.isdisjoint(source):
                useful.add(node)
                break
    found: dict[Any, Any] = {}
    with setting(recording, create_graph):
        for y, upstream in zip(ys, upstreams, strict=True):
            g, source = _seed(y, upstream, create_graph), y.node or y
            found[source] = operations.add(found[source], g) if source in found else g
        for node in reversed(nodes):
            g = found.get(node) if targets and node in targets else found.pop(node, None)
            if g is not None and (useful is None or node in useful):
                _apply_rules(node, g, found, useful, create_graph)
    return found


def _nodes_below(ys: Iterable[Tensor]) -> list[Node]:
    """All nodes that the results were made by, oldest first."""
    pending: list[Any] = [y.node for y in ys]
    seen = set()
    while pending:
        one = pending.pop()
        if type(one) is list:
            pending += one
        elif type(one) is Node and one not in seen:
            seen.add(one)
            pending += [step[1] for step in one.steps]
    return sorted(seen, key=attrgetter("order"))


def _apply_rules(node: Node, g: Any, found: dict[Any, Any], useful: set[Any] | None, create_graph: bool) -> None:
    """Add the gradient of every useful input of a node to ``found``."""
    for name, variable, version in node.versions:
        if variable.version != version:
            used = f"{variable.name} was assigned to after op {node.op.name} used it as {name!r}"
            raise RuntimeError(f"{used}: the gradient needs the old value; call backward() or gradient() before")
    if node.op.first:
        taken = _joined(node, node.op.first, node.upstream) if create_graph else node.upstream
        g = node.op.first.function(g, *taken)
    joint: dict[Any, Any] = {}  # by function: what it gave for several inputs, or what is known already
    if type(g) is tuple:
        g, joint = g
    for name, source, rule, taken in node.steps:
        several = type(source) is list
        if useful is None or (not useful.isdisjoint(source) if several else source in useful):
            if (result := joint.get(rule.function)) is None:
                result = rule.function(g, *(_joined(node, rule, taken) if create_graph else taken))
            if rule.joint:
                joint[rule.function] = result
                result = result[rule.inputs.index(name)]
            for one, part in zip(source, result, strict=True) if several else ((source, result),):
                if one is not None and part is not None:
                    if part.shape != one.shape or part.dtype is not one.dtype:
                        part = _fit(part, one, node, name)
                    found[one] = operations.add(found[one], part) if one in found else part


def _joined(node: Node, rule: Rule, taken: tuple[Any, ...]) -> list[Any]:
    """What a rule asks for as Tensors that belong to the graph: a recorded walk goes on through them."""
    sources = {node.op.outputs[0]: node, **{step[0]: step[1] for step in node.steps}}

    def joined(source: Any, value: Any) -> Any:
        return Tensor.of(value, source) if isinstance(source, Node) else source if isinstance(source, Tensor) else value

    given = []
    for ask, value in zip(rule.asks, taken, strict=True):
        if isinstance(source := sources.get(ask), list):
            value = type(value)([joined(s, v) for s, v in zip(source, value, strict=True)])
        given.append(joined(source, value))
    return given


def _fit(g: Any, source: Any, node: Node, name: str) -> Any:
    """Undo broadcasting and casting: sum over the axes that the forward repeated."""
    if g.shape != (shape := source.shape):
        extra = len(g.shape) - len(shape)
        inner = range(len(shape))
        if extra < 0 or any(shape[i] != g.shape[i + extra] and shape[i] != 1 for i in inner):
            rule = f"the rule of op {node.op.name} for {name!r}"
            raise ValueError(f"{rule} gave a gradient of shape {tuple(g.shape)}; the input has shape {shape}")
        axes = (*range(extra), *(i + extra for i in inner if shape[i] != g.shape[i + extra]))
        g = operations.reshape(operations.sum(g, axis=axes), shape)
    return g if g.dtype == source.dtype else operations.cast(g, source.dtype)


def _seed(y: Tensor, upstream: Any, create_graph: bool) -> Any:
    if y.dtype.kind != "f":
        raise TypeError(f"only floating tensors have gradients; this one is {y.dtype}")
    if upstream is None:
        upstream = namespace(y.data).ones(y.shape, y.dtype)
    upstream = upstream if isinstance(upstream, Tensor) else Tensor.of(beside(as_array(upstream, y.dtype), y.data))
    if upstream.shape != y.shape:
        raise ValueError(f"upstream gradient has shape {upstream.shape}; the tensor has {y.shape}")
    return upstream if create_graph else upstream.data


operations.backward = backward
