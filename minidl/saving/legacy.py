"""Keras 2's layout of weights in HDF5: a group for each layer (``layer_names``), in it its arrays (``weight_names``).

The published weights of the networks in ``minidl.applications`` lie in such files. Layers are matched by their order,
as in Keras, or by name.
"""

import warnings
from typing import Any, BinaryIO

import numpy as np

from minidl.engine.variable import Variable
from minidl.models import Model

from .errors import FormatError, damage_is_named

__all__ = ["assign_legacy_weights"]


def assign_legacy_weights(
    model: Model, file: BinaryIO, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Read such a file into a model; all of it is read and checked before anything is assigned.

    Args:
        file: open for reading in binary mode.
        filepath: what error messages call it.
        skip_mismatch: leave layers as they are, with a warning, where the file does not fit.
        by_name: match layers by name, and leave those that are not in the file as they are; else by order.

    Raises:
        FormatError: the file cannot be read.
        ValueError: it holds the weights of another model.
    """
    import h5py

    with damage_is_named(filepath, "cannot be read as HDF5"), h5py.File(file, "r") as tree:
        root = tree["model_weights"] if "layer_names" not in tree.attrs and "model_weights" in tree else tree
        stored = {name: _arrays_of(root, name, filepath) for name in _names(root, "layer_names", filepath)}
        pairs = _pairs(model, stored, filepath, by_name)
        found, problems = _fitting(pairs)
    if problems:
        listed = "".join(f"\n  {line}" for line in problems[:10]) + ("\n  ..." if len(problems) > 10 else "")
        message = f"{filepath} holds the weights of another model than {model.name!r}:{listed}"
        if not skip_mismatch:
            raise ValueError(message)
        warnings.warn(f"{message}\nThese stay as they are.", stacklevel=4)
    for variable, value in found:
        variable.assign(value)


def _pairs(model: Model, stored: dict[str, list[Any]], filepath: Any, by_name: bool) -> list[tuple[Any, list[Any]]]:
    """Each layer with weights, and the arrays for it."""
    layers = [layer for layer in model.layers if layer.weights]
    if by_name:
        return [(layer, stored[layer.name]) for layer in layers if stored.get(layer.name)]
    filled = [arrays for arrays in stored.values() if arrays]
    if len(filled) != len(layers):
        names = [name for name, arrays in stored.items() if arrays]
        raise ValueError(
            f"{filepath} holds weights of {len(filled)} layers, but {model.name!r} has {len(layers)} layers with "
            f"weights (in the file: {', '.join(names[:10])}; in the model: "
            f"{', '.join(one.name for one in layers[:10])}); by_name=True loads the layers of the same name"
        )
    return list(zip(layers, filled, strict=True))


def _fitting(pairs: list[tuple[Any, list[Any]]]) -> tuple[list[tuple[Variable, np.ndarray]], list[str]]:
    """The values of the layers that fit, and what is wrong with the others."""
    found, problems = [], []
    for layer, arrays in pairs:
        # Those first that train by nature, whatever is frozen now.
        variables = sorted(layer.weights, key=lambda variable: not variable.trainable)
        if len(arrays) != len(variables):
            problems.append(f"{layer.name}: it has {len(variables)} weights, but the file {len(arrays)}")
        elif any(tuple(a.shape) != tuple(v.shape) for v, a in zip(variables, arrays, strict=True)):
            shapes = [tuple(v.shape) for v in variables], [tuple(a.shape) for a in arrays]
            problems.append(f"{layer.name}: its shapes are {shapes[0]}, but in the file {shapes[1]}")
        else:
            found += [(v, np.asarray(a[()])) for v, a in zip(variables, arrays, strict=True)]
    return found, problems


def _arrays_of(root: Any, layer: str, filepath: Any) -> list[Any]:
    import h5py

    group = _member(root, layer, filepath)
    arrays = []
    for name in _names(group, "weight_names", filepath):
        dataset = group
        for part in name.split("/"):
            dataset = _member(dataset, part, filepath)
        if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
            raise FormatError(f"{filepath}: {layer}/{name} is not an array in this file")
        if dataset.dtype.kind not in "fiub":
            raise FormatError(f"{filepath}: {layer}/{name} is of dtype {dataset.dtype}")
        arrays.append(dataset)
    return arrays


def _member(group: Any, name: str, filepath: Any) -> Any:
    import h5py

    if not isinstance(group, h5py.Group) or name not in group:
        raise FormatError(f"{filepath}: {getattr(group, 'name', group)} lacks {name!r}")
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise FormatError(f"{filepath}: {group.name}/{name} is a link to somewhere else")
    return group[name]


def _names(group: Any, attribute: str, filepath: Any) -> list[str]:
    """A list of names; a long one is cut into attributes NAME0, NAME1, ..."""
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs and attribute not in parts:
        parts.append(f"{attribute}{len(parts)}")
    if not parts:
        raise FormatError(f"{filepath}: {group.name} lacks the attribute {attribute}")
    names = [name for part in parts for name in np.asarray(group.attrs[part]).ravel().tolist()]
    return [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names]
