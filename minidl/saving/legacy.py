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
        write_arrays(image, group.create_group(layer.name), _in_order(layer))
    write_arrays(image, group.create_group(TOP), [*chain(*model._own_weights())])


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
        skip_mismatch: leave weights of another shape as they are, with a warning; by name, also layers that have more
            or fewer weights than in the file.
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
    """The datasets for the weights of a model, and a text about those that the file does not fit ("": none).

    Raises:
        ValueError: by order, a layer has more or fewer weights than the file: then all that follow are in doubt.
    """
    names = names_of(group, "layer_names", filepath)
    pairs = _pairs(model, [(name, datasets_of(group, name, filepath)) for name in names], filepath, by_name)
    own = [*chain(*model._own_weights())]
    ways = [(owner.name, *_fitting(_orders(owner), arrays)) for owner, arrays in pairs]
    if TOP in group and not (by_name and not own):
        ways.append(("the model itself", *_fitting([own], datasets_of(group, TOP, filepath))))
    problems = [f"{name}: {problem}" for name, _, problem in ways if problem]
    message = ""
    if problems:
        listed = "".join(f"\n  {line}" for line in problems[:10]) + ("\n  ..." if len(problems) > 10 else "")
        message = f"{filepath} holds the weights of another model than {model.name!r}:{listed}"
    if not by_name and any(found is None for _, found, _ in ways):
        raise ValueError(message)
    return [pair for _, found, _ in ways for pair in found or []], message


def _is_whole_model(tree: Any) -> bool:
    return "layer_names" not in tree.attrs and "layer_names0" not in tree.attrs and "model_weights" in tree


def _pairs(model: Model, stored: list[tuple[str, Any]], filepath: Any, by_name: bool) -> list[tuple[Any, list[Any]]]:
    """Each layer with weights, and the arrays for it."""
    layers = [layer for layer in model.layers if layer.weights]
    if by_name:
        named = dict(stored)
        known = [layer for layer in model.layers if layer.name in named]
        return [(layer, named[layer.name]) for layer in known if layer.weights or named[layer.name]]
    filled = [(name, arrays) for name, arrays in stored if arrays]
    if len(filled) != len(layers):
        raise ValueError(
            f"{filepath} holds weights of {len(filled)} layers, but {model.name!r} has {len(layers)} layers with "
            f"weights (in the file: {', '.join(name for name, _ in filled[:10])}; in the model: "
            f"{', '.join(one.name for one in layers[:10])}); by_name=True loads the layers of the same name"
        )
    return [(layer, arrays) for layer, (_, arrays) in zip(layers, filled, strict=True)]


def _orders(layer: Any) -> list[list[Variable]]:
    """The weights of a layer as they stand in files: a file from before layers were frozen has those first that train
    by nature."""
    return [_in_order(layer), sorted(layer.weights, key=lambda variable: not variable.trainable)]


def _fitting(orders: list[list[Variable]], arrays: list[Dataset]) -> tuple[list[tuple[Variable, Dataset]] | None, str]:
    """The weights that have the shapes of the arrays (None: not even as many), and what is wrong with others."""
    given = [tuple(array.shape) for array in arrays]
    for variables in orders:
        if [tuple(variable.shape) for variable in variables] == given:
            return list(zip(variables, arrays, strict=True)), ""
    variables = orders[0]
    if len(variables) != len(given):
        return None, f"it has {len(variables)} weights, but the file {len(given)}"
    fitting = [(v, array) for v, array in zip(variables, arrays, strict=True) if tuple(v.shape) == tuple(array.shape)]
    return fitting, f"its shapes are {[tuple(v.shape) for v in variables]}, but in the file {given}"
