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

import minidl_kernels

__all__ = ["compile_all"]


def _compiled(place: tuple[str, str]) -> bool:
    """Compile one of ``_tasks()``; whether the cache lacked it."""
    module, name = place
    task = getattr(importlib.import_module(module), name)
    task.address  # noqa: B018  compiles
    return not task.cached


def _tasks() -> list[tuple[str, str]]:
    """Module and name of all tasks, but for those of the steps that are there to be read."""
    from .parallel import Task

    found = []
    for info in pkgutil.walk_packages(minidl_kernels.__path__, "minidl_kernels."):
        parts = info.name.split(".")
        if "cuda" in info.name or "steps" in parts or parts[-1].startswith("__"):
            continue
        module = importlib.import_module(info.name)
        own = [name for name, one in vars(module).items() if isinstance(one, Task)]
        found += [(info.name, name) for name in own if vars(module)[name].function.__module__ == info.name]
    return found


def compile_all(processes: int | None = None, progress: Callable[[int, int], None] | None = None) -> int:
    """Compile what the cache lacks; returns how many kernels those were.

    Args:
        processes: how many compile at once; one for each core from the start.
        progress: called after each kernel, with how many are done and how many there are.
    """
    tasks, lacking = _tasks(), 0
    affinity = getattr(os, "sched_getaffinity", None)
    cores = processes or (len(affinity(0)) if affinity else os.cpu_count() or 1)
    # A fork of a process whose OpenMP pool runs would hang.
    with ProcessPoolExecutor(min(cores, len(tasks)), mp_context=get_context("spawn")) as pool:
        for done, new in enumerate(pool.map(_compiled, tasks), 1):
            lacking += new
            if progress:
                progress(done, len(tasks))
    return lacking
