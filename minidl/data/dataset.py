"""Dataset: elements one after the other, as often as wanted, with the methods of ``tf.data`` that books use.

An element is an array (a Tensor), or a tuple or dictionary of them. Every method gives a new Dataset; nothing is
computed before someone iterates.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minidl import ops, random
from minidl.engine.tensor import Tensor, as_array, raw
from minidl.graph.symbolic import flatten, map_structure
from minidl_kernels.arrays import to_numpy

__all__ = ["Dataset", "split_dataset"]


class Dataset:
    """A data set that can be iterated over again and again.

    Args:
        make: makes an iterator over the elements, anew for every pass.
        length: how many elements there are; None: unknown, or without end.
    """

    class_names: list[str] | None = None
    file_paths: list[str] | None = None

    def __init__(self, make: Callable[[], Iterator[Any]], length: int | None = None):
        self._make, self._length = make, length

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> "Dataset":
        """The rows of an array, or of arrays of one length in a tuple or dictionary.

        Raises:
            ValueError: the lengths differ.
        """
        arrays = map_structure(lambda leaf: to_numpy(raw(leaf)), tensors)
        lengths = {len(leaf) for leaf in flatten(arrays)}
        if len(lengths) != 1:
            raise ValueError(f"tensors must have one length, not {sorted(lengths)}")
        (n,) = lengths
        return cls(lambda: (_row(arrays, i) for i in range(n)), n)

    def __iter__(self) -> Iterator[Any]:
        return self._make()

    def __len__(self) -> int:
        if self._length is None:
            raise TypeError("this data set has no length: it is endless, or its elements are not counted before")
        return self._length

    def cardinality(self) -> int:
        """How many elements there are; -1 where that is unknown or without end."""
        return -1 if self._length is None else self._length

    def map(self, map_func: Callable[..., Any], num_parallel_calls: Any = None, deterministic: Any = None) -> "Dataset":
        """``map_func`` of every element; the parts of a tuple are its arguments. The other arguments change nothing."""

        def make() -> Iterator[Any]:
            return (map_func(*one) if isinstance(one, tuple) else map_func(one) for one in self)

        return Dataset(make, self._length)

    def filter(self, predicate: Callable[..., Any]) -> "Dataset":
        """The elements for which ``predicate`` holds."""
        return Dataset(
            lambda: (one for one in self if bool(predicate(*one) if isinstance(one, tuple) else predicate(one)))
        )

    def batch(self, batch_size: int, drop_remainder: bool = False) -> "Dataset":
        """``batch_size`` elements stacked to one, along a new first axis; the last batch may be short."""
        _positive("batch_size", batch_size)

        def make() -> Iterator[Any]:
            rest = iter(self)
            while several := list(itertools.islice(rest, batch_size)):
                if len(several) == batch_size or not drop_remainder:
                    yield _stacked(several)

        whole, rest = (None, 0) if self._length is None else divmod(self._length, batch_size)
        return Dataset(make, None if whole is None else whole + bool(rest and not drop_remainder))

    def unbatch(self) -> "Dataset":
        """The rows of every element, one by one."""
        return Dataset(lambda: (row for one in self for row in Dataset.from_tensor_slices(one)))

    def shuffle(self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool = True) -> "Dataset":
        """The elements in random order: each is drawn from the next ``buffer_size`` ones."""
        _positive("buffer_size", buffer_size)
        keys = random.SeedGenerator(seed, on_cpu=True)
        start = keys.next()

        def make() -> Iterator[Any]:
            numbers = np.random.default_rng(keys.next() if reshuffle_each_iteration else start)
            rest = iter(self)
            waiting = list(itertools.islice(rest, buffer_size))
            while waiting:
                place = int(numbers.integers(len(waiting)))
                waiting[place], waiting[-1] = waiting[-1], waiting[place]
                yield waiting.pop()
                waiting.extend(itertools.islice(rest, 1))

        return Dataset(make, self._length)

    def repeat(self, count: int | None = None) -> "Dataset":
        """The data set ``count`` times in a row; None: without end."""
        times = itertools.count() if count is None or count < 0 else range(count)
        endless = not isinstance(times, range)
        length = None if endless or self._length is None else self._length * len(times)  # type: ignore[arg-type]
        return Dataset(lambda: (one for _ in (itertools.count() if endless else times) for one in self), length)

    def take(self, count: int) -> "Dataset":
        """The first ``count`` elements."""
        length = None if self._length is None else min(count, self._length)
        return Dataset(lambda: itertools.islice(iter(self), count), length)

    def skip(self, count: int) -> "Dataset":
        """All but the first ``count`` elements."""
        length = None if self._length is None else max(self._length - count, 0)
        return Dataset(lambda: itertools.islice(iter(self), count, None), length)

    def cache(self) -> "Dataset":
        """The same elements, which are kept in memory after the first whole pass."""
        kept: list[Any] = []

        def make() -> Iterator[Any]:
            if kept:
                yield from kept
                return
            fresh = []
            for one in self:
                fresh.append(one)
                yield one
            kept[:] = fresh

        return Dataset(make, self._length)

    def prefetch(self, buffer_size: Any = None) -> "Dataset":
        """The data set itself: elements are made when they are asked for."""
        return self

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements as NumPy arrays."""
        return (map_structure(lambda leaf: to_numpy(raw(leaf)), one) for one in self)

    def get_single_element(self) -> Any:
        """The only element.

        Raises:
            ValueError: there are none, or several.
        """
        found = list(itertools.islice(iter(self), 2))
        if len(found) != 1:
            raise ValueError(f"the data set has {'several elements' if found else 'no element'}; expected one")
        return found[0]


def _row(arrays: Any, i: int) -> Any:
    return map_structure(lambda array: Tensor.of(as_array(array[i])), arrays)


def _positive(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, not {value!r}")


def _stacked(elements: list[Any]) -> Any:
    first = elements[0]
    if isinstance(first, (tuple, list)):
        return type(first)(_stacked(list(parts)) for parts in zip(*elements, strict=True))
    if isinstance(first, dict):
        return {key: _stacked([one[key] for one in elements]) for key in first}
    return ops.stack([one if isinstance(one, Tensor) else Tensor(one) for one in elements])


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Two data sets of the first and the last elements of one.

    Args:
        dataset: a Dataset, an array (of rows), or a tuple of arrays.
        left_size, right_size: how many elements, as a whole number, or a part between 0 and 1. One that is left out
            takes the rest.
        shuffle: mix the elements before.
        seed: for the same order in every run.
        preferred_backend: changes nothing; Keras has it.

    Raises:
        ValueError: sizes that cannot be, or that leave one of the two empty.
    """
    elements = list(dataset if isinstance(dataset, Dataset) else Dataset.from_tensor_slices(dataset))
    n = len(elements)
    left, right = _sizes(left_size, right_size, n)
    if shuffle:
        elements = [elements[i] for i in random.permutation(n, seed)]
    first, last = elements[:left], elements[n - right :]
    return Dataset(lambda: iter(first), left), Dataset(lambda: iter(last), right)


def _sizes(left: float | None, right: float | None, n: int) -> tuple[int, int]:
    for name, size in (("left_size", left), ("right_size", right)):
        most = 1 if isinstance(size, float) else n
        if size is not None and (isinstance(size, bool) or not 0 < size < most):
            raise ValueError(f"{name} must be a part between 0 and 1, or a whole number below {n}, not {size!r}")
    if left is None and right is None:
        raise ValueError("left_size or right_size must be given")
    # Rounded as in Keras: the left part to the nearest, the right one too.
    found = [None if s is None else round(s * n) if isinstance(s, float) else int(s) for s in (left, right)]
    first = n - found[1] if found[0] is None else found[0]  # type: ignore[operator]
    last = n - first if found[1] is None else found[1]
    if first < 1 or last < 1 or first + last > n:
        raise ValueError(f"left_size={left!r} and right_size={right!r} do not divide {n} elements into two parts")
    return first, last
