"""What the Numba implementations share: float32 in contiguous memory, in as many tasks as the work is worth."""

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["contiguous", "only_float32", "tasks_for"]

SERIAL = 1 << 16  # elements below which starting the threads costs more than they save
MOST_TASKS = 64


def only_float32(*arrays: Any, **settings: Any) -> str | None:
    """Refuse other dtypes; the kernel has made the leading arrays' dtypes equal."""
    return None if arrays[0].dtype == np.float32 else f"computes in float32, not {arrays[0].dtype}"


def contiguous(run: Callable[..., None]) -> Callable[..., None]:
    """Mark an implementation that takes C-contiguous arrays only: the kernel copies others, and ``out`` back."""
    run.contiguous = True  # type: ignore[attr-defined]
    return run


def tasks_for(elements: int, each: int = 1 << 14) -> int:
    """How many tasks a pass over so many float32 numbers is worth; it follows from the size alone."""
    return 1 if elements < SERIAL else max(1, min(MOST_TASKS, elements // each))
