"""Arrays in HDF5 groups that list their names in attributes: the layout that Keras 2 had and ``.h5`` files keep."""

from typing import Any

import numpy as np

from minidl_kernels.arrays import to_numpy

from .errors import FormatError
from .hdf5_reader import Dataset, Group
from .hdf5_writer import Image
from .reading import numbers

__all__ = ["arrays_of", "datasets_of", "member", "names_of", "write_arrays", "write_names"]

LIMIT = 64512  # bytes of an attribute with a list of names; HDF5 takes no more than 64 kB


def names_of(group: Any, attribute: str, filepath: Any) -> list[str]:
    """A list of names; a long one is cut into attributes NAME0, NAME1, ..."""
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs and attribute not in parts:
        parts.append(f"{attribute}{len(parts)}")
    if not parts:
        raise FormatError(f"{filepath}: {group.name} lacks the attribute {attribute}")
    names = [name for part in parts for name in np.asarray(group.attrs[part]).ravel().tolist()]
    return [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names]


def write_names(group: Any, attribute: str, names: list[str]) -> None:
    """Write a list of names, cut where it is too long for one attribute."""
    encoded = np.asarray([name.encode() for name in names])
    pieces = max(-(-encoded.nbytes // LIMIT), 1)
    while any(part.nbytes > LIMIT for part in np.array_split(encoded, pieces)):
        pieces += 1
    for number, part in enumerate(np.array_split(encoded, pieces)):
        group.attrs[f"{attribute}{number}" if pieces > 1 else attribute] = part


def datasets_of(root: Any, name: str, filepath: Any) -> list[Any]:
    """The datasets that the group of this name lists, not yet read."""
    group = member(root, name, filepath)
    return arrays_of(group, filepath)


def arrays_of(group: Any, filepath: Any) -> list[Any]:
    """The datasets that a group lists, not yet read: a shape may be made up.

    Raises:
        FormatError: one is missing, is a link, lies in another file, or holds no numbers.
    """
    found = []
    for name in names_of(group, "weight_names", filepath):
        dataset = group
        for part in name.split("/"):
            dataset = member(dataset, part, filepath)
        if not isinstance(dataset, Dataset):
            raise FormatError(f"{filepath}: {group.name}/{name} is not an array in this file")
        found.append(numbers(dataset, filepath))
    return found


def write_arrays(image: Image, group: Any, variables: list[Any]) -> None:
    """Write variables under their paths, and the list of these."""
    names: list[str] = []
    for variable in variables:
        path, number = variable.path, 0
        while path in names or any(one.startswith(f"{path}/") or path.startswith(f"{one}/") for one in names):
            number += 1
            path = f"{variable.path}_{number}"
        names.append(path)
        image.put(group, path, to_numpy(variable.data))
    write_names(group, "weight_names", names)


def member(group: Any, name: str, filepath: Any) -> Any:
    """A member of a group, which lies there itself.

    Raises:
        FormatError: there is none, or it is a link.
    """
    if not isinstance(group, Group) or name not in group:
        raise FormatError(f"{filepath}: {getattr(group, 'name', group)} lacks {name!r}")
    return group[name]
