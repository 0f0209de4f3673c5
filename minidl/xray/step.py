"""One step of a model, or one run of a function, recorded; afterwards everything is as it was before."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minidl.data.arrays import standardized
from minidl.engine.tensor import Tensor
from minidl.engine.walk import gradients
from minidl.graph.symbolic import flatten
from minidl.layers import Layer
from minidl.metrics import Metric
from minidl.optimizers import Optimizer
from minidl.random import SeedGenerator
from minidl_kernels.arrays import to_numpy

from .stand_ins import recorded
from .trace import Trace

__all__ = ["Step", "record"]


class Step:
    """A trace and what it was recorded of.

    Attributes:
        trace: the record.
        model: the model, or None for a function.
        name: for the title.
        inputs, targets, weights: arrays the user gave, as name -> array; ``weights`` are those of samples.
        loss: the number the step was about, where it is one.
    """

    def __init__(self, trace: Trace, model: Any, name: str, given: dict[str, dict[str, np.ndarray]], loss: Any):
        self.trace, self.model, self.name, self.loss = trace, model, name, loss
        self.inputs, self.targets, self.weights = given["inputs"], given["targets"], given["weights"]


def record(target: Any, arrays: tuple[Any, ...]) -> Step:
    """Record a training step of a compiled model on (x, y[, sample_weight]), or a function of tensors and its gradient.

    Raises:
        ValueError: a model that is not compiled, or without data.
        TypeError: what is neither a model nor a function.
    """
    if hasattr(target, "train_on_batch"):
        return _of_model(target, *arrays)
    if isinstance(target, Layer) or callable(target):
        return _of_function(target, arrays)
    raise TypeError(f"explain() takes a compiled model, or a function of tensors, not {target!r}")


def _of_model(model: Any, x: Any = None, y: Any = None, sample_weight: Any = None) -> Step:
    if not model.compiled:
        raise ValueError("call compile() before explain(), for example model.compile(optimizer='adam', loss='mse')")
    x, y, sample_weight = standardized(x, y, sample_weight)
    given = {"inputs": _named("x", x), "targets": _named("y", y), "weights": _named("sample_weight", sample_weight)}
    if not model.built:
        model.predict_on_batch(x)  # makes the weights, which are then kept
    with _kept(model), recorded() as trace:
        loss = model.train_on_batch(x, y, sample_weight, return_dict=True).get("loss")
    return Step(trace, model, model.name, given, loss)


def _of_function(function: Callable[..., Any], arrays: tuple[Any, ...]) -> Step:
    if not arrays:
        raise ValueError("explain(function, ...) needs the arrays to call it with: explain(function, a, b)")
    tensors = [a if isinstance(a, Tensor) else Tensor(a) for a in arrays]
    leaves = [Tensor(t.data, requires_grad=t.dtype.kind == "f") for t in tensors]
    given = {"inputs": {f"input {i + 1}": to_numpy(t.data) for i, t in enumerate(leaves)}, "targets": {}, "weights": {}}
    with recorded() as trace:
        for leaf in leaves:
            trace.spot(leaf)
        y = function(*leaves)
        if not isinstance(y, Tensor):
            raise TypeError(f"the function must return a Tensor, not {y!r}; compute with minidl.ops")
        if y.live():
            gradients([y], [None], [leaf for leaf in leaves if leaf.live()], create_graph=False)
    return Step(trace, None, getattr(function, "__name__", "function"), given, None)


def _named(name: str, values: Any) -> dict[str, np.ndarray]:
    """Arrays by name: those of a dictionary, or numbered where there are several."""
    if values is None:
        return {}
    if isinstance(values, dict):
        return {f"{name}[{key}]": to_numpy(one) for key, one in values.items() if one is not None}
    several = [one for one in flatten(values) if one is not None]
    names = [name] if len(several) == 1 else [f"{name}[{i}]" for i in range(len(several))]
    return {key: to_numpy(one) for key, one in zip(names, several, strict=True)}


@contextmanager
def _kept(model: Any) -> Iterator[None]:
    """Afterwards weights, random streams, metrics and the optimizer are as they were."""
    optimizers = {id(o): o for o in vars(model).values() if isinstance(o, Optimizer)}
    metrics = {id(m): m for m in vars(model).values() if isinstance(m, Metric)}
    metrics |= {id(m): m for m in model.metrics}
    layers = model._flatten_layers()
    streams = [s.state for layer in layers for s in vars(layer).values() if isinstance(s, SeedGenerator)]
    owners = [*model.weights, *streams, *(v for m in metrics.values() for v in m.variables)]
    owners += [v for o in optimizers.values() for v in o.variables]
    variables = list({id(v): v for v in owners}.values())
    before = [np.array(to_numpy(v.data)) for v in variables]
    unbuilt = [(o, {k: list(v) if isinstance(v, list) else v for k, v in vars(o).items()})
               for o in optimizers.values() if not o.built]  # fmt: skip
    try:
        yield
    finally:
        for optimizer, attributes in unbuilt:  # the step made its slots
            vars(optimizer).clear()
            vars(optimizer).update(attributes)
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
