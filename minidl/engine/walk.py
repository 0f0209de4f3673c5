"""The walk: the chain rule, from the result back to the leaves.

Nodes are visited from the newest to the oldest, which is topological order, so it is a loop over a sorted list and
works at any depth. Gradients live in a dictionary here; only variables, and leaves that asked, keep one.
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from minidl_kernels.arrays import namespace

from .op import Node, recording
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
    found = _walk(ys, upstreams, {t.node or t for t in targets}, create_graph)
    chosen = [found.get(t.node or t) for t in targets]
    return [g if g is None or isinstance(g, Tensor) else Tensor.of(as_array(g)) for g in chosen]


def backward(y: Tensor, upstream: Any) -> None:
    """Add gradients to ``.grad`` of all leaves below ``y``."""
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
    useful = None if targets is None else _leading_to(targets, nodes)
    found: dict[Any, Any] = {}
    with recording(create_graph):
        for y, upstream in zip(ys, upstreams, strict=True):
            g, source = _seed(y, upstream, create_graph), y.node or y
            found[source] = operations.add(found[source], g) if source in found else g
        for node in reversed(nodes):
            g = found.get(node) if targets and node in targets else found.pop(node, None)
            if g is not None:
                _apply_rules(node, g, found, useful, create_graph)
    return found


def _nodes_below(ys: Iterable[Tensor]) -> list[Node]:
    """All nodes that the results were made by, oldest first."""
    stack = [y.node for y in ys if y.node is not None]
    seen = set(stack)
    while stack:
        for among in stack.pop().inputs.values():
            for source in among:
                if isinstance(source, Node) and source not in seen:
                    seen.add(source)
                    stack.append(source)
    return sorted(seen, key=attrgetter("order"))


def _leading_to(targets: set[Any], nodes: list[Node]) -> set[Any]:
    """The targets, and the nodes through which some target is reached; the rest need not be visited."""
    useful = set(targets)
    for node in nodes:
        if any(not useful.isdisjoint(among) for among in node.inputs.values()):
            useful.add(node)
    return useful


def _apply_rules(node: Node, g: Any, found: dict[Any, Any], useful: set[Any] | None, create_graph: bool) -> None:
    """Add the gradient of every useful input of a node to ``found``."""
    wanted = node.inputs
    if useful is not None:
        wanted = {name: among for name, among in wanted.items() if not useful.isdisjoint(among)}
    for name, variable, version in node.versions if wanted else ():
        if variable.version != version:
            used = f"{variable.name} was assigned to after op {node.op.name} used it as {name!r}"
            raise RuntimeError(f"{used}: the gradient needs the old value; call backward() or gradient() before")
    given = {**(_joined(node) if create_graph else node.saved), "g": g}
    if node.op.first and wanted:
        given["g"] = node.op.first.function(*[given[ask] for ask in node.op.first.asks])
    done: dict[tuple[str, ...], Any] = {}
    for name, among in wanted.items():
        rule = node.op.rules[name]
        if rule.inputs not in done:
            done[rule.inputs] = rule.function(*[given[ask] for ask in rule.asks])
        result = done[rule.inputs] if len(rule.inputs) == 1 else done[rule.inputs][rule.inputs.index(name)]
        several = isinstance(result, (list, tuple))
        for source, part in zip(among, result, strict=True) if several else ((among[0], result),):
            if source is not None and part is not None:
                if part.shape != source.shape or part.dtype != source.dtype:
                    part = _fit(part, source, node, name)
                found[source] = operations.add(found[source], part) if source in found else part


def _joined(node: Node) -> dict[str, Any]:
    """The saved values as Tensors that belong to the graph: a recorded walk goes on through them."""
    given = dict(node.saved)
    ends = {node.op.outputs[0]: [node], **dict.fromkeys(node.op.parameters, []), **node.inputs}
    for name, value in given.items():
        several = isinstance(value, (list, tuple))
        pairs = zip(value if several else [value], ends.get(name, []), strict=False)
        joined = [Tensor.of(v, s) if isinstance(s, Node) else v if s is None else s for v, s in pairs]
        if joined:
            given[name] = type(value)(joined) if several else joined[0]
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
        upstream = namespace(y.data).ones_like(y.data)
    upstream = upstream if isinstance(upstream, Tensor) else Tensor.of(as_array(upstream, y.dtype))
    if upstream.shape != y.shape:
        raise ValueError(f"upstream gradient has shape {upstream.shape}; the tensor has {y.shape}")
    return upstream if create_graph else upstream.data
