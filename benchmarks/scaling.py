"""`python -m benchmarks scaling`: how the cost of a training step grows, for minidl and PyTorch.

Each axis changes one thing of a network. The slope of the times on two logarithmic axes, by least squares, is the
exponent of their growth; beside it stands the exponent of the multiplications. Where a step is short, what it costs in
any case makes the slope smaller.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from . import common, plots
from .arguments import add_measuring, names_of, note
from .peers import REFERENCE, cannot
from .run import Children, children_of, chosen_sides
from .workloads import CLASSES, Workload, initial_weights

SECONDS = 0.1  # that a side runs in a round, at least
END = ("dense", CLASSES, "softmax")


class Axis(NamedTuple):
    """What is varied."""

    text: str
    values: tuple[int, ...]
    expected: float  # exponent of the multiplications
    make: Callable[[int], Workload]


def _work(text: str, shape: tuple[int, ...], batch: int, layers: Sequence[Any]) -> Workload:
    return Workload(text, "train", shape, batch, "sgd", layers, 1)


def _dense(width: int, depth: int, batch: int) -> Workload:
    layers = [*[("dense", width, "relu")] * depth, END]
    return _work(f"{depth} dense layers of {width}, batch {batch}", (width,), batch, layers)


def _convolutions(size: int, filters: int, batch: int) -> Workload:
    layers = [("conv", filters, 3, 1, "same", "relu", True)] * 2
    text = f"two 3x3 convolutions to {filters}, {size}x{size}, batch {batch}"
    return _work(text, (size, size, 3), batch, [*layers, ("average",), END])


AXES = {
    "batch": Axis("samples in a batch, 2 dense layers of 512", (32, 64, 128, 256, 512), 1, lambda n: _dense(512, 2, n)),
    "width": Axis("width of 3 dense layers, batch 128", (128, 256, 512, 1024), 2, lambda n: _dense(n, 3, 128)),
    "depth": Axis("dense layers of 256, batch 128", (2, 4, 8, 16, 32), 1, lambda n: _dense(256, n, 128)),
    "size": Axis("sides of pictures, 2 convolutions, batch 8", (16, 32, 64, 128), 2, lambda n: _convolutions(n, 32, 8)),
    "filters": Axis(
        "filters of 2 convolutions, 32x32, batch 8", (16, 32, 64, 128), 2, lambda n: _convolutions(32, n, 8)
    ),
    "threads": Axis(
        "threads, 2 convolutions to 64, 32x32, batch 32", (1, 2, 4, 8, 16), -1, lambda n: _convolutions(32, 64, 32)
    ),
}


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "scaling", help="cost of a training step against batch, width, depth, picture size, threads",
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="axes:\n" + "\n".join(f"  {name:8} {axis.text}" for name, axis in AXES.items()),
    )  # fmt: skip
    parser.add_argument("axes", nargs="*", metavar="AXIS", help="see below (default: all)")
    parser.add_argument("--points", type=int, metavar="N", help="only the first N values of each axis")
    add_measuring(parser, rounds=7, json="scaling.json", peers=REFERENCE)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the files."""
    names = names_of(options.axes, AXES, "axes")
    sides, left_out = chosen_sides(options.peers)
    record: dict[str, Any] = {
        "what": "growth of the time of a training step", "threads": options.threads, "rounds": options.rounds,
        "device": "cpu", "machine": common.machine(), "sides": {}, "left out": left_out, "axes": {},
    }  # fmt: skip
    stopped = False
    try:
        for name in names:
            note(f"scaling: {name}")
            record["axes"][name] = measure(name, sides, options, record["sides"])
    except KeyboardInterrupt:
        note("stopped; the axes measured so far are written")
        record["stopped early"] = stopped = True
    record["machine"]["load at the end"] = common.machine()["load"]
    if record["axes"]:
        text = report(record)
        common.save(options.json, record, text)
        for name, found in record["axes"].items():
            target = options.json.with_name(f"{options.json.stem}.{name}.svg")
            target.write_text(picture(found), encoding="utf-8")
        print(text)
    return 130 if stopped else 0


def measure(name: str, sides: Sequence[str], options: argparse.Namespace, described: dict[str, Any]) -> dict[str, Any]:
    """One axis: seconds of a step by side and value, and the fits."""
    axis = AXES[name]
    sides = [side for side in sides if not cannot(side, axis.make(axis.values[0]).layers)]
    cores = common.machine()["cores"] or 1
    values = [n for n in axis.values if name != "threads" or n <= cores][: options.points]
    seconds: dict[str, dict[int, dict[str, float]]] = {side: {} for side in sides}
    parameters = []
    for value, children in _children(name, values, sides, options.threads):
        workload = axis.make(value)
        parameters.append(sum(one.size for pair in initial_weights(workload.layers, workload.shape) for one in pair))
        found = _timed(workload, children, options.rounds, parameters[-1])
        for side in sides:
            described.setdefault(side, children[side].ask({"ask": "describe"}))
            seconds[side][value] = common.spread(found[side])
    fits = {side: fitted(values, [seconds[side][n]["median"] for n in values]) for side in sides if len(values) > 1}
    return {"text": axis.text, "expected": axis.expected, "values": values, "parameters": parameters,
            "seconds": seconds, "fits": fits}  # fmt: skip


def _children(name: str, values: Sequence[int], sides: Sequence[str], threads: int) -> Iterator[tuple[int, Children]]:
    """Each value with the processes to ask: new ones only for other numbers of threads, which are set at the start."""
    if name == "threads":
        for value in values:
            with children_of(sides, value) as children:
                yield value, children
        return
    with ExitStack() as stack:
        children = stack.enter_context(children_of(sides, threads))
        for value in values:
            yield value, children


def _timed(workload: Workload, children: Children, rounds: int, parameters: int) -> dict[str, list[float]]:
    runs = {}
    for side, child in children.items():
        made = child.ask({"ask": "prepare", "workload": workload._asdict()})
        if made["parameters"] != parameters:
            raise RuntimeError(f"{workload.text}: {side} has {made['parameters']} parameters, expected {parameters}")
        once = min(child.ask({"ask": "steps", "steps": 1})["seconds"] for _ in range(3))
        steps = max(1, int(SECONDS / once))
        runs[side] = lambda child=child, steps=steps: float(child.ask({"ask": "steps", "steps": steps})["seconds"])
    return common.interleaved(runs, rounds)


def fitted(values: Sequence[float], seconds: Sequence[float]) -> dict[str, float]:
    """Least squares of log(seconds) = slope log(value) + log(factor), and the share of the variance it explains."""
    x, y = np.log(np.asarray(values, float)), np.log(np.asarray(seconds, float))
    slope, constant = np.polyfit(x, y, 1)
    rest, whole = y - (slope * x + constant), y - y.mean()
    explained = 1 - float(rest @ rest) / float(whole @ whole) if whole.any() else 1.0
    return {"slope": float(slope), "factor": float(np.exp(constant)), "explained": explained}


def report(record: dict[str, Any]) -> str:
    """The record as Markdown."""
    parts = [
        f"Time of a training step as one thing grows, {record['threads']} threads, medians of {record['rounds']} "
        "rounds in turn. The slope on logarithmic axes is the exponent of the growth."
    ]
    for name, found in record["axes"].items():
        sides, text = list(found["seconds"]), common.time_text
        rows = [[n, *(text(found["seconds"][side][n]["median"]) for side in sides)] for n in found["values"]]
        if found["fits"]:
            slopes = [f"{found['fits'][side]['slope']:.2f}" for side in sides]
            rows.append([f"slope (of the multiplications: {found['expected']:g})", *slopes])
        parts += [f"**{name}**: {found['text']}", common.table([name, *sides], rows)]
    machine = record["machine"]
    parts += [f"* {side}: left out; {why}" for side, why in record["left out"].items()]
    parts.append(
        f"{machine['processor']}, {machine['vectors']}, {machine['cores']} cores, load {machine['load']} before and "
        f"{machine['load at the end']} after. " + "; ".join(f"{s} {d['versions']}" for s, d in record["sides"].items())
    )
    return "\n\n".join(parts)


def picture(found: dict[str, Any]) -> str:
    """The times of an axis, and the fitted lines."""
    points, lines = {}, {}
    for side, seconds in found["seconds"].items():
        points[side] = [(float(n), one["median"] * 1e3, common.time_text(one["median"])) for n, one in seconds.items()]
        if fit := found["fits"].get(side):
            ends = (found["values"][0], found["values"][-1])
            lines[side] = [(float(n), 1e3 * fit["factor"] * n ** fit["slope"]) for n in ends]
    return plots.log_log(f"A training step against {found['text']}", found["text"], "ms", points, lines)
