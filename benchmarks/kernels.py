"""`python -m benchmarks kernels`: every family of kernels on the shapes of workload C.

The Numba implementation ("cpu") against the vectorised one ("array"), each in a process of its own, in turns, results
written into memory that is there already, and "winograd" where it takes the call. Beside the ratio of the first two:
what the fastest reaches (GFLOP/s of the textbook's multiplications and additions, or GB/s, every array read and written
once), and which share that is of what this machine can do, measured in the same run: of its multiply-adds, or of its
copies. More than 100% means that the data was in the cache, or that Winograd's way needed fewer multiplications.

The goal is twice "array" for convolution, pooling, batch norm, dropout and Adam.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minidl_kernels as kernels
from minidl.cli import kernel_cases as calls
from minidl.cli.kernel_cases import Case, numbers
from minidl_kernels import config

from . import common, peers, plots
from .arguments import add_json, names_of, note, positive

GOAL = 2.0
WITH_GOAL = ("conv", "pool", "norm", "random", "adam")
FAMILIES = ("conv", "pool", "activation", "norm", "matmul", "random", "loss", "update", "adam")
SECONDS = 0.02  # that a side runs in a round, at least
SIDES = ("array", "cpu", "winograd")


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "kernels", help="each compiled kernel against NumPy and the machine's limit; a roofline",
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)} (default: all)")
    parser.add_argument("--rounds", type=positive, default=7, metavar="N", help="of each side (default: 7)")
    parser.add_argument("--threads", type=positive, default=2, metavar="N", help="default: 2")
    parser.add_argument("--batch", type=positive, default=128, metavar="N", help="default: 128")
    add_json(parser, "kernels.json")
    parser.set_defaults(run=run)


def family(case: Case) -> str:
    """The folder that the kernel is in; Adam is one of its own."""
    return "adam" if case.kernel.name == "adam" else case.kernel.__module__.rpartition(".")[2]


def cases(batch: int) -> Iterator[Case]:
    """The calls of a training step of workload C; batch norm and averages stand where it might have them."""
    for size, channels, filters, padding in (
        (32, 3, 32, "same"),
        (32, 32, 32, "valid"),
        (15, 32, 64, "same"),
        (15, 64, 64, "valid"),
    ):
        for case in calls.convolutions(batch, size, channels, filters, padding):
            if channels > 3 or case.kernel is not kernels.conv2d_input_grad:  # the first layer needs none
                yield case
    for size, channels in ((30, 32), (13, 64)):
        yield from list(calls.pooling(batch, size, channels))[:2]
    yield from list(calls.pooling(batch, 13, 64))[3:]
    with_picture = ("bias_relu", "relu_grad", "column_sum", "batch_norm", "batch_norm_grad", "scale_shift")
    yield from (case for case in calls.elementwise(batch, 30, 32) if case.kernel.name in with_picture)
    key = np.array([1, 2], np.uint32)
    yield Case(kernels.dropout, "15x15x32", (numbers(batch, 15, 15, 32), key), {"rate": 0.25})
    for inputs, units in ((2304, 512), (512, 10)):
        yield from list(calls.products(batch, inputs, units))[:3]
    wanted = ("softmax", "softmax_cross_entropy")
    yield from (case for case in calls.classes(batch, 10) if case.kernel.name in wanted)
    sizes = (896, 9248, 18496, 36928, 1180160, 5130)  # the weights of C, with their biases
    yield from (case for case in calls.updates(sizes) if case.kernel.name in ("adam", "sgd"))


def serve(implementation: str, batch: int, threads: int) -> None:
    """The child: one implementation only, for NumPy's BLAS and Numba each keep threads that wait busily for work."""
    config.set_threads(threads)
    chosen = list(cases(batch))
    outs: dict[int, Any] = {}

    def answer(question: dict[str, Any]) -> Any:
        place = question["case"]
        case = chosen[place]
        given = {} if case.in_place else {"out": outs.get(place)}
        try:
            with case.kernel.use(implementation):
                if given and outs.get(place) is None:
                    given["out"] = outs[place] = case.kernel(*case.arrays, **case.settings)
                return common.seconds(lambda: case.kernel(*case.arrays, **given, **case.settings), question["times"])
        except ValueError as refusal:
            return {"error": str(refusal)}

    common.answer_questions(answer)


def measure(place: int, case: Case, rounds: int, children: dict[str, common.Child]) -> dict[str, Any]:
    """Time the implementations that take the call, in turns."""

    def run_of(side: str, times: int) -> float:
        return float(children[side].ask({"case": place, "times": times}))

    taken = SIDES if "winograd" in case.kernel.available() and _accepted(run_of, "winograd") else SIDES[:2]
    once = {side: min(run_of(side, 1) for _ in range(4)) for side in taken}
    times = {side: max(1, int(SECONDS / seconds)) for side, seconds in once.items()}
    found = common.interleaved({side: (lambda side=side: run_of(side, times[side])) for side in taken}, rounds)
    return {
        "kernel": case.kernel.name, "family": family(case), "case": case.text, "flops": case.flops or None,
        "bytes": case.bytes(), "operations": case.operations(),
        "seconds": {side: common.spread(values) for side, values in found.items()},
        "ratio": common.ratio(found["array"], found["cpu"]),
    }  # fmt: skip


def _accepted(run_of: Callable[[str, int], float], side: str) -> bool:
    try:
        run_of(side, 1)
    except RuntimeError:
        return False
    return True


def fastest(one: dict[str, Any]) -> float:
    """Seconds of the fastest implementation of a measured case."""
    return float(min(found["median"] for found in one["seconds"].values()))


def report(record: dict[str, Any]) -> str:
    """The record as Markdown."""
    rows = []
    limits = record["limits"]
    for one in record["cases"]:
        array, cpu, winograd = (one["seconds"].get(side, {}).get("median") for side in SIDES)
        ratio, least = one["ratio"]["median"], fastest(one)
        what, unit, limit = one["bytes"], "GB/s", limits["bytes"]
        if one["flops"]:
            what, unit, limit = one["flops"], "GFLOP/s", limits["flops"]
        goal = "" if one["family"] not in WITH_GOAL else "yes" if ratio >= GOAL else "no"
        third = common.time_text(winograd) if winograd else ""
        times = [common.time_text(array), common.time_text(cpu), third, f"{ratio:.1f}", goal]
        reached = [f"{what / least / 1e9:.0f} {unit}", f"{what / least / limit:.0%}"]
        rows.append([f"{one['kernel']} {one['case']}", *times, *reached])
    machine, headers = record["machine"], ["kernel", "array", "cpu", "winograd", "array / cpu"]
    return "\n\n".join([
        f"Kernels on the shapes of workload C, batch {record['batch']}, {record['threads']} threads, medians of "
        f"{record['rounds']} rounds in turn. The machine's limits in this run: {limits['flops'] / 1e9:.0f} GFLOP/s of "
        f"multiply-adds in registers, {limits['bytes'] / 1e9:.0f} GB/s of copies.",
        common.table([*headers, f"at least {GOAL:.0f}", "reached", "of the limit"], rows),
        f"{machine['processor']}, {machine['vectors']}, load {machine['load']}; {record['versions']}.",
    ])  # fmt: skip


def roofline(record: dict[str, Any]) -> str:
    """Operations for each byte against operations a second, under the roofs of bandwidth and multiply-adds."""
    points: dict[str, list[tuple[float, float, str]]] = {}
    for one in record["cases"]:
        reached = one["operations"] / fastest(one) / 1e9
        name = f"{one['kernel']} {one['case']}"
        points.setdefault(one["family"], []).append((one["operations"] / one["bytes"], reached, name))
    peak, band = record["limits"]["flops"] / 1e9, record["limits"]["bytes"] / 1e9
    most = max(peak / band, *(x for several in points.values() for x, _, _ in several)) * 2
    least = min(x for several in points.values() for x, _, _ in several) / 2
    roof = [(least, least * band), (peak / band, peak), (most, peak)]
    return plots.log_log(
        f"Kernels of workload C under the roofs: {band:.0f} GB/s of copies, {peak:.0f} GFLOP/s of multiply-adds",
        "operations for each byte of arrays", "GFLOP/s", points, {"roofs": roof},
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the files."""
    from minidl_kernels.limits import bytes_per_second, flops_per_second

    families = names_of(options.families, FAMILIES, "families of kernels")
    config.set_threads(options.threads)
    chosen = {place: case for place, case in enumerate(cases(options.batch)) if family(case) in families}
    record: dict[str, Any] = {
        "what": "kernels", "batch": options.batch, "rounds": options.rounds, "threads": options.threads, "goal": GOAL,
        "machine": common.machine(), "versions": common.versions("numpy", "numba", "minidl"),
        "limits": {"flops": flops_per_second(options.threads), "bytes": bytes_per_second(options.threads)},
        "cases": [],
    }  # fmt: skip
    environment, stopped = peers.environment("minidl", options.threads), False
    command = "from benchmarks import kernels; kernels.serve({!r}, {}, {})".format
    children = {
        side: common.Child("-c", command(side, options.batch, options.threads), environment=environment)
        for side in SIDES
    }
    try:
        for place, case in chosen.items():
            note(f"{case.kernel.name} {case.text}")
            record["cases"].append(measure(place, case, options.rounds, children))
    except KeyboardInterrupt:
        stopped = True
    finally:
        for child in children.values():
            child.close()
    if record["cases"]:
        text = report(record)
        common.save(options.json, record, text, roofline(record))
        print(text)
    return 130 if stopped else 0
