"""Keras 2's layout of weights in HDF5: a group for each layer (``layer_names``), in it its arrays (``weight_names``).

The published weights of the networks in ``minidl.applications`` lie in such files. Layers are matched by their order,
as in Keras, or by name.
"""

import warnings
from itertools import chain
from typing import Any, BinaryIO

from minidl.engine.variable import Variable
from minidl.models import Model

from .archive import LAYOUT
from .errors import damage_is_named
from .groups import datasets_of, member, names_of, write_arrays, write_names
from .hdf5_reader import Dataset, open_hdf5
from .hdf5_writer import Image
from .reading import assign_all

__all__ = ["assign_legacy_weights", "image_of_legacy_weights", "legacy_values", "write_legacy_weights"]

TOP = "top_level_model_weights"


def image_of_legacy_weights(model: Model) -> Image:
    """An HDF5 file with the weights of a model, as Keras 2 wrote them into ``.h5`` files."""
    with Image() as (image, file):
        write_legacy_weights(model, image, file)
    return image


def write_legacy_weights(model: Model, image: Image, group: Any) -> None:
    """Write a group for each layer, and one for the weights of the model itself."""
    write_names(group, "layer_names", [layer.name for layer in model.layers])
    group.attrs["keras_version"], group.attrs["backend"] = LAYOUT, "minidl"
    for layer in {layer.name: layer for layer in model.layers}.values():
        write_arrays(image, group.create_group(layer.name), _in_order(layer), layer.name)
    write_arrays(image, group.create_group(TOP), [*chain(*model._own_weights())], model.name)


def _in_order(layer: Any) -> list[Variable]:
    """The weights of a layer as they stand in these files: those that train first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def assign_legacy_weights(
    model: Model, file: BinaryIO, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Read such a file into a model; all of it is checked before anything is assigned.

    Args:
        file: open for reading in binary mode.
        filepath: what error messages call it.
        skip_mismatch: leave layers as they are, with a warning, where the file does not fit.
        by_name: match layers by name, and leave those that are not in the file as they are; else by order.

    Raises:
        FormatError: the file cannot be read.
        ValueError: it holds the weights of another model.
    """
    with damage_is_named(filepath, "cannot be read as HDF5"):
        tree = open_hdf5(file, filepath)
        root = member(tree, "model_weights", filepath) if _is_whole_model(tree) else tree
        found, message = legacy_values(model, root, filepath, by_name)
    if message and not skip_mismatch:
        raise ValueError(message)
    if message:
        warnings.warn(f"{message}\nThese stay as they are.", stacklevel=4)
    assign_all(found)


def legacy_values(
    model: Model, group: Any, filepath: Any, by_name: bool = False
) -> tuple[list[tuple[Variable, Dataset]], str]:
    """The datasets for the weights of a model, and a text about the layers that the file does not fit ("": none)."""
    names = names_of(group, "layer_names", filepath)
    pairs = _pairs(model, [(name, datasets_of(group, name, filepath)) for name in names], filepath, by_name)
    found: list[tuple[Variable, Dataset]] = []
    problems = []
    for owner, arrays in pairs:
        fitting = _fitting(owner, arrays)
        if isinstance(fitting, str):
            problems.append(f"{owner.name}: {fitting}")
        else:
            found += zip(fitting, arrays, strict=True)
    own = [*chain(*model._own_weights())]
    if TOP in group and not (by_name and not own):
        arrays = datasets_of(group, TOP, filepath)
        if [tuple(a.shape) for a in arrays] != [tuple(v.shape) for v in own]:
            problems.append(f"the model itself has {len(own)} weights, but in the file there are {len(arrays)}")
        else:
            found += zip(own, arrays, strict=True)
    if not problems:
        return found, ""
    listed = "".join(f"\n  {line}" for line in problems[:10]) + ("\n  ..." if len(problems) > 10 else "")
    return found, f"{filepath} holds the weights of another model than {model.name!r}:{listed}"


def _is_whole_model(tree: Any) -> bool:
    return "layer_names" not in tree.attrs and "layer_names0" not in tree.attrs and "model_weights" in tree


def _pairs(model: Model, stored: list[tuple[str, Any]], filepath: Any, by_name: bool) -> list[tuple[Any, list[Any]]]:
    """Each layer with weights, and the arrays for it."""
    layers = [layer for layer in model.layers if layer.weights]
    if by_name:
        named = dict(stored)
        return [(layer, named[layer.name]) for layer in layers if named.get(layer.name)]
    filled = [(name, arrays) for name, arrays in stored if arrays]
    if len(filled) != len(layers):
        raise ValueError(
            f"{filepath} holds weights of {len(filled)} layers, but {model.name!r} has {len(layers)} layers with "
            f"weights (in the file: {', '.join(name for name, _ in filled[:10])}; in the model: "
            f"{', '.join(one.name for one in layers[:10])}); by_name=True loads the layers of the same name"
        )
    return [(layer, arrays) for layer, (_, arrays) in zip(layers, filled, strict=True)]


def _fitting(layer: Any, arrays: list[Any]) -> list[Variable] | str:
    """The weights of a layer in the order in which these arrays fit them, or what is wrong."""
    given = [tuple(a.shape) for a in arrays]
    flagged = _in_order(layer)
    # A file that was written before layers were frozen has those first that train by nature.
    for variables in (flagged, sorted(layer.weights, key=lambda variable: not variable.trainable)):
        if [tuple(v.shape) for v in variables] == given:
            return variables
    if len(flagged) != len(given):
        return f"it has {len(flagged)} weights, but the file {len(given)}"
    return f"its shapes are {[tuple(v.shape) for v in flagged]}, but in the file {given}"
