"""The variables of an optimizer from ``.h5`` files, in the orders that versions of Keras have had."""

import copy
import warnings
from typing import Any

from minidl.engine.variable import Variable
from minidl.models import Model
from minidl.optimizers import Optimizer

__all__ = ["assign_optimizer_state"]

COUNTERS, RATES = ("iter", "iteration", "iterations"), ("learning_rate", "current_learning_rate")
INTERLEAVED = ("Adadelta", "Adam", "AdamW", "Adamax", "Ftrl")  # two slots of a weight, then those of the next


def assign_optimizer_state(model: Model, names: list[str], arrays: list[Any], filepath: Any) -> None:
    """Read the state of a model's optimizer; one that does not fit starts anew, with a warning, as in Keras.

    Args:
        names: of the arrays, with the optimizer's name in front.
        arrays: datasets, not yet read.
    """
    optimizer, snapshot = model.optimizer, model._snapshot
    if optimizer is None or snapshot is None or not arrays:
        return
    counter = _position(names, COUNTERS)
    rate = _position(names, RATES)
    slots = [i for i in range(len(names)) if i not in (counter, rate)]
    weights = snapshot.resolved().variables
    like = copy.deepcopy(optimizer)  # what it will have; it is built itself when all is known to fit
    if slots:
        like.build(weights)
    if not like._slots:  # Keras 2 wrote slots for SGD even where there is no momentum
        slots = []
    first = [variable for variable in like.variables if all(variable is not slot for slot in like._slots)]
    if counter is not None and _last(names[counter]) == "iter":
        slots = _in_our_order(slots, len(weights), optimizer)
    places = [counter, *([rate] if len(first) > 1 else []), *slots]
    problem = _problem(like.variables, places, arrays)
    if problem:
        warnings.warn(f"{filepath}: the optimizer {optimizer.name!r} starts anew: {problem}", stacklevel=5)
        return
    values = [None if place is None else arrays[place].read() for place in places]
    if slots:
        optimizer.build(weights)
    for variable, value in zip(optimizer.variables, values, strict=True):
        if value is not None:
            variable.assign(value.astype(variable.dtype))


def _in_our_order(slots: list[int], count: int, optimizer: Optimizer) -> list[int]:
    """Up to Keras 2.10 the first slots of all weights came first, then the second ones."""
    if type(optimizer).__name__ not in INTERLEAVED or not count or len(slots) < 2 * count:
        return slots
    pairs = [slots[kind * count + i] for i in range(count) for kind in (0, 1)]
    return pairs + slots[2 * count :]


def _problem(variables: list[Variable], places: list[int | None], arrays: list[Any]) -> str | None:
    if len(variables) != len(places):
        return f"it has {len(variables)} variables, but the file {len(places)}"
    for variable, place in zip(variables, places, strict=True):
        if place is not None and tuple(arrays[place].shape) != tuple(variable.shape):
            return f"{variable.name} has shape {tuple(variable.shape)}, but in the file {tuple(arrays[place].shape)}"
    return None


def _position(names: list[str], known: tuple[str, ...]) -> int | None:
    return next((i for i, name in enumerate(names) if _last(name) in known), None)


def _last(name: str) -> str:
    return name.rpartition("/")[2].partition(":")[0]
