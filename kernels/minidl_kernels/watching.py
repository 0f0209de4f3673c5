"""What ran, or would run: the kernels that a piece of work calls, and which implementation each of them chose.

::

    with watch() as seen:                   # everything computes as always
        model.train_on_batch(x, y)
    with watch(compute=False) as seen:      # kernels check and choose; what they return is zeros
        ...
    for call in seen.calls:
        print(call.kernel, call.implementation, call.refused)
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

__all__ = ["Call", "Watch", "watch"]

watchers = 0  # how many blocks there are, in all threads: a kernel that nobody watches looks at this number alone
_count = threading.Lock()
_current: ContextVar["Watch | None"] = ContextVar("watch", default=None)


class Call(NamedTuple):
    """One call of a kernel."""

    kernel: str
    implementation: str
    shapes: tuple[Any, ...]  # of the arrays; for a list of arrays a tuple of shapes
    settings: dict[str, Any]
    refused: tuple[tuple[str, str], ...]  # implementations that come before this one, and why they did not take it
    place: Any  # what ``Watch.place`` was


class Watch:
    """The calls of a block, in order.

    Attributes:
        calls: a ``Call`` each.
        place: whatever is put here stands in the calls that follow, to tell them apart.
    """

    def __init__(self, compute: bool):
        self.computes = compute
        self.calls: list[Call] = []
        self.place: Any = None

    def note(
        self, kernel: str, implementation: str, arrays: tuple[Any, ...], settings: Any, refused: tuple[Any, ...]
    ) -> None:
        """Add a call."""
        shapes = [tuple(one.shape for one in a) if isinstance(a, (list, tuple)) else a.shape for a in arrays]
        self.calls.append(Call(kernel, implementation, tuple(shapes), dict(settings), refused, self.place))


def current() -> Watch | None:
    """The innermost block that this thread is in."""
    return _current.get()


@contextmanager
def watch(compute: bool = True) -> Iterator[Watch]:
    """List the calls of kernels in the ``with`` block (of this thread only).

    Args:
        compute: False: kernels choose but do not compute; they return zeros, and what they would change stays.
    """
    global watchers
    found = Watch(compute)
    with _count:
        watchers += 1
    token = _current.set(found)
    try:
        yield found
    finally:
        _current.reset(token)
        with _count:
            watchers -= 1
