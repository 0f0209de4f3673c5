"""Checks of labels that are on a GPU: noted there, and read later.

To look at a number on a GPU is to wait for all the work before it. So inside a block ``with checks():`` a kernel that
wants to know whether its labels are classes only keeps the worst of them, on their device; it is read when the block
ends, once an epoch. Until then kernels must take wrong labels without harm: the loss of such a row is NaN.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from .arrays import Array, namespace

__all__ = ["checks", "note"]

_noted: ContextVar[dict[tuple[int, int], tuple[str, Array, Array]] | None] = ContextVar("noted", default=None)


@contextmanager
def checks() -> Iterator[None]:
    """Read what was noted in the block when it ends.

    Raises:
        ValueError: at the end; labels that are no classes.
    """
    noted: dict[tuple[int, int], tuple[str, Array, Array]] = {}
    token = _noted.set(noted)
    try:
        yield
    finally:
        _noted.reset(token)
    for (classes, _), (name, worst, _) in noted.items():
        if (label := int(worst)) >= classes:
            label -= (label >= 2**63) * 2**64
            raise ValueError(f"{name}: a label is {label}; expected 0 to {classes - 1}")


def note(name: str, labels: Array, classes: int) -> bool:
    """Note the worst of some labels; False where it can be looked at now: NumPy's, or outside of ``checks``."""
    noted = _noted.get()
    if noted is None or isinstance(labels, np.ndarray):
        return False
    key = classes, labels.device.id
    before = noted.get(key)
    if labels.size and (before is None or before[2] is not labels):  # the gradient has the labels of the loss
        worst = labels.astype("int64", copy=False).view("uint64").max()  # negative ones are huge without a sign
        if before is not None:
            worst = namespace(labels).maximum(worst, before[1])
        noted[key] = name if before is None else before[0], worst, labels
    return True
