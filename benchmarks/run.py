"""`python -m benchmarks run`: the workloads on minidl and its peers, each in a process of its own, in turns.

A ratio is PyTorch eager's time divided by a side's: larger is faster. Before anything is measured the sides must agree
on the number of parameters and, where nothing is random, on the loss of the first step; training must lower the loss.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import common, compare, gpu, peers, report
from .arguments import UsageError, add_measuring, names_of, note, positive
from .operations import operations
from .workloads import BATCHES, WORKLOADS, Workload, with_batch

_DESCRIPTION = """Time of a step, of the first step and of the import, memory and threads: minidl and its peers.

workloads:
""" + "\n".join(f"  {name:8} {one.text}" for name, one in WORKLOADS.items())
_EPILOG = """examples:
  python -m benchmarks run                               everything, on all that is installed; half an hour
  python -m benchmarks run A32 C --peers torch,numpy
  python -m benchmarks run C --compare benchmarks/results/cpu.json --json now.json
  python -m benchmarks run --device gpu --tf32
  python -m benchmarks run C --device gpu --batch 1024 --json gpu-1024.json

Written are FILE.json, FILE.md (tables) and FILE.svg (a plot). A peer that is not installed is left out with a
note. On a GPU all inputs lie there before, losses are read at the end of a round, and minidl trains by fit. Ctrl-C
stops, and what was measured so far is written. The exit code is 1 where a workload failed: the sides differ, or a
loss does not fall."""
Children = dict[str, common.Child]


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "run", help="training steps and outputs against PyTorch, Keras on JAX and NumPy",
        description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="default: all")
    add_measuring(parser, rounds=15, json="DEVICE.json", peers=",".join(peers.PEERS))
    gpu.add(parser)
    parser.add_argument("--batch", type=positive, metavar="N", help="samples of a batch (default: the workload's)")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the steps of a round (default: 1)")
    parser.add_argument("--cold", action="store_true", help="also time minidl's first step with no kernel compiled yet")
    parser.add_argument("--compare", type=Path, metavar="EARLIER.json", help="show ratios then and now")
    parser.set_defaults(run=run, json=None)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the files."""
    names = names_of(options.workloads, WORKLOADS, "workloads")
    earlier = compare.read(options.compare) if options.compare else None
    if earlier and (then := earlier.get("device", "cpu")) != options.device:
        raise UsageError(f"--compare {options.compare}: this was measured on {then}, not on {options.device}")
    gpu.check(options.device, options.tf32)
    kind = options.device.partition(":")[0]
    options.json = options.json or common.RESULTS / f"{kind}.json"
    sides, left_out = chosen_sides(options.peers, options.device)
    record: dict[str, Any] = {
        "what": "time of a step", "threads": options.threads, "rounds": options.rounds, "device": options.device,
        "tf32": options.tf32,
        "machine": common.machine(), "sides": {}, "left out": left_out, "workloads": {},
        "failed": {},
    }  # fmt: skip
    if kind != "cpu":
        record["gpu"] = gpu.facts(options.device)
    stopped = False
    try:
        for name in names:
            try:
                record["workloads"][name] = measure(
                    name, with_batch(WORKLOADS[name], options.batch), sides, options, record["sides"]
                )
            except RuntimeError as error:  # what other workloads gave is kept
                record["failed"][name] = str(error)
                note(f"{name} failed: {error}")
    except KeyboardInterrupt:
        note("stopped; what was measured so far is written")
        record["stopped early"] = stopped = True
    record["machine"]["load at the end"] = common.machine()["load"]
    code = 130 if stopped else 1 if record["failed"] else 0
    if not record["workloads"]:
        return code
    text = report.text(record)
    if earlier:
        text += "\n\n" + compare.text(earlier, record, options.compare.name)
    common.save(options.json, record, text, report.picture(record))
    print(text)
    return code


def chosen_sides(asked: Sequence[str], device: str = "cpu") -> tuple[list[str], dict[str, str]]:
    """minidl and the peers that can run here, and why the others cannot."""
    names = names_of(asked, peers.PEERS, "peers")
    left_out = {name: why for name in names if (why := peers.unavailable(name, device))}
    for name, why in left_out.items():
        note(f"{name} is left out: {why}")
    return ["minidl", *(name for name in names if name not in left_out)], left_out


@contextmanager
def children_of(
    sides: Sequence[str], threads: int, device: str = "cpu", tf32: bool = False, more: dict[str, str] | None = None
) -> Iterator[Children]:
    """A process for each side; they are ended in any case."""
    words = ["--threads", str(threads), "--device", device, *(["--tf32"] if tf32 else [])]
    children: Children = {}
    try:
        for side in sides:
            environment = peers.environment(side, threads, device) | (more or {})
            children[side] = common.Child("-m", "benchmarks.serve", side, *words, environment=environment)
        yield children
    finally:
        for child in children.values():
            child.close()


def measure(
    name: str, workload: Workload, sides: Sequence[str], options: argparse.Namespace, described: dict[str, Any]
) -> dict[str, Any]:
    """One workload on all sides that have it."""
    notes = {side: why for side in sides if (why := peers.cannot(side, workload.layers))}
    able = [side for side in sides if side not in notes]
    steps = max(1, round(workload.steps * options.scale))
    warm_up = max(steps, BATCHES if options.scale >= 1 or options.device != "cpu" else 2)
    question = {"ask": "prepare", "workload": workload._asdict()}
    setting = options.threads, options.device, options.tf32
    cold = cold_first_step(question, setting) if options.cold else None
    with children_of(["minidl"], *setting) as children:  # so that the kernels are in the cache
        children["minidl"].ask(question)
    with children_of(able, *setting) as children:
        first: dict[str, Any] = {}
        for side in able:
            note(f"{name}: {side} starts")
            try:
                described[side] = children[side].ask({"ask": "describe"})
                first[side] = children[side].ask(question)
                children[side].ask({"ask": "steps", "steps": warm_up})
            except RuntimeError as error:
                if side == "minidl":
                    raise
                notes[side] = f"failed: {str(error)[:200]}"
                note(f"{name}: {side} {notes[side]}")
        able = [side for side in able if side not in notes]
        assert_same(name, workload, {side: first[side] for side in able})
        chosen = {side: children[side] for side in able}
        steps, tried = (steps, 0) if options.device == "cpu" else steps_of_a_round(chosen, options.scale)
        found = timed(name, workload, chosen, options.rounds, steps, options.device) | {"warm-up": warm_up + tried}
        done = 1 + found["warm-up"] + options.rounds * steps
        for side in able:
            one = found["sides"][side]
            last = children[side].ask({"ask": "steps", "steps": -done % BATCHES + 1})  # ends with the first batch
            one["loss"] = [first[side]["loss"], last["loss"]]
            one |= {"first step": first[side]["first step"], "import": described[side]["import"]}
            one |= children[side].ask({"ask": "memory"})
            assert_learnt(name, workload, side, one["loss"][0], [one["loss"][1], *one.pop("losses")])
    if cold is not None:
        found["sides"]["minidl"]["first step, cold"] = cold
    facts = {"workload": workload.text, "kind": workload.kind, "parameters": first["minidl"]["parameters"]}
    goals = (workload.goal, workload.goal_of_all) if options.device == "cpu" else (workload.goal_on_gpu, None)
    return {**facts, "goal": goals[0], "goal of all": goals[1], "notes": notes, **found}


def assert_learnt(name: str, workload: Workload, side: str, first: float, later: Sequence[float]) -> None:
    """Training has lowered the loss: of the first batch, which ``later`` begins with.

    A GAN's networks pull in two directions, so its discriminator's loss goes up and down: its lowest one counts.

    Raises:
        RuntimeError: it has not.
    """
    reached = min(later) if workload.kind == "gan" else later[0]
    if workload.kind != "infer" and not reached < first:
        raise RuntimeError(f"{name}: {side} does not learn: loss {first:.4f} became {reached:.4f}")


def cold_first_step(question: dict[str, Any], setting: tuple[int, str, bool]) -> float:
    """Seconds of minidl's first step in a process that finds no compiled kernel."""
    with tempfile.TemporaryDirectory() as folder:
        kept = {"MINIDL_CACHE": folder, "NUMBA_CACHE_DIR": os.path.join(folder, "kernels")}
        kept["CUPY_CACHE_DIR"] = os.path.join(folder, "cupy")
        with children_of(["minidl"], *setting, kept) as children:
            return float(children["minidl"].ask(question)["first step"])


def assert_same(name: str, workload: Workload, first: dict[str, dict[str, Any]]) -> None:
    """The sides have networks of one size and, where nothing is random, begin with the same number.

    Raises:
        RuntimeError: they do not.
    """
    ours = first["minidl"]
    for side, theirs in first.items():
        if theirs["parameters"] != ours["parameters"]:
            raise RuntimeError(f"{name}: {side} has {theirs['parameters']} parameters, minidl {ours['parameters']}")
        exact = workload.exact or workload.kind == "infer"
        if exact and abs(theirs["loss"] - ours["loss"]) > 1e-3 * max(abs(ours["loss"]), 1e-2):
            raise RuntimeError(f"{name}: {side} begins with {theirs['loss']:.6g}, minidl with {ours['loss']:.6g}")


def steps_of_a_round(children: Children, scale: float) -> tuple[int, int]:
    """On a GPU: how many steps the quickest side does in a third of a second, and how many each has done to try."""
    seconds = min(child.ask({"ask": "steps", "steps": BATCHES})["seconds"] for child in children.values())
    return max(1, round(scale * gpu.SECONDS / seconds)), BATCHES


def timed(name: str, workload: Workload, children: Children, rounds: int, steps: int, device: str) -> dict[str, Any]:
    """Measure in turns, and compare; on the processor also with its peak."""
    losses: dict[str, list[float]] = {side: [] for side in children}

    def run_of(side: str) -> Any:
        def one_round() -> float:
            answer = children[side].ask({"ask": "steps", "steps": steps})
            losses[side].append(answer["loss"])
            return float(answer["seconds"])

        return one_round

    note(f"{name}: {rounds} rounds of {steps} steps on {', '.join(children)}")
    limit = operations(workload)

    def least() -> float:  # seconds of a step if it were nothing but products at the peak, as it is at this moment
        return limit / float(children["minidl"].ask({"ask": "peak"})["flops a second"])

    turns = {side: run_of(side) for side in children}
    times = common.interleaved({"limit": least, **turns} if device == "cpu" else turns, rounds)
    peak: dict[str, Any] = {}
    if limits := times.pop("limit", None):
        peak["seconds at the peak"] = common.spread(limits)
        peak["share of the peak"] = {side: common.ratio(limits, values) for side, values in times.items()}
    others = {side: values for side, values in times.items() if side != "minidl"}
    best = min(others, key=lambda side: common.spread(others[side])["median"], default=None)
    reference = times.get(peers.REFERENCE)
    return {
        "steps of a round": steps,
        "operations of a step": limit,
        **peak,
        "sides": {
            side: {"seconds": {**common.spread(values), "rounds": values}, "losses": losses[side]}
            for side, values in times.items()
        },
        "ratio": {side: common.ratio(reference, values) for side, values in times.items()} if reference else {},
        "best peer": best,
        "ratio to the best peer": common.ratio(others[best], times["minidl"]) if best else None,
    }
