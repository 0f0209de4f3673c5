"""Runs the steps of the matrix product on the processor, in each order of the threads, and compares with NumPy.

python -m minidl_kernels.cuda                        # naive, tiled, blocked and tensor: steps 11 to 14
python -m minidl_kernels.cuda tiled --size 33 17 40  # rows, inner size, columns
python -m minidl_kernels.cuda tiled --without-barrier 1
"""

import argparse
import re
from typing import NamedTuple

import numpy as np

from .. import kernels
from . import shim
from .program import Program


class Step(NamedTuple):
    """A kernel of matrix products: which implementation launches it, its file, and how far it may be off."""

    implementation: str
    file: str
    off: float = 1e-4


STEPS = {
    "naive": Step("cuda_naive", "matmul.cu"),
    "tiled": Step("cuda_tiled", "matmul.cu"),
    "blocked": Step("cuda", "matmul.cu"),
    "tensor": Step("cuda_tf32", "matmul_tf32.cu", 2e-2),
}


def without_barrier(text: str, kernel: str, number: int) -> str:
    """The text without the barrier of this number (from 1), counted from the start of a kernel.

    Raises:
        ValueError: the text has not so many after that.
    """
    # The barriers of the last two are in tile.cuh and tensor_tile.cuh, before them.
    start = 0 if kernel in ("matmul_blocked", "matmul_tensor") else text.index(f" {kernel}(")
    chosen = [found for found in re.finditer(r"__syncthreads\(\);", text) if found.start() > start]
    if not 1 <= number <= len(chosen):
        raise ValueError(f"{kernel} has no barrier number {number}; there are {len(chosen)}")
    found = chosen[number - 1]
    return text[: found.start()] + text[found.end() :]


def main(arguments: list[str] | None = None) -> int:
    """Run the steps; 1 where a result is wrong."""
    parser = argparse.ArgumentParser(prog="python -m minidl_kernels.cuda", description=__doc__.split("\n")[0])
    parser.add_argument("step", nargs="?", choices=STEPS, help="one step only")
    parser.add_argument("--size", nargs=3, type=int, default=(33, 20, 40), metavar=("M", "K", "N"))
    parser.add_argument("--without-barrier", type=int, metavar="NUMBER", help="take out a __syncthreads()")
    chosen = parser.parse_args(arguments)
    m, k, n = chosen.size
    random = np.random.default_rng(0)
    a, b = random.standard_normal((m, k), np.float32), random.standard_normal((k, n), np.float32)
    wrong = False
    matmul = kernels["matmul"]
    matmul.get("cuda")
    for step in (chosen.step,) if chosen.step else STEPS:
        implementation, file, most = STEPS[step]
        run = matmul.get(implementation).run
        (program,) = (program for program in Program.programs if program.path.name == file)
        original = program.text
        if chosen.without_barrier:
            program.text = without_barrier(original, f"matmul_{step}", chosen.without_barrier)
        for order in shim.ORDERS:
            out = np.full((m, n), np.nan, np.float32)
            try:
                with shim.running(order):
                    run(a, b, transpose_a=False, transpose_b=False, out=out)
                off = np.abs(out - a.astype("f8") @ b)
                bad = int((~(off < most)).sum())
                found = (
                    f"{bad} of {off.size} results are wrong"
                    if bad
                    else f"right, largest error {off.max(initial=0):.1e}"
                )
            except shim.ShimError as error:
                bad, found = 1, str(error)
            wrong = wrong or bool(bad)
            print(f"{step:8} {order:8} {found}")
        program.text = original
    return int(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
