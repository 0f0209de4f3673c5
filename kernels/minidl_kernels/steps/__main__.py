"""Measures the steps from three loops to tensor cores, and compares each result with float64.

python -m minidl_kernels.steps               # all of them
python -m minidl_kernels.steps 3 4           # some
python -m minidl_kernels.steps 11 12 13 14   # those in CUDA, without a GPU: what they ask of memory is counted
python -m minidl_kernels.steps --markdown    # the tables of kernels/README.md
"""

import argparse
import time
from typing import Any, NamedTuple

import numpy as np

from .. import config
from ..cuda.shim import ShimError
from . import STEPS, Step, counted

RUNS = 5  # of a step, at least; the quickest counts
HEADERS = ("step", "", "GFLOP/s", "of the peak", "factor", "error", "file")


class Measured(NamedTuple):
    """What came out of one step."""

    step: Step
    flops: float  # a second; of a convolution those of the definition, however many there are
    share: float  # of the multiply-adds that the threads it runs on can do
    error: float  # the largest one, in parts of the largest result


def arguments(step: Step, size: int, pictures: int) -> tuple[np.ndarray, np.ndarray, float]:
    """What a step is given, and the multiplications and additions of the definition."""
    random = np.random.default_rng(0)
    if step.convolves:
        x, w = (random.standard_normal(shape, np.float32) for shape in ((pictures, 34, 34, 64), (3, 3, 64, 64)))
        return x, w, 2.0 * pictures * 32 * 32 * w.size
    n = min(size, step.size or size)
    a, b = (random.standard_normal((n, n), np.float32) for _ in range(2))
    return a, b, 2.0 * n**3


def exactly(step: Step, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The result in float64."""
    a, b = a.astype("f8"), b.astype("f8")
    if not step.convolves:
        return np.asarray(a @ b)
    rows, columns = a.shape[1] - 2, a.shape[2] - 2
    return np.asarray(sum(a[:, i : i + rows, j : j + columns] @ b[i, j] for i in range(3) for j in range(3)))


def measured(step: Step, size: int, pictures: int, least: float, peaks: dict[int, float]) -> Measured:
    """Run a step, for ``least`` seconds at least."""
    a, b, operations = arguments(step, size, pictures)
    function = step.function()
    expected, result = exactly(step, a, b), function(a, b)  # the first call compiles
    seconds: list[float] = []
    while len(seconds) < RUNS or sum(seconds) < least:
        start = time.perf_counter()
        function(a, b)
        seconds.append(time.perf_counter() - start)
    flops = operations / min(seconds)
    error = float(np.abs(result - expected).max() / np.abs(expected).max())
    return Measured(step, flops, flops / peaks[config.threads() if step.parallel else 1], error)


def rows_of(found: list[Measured]) -> list[tuple[str, ...]]:
    """The cells of the table; a factor where the line above computes the same thing."""
    rows: list[tuple[str, ...]] = []
    for place, one in enumerate(found):
        before = found[place - 1] if place else None
        comparable = before is not None and before.step.convolves == one.step.convolves
        factor = f"{one.flops / before.flops:.1f}" if before is not None and comparable else ""
        giga = one.flops / 1e9
        speed = f"{giga:.0f}" if giga >= 10 else f"{giga:.1f}" if giga >= 1 else f"{giga:.3f}"
        share = f"{one.share:.0%}" if one.share >= 0.01 else f"{one.share:.2%}"
        rows.append((str(one.step.number), one.step.title, speed, share, factor, f"{one.error:.0e}", one.step.file))
    return rows


def as_text(rows: list[tuple[str, ...]], markdown: bool, headers: tuple[str, ...] = HEADERS) -> str:
    """The table, in Markdown or in columns."""
    if markdown:
        linked = [(*row[:-1], f"[{row[-1]}](minidl_kernels/steps/{row[-1]})") for row in rows]
        lines = [headers, ("---:", "---", *["---:"] * (len(headers) - 3), "---"), *linked]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
    widths = [max(len(row[column]) for row in [headers, *rows]) for column in range(len(headers))]
    left = (1, len(headers) - 1)  # these columns are words
    return "\n".join(
        "  ".join(f"{cell:{'<' if i in left else '>'}{widths[i]}}" for i, cell in enumerate(row)).rstrip()
        for row in [headers, *rows]
    )


def show_measured(steps: list[Step], options: Any) -> None:
    """Measure the steps of the processor, and print."""
    from ..limits import flops_per_second

    before = config.threads()
    threads = options.threads or before
    config.set_threads(threads)
    try:
        peaks = {count: flops_per_second(count) for count in {1, threads}}
        found = [measured(step, options.size, options.pictures, options.seconds, peaks) for step in steps]
    finally:
        config.set_threads(before)
    print(as_text(rows_of(found), options.markdown))
    one, all_of_them = (f"{peaks[count] / 1e9:.0f}" for count in (1, threads))
    print(
        f"\nPeak of multiply-adds: {one} GFLOP/s on one thread, {all_of_them} on {threads}. "
        f"Matrices of {options.size} (Python: {min(64, options.size)}); convolutions of {options.pictures} x 34x34x64 "
        f"with 64 filters of 3x3, counted as the definition multiplies."
    )


def show_counted(steps: list[Step], options: Any) -> int:
    """Count what the steps of CUDA ask of memory, and print; 1 where that needs a compiler that is not there."""
    found = []
    try:
        for step in steps:
            a, b, _ = arguments(step, options.size, 1)
            found.append(counted.counted(step, a, b, exactly(step, a, b)))
    except ShimError as error:
        print(f"Steps {steps[0].number} to {steps[-1].number}: {error}")
        return 1
    print(as_text(counted.rows_of(found), options.markdown, counted.HEADERS))
    print(
        f"\nMatrices of {len(a)}, thread by thread on the processor: no GPU, and no time. Loads from memory, and from "
        f"shared memory, are those of all threads for a multiply-add; barriers are those of all blocks."
    )
    return 0


def main(given: list[str] | None = None) -> int:
    """Measure and print."""
    numbers = sorted({step.number for step in STEPS})
    parser = argparse.ArgumentParser(prog="python -m minidl_kernels.steps", description=__doc__.split("\n")[0])
    parser.add_argument("steps", nargs="*", type=int, metavar="STEP", help=f"{numbers[0]} to {numbers[-1]}")
    parser.add_argument("--size", type=int, default=768, metavar="N", help="of the matrices (default: 768)")
    parser.add_argument("--pictures", type=int, default=16, metavar="N", help="to convolve (default: 16)")
    parser.add_argument("--threads", type=int, metavar="N", help="default: all cores of this process")
    parser.add_argument("--seconds", type=float, default=0.5, metavar="S", help="that each runs for (default: 0.5)")
    parser.add_argument("--markdown", action="store_true", help="the tables as they stand in the README")
    options: Any = parser.parse_args(given)
    wrong = [number for number in options.steps if number not in numbers]
    if wrong:
        parser.error(f"there is no step {wrong[0]}; there are {numbers[0]} to {numbers[-1]}")
    for name in ("size", "pictures", "threads"):
        if (value := getattr(options, name)) is not None and value < 1:
            parser.error(f"--{name} must be at least 1, not {value}")
    chosen = [step for step in STEPS if not options.steps or step.number in options.steps]
    on_cpu, on_gpu = ([step for step in chosen if step.on_gpu is there] for there in (False, True))
    if on_cpu:
        show_measured(on_cpu, options)
    if on_cpu and on_gpu:
        print()
    return show_counted(on_gpu, options) if on_gpu else 0


if __name__ == "__main__":
    raise SystemExit(main())
