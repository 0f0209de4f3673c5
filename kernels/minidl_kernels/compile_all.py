"""Compile every Numba kernel ahead of time, on all cores at once.

Numba compiles in one thread at a time. So each kernel that the cache lacks is compiled by one
of several processes, which keep what they made in the cache that all share.
"""

import importlib
import os
import pkgutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import minidl_kernels

__all__ = ["compile_all"]


def _compiled(place: int) -> bool:
    """Compile one of ``_tasks()``; whether the cache lacked it."""
    task = _tasks()[place]
    task.address  # noqa: B018  compiles
    return not task.cached


def _tasks() -> list[Any]:
    """All tasks, in an order that every process finds alike."""
    from .parallel import Task

    found = {}
    for info in pkgutil.walk_packages(minidl_kernels.__path__, "minidl_kernels."):
        last = info.name.rsplit(".", 1)[-1]
        if last in ("cpu", "panels", "microkernel", "scalars", "spread") or last.startswith("winograd"):
            module = importlib.import_module(info.name)
            found.update({id(one): one for one in vars(module).values() if isinstance(one, Task)})
    return sorted(found.values(), key=lambda task: (task.function.__module__, task.function.__name__))


def compile_all(processes: int | None = None, progress: Callable[[int, int], None] | None = None) -> int:
    """Compile what the cache lacks; returns how many kernels those were.

    Args:
        processes: how many compile at once; one for each core from the start.
        progress: called after each kernel, with how many are done and how many there are.
    """
    count, lacking = len(_tasks()), 0
    affinity = getattr(os, "sched_getaffinity", None)
    cores = processes or (len(affinity(0)) if affinity else os.cpu_count() or 1)
    # A fork of a process whose OpenMP pool runs would hang.
    with ProcessPoolExecutor(min(cores, count), mp_context=get_context("spawn")) as pool:
        for done, new in enumerate(pool.map(_compiled, range(count)), 1):
            lacking += new
            if progress:
                progress(done, count)
    return lacking
