"""From a file's arrays to variables: what may be read as numbers, and reading it without a second copy in memory."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minidl.engine.variable import Variable

from .errors import FormatError
from .hdf5_reader import Dataset

__all__ = ["assign_all", "numbers"]


def numbers(dataset: Dataset, filepath: Any) -> Dataset:
    """The dataset, when it holds numbers that can be read.

    Raises:
        FormatError: it holds something else, or is damaged.
    """
    if dataset.dtype.kind not in "fiub":
        raise FormatError(f"{filepath}: {dataset.name} is of dtype {dataset.dtype}")
    dataset.check()
    return dataset


def assign_all(pairs: Iterable[tuple[Variable, Dataset]]) -> None:
    """Read datasets, which were checked, into variables of the same shapes.

    A variable is filled where it lies, as an optimizer changes it, so that weights are in memory once.
    """
    for variable, dataset in pairs:
        data = variable.data
        if isinstance(data, np.ndarray) and data.flags.c_contiguous and data.flags.writeable:
            dataset.read_into(data)
            variable.version += 1
        else:
            variable.assign(dataset.read())
