"""From a file's arrays to variables: what may be read as numbers, and reading it without a second copy in memory."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minidl import opening
from minidl.engine.variable import Variable

from .errors import FormatError
from .hdf5_reader import Dataset, Group

__all__ = ["as_much_as_in", "assign_all", "numbers"]

BASE = 16 << 20  # bytes of variables that no file has values for, such as those of metrics


@contextmanager
def as_much_as_in(tree: Group) -> Iterator[None]:
    """Inside the ``with`` block, a configuration gets no more variables than the file has values for.

    Raises:
        FormatError: an array of the file is damaged.
    """
    total = 0
    for dataset in tree.datasets():
        dataset.check()
        size = dataset.dtype.itemsize
        total += dataset.stored_bytes // max(size, 1) * max(size, 4)  # of less than 32 bits, float32 may be made
    most = min(total, tree.most_data) + BASE
    with opening.limited(most, "as many as the weights in the file take", values_follow=True):
        yield


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
