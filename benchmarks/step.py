"""`python -m benchmarks step`: where the time of a step goes, kernel by kernel, and how much of it is Python.

Rounds of steps that nobody looks into alternate with rounds in which every kernel's compiled code is timed. What of
the former is left when the latter's kernels are taken off is Python: layers, the tape, checks, the optimizer. (A kernel
that is no compiled task but NumPy calls counts as a kernel as a whole.) Steps that are recorded count as they run.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minidl_kernels import config
from minidl_kernels.kernel import Kernel
from minidl_kernels.parallel import Launch
from minidl_kernels.repeats import Actions, shapes_of

from . import common
from .arguments import add_measuring, names_of, note
from .operations import operations
from .workloads import WORKLOADS

GOAL = 0.25  # of a step may be Python, in workload A32
MOST = 25  # lines of a table


@contextmanager
def timed_kernels() -> Iterator[tuple[Counter[str], Counter[str]]]:
    """(seconds, calls) of each kernel and the shapes of its first arrays, in this block."""
    seconds: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    names: list[str] = []
    call, launch, repeat = Kernel.__call__, Launch.__call__, Actions.launch

    def timed(name: str, work: Callable[[], Any]) -> Any:
        names.append(name)
        launched = seconds[name]
        start = time.perf_counter()
        try:
            return work()
        finally:
            calls[names[-1]] += 1
            if seconds[names[-1]] == launched:
                seconds[names[-1]] += time.perf_counter() - start
            names.pop()

    def timed_call(kernel: Kernel, *arrays: Any, **settings: Any) -> Any:
        return timed(f"{kernel.name} {shapes_of(arrays)}", lambda: call(kernel, *arrays, **settings))

    def timed_repeat(one: Actions) -> None:
        for action in one.actions:
            timed(action.kernel, action.run) if action.kernel else action.run()

    def timed_launch(one: Launch, arrays: tuple[Any, ...]) -> None:
        start = time.perf_counter()
        launch(one, arrays)
        if names:
            seconds[names[-1]] += time.perf_counter() - start

    Kernel.__call__, Launch.__call__ = timed_call, timed_launch  # type: ignore[method-assign]
    Actions.launch = timed_repeat  # type: ignore[method-assign]
    try:
        yield seconds, calls
    finally:
        Kernel.__call__, Launch.__call__ = call, launch  # type: ignore[method-assign]
        Actions.launch = repeat  # type: ignore[method-assign]


def measure(name: str, rounds: int, steps: int) -> dict[str, Any]:
    """The times of one workload's step."""
    from minidl_kernels.limits import flops_per_second

    from .side_minidl import prepare

    runner = prepare(WORKLOADS[name])
    runner.run(3)
    plain: list[float] = []
    kernels: list[float] = []
    peaks: list[float] = []
    each: Counter[str] = Counter()
    often: Counter[str] = Counter()
    for _ in range(rounds):
        peaks.append(flops_per_second(config.threads()))
        plain.append(common.seconds(lambda: runner.run(steps)) / steps)
        with timed_kernels() as (seconds, calls):
            runner.run(steps)
        kernels.append(seconds.total() / steps)
        each.update(seconds)
        often.update(calls)
    python = [1 - inside / whole for inside, whole in zip(kernels, plain, strict=True)]
    total = rounds * steps
    return {
        "text": WORKLOADS[name].text, "steps": steps,
        "seconds": common.spread(plain), "kernels": common.spread(kernels), "python": common.spread(python),
        "at the peak": operations(WORKLOADS[name]) / common.spread(peaks)["median"],
        "each": {key: {"seconds": value / total, "calls": often[key] / total} for key, value in each.most_common()},
    }  # fmt: skip


def report(record: dict[str, Any]) -> str:
    """The record as Markdown."""
    text, parts = common.time_text, []
    for name, one in record["workloads"].items():
        whole, python = one["seconds"], one["python"]
        parts.append(
            f"{name}, {one['text']}: {text(whole['median'])} a step ({text(whole['low'])} to {text(whole['high'])}), "
            f"of which kernels {text(one['kernels']['median'])} and Python {python['median']:.0%} "
            f"({python['low']:.0%} to {python['high']:.0%}). Its products and convolutions at the peak of the "
            f"multiply-adds: {text(one['at the peak'])}."
        )
        rows = [
            [key, f"{found['calls']:.3g}", text(found["seconds"]), f"{found['seconds'] / whole['median']:.1%}"]
            for key, found in list(one["each"].items())[:MOST]
        ]
        parts.append(common.table(["kernel", "calls", "time", "of a step"], rows))
    machine = record["machine"]
    return "\n\n".join([
        f"Where a step's time goes, {record['threads']} threads, {record['rounds']} rounds.", *parts,
        f"{machine['processor']}, {machine['vectors']}, load {machine['load']}; {record['versions']}.",
    ])  # fmt: skip


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "step", help="where the time of a step goes: each kernel, and Python",
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="default: A32")
    add_measuring(parser, rounds=9, json="step.json")
    parser.add_argument(
        "--scale", type=float, default=1.0, metavar="SCALE", help="multiplies the steps of a round (default: 1)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the files."""
    names = names_of(options.workloads or ["A32"], WORKLOADS, "workloads")
    config.set_threads(options.threads)
    record: dict[str, Any] = {
        "what": "step", "rounds": options.rounds, "threads": options.threads, "goal": GOAL,
        "machine": common.machine(), "versions": common.versions("numpy", "numba", "minidl"), "workloads": {},
    }  # fmt: skip
    for name in names:
        steps = max(1, round(options.scale * WORKLOADS[name].steps))
        note(f"{name}: {options.rounds} rounds of {steps} steps, twice")
        record["workloads"][name] = measure(name, options.rounds, steps)
        common.save(options.json, record, report(record))
    print(report(record))
    return 0
