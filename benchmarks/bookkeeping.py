"""`python -m benchmarks bookkeeping`: what a tape costs.

Twelve chained ops on four numbers that want a gradient, four times

    y = y * w;  y = y + b;  y = y - w

recorded, and differentiated with an upstream gradient that is given. The numbers themselves cost next to nothing;
what is left when their arithmetic is taken off is bookkeeping. Taken off are the same twelve operations and the four
products g * w of the way back, once in the plain library (NumPy's arrays for minidl, tensors under ``no_grad`` for
PyTorch), and once, for the second row, with minidl's own ops under ``no_grad``, as PyTorch's are.

One thread; both sides in one process in turns. The goal is a third of PyTorch's.
"""

import argparse
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from . import common
from .arguments import UsageError, add_json, positive

GOAL = 1 / 3
RUNS = 300  # of a round


def chain(y: Any, w: Any, b: Any) -> Any:
    """Twelve ops."""
    for _ in range(4):
        y = y * w
        y = y + b
        y = y - w
    return y


def products(g: Any, w: Any) -> Any:
    """The arithmetic of the way back: sums and differences hand ``g`` on."""
    for _ in range(4):
        g = g * w
    return g


def minidl_sides(numbers: dict[str, np.ndarray]) -> dict[str, Callable[[], Any]]:
    """Recorded; the same in NumPy; the same with ops that record nothing."""
    import minidl

    x = minidl.Tensor(numbers["x"], requires_grad=True)
    w, b = minidl.Tensor(numbers["w"]), minidl.Tensor(numbers["b"])
    plain = minidl.Tensor(numbers["x"])

    def recorded() -> Any:
        x.grad = None
        chain(x, w, b).backward(numbers["g"])
        return x.grad

    def unrecorded() -> Any:
        with minidl.no_grad():
            chain(plain, w, b)
        return products(numbers["g"], numbers["w"])

    def bare() -> Any:
        chain(numbers["x"], numbers["w"], numbers["b"])
        return products(numbers["g"], numbers["w"])

    return {"minidl, recorded": recorded, "minidl, not recorded": unrecorded, "NumPy": bare}


def torch_sides(numbers: dict[str, np.ndarray]) -> dict[str, Callable[[], Any]]:
    """Recorded; the same under no_grad."""
    import torch

    torch.set_num_threads(1)
    x, w, b, g = (torch.from_numpy(numbers[name].copy()) for name in "xwbg")
    x.requires_grad_()

    def recorded() -> Any:
        x.grad = None
        chain(x, w, b).backward(g)
        return x.grad.numpy()

    def unrecorded() -> Any:
        with torch.no_grad():
            chain(x, w, b)
            return products(g, w).numpy()

    return {"PyTorch, recorded": recorded, "PyTorch, not recorded": unrecorded}


def measure(rounds: int) -> dict[str, Any]:
    """Times of all sides, after a check that they agree."""
    numbers = {name: np.linspace(0.5, 1.5, 4, dtype=np.float32) + k / 8 for k, name in enumerate("xwbg")}
    sides = {**minidl_sides(numbers), **torch_sides(numbers)}
    for name, run in sides.items():
        np.testing.assert_allclose(run(), products(numbers["g"], numbers["w"]), rtol=1e-6, err_msg=name)
        common.seconds(run, RUNS)  # warm-up
    timed = {name: (lambda run=run: common.seconds(run, RUNS)) for name, run in sides.items()}
    found = common.interleaved(timed, rounds)
    median = {name: common.spread(times)["median"] for name, times in found.items()}
    theirs = median["PyTorch, recorded"] - median["PyTorch, not recorded"]
    net = {"NumPy": median["minidl, recorded"] - median["NumPy"]}
    net["minidl's own ops, not recorded"] = median["minidl, recorded"] - median["minidl, not recorded"]
    return {
        "what": "tape bookkeeping of 12 ops, forward and backward", "rounds": rounds, "threads": 1, "goal": GOAL,
        "machine": common.machine(), "versions": common.versions("numpy", "torch", "minidl"),
        "seconds": {name: {**common.spread(times), "rounds": times} for name, times in found.items()},
        "net": {"PyTorch, less PyTorch not recorded": theirs, **{f"minidl, less {k}": v for k, v in net.items()}},
        "ratio": {f"less {name}": ours / theirs for name, ours in net.items()},
    }  # fmt: skip


def report(record: dict[str, Any]) -> str:
    """The record as Markdown."""
    text = common.time_text
    seconds = [
        [name, text(one["median"]), text(one["low"]), text(one["high"])] for name, one in record["seconds"].items()
    ]
    theirs, *ours = record["net"].items()
    net = [[theirs[0], text(theirs[1]), "1.00"]]
    net += [[name, text(value), f"{value / theirs[1]:.2f}"] for name, value in ours]
    return "\n\n".join([
        "Twelve chained ops on four numbers, forward and backward, one thread; "
        f"medians of {record['rounds']} rounds in turn.",
        common.table(["side", "median", "quartile", "quartile"], seconds),
        f"Bookkeeping: what remains. The goal is at most {record['goal']:.2f} of PyTorch's.",
        common.table(["side, and what is taken off", "remains", "times PyTorch's"], net),
    ])  # fmt: skip


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "bookkeeping", help="what recording twelve small ops costs, beside PyTorch",
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--rounds", type=positive, default=15, metavar="N", help="of each side (default: 15)")
    add_json(parser, "bookkeeping.json")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the files."""
    if importlib.util.find_spec("torch") is None:
        raise UsageError("bookkeeping is measured against PyTorch; python -m pip install torch")
    record = measure(options.rounds)
    text = report(record)
    common.save(options.json, record, text)
    print(text)
    return 0
