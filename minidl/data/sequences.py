"""Sequences: of several lengths brought to one, and windows that slide over a long one."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from minidl import random
from minidl.engine.tensor import Tensor, raw
from minidl_kernels.arrays import to_numpy

from .dataset import Dataset

__all__ = ["pad_sequences", "timeseries_dataset_from_array"]

SIDES = ("pre", "post")


def pad_sequences(
    sequences: Any, maxlen: int | None = None, dtype: Any = "int32", padding: str = "pre", truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:  # fmt: skip
    """Sequences of several lengths as one array (n, maxlen, ...).

    Args:
        sequences: a list of sequences, of numbers or of arrays of one shape.
        maxlen: how long each becomes; default: as the longest.
        dtype: of the array; ``object`` for strings.
        padding: "pre" or "post": where short ones are filled up.
        truncating: "pre" or "post": where long ones lose entries.
        value: what fills up.

    Raises:
        ValueError: something that is no list of sequences, entries of several shapes, or an unknown side.
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in SIDES:
            raise ValueError(f"{name} must be 'pre' or 'post', not {side!r}")
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"sequences must be a list of sequences, not {type(sequences).__name__}")
    for position, one in enumerate(sequences):
        if not hasattr(one, "__len__"):
            raise ValueError(f"sequences must be a list of sequences; number {position} is {one!r}")
    if isinstance(value, str) and dtype is not object and np.dtype(dtype).kind not in "SU":
        raise ValueError(f"value {value!r} is no {dtype}; pass dtype=object for strings")
    length = max((len(one) for one in sequences), default=0) if maxlen is None else maxlen
    entry = next((np.asarray(one).shape[1:] for one in sequences if len(one)), ())
    padded = np.full((len(sequences), length, *entry), value, dtype)
    for row, one in zip(padded, sequences, strict=True):
        kept = np.asarray(one[:length] if truncating == "post" else one[max(len(one) - length, 0) :], dtype)
        if not len(kept):
            continue
        if kept.shape[1:] != entry:
            raise ValueError(f"sequences: entries of shape {kept.shape[1:]}, where others have {entry}")
        (row[: len(kept)] if padding == "post" else row[length - len(kept) :])[...] = kept
    return padded


def timeseries_dataset_from_array(
    data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1, sampling_rate: int = 1,
    batch_size: int | None = 128, shuffle: bool = False, seed: int | None = None, start_index: int | None = None,
    end_index: int | None = None,
) -> Dataset:  # fmt: skip
    """Windows over the first axis of ``data``: batches (batch, sequence_length, ...), with targets where there are any.

    Args:
        data: the whole sequence, (time, ...).
        targets: ``targets[i]`` belongs to the window that begins at step i; None: windows alone.
        sequence_length: entries of a window.
        sequence_stride: steps from the begin of a window to that of the next.
        sampling_rate: steps between the entries of a window.
        batch_size: None: single windows.
        shuffle: whether the windows come in random order, another one in each pass.
        seed: of that order.
        start_index, end_index: the part of ``data`` to use, the end not included; targets are counted from
            ``start_index`` as well.

    Raises:
        ValueError: an index, stride or rate outside of the data.
    """
    values = to_numpy(raw(data))
    _check(len(values), sequence_length, sequence_stride, sampling_rate, start_index, end_index)
    start, end = start_index or 0, len(values) if end_index is None else end_index
    part = values[start:end]
    count = len(part) - (sequence_length - 1) * sampling_rate
    labels = None if targets is None else to_numpy(raw(targets))
    if labels is not None:
        count, labels = min(count, len(labels)), labels[start:]
    begins = np.arange(0, max(count, 0), sequence_stride)
    if labels is not None and len(begins) and begins[-1] >= len(labels):
        raise ValueError(f"targets: {len(labels)} from start_index on, but window {begins[-1]} wants one as well")
    keys = random.SeedGenerator(seed)

    def make() -> Iterator[Any]:
        order = np.random.default_rng(keys.next()).permutation(begins) if shuffle else begins
        for begin in order:
            window = part[begin : begin + sequence_length * sampling_rate : sampling_rate]
            yield Tensor.of(window) if labels is None else (Tensor.of(window), Tensor.of(np.asarray(labels[begin])))

    windows = Dataset(make, len(begins))
    return windows if batch_size is None else windows.batch(batch_size)


def _check(n: int, length: int, stride: int, rate: int, start: int | None, end: int | None) -> None:
    for name, value in (("sequence_length", length), ("sequence_stride", stride), ("sampling_rate", rate)):
        if value <= 0 or (value >= n and name != "sequence_length"):
            raise ValueError(f"{name} must be from 1 on, and less than the {n} entries of the data, not {value}")
    if start is not None and not 0 <= start < n:
        raise ValueError(f"start_index must be from 0 on, and less than the {n} entries of the data, not {start}")
    if end is not None and not (start or 0) < end < n:
        raise ValueError(f"end_index must lie above start_index, and below the {n} entries of the data, not {end}")
