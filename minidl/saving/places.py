"""Where the variables of a model stand in a file: Keras 3's paths.

A layer in ``model.layers`` is called by its class and a counter, not by its name: ``layers/dense``, ``layers/dense_1``;
a layer that is an attribute by that: ``encoder``. Attributes are visited in sorted order, private ones last, and what
was visited before is not visited again, so that the first path counts.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from minidl.engine.variable import Variable
from minidl.layers import Layer
from minidl.models import Functional, Model, Sequential
from minidl.optimizers import Optimizer
from minidl.random import SeedGenerator
from minidl.registry import snake_case

__all__ = ["Place", "places"]


class Place(NamedTuple):
    """A layer, an optimizer or a seed generator, and its path in a file ("" is the model)."""

    path: str
    owner: Any
    parent: Any  # whose attribute it is, directly or in a list

    @property
    def group(self) -> str:
        """The group that holds its variables."""
        return f"{self.path}/vars" if self.path else "vars"

    @property
    def variables(self) -> list[Variable]:
        """What is stored in the group as 0, 1, ..."""
        if isinstance(self.owner, SeedGenerator):
            return [self.owner.state]
        if isinstance(self.owner, Optimizer):
            return list(self.owner.variables)
        trainable, fixed = self.owner._own_weights()
        return [*trainable, *fixed]


def places(model: Model) -> Iterator[Place]:
    """The places of a model and of all that it holds, in Keras' order.

    Seed generators are ours: Keras neither writes nor reads them.
    """
    yield from _visit(model, "", None, set())


def _visit(item: Any, path: str, parent: Any, visited: set[int]) -> Iterator[Place]:
    if id(item) in visited:
        return
    visited.add(id(item))
    yield Place(path, item, parent)
    if isinstance(item, Layer):
        for name, value in _attributes(item):
            below = f"{path}/{name}" if path else name
            if isinstance(value, (Layer, Optimizer, SeedGenerator)):
                yield from _visit(value, below, item, visited)
            elif isinstance(value, (list, tuple, dict)):
                yield from _members(value, below, item, visited, set())


def _members(container: Any, path: str, parent: Any, visited: set[int], entered: set[int]) -> Iterator[Place]:
    if id(container) in entered:
        return
    entered.add(id(container))
    counts: Counter[str] = Counter()
    for value in container.values() if isinstance(container, dict) else container:
        nested = isinstance(value, (list, tuple, dict))
        if not nested and not isinstance(value, (Layer, Optimizer, SeedGenerator)):
            continue
        name = "container" if nested else snake_case(type(value).__name__)
        below = f"{path}/{name}_{counts[name]}" if counts[name] else f"{path}/{name}"
        counts[name] += 1
        if nested:
            yield from _members(value, below, parent, visited, entered)
        else:
            yield from _visit(value, below, parent, visited)


def _attributes(layer: Layer) -> Iterator[tuple[str, Any]]:
    kind = next(cls for cls in (Sequential, Functional, Model, Layer) if isinstance(layer, cls))
    if kind in (Sequential, Functional):
        yield "layers", layer.layers  # type: ignore[attr-defined]
    names = set(dir(layer)) - _of_the_base(kind)
    for name in sorted(names, key=lambda name: f"~{name}" if name.startswith("_") else name):
        if not name.startswith("__"):
            try:
                value = getattr(layer, name)
            except Exception:
                continue  # a property of the user that has no value now
            yield name, value


@cache
def _of_the_base(kind: type[Layer]) -> frozenset[str]:
    """What a base class defines; of that, only the layers and the optimizer of a model hold variables."""
    own = {*dir(kind), *dir(Layer(name="layer")), "_stack", "_graph_layers"}
    return frozenset(own - {"layers", "optimizer"})
