"""The weights of a model in a ``.safetensors`` file, and the names that they have there.

A weight of a layer in a Sequential or functional model is ``LAYER/WEIGHT``, such as ``dense/kernel``: its path in
Keras, without the name of the model. Models inside put their name in front, and what a layer or a subclassed model
holds goes by the name of the attribute: ``block/wide/kernel``, ``blocks/dense_1/kernel`` (the second of a list), since
the counters in the names of such layers are others after a model was opened. The state of random numbers is a weight:
``dropout/seed_generator/seed_generator_state``. An optimizer's variables are numbered, as in Keras' other files:
``optimizer/vars/0``, ...
"""

import copy
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from minidl.config import __version__
from minidl.engine.variable import Variable
from minidl.models import Functional, Model, Sequential
from minidl.optimizers import Optimizer
from minidl_kernels.arrays import to_numpy

from .places import Place, places
from .safetensors import Entry, read_array, read_header, write_arrays

__all__ = ["assign_safetensors", "names_of_weights", "write_safetensors"]

Pairs = list[tuple[Variable, Entry]]


def write_safetensors(model: Model, file: BinaryIO) -> None:
    """Write all variables of a model, and of its optimizer where it is compiled, to an open file."""
    arrays = {name: to_numpy(variable.data) for name, variable in names_of_weights(model).items()}
    for place in places(model):
        if isinstance(place.owner, Optimizer):
            arrays.update((name, to_numpy(variable.data)) for name, variable in _numbered(place, place.variables))
    write_arrays(file, arrays, {"format": "minidl", "minidl_version": __version__})


def names_of_weights(model: Model) -> dict[str, Variable]:
    """The variables of a model by their names in a file: weights, and the states of random numbers."""
    found: dict[str, Variable] = {}
    known: dict[int, tuple[str, str]] = {}  # of what was visited: the path in the places, the one in names
    for place in places(model):
        path, shown = known.get(id(place.parent), ("", ""))
        part = place.path[len(path) :].removeprefix("/")
        if isinstance(place.parent, (Sequential, Functional)) and part.startswith("layers/"):
            part = place.owner.name
        known[id(place.owner)] = place.path, f"{shown}/{part}".strip("/")
        if isinstance(place.owner, Optimizer):
            continue
        for variable in place.variables:
            given = f"{known[id(place.owner)][1]}/{variable.name}".removeprefix("/")
            name, number = given, 0
            while name in found:
                number += 1
                name = f"{given}_{number}"
            found[name] = variable
    return found


def assign_safetensors(
    model: Model, file: BinaryIO, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Read a file into the variables of a model; all that can be wrong is looked for before anything is assigned.

    Names must be those of the model. Counters that Keras puts behind names (``dense_3``) may be others, as they are in
    a program that made models before: then the order of the numbers counts.

    Args:
        file: open for reading in binary mode.
        filepath: what error messages call it.
        skip_mismatch: leave variables that the file lacks, or has in another shape, as they are, with a warning.
        by_name: take what has exactly the same name, and leave the rest as it is.

    Raises:
        FormatError: the file cannot be read.
        ValueError: it holds the weights of another model.
    """
    entries, _ = read_header(file, filepath)
    optimizers = [place for place in places(model) if isinstance(place.owner, Optimizer)]
    states = {
        place.group: sorted((e for name, e in entries.items() if _is_in(name, place.group)), key=_number)
        for place in optimizers
    }
    of_optimizers = {entry.name for state in states.values() for entry in state}
    weights = {n: e for n, e in entries.items() if n not in of_optimizers and not _OF_OPTIMIZERS.search(n)}
    found, problems, unused = _matched(names_of_weights(model), weights, by_name)
    if problems:
        listed = "".join(f"\n  {line}" for line in problems[:10]) + ("\n  ..." if len(problems) > 10 else "")
        message = f"{filepath} holds the weights of another model than {model.name!r}:{listed}"
        if not skip_mismatch:
            raise ValueError(message)
        warnings.warn(f"{message}\nThese stay as they are.", stacklevel=4)
    if unused and not by_name:
        warnings.warn(f"{filepath}: the model has no place for {', '.join(unused[:10])}", stacklevel=4)
    for place in [] if by_name else optimizers:
        if states[place.group]:
            found += _state(place, states[place.group], filepath)
    for variable, entry in found:  # one by one, so that the numbers are in memory once
        variable.assign(read_array(file, entry, filepath))


_OF_OPTIMIZERS = re.compile(r"(^|/)optimizer/vars/\d+$")  # of a model that is compiled there, and not here


def _is_in(name: str, group: str) -> bool:
    return name.startswith(f"{group}/") and name[len(group) + 1 :].isdecimal()


def _number(entry: Entry) -> int:
    return int(entry.name.rpartition("/")[2])


def _numbered(place: Place, variables: list[Variable]) -> Iterator[tuple[str, Variable]]:
    return ((f"{place.group}/{number}", variable) for number, variable in enumerate(variables))


def _matched(
    variables: dict[str, Variable], entries: dict[str, Entry], by_name: bool
) -> tuple[Pairs, list[str], list[str]]:
    """Which array is for which variable; what does not fit; names in the file that the model does not have."""
    names: dict[str, str] = {}
    for of_kind in (_is_state, lambda name: not _is_state(name)):
        mine = [name for name in variables if of_kind(name)]
        names.update((name, name) for name in mine)
        if not by_name and not entries.keys() >= set(mine):
            here, there = (
                _recounted(mine),
                {short: name for name, short in _recounted(filter(of_kind, entries)).items()},
            )
            if there.keys() >= set(here.values()):
                names.update((name, there[short]) for name, short in here.items())
    found, problems = [], []
    for name, variable in variables.items():
        entry = entries.get(names[name])
        if entry is None:
            if not by_name and not _is_state(name):  # other programs have none
                problems.append(f"{name} is not in the file, which has {', '.join(list(entries)[:5])}")
        elif entry.shape != tuple(variable.shape):
            problems.append(f"{name} has shape {tuple(variable.shape)}, but in the file {entry.shape}")
        else:
            found.append((variable, entry))
    taken = set(names.values())
    return found, problems, [name for name in entries if name not in taken]


def _is_state(name: str) -> bool:
    return name.endswith("/seed_generator_state")


def _recounted(given: Iterable[str]) -> dict[str, str]:
    """Paths with the counters of their parts counted anew: dense_7/kernel, dense_9/kernel: dense_0, dense_1."""
    names = list(given)
    numbers: dict[tuple[str, str], set[int]] = {}
    for name in names:
        for prefix, base, number in _counted(name):
            numbers.setdefault((prefix, base), set()).add(number)
    ranks = {key: {n: rank for rank, n in enumerate(sorted(found))} for key, found in numbers.items()}
    # The last part names the variable within its layer, where counters mean what they say.
    return {
        name: "/".join([*(f"{b}_{ranks[p, b][n]}" for p, b, n in _counted(name)), name.rpartition("/")[2]])
        for name in names
    }


def _counted(name: str) -> list[tuple[str, str, int]]:
    """(what is before it, a part without its counter, its counter)."""
    found, prefix = [], ""
    for part in name.split("/")[:-1]:
        base, _, number = part.rpartition("_")
        found.append((prefix, base, int(number)) if base and number.isdecimal() else (prefix, part, 0))
        prefix = f"{prefix}{part}/"
    return found


def _state(place: Place, entries: list[Entry], filepath: Any) -> Pairs:
    """The values of an optimizer's variables; one that does not fit starts anew, with a warning, as in Keras."""
    optimizer, model = place.owner, place.parent
    like, weights = optimizer, None
    its_model = isinstance(model, Model) and model.compiled and model.optimizer is optimizer
    if its_model and not optimizer.built and len(entries) > len(optimizer.variables):
        weights = model._snapshot.resolved().variables
        like = copy.deepcopy(optimizer)  # what it will have; it is built itself when all is known to fit
        like.build(weights)
    wanted = [tuple(variable.shape) for variable in like.variables]
    if wanted != [entry.shape for entry in entries]:
        warnings.warn(
            f"{filepath}: the optimizer {optimizer.name!r} starts anew: it has {len(wanted)} variables, the file "
            f"{len(entries)} or others",
            stacklevel=5,
        )
        return []
    if weights is not None:
        optimizer.build(weights)
    return list(zip(optimizer.variables, entries, strict=True))
