"""Checks of labels that are on a GPU: noted there, and read later.

To look at a number on a GPU is to wait for all the work before it. So inside a block ``with checks():`` a kernel that
wants to know whether its labels are classes only keeps the worst of them, on their device; it is read when the block
ends, once an epoch. Until then kernels must take wrong labels without harm: the loss of such a row is NaN.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np

from .arrays import Array, namespace

__all__ = ["Noted", "check_worst", "checks", "collected", "defer", "note"]


class Noted(NamedTuple):
    """The worst of some labels."""

    name: str  # of the kernel
    classes: int
    worst: Array  # as uint64: negative ones are huge without a sign
    labels: Array


Notes = dict[tuple[int, int], Noted]
_noted: ContextVar[tuple[Notes, dict[int, Callable[[], None]]] | None] = ContextVar("noted", default=None)


@contextmanager
def checks() -> Iterator[None]:
    """Read what was noted in the block when it ends.

    Raises:
        ValueError: at the end; labels that are no classes.
    """
    notes: Notes = {}
    later: dict[int, Callable[[], None]] = {}
    token = _noted.set((notes, later))
    try:
        yield
    finally:
        _noted.reset(token)
    for check in later.values():
        check()
    for name, classes, worst, _ in notes.values():
        check_worst(name, classes, int(worst))


@contextmanager
def collected() -> Iterator[Notes]:
    """What is noted in the block, for the caller to check."""
    notes: Notes = {}
    token = _noted.set((notes, {}))
    try:
        yield notes
    finally:
        _noted.reset(token)


def defer(key: int, check: Callable[[], None]) -> None:
    """Call ``check`` when the block of ``checks`` ends; only the last one of a key."""
    if (found := _noted.get()) is not None:
        found[1][key] = check


def check_worst(name: str, classes: int, label: int) -> None:
    """Raise a ValueError where the worst label (as uint64) is no class."""
    if label >= classes:
        label -= (label >= 2**63) * 2**64
        raise ValueError(f"{name}: a label is {label}; expected 0 to {classes - 1}")


def note(name: str, labels: Array, classes: int) -> bool:
    """Note the worst of some labels; False where it can be looked at now: NumPy's, or outside of ``checks``."""
    found = _noted.get()
    if found is None or isinstance(labels, np.ndarray):
        return False
    notes, key = found[0], (classes, labels.device.id)
    before = notes.get(key)
    if labels.size and (before is None or before.labels is not labels):  # the gradient has the labels of the loss
        worst = labels.astype("int64", copy=False).view("uint64").max()
        if before is not None:
            worst = namespace(labels).maximum(worst, before.worst)
        notes[key] = Noted(name if before is None else before.name, classes, worst, labels)
    return True
