"""``minidl warmup``: compile the kernels that the demo uses, once, and say how long it took."""

import argparse
import time
from typing import Any

__all__ = ["add", "compile_seconds", "run"]


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "warmup",
        help="compile the kernels now, so that the first training starts at once",
        description="Compile the kernels that convolutional and dense networks use, for this computer's processor. "
        "They are kept in the user's cache folder (or the one that MINIDL_CACHE names).",
    )
    parser.set_defaults(run=run)


def compile_seconds() -> float:
    """Seconds this process has spent compiling kernels; 0.0 where no compiled kernel was used."""
    import sys

    parallel = sys.modules.get("minidl_kernels.parallel")  # not imported: that would compile
    return parallel.compile_seconds() if parallel else 0.0


def run(options: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    import numpy as np

    from minidl_kernels import config

    from .networks import cnn, mlp

    start = time.perf_counter()
    rng = np.random.default_rng(0)
    x, y = rng.random((64, 28, 28, 1), np.float32), rng.integers(0, 10, 64)
    for network, optimizer in ((cnn, "adam"), (mlp, "sgd"), (mlp, "rmsprop")):
        model = network((28, 28, 1), 10)
        model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(x, y, batch_size=64, verbose=0)
        model.predict(x, verbose=0)
    took = compile_seconds()
    if took:
        print(f"Compiled the kernels in {took:.1f} s; they are kept in {config.cache_folder()}")
    else:
        seconds = time.perf_counter() - start
        print(f"Nothing to compile: the kernels are in {config.cache_folder()} ({seconds:.1f} s to look)")
    return 0
