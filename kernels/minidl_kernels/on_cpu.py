"""What the Numba implementations share: float32 in contiguous memory, in as many tasks as the work is worth."""

import functools
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
    """Let ``run`` see C-contiguous arrays only: others are copied, and an ``out`` that is not is copied back."""

    @functools.wraps(run)
    def wrapper(*arrays: Any, out: Any, **settings: Any) -> None:
        arrays = tuple(map(np.ascontiguousarray, arrays))
        if isinstance(out, np.ndarray) and out.flags.c_contiguous:  # the usual case, short because small calls are many
            run(*arrays, out=out, **settings)
            return
        outputs = out if isinstance(out, tuple) else (out,)
        targets = tuple(o if o.flags.c_contiguous else np.empty(o.shape, o.dtype) for o in outputs)
        run(*arrays, out=targets if isinstance(out, tuple) else targets[0], **settings)
        for output, target in zip(outputs, targets, strict=True):
            if output is not target:
                output[...] = target

    return wrapper


def tasks_for(elements: int, each: int = 1 << 14) -> int:
    """How many tasks a pass over so many float32 numbers is worth; it follows from the size alone."""
    return 1 if elements < SERIAL else max(1, min(MOST_TASKS, elements // each))
