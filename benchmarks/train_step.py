"""Training steps of minidl against PyTorch eager: `python benchmarks/train_step.py [A32 A512 B C] [--rounds 15]`.

Each side runs in a process of its own that stays, started without BLAS settings. Both get the same batches, sizes and
loss; after a warm-up they take turns, a fixed number of steps at a time. A ratio is the time of PyTorch divided by
the time of minidl: larger is faster. Both must learn: the loss has to fall.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import common
from workloads import BATCHES, WORKLOADS, minidl_runner, torch_runner

SIDES = ("minidl", "torch")


def serve(side: str, threads: int, fit: bool) -> None:
    """The child: builds workloads when they are first asked for, runs steps, answers the seconds and the last loss."""
    runs: dict[str, Any] = {}
    if side == "torch":
        import torch

        torch.set_num_threads(threads)
    else:
        from minidl_kernels import config

        config.set_threads(threads)

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        if "workload" not in question:
            return _self_description(side)
        workload = WORKLOADS[question["workload"]]
        if question["workload"] not in runs:
            runs[question["workload"]] = minidl_runner(workload, fit) if side == "minidl" else torch_runner(workload)
        start = time.perf_counter()
        loss = runs[question["workload"]](question["steps"])
        return {"seconds": (time.perf_counter() - start) / question["steps"], "loss": loss}

    common.answer_questions(answer)


def _self_description(side: str) -> dict[str, Any]:
    import numpy as np

    found = {name: os.environ[name] for name in common.BLAS_SETTINGS if name in os.environ}
    known = ("torch",) if side == "torch" else ("numpy", "numba", "minidl")
    return {"versions": common.versions(*known), "BLAS settings": found, "OpenBLAS core": common.openblas_core(),
            "numpy": np.__version__}  # fmt: skip


def measure(names: Sequence[str], rounds: int, threads: int, scale: float, fit: bool) -> dict[str, Any]:
    """Run the workloads; ``scale`` multiplies the number of steps."""
    arguments = ["--threads", str(threads)] + (["--fit"] if fit else [])
    children = {side: common.Child(__file__, "--serve", side, *arguments) for side in SIDES}
    record: dict[str, Any] = {
        "what": "time of a training step", "threads": threads, "rounds": rounds,
        "through": "fit" if fit else "train_on_batch", "machine": common.machine(),
        "sides": {side: child.ask({}) for side, child in children.items()}, "workloads": {},
    }  # fmt: skip
    try:
        for name in names:
            record["workloads"][name] = _measure_one(name, children, rounds, scale, fit)
    finally:
        for child in children.values():
            child.close()
    record["machine"]["load at the end"] = common.machine()["load"]
    return record


def _measure_one(name: str, children: dict[str, common.Child], rounds: int, scale: float, fit: bool) -> dict[str, Any]:
    workload = WORKLOADS[name]
    steps = max(1, round(workload.steps * scale))
    steps = -(-steps // BATCHES) * BATCHES if fit else steps
    first = {side: child.ask({"workload": name, "steps": BATCHES if fit else 1}) for side, child in children.items()}
    for child in children.values():  # warm-up
        child.ask({"workload": name, "steps": max(steps, BATCHES)})
    losses: dict[str, float] = {}

    def side(child_name: str) -> Any:
        def run() -> float:
            answer = children[child_name].ask({"workload": name, "steps": steps})
            losses[child_name] = answer["loss"]
            return answer["seconds"]

        return run

    times = common.interleaved({one: side(one) for one in SIDES}, rounds)
    for one in SIDES:
        if not losses[one] < first[one]["loss"]:
            raise RuntimeError(f"{name}: {one} does not learn: loss {first[one]['loss']:.4f} became {losses[one]:.4f}")
    return {
        "workload": workload.text, "steps of a round": steps, "goal": workload.goal,
        "seconds": {one: {**common.spread(times[one]), "rounds": times[one]} for one in SIDES},
        "loss": {one: [first[one]["loss"], losses[one]] for one in SIDES},
        "ratio": common.ratio(times["torch"], times["minidl"]),
    }  # fmt: skip


def report(record: dict[str, Any]) -> str:
    """The record as Markdown."""
    rows = []
    for name, one in record["workloads"].items():
        seconds, ratio = one["seconds"], one["ratio"]
        rows.append([
            f"{name}: {one['workload']}", common.time_text(seconds["torch"]["median"]),
            common.time_text(seconds["minidl"]["median"]), f"**{ratio['median']:.2f}**",
            f"{ratio['low']:.2f} to {ratio['high']:.2f}", f"{one['goal']:.1f}",
        ])  # fmt: skip
    machine, sides = record["machine"], record["sides"]
    settings = {side: answer["BLAS settings"] or "none" for side, answer in sides.items()}
    return "\n\n".join([
        f"Time of a training step ({record['through']}), {record['threads']} threads, "
        f"medians of {record['rounds']} rounds in turn. "
        "Ratio: PyTorch's time divided by minidl's; larger is faster. Beside it the middle half of the rounds.",
        common.table(["workload", "PyTorch eager", "minidl", "ratio", "middle half", "goal"], rows),
        f"{machine['processor']}, {machine['vectors']}, {machine['cores']} cores, load {machine['load']}; "
        f"minidl {sides['minidl']['versions']}, PyTorch {sides['torch']['versions']}; "
        f"BLAS settings found here: {machine['found in the environment'] or 'none'}, in the children: {settings}; "
        f"OpenBLAS core: {sides['minidl']['OpenBLAS core']}.",
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="workload", help=f"of {', '.join(WORKLOADS)}; default: all")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the steps of a round")
    parser.add_argument("--fit", action="store_true", help="minidl trains whole epochs with fit() instead")
    parser.add_argument(
        "--json", type=Path, default=common.RESULTS / "train_step.json", help="where results are written"
    )
    parser.add_argument("--serve", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.threads, options.fit)
        return
    if unknown := [name for name in options.workloads if name not in WORKLOADS]:
        sys.exit(f"unknown workloads {unknown}; there are {', '.join(WORKLOADS)}")
    record = measure(options.workloads or list(WORKLOADS), options.rounds, options.threads, options.scale, options.fit)
    text = report(record)
    ratios = [
        (name, one["ratio"]["low"], one["ratio"]["median"], one["ratio"]["high"])
        for name, one in record["workloads"].items()
    ]
    common.save(options.json, record, text, common.bars("Speed of a training step, PyTorch eager = 1", ratios, 1.0))
    print(text)


if __name__ == "__main__":
    main()
