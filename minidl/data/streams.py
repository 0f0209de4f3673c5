"""Data that comes as batches already: generators, iterators, data loaders, PyDatasets."""

from collections.abc import Iterator
from typing import Any

from minidl import random
from minidl.engine.tensor import Tensor

from .arrays import class_weights, standardized, unpack
from .py_dataset import PyDataset

__all__ = ["Stream", "is_stream"]


def is_stream(x: Any) -> bool:
    """Whether x makes batches by itself, rather than being an array or a structure of arrays."""
    if isinstance(x, PyDataset):
        return True
    if x is None or isinstance(x, (list, tuple, dict, str, bytes, range, Tensor)) or hasattr(x, "__array__"):
        return False
    return hasattr(x, "__iter__")


class Stream:
    """Batches (x, y, sample_weight), standardized, of something that yields batches.

    What is yielded is x, (x, y) or (x, y, sample_weight); a list stands for a tuple. An iterator goes on where it
    stopped, anything else starts anew when it is iterated again.

    Args:
        data: a PyDataset, generator, iterator, or anything that can be iterated over.
        class_weight: factors by class, which become the sample weights.
        shuffle: take the batches of a PyDataset in a new order in every pass; others come as they come.
        seed: a SeedGenerator for the orders.
        prefix: stands before the names of arrays in errors.
    """

    batch_size = None

    def __init__(
        self, data: Any, class_weight: dict[Any, float] | None = None, shuffle: bool = False, seed: Any = None,
        prefix: str = "",
    ):  # fmt: skip
        self.data, self.class_weight, self.shuffle, self.seed, self.prefix = data, class_weight, shuffle, seed, prefix
        # An iterator cannot start anew; one of pictures can, because its batches have numbers.
        self.once = hasattr(data, "__next__") and not isinstance(data, PyDataset)
        self.num_batches = _number_of(data)

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        return map(self._standard, self._raw())

    def _raw(self) -> Iterator[Any]:
        if not isinstance(self.data, PyDataset):
            return iter(self.data)
        n = self.num_batches
        return self.data.batches(random.permutation(n, self.seed) if self.shuffle and n else None)

    def _standard(self, batch: Any) -> tuple[Any, Any, Any]:
        x, y, sample_weight = unpack(tuple(batch) if isinstance(batch, list) else batch)
        x, y, sample_weight = standardized(x, y, sample_weight, self.prefix)
        if self.class_weight is not None and y is not None:
            sample_weight = class_weights(y, self.class_weight, sample_weight)
        return x, y, sample_weight

    def on_epoch_begin(self) -> None:
        """Pass it on to a PyDataset."""
        if isinstance(self.data, PyDataset):
            self.data.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Pass it on to a PyDataset."""
        if isinstance(self.data, PyDataset):
            self.data.on_epoch_end()


def _number_of(data: Any) -> int | None:
    """How many batches there are; None where it cannot be known, or where there is no end."""
    if isinstance(data, PyDataset):
        return data.num_batches
    try:
        return len(data)
    except (TypeError, NotImplementedError):  # generators have no len(), endless data loaders refuse it
        return None
