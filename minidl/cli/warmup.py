"""``minidl warmup``: compile the kernels, once, and say how long it took."""

import argparse
import time
from typing import Any

__all__ = ["add", "compile_seconds", "run"]


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "warmup",
        help="compile the kernels now, so that the first training starts at once",
        description="Compile all kernels for this computer's processor, as many at once as there are cores. They are "
        "kept in the user's cache folder (or the one that MINIDL_CACHE names).",
    )
    parser.set_defaults(run=run)


def compile_seconds() -> float:
    """Seconds this process has spent compiling kernels; 0.0 where no compiled kernel was used."""
    import sys

    parallel = sys.modules.get("minidl_kernels.parallel")  # not imported: that would compile
    return parallel.compile_seconds() if parallel else 0.0


def run(options: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    import sys

    from minidl_kernels import config
    from minidl_kernels.compile_all import compile_all

    def show(done: int, count: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} of {count} kernels", end="\n" if done == count else "", file=sys.stderr, flush=True)

    start = time.perf_counter()
    compiled = compile_all(progress=show)
    seconds = time.perf_counter() - start
    if compiled:
        print(f"Compiled {compiled} kernels in {seconds:.1f} s; they are kept in {config.cache_folder()}")
    else:
        print(f"Nothing to compile: the kernels are in {config.cache_folder()} ({seconds:.1f} s to look)")
    return 0
