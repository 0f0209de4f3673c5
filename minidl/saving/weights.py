"""The tree of weights in an HDF5 file: ``PATH/vars/0``, ``PATH/vars/1``, ... for every place of a model."""

import copy
import warnings
from typing import Any, BinaryIO

from minidl.engine.variable import Variable
from minidl.models import Model
from minidl.optimizers import Optimizer
from minidl.random import SeedGenerator
from minidl_kernels.arrays import to_numpy

from .errors import FormatError, damage_is_named
from .hdf5_reader import Dataset, Group, open_hdf5
from .hdf5_writer import Image
from .places import Place, places
from .reading import assign_all, numbers

__all__ = ["assign_tree", "assign_weights", "image_of_weights"]


def image_of_weights(model: Model, include_optimizer: bool = True) -> Image:
    """An HDF5 file with all variables of a model; those of its optimizer may be left out."""
    with Image() as (image, file):
        for place in places(model):
            if not include_optimizer and place.owner is model.optimizer:
                continue
            group = file.require_group(place.group)
            if isinstance(getattr(place.owner, "name", None), str):
                group.attrs["name"] = place.owner.name
            for number, variable in enumerate(place.variables):
                image.put(group, str(number), to_numpy(variable.data))
    return image


def assign_weights(model: Model, file: BinaryIO, filepath: Any, skip_mismatch: bool = False) -> None:
    """Read an HDF5 file into the variables of a model; all of it is checked before anything is assigned.

    Args:
        file: open for reading in binary mode.
        filepath: what error messages call it.
        skip_mismatch: leave layers as they are, with a warning, where the file does not fit.

    Raises:
        FormatError: the file cannot be read.
        ValueError: it holds the weights of another model.
    """
    assign_tree(model, open_hdf5(file, filepath), filepath, skip_mismatch)


def assign_tree(model: Model, tree: Group, filepath: Any, skip_mismatch: bool = False) -> None:
    """The same, for a file whose root was opened."""
    with damage_is_named(filepath, "cannot be read as HDF5"):
        reading = _Reading(tree, filepath)
        problems = [
            f"{place.path or model.name}: {problem}" for place in places(model) if (problem := reading.place(place))
        ]
        warned = reading.warnings + reading.unused()
    if problems:
        listed = "".join(f"\n  {line}" for line in problems[:10]) + ("\n  ..." if len(problems) > 10 else "")
        message = f"{filepath} holds the weights of another model than {model.name!r}:{listed}"
        if not skip_mismatch:
            raise ValueError(message)
        warnings.warn(f"{message}\nThese stay as they are.", stacklevel=5)
    for text in warned:
        warnings.warn(f"{filepath}: {text}", stacklevel=5)
    reading.assign()


class _Reading:
    """A tree, what of it was read, and what is wrong with it."""

    def __init__(self, tree: Group, filepath: Any):
        self.tree, self.filepath = tree, filepath
        self.read: set[str] = set()
        self.warnings: list[str] = []
        self._values: list[tuple[Variable, Dataset]] = []
        self._states: list[tuple[Optimizer, list[Variable] | None, list[Dataset]]] = []  # to build it for, its values

    def assign(self) -> None:
        """Give the variables the values that were read."""
        for optimizer, variables, values in self._states:
            if variables is not None:
                optimizer.build(variables)
            self._values += zip(optimizer.variables, values, strict=True)
        assign_all(self._values)

    def place(self, place: Place) -> str | None:
        """Read the values for a place, or say why that cannot be."""
        self.read.add(place.group)
        stored = self._stored(place.group)
        if isinstance(place.owner, SeedGenerator) and not stored:
            return None  # Keras does not write them
        if isinstance(place.owner, Optimizer):
            self._optimizer(place, stored)
            return None
        found = self._fitting(place.variables, stored)
        if isinstance(found, str):
            return found
        self._values += zip(place.variables, found, strict=True)
        return None

    def _optimizer(self, place: Place, stored: dict[str, Dataset]) -> None:
        """As ``place``, for an optimizer; one that does not fit starts anew, with a warning, as in Keras."""
        optimizer, model = place.owner, place.parent
        if not stored:
            return
        variables, like = None, optimizer
        its_model = isinstance(model, Model) and model.built and model.compiled and model.optimizer is optimizer
        if its_model and not optimizer.built and len(stored) > len(optimizer.variables):
            variables = model._snapshot.resolved().variables
            like = copy.deepcopy(optimizer)  # what it will have; it is built itself when all is known to fit
            like.build(variables)
        found = self._fitting(like.variables, stored)
        if isinstance(found, str):
            self.warnings.append(f"the optimizer {optimizer.name!r} starts anew: {found}")
            return
        self._states.append((optimizer, variables, found))

    def _fitting(self, variables: list[Variable], stored: dict[str, Dataset]) -> Any:
        """The values for these variables, or why they do not fit."""
        if len(stored) != len(variables):
            return f"it has {len(variables)} variables, but the file {len(stored)}"
        found = []
        for number, variable in enumerate(variables):
            dataset = stored.get(str(number))
            if dataset is None:
                return f"the file has {', '.join(stored)} instead of 0 to {len(variables) - 1}"
            if tuple(dataset.shape) != tuple(variable.shape):  # before it is read: a shape may be made up
                return f"{variable.name} has shape {tuple(variable.shape)}, but in the file {tuple(dataset.shape)}"
            found.append(numbers(dataset, self.filepath))
        return found

    def _stored(self, path: str) -> dict[str, Dataset]:
        """The datasets of a group by name; none where there is no such group."""
        group = self.tree
        for part in path.split("/"):
            if part not in group:
                return {}
            below = group[part]
            if not isinstance(below, Group):
                raise FormatError(f"{self.filepath}: {path} should be a group of weights, but is {below!r}")
            group = below
        return {name: self._dataset(group, name) for name in group}

    def _dataset(self, group: Group, name: str) -> Dataset:
        dataset = group[name]
        if not isinstance(dataset, Dataset):
            raise FormatError(f"{self.filepath}: {group.name}/{name} is not an array in this file")
        return dataset

    def unused(self) -> list[str]:
        """A warning of arrays that the model has no place for; none where all were read."""
        found: dict[str, None] = {}
        for dataset in self.tree.datasets():
            group = dataset.name.lstrip("/").rpartition("/")[0]
            if group not in self.read and "optimizer" not in group.split("/"):
                found[group.removesuffix("/vars")] = None
        return [f"the model has no place for {', '.join(list(found)[:10])}"] if found else []
