"""Which kernels a training step of a model calls, layer by layer, and which implementation each of them chooses.

It is found out by making a step: on zeros, while kernels choose but do not compute (``minidl_kernels.watch``). What a
call changes (moving averages, streams of random numbers) is put back.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

import minidl_kernels as kernels
from minidl.checking.subject import state_of
from minidl.engine.op import trainable_are
from minidl.engine.tensor import Tensor
from minidl.engine.variable import Variable
from minidl.engine.walk import gradients
from minidl.graph.symbolic import KerasTensor, flatten, map_structure
from minidl.layers import masks
from minidl.ops.custom import custom_gradient
from minidl_kernels.arrays import namespace
from minidl_kernels.watching import Call, Watch

from .compiled import CompiledLosses
from .snapshot import Snapshot

__all__ = ["Place", "planned_calls"]


class Place(NamedTuple):
    """Where in a step a kernel is called."""

    part: Any  # a layer, "loss" or "optimizer"
    backward: bool = False


def planned_calls(model: Any, batch_size: int) -> list[Call]:
    """The calls of kernels in one training step, in order; the ``place`` of each is a ``Place``.

    A model that is not compiled is taken to train the sum of its outputs, without an optimizer. So is one whose loss
    does not take zeros of its outputs' shape (or labels of 0, where it takes labels) as targets.

    Raises:
        ValueError: the shapes of the inputs are not known.
    """
    inputs = _inputs(model, batch_size)
    snapshot = model._settled_snapshot() if model.compiled and model.built else Snapshot(model)
    variables = snapshot.variables
    with _state_kept(model), kernels.watch(compute=False) as seen, np.errstate(all="ignore"):
        with warnings.catch_warnings(), _places(model, seen), trainable_are(snapshot.ids):
            warnings.simplefilter("ignore")  # about values that nobody computed
            y_pred = model(inputs, training=True)
            seen.place = Place("loss")
            results = [_loss(model, y_pred, seen)]
            if results == [None]:
                results = [y for y in flatten(y_pred) if isinstance(y, Tensor) and y.live()]
            seen.place = Place("loss", backward=True)
            if variables and results:
                found = gradients(results, [None] * len(results), variables, create_graph=False)
                seen.place = Place("optimizer")
                _update(model, [v for v, g in zip(variables, found, strict=True) if g is not None])
    return seen.calls


def _inputs(model: Any, batch_size: int) -> Any:
    """Zeros for every input."""
    symbolic = getattr(model, "input_structure", None)
    if symbolic is None and getattr(model, "_symbolic", None):
        symbolic = model._symbolic[0]
    if symbolic is None and model._input_shape_built is not None:
        symbolic = model._symbolic_of(model._input_shape_built)
    if symbolic is None or not model.built:
        raise ValueError("the shapes of the inputs are not known yet: call the model on data first, or build() it")
    weights = model.weights
    xp = namespace(weights[0].data) if weights else np

    def zeros(leaf: KerasTensor) -> Tensor:
        shape = tuple(batch_size if n is None and axis == 0 else n for axis, n in enumerate(leaf.shape))
        if None in shape:
            raise ValueError(f"the data decides on extents of inputs of shape {leaf.shape}")
        return Tensor.of(xp.zeros(shape, leaf.dtype))

    return map_structure(zeros, symbolic)


def _loss(model: Any, y_pred: Any, seen: Watch) -> Any:
    """The loss as ``compute_loss`` makes it; None where there is none, or where it is not known."""
    if not model.compiled or model.loss is None:
        return None
    before = len(seen.calls)
    try:
        losses = CompiledLosses(model.loss, model._settings["loss_weights"], model.output_names)
        total = losses(losses.zero_targets(y_pred), y_pred, None)
    except Exception:  # of a loss that wants other targets
        del seen.calls[before:]
        return None
    for extra in model._added_losses():
        total = extra if total is None else total + extra
    return total if isinstance(total, Tensor) and total.live() else None


def _update(model: Any, variables: list[Any]) -> None:
    """An update by an optimizer of these settings, of variables of as many axes (it does not depend on extents)."""
    if not model.compiled or model.optimizer is None or not variables:
        return
    try:
        optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    except Exception:  # of one of the user's own, which cannot be copied
        return
    ones = [Variable(namespace(v.data).ones((1,) * v.ndim, v.dtype), name=v.name) for v in variables]
    optimizer.apply([one.data for one in ones], ones)


@contextmanager
def _state_kept(model: Any) -> Iterator[None]:
    """Afterwards variables, streams of random numbers and the losses of the last call are what they were."""
    layers = model._flatten_layers()
    variables = [(v, v.data, v.version) for v in state_of(model, layers)]
    losses = [(layer, layer._run, layer._call_losses) for layer in layers]
    try:
        yield
    finally:
        for variable, data, version in variables:
            variable.data, variable.version = data, version
        for layer, run, made in losses:
            layer._run, layer._call_losses = run, made


@contextmanager
def _places(model: Any, seen: Watch) -> Iterator[None]:
    """Inside the block, what a layer calls stands under its name: also on the way back."""
    layers = {id(layer): layer for layer in model._flatten_layers()}.values()
    try:
        for layer in layers:
            layer.__dict__["call"] = _placed(layer, model, seen)
        yield
    finally:
        for layer in layers:
            layer.__dict__.pop("call", None)


def _placed(layer: Any, model: Any, seen: Watch) -> Callable[..., Any]:
    call = layer.call

    def placed(*args: Any, **kwargs: Any) -> Any:
        outer = seen.place
        behind = Place((outer or Place(model)).part, backward=True)  # of what comes before this layer
        args = map_structure(lambda leaf: _marked(leaf, seen, behind), args)
        seen.place = Place(layer)
        try:
            result = call(*args, **kwargs)
        finally:
            seen.place = outer
        return map_structure(lambda leaf: _marked(leaf, seen, Place(layer, backward=True)), result)

    placed.fuses = True  # type: ignore[attr-defined]  # what is fused is to be seen as such
    return placed


def _marked(tensor: Any, seen: Watch, place: Place) -> Any:
    """The same tensor; the walk back sets the place when it comes by."""
    if not isinstance(tensor, Tensor) or not tensor.live():
        return tensor

    def grad(upstream: Any) -> Any:
        seen.place = place
        return upstream

    return masks.copied(tensor, custom_gradient(lambda x: (x, grad))(tensor))
