"""``minidl bench kernels``: what plain loops, NumPy and compiled code take for the same, beside the machine's limit."""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .arguments import UsageError, positive

__all__ = ["add", "measure", "run"]

IMPLEMENTATIONS = ("reference", "array", "cpu", "winograd")
SECONDS, ROUNDS = 0.01, 5  # that an implementation runs in a round, at least; rounds of each, in turn
_EPILOG = """examples:
  minidl bench kernels                          every kernel on a small shape; a minute
  minidl bench kernels conv2d softmax adam
  minidl bench kernels conv2d --size layer      a layer's size: no plain loops, they would take minutes

The columns: reference is the definition in plain Python loops, array is NumPy, cpu is compiled by
Numba, winograd is compiled and has fewer multiplications. "times" says how often the fastest fits
into the slowest. "reached" is what the fastest does in a second, and "limit" its share of what this
machine can do, measured in the same run: of multiply-adds for products, of copies in memory for all
else. More than 100% means that the data was in a cache, or, for winograd, that there were fewer
multiplications than the textbook counts. Small shapes are bound by the call itself; look at a
layer's size for the limit."""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "bench", help="measure the kernels on this machine",
        description="Measure minidl on this machine.", epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    what = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    kernels = what.add_parser(
        "kernels", help="each kernel in plain loops, in NumPy and compiled",
        description="Time the implementations of kernels on one shape each.", epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    kernels.add_argument("names", nargs="*", metavar="KERNEL", help="such as conv2d or adam (default: all)")
    kernels.add_argument("--size", choices=("small", "layer"), default="small", help="of the arrays (default: small)")
    kernels.add_argument("--threads", type=positive, metavar="N", help="default: the cores of this process")
    kernels.add_argument("--json", metavar="FILE", help="write the results there as well")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    from minidl_kernels import config

    from .kernel_cases import one_of_each

    cases = one_of_each(options.size)
    if unknown := [name for name in options.names if name not in cases]:
        raise UsageError(f"unknown kernels: {', '.join(unknown)}; there are {', '.join(sorted(cases))}")
    before = config.threads()
    config.set_threads(options.threads or before)
    try:
        record = measure({name: cases[name] for name in options.names or cases}, options.size)
    finally:
        config.set_threads(before)
    print(_table(record))
    if options.json:
        Path(options.json).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(cases: dict[str, Any], size: str) -> dict[str, Any]:
    """Seconds of each implementation that takes the call, by kernel; the machine's limits with them."""
    from minidl_kernels import config
    from minidl_kernels.limits import bytes_per_second, flops_per_second

    threads = config.threads()
    limits = {"flops": flops_per_second(threads), "bytes": bytes_per_second(threads, 32)}
    found = {}
    for name, case in cases.items():
        seconds = _seconds_of_all(case, IMPLEMENTATIONS if size == "small" else IMPLEMENTATIONS[1:])
        fastest = min(seconds, key=lambda one: seconds[one])
        what = "flops" if case.flops else "bytes"
        rate = (case.flops or case.bytes()) / seconds[fastest]
        found[name] = {
            "shape": case.text, "seconds": seconds, "fastest": fastest,
            "times": max(seconds.values()) / seconds[fastest], "measured in": what, "a second": rate,
            "share of the limit": rate / limits[what],
        }  # fmt: skip
    return {"size": size, "threads": threads, "limits": limits, "kernels": found}


def _seconds_of_all(case: Any, implementations: tuple[str, ...]) -> dict[str, float]:
    """Medians of rounds in which the implementations take turns."""
    runs: dict[str, tuple[Callable[[], None], int]] = {}
    for name in implementations:
        if name not in case.kernel.available() or _refused(case, name):
            continue
        run = _caller(case, name)
        runs[name] = run, max(1, int(SECONDS / max(_time(run, 1), 1e-7)))
    found: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(ROUNDS):
        for name, (run, times) in runs.items():
            if name != "reference" or number == 0:  # plain loops take long, and as long every time
                found[name].append(_time(run, times))
    return {name: statistics.median(several) for name, several in found.items()}


def _refused(case: Any, name: str) -> bool:
    """Whether an implementation does not take these arrays; where it does, it is compiled now."""
    with case.kernel.use(name):
        try:
            case.kernel(*case.arrays, **case.settings)
        except ValueError:
            return True
    return False


def _caller(case: Any, name: str) -> Callable[[], None]:
    """Calls an implementation, with memory for the result that is there already."""
    given = {} if case.in_place else {"out": case.kernel(*case.arrays, **case.settings)}

    def call() -> None:
        with case.kernel.use(name):
            case.kernel(*case.arrays, **given, **case.settings)

    return call


def _time(run: Callable[[], None], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


def _table(record: dict[str, Any]) -> str:
    """The record as text in columns."""
    used = [one for one in IMPLEMENTATIONS if any(one in found["seconds"] for found in record["kernels"].values())]
    rows = [["kernel", "shape", *used, "times", "reached", "limit"]]
    for name, found in record["kernels"].items():
        seconds = [_text(found["seconds"][one]) if one in found["seconds"] else "-" for one in used]
        unit = "GFLOP/s" if found["measured in"] == "flops" else "GB/s"
        reached = [f"{found['a second'] / 1e9:.3g} {unit}", f"{found['share of the limit']:.0%}"]
        rows.append([name, found["shape"], *seconds, f"{found['times']:.1f}", *reached])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join([*map(str.ljust, row[:2], widths), *map(str.rjust, row[2:], widths[2:])]) for row in rows]
    limits = record["limits"]
    lines.insert(1, "-" * len(lines[0]))
    lines.append(
        f"\n{record['threads']} threads. The machine's limits in this run: {limits['flops'] / 1e9:.0f} GFLOP/s of "
        f"multiply-adds in registers, {limits['bytes'] / 1e9:.0f} GB/s of copies."
    )
    return "\n".join(lines)


def _text(seconds: float) -> str:
    """With a fitting unit."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
