"""How fast large models are saved and opened, and in how much memory: `python -m benchmarks.saving [--rounds 7]`.

A model with half a gigabyte of weights goes into each format and comes back, in turns with a plain copy of the same
file, flushed to the disk as a save is. The rate of a format is that of the copy times the ratio of the two times.

Memory is measured in a process of its own for each format and direction, from before the model is made: what it holds
at most in main memory, its weights included, as a multiple of the weights.
"""

import argparse
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import common

common.forget_blas_settings()

LAYERS, WIDTH = 32, 2000  # 512 MB of float32
FORMATS = {"m.keras": ".keras", "m.h5": ".h5", "m.weights.h5": ".weights.h5", "m.safetensors": ".safetensors"}
GOALS = {"m.keras": 0.35, "m.safetensors": 0.60}  # of the rate of a copy
MEMORY_GOAL = 1.3  # times the weights


def make_model(layers: int = LAYERS, width: int = WIDTH) -> Any:
    """A stack of Dense layers, not compiled."""
    import minidl

    stack = [minidl.layers.Dense(width, use_bias=False, name=f"dense_{i}") for i in range(layers)]
    return minidl.Sequential([minidl.Input((width,)), *stack])


def save(model: Any, path: Path) -> None:
    """Write a model, or its weights where the format holds no more."""
    (model.save_weights if path.name in ("m.weights.h5", "m.safetensors") else model.save)(path)


def load(model: Any, path: Path) -> Any:
    """Open a model, or read weights into one."""
    import minidl

    if path.name in ("m.weights.h5", "m.safetensors"):
        model.load_weights(path)
        return model
    return minidl.saving.load_model(path)


def copy(source: Path, target: Path) -> None:
    """A plain copy that is on the disk when it returns."""
    shutil.copyfile(source, target)
    with open(target, "rb+") as file:
        os.fsync(file.fileno())


def times(folder: Path, rounds: int, layers: int, width: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of each round: for each format a copy, a save and a load in turns."""
    import numpy as np

    model = make_model(layers, width)
    found = {}
    for name in FORMATS:
        path = folder / name
        save(model, path)
        for a, b in zip(load(make_model(layers, width), path).get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        other = make_model(layers, width)
        sides: dict[str, Callable[[], Any]] = {
            "copy": lambda path=path: copy(path, folder / "copy"),
            "save": lambda path=path: save(model, path),
            "load": lambda path=path, other=other: load(other, path),
        }
        timed = {side: (lambda run=run: _freed(run)) for side, run in sides.items()}
        found[name] = common.interleaved(timed, rounds)
        (folder / "copy").unlink()
    return found


def _freed(run: Callable[[], Any]) -> float:
    gc.collect()
    return common.seconds(run)


def peak(direction: str, path: Path, layers: int, width: int) -> int:
    """Bytes that this process needs at most, from before a model is made until it is saved or loaded."""
    import resource

    for warm_up in ("save", direction):  # what is imported and compiled does not count
        _both(warm_up, path.parent / "small" / path.name, 1, 8)
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    _both(direction, path, layers, width)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before


def _both(direction: str, path: Path, layers: int, width: int) -> None:
    if direction == "save":
        path.parent.mkdir(exist_ok=True)
        save(make_model(layers, width), path)
    else:
        weights_only = path.name in ("m.weights.h5", "m.safetensors")
        load(make_model(layers, width) if weights_only else None, path)


def peaks(folder: Path, layers: int, width: int) -> dict[str, dict[str, int]]:
    """The same for all formats, each in a process of its own."""
    found: dict[str, dict[str, int]] = {}
    for name in FORMATS:
        for direction in ("save", "load"):
            command = [sys.executable, "-m", "benchmarks.saving", "--peak", direction, str(folder / name)]
            sizes = ["--layers", str(layers), "--width", str(width)]
            said = subprocess.run(
                [*command, *sizes], env=common.child_environment(), cwd=common.ROOT, text=True, check=True,
                stdout=subprocess.PIPE,
            )  # fmt: skip
            found.setdefault(name, {})[direction] = int(said.stdout.split()[-1])
    return found


def measure(folder: Path, rounds: int, layers: int, width: int) -> dict[str, Any]:
    """Times, rates and memory."""
    weights = 4 * layers * width**2
    memory = peaks(folder, layers, width)  # first: a process begins with the peak of the one that starts it
    found = times(folder, rounds, layers, width)
    return {
        "what": "saving and loading a large model", "rounds": rounds, "bytes of weights": weights,
        "goals": {"rate": GOALS, "memory": MEMORY_GOAL},
        "machine": common.machine(), "versions": common.versions("numpy", "h5py", "minidl"),
        "seconds": {
            name: {side: {**common.spread(all_), "rounds": all_} for side, all_ in sides.items()}
            for name, sides in found.items()
        },
        "rate": {
            name: {side: common.ratio(sides["copy"], sides[side]) for side in ("save", "load")}
            for name, sides in found.items()
        },
        "memory": {
            name: {side: most / weights for side, most in sides.items()}
            for name, sides in memory.items()
        },
    }  # fmt: skip


def report(record: dict[str, Any]) -> str:
    """The record as Markdown."""
    text, rows = common.time_text, []
    for name, ending in FORMATS.items():
        seconds, rate, memory = (record[part][name] for part in ("seconds", "rate", "memory"))
        rows.append([
            f"`{ending}`", *(text(seconds[side]["median"]) for side in ("copy", "save", "load")),
            *(f"{rate[side]['median']:.0%} ({rate[side]['low']:.0%} to {rate[side]['high']:.0%})"
              for side in ("save", "load")),
            *(f"{memory[side]:.2f}" for side in ("save", "load")),
        ])  # fmt: skip
    goals = ", ".join(f"`{FORMATS[name]}` {goal:.0%}" for name, goal in record["goals"]["rate"].items())
    return "\n\n".join([
        f"A model with {record['bytes of weights'] / 1e6:.0f} MB of weights; medians of {record['rounds']} rounds in "
        "turn with a plain copy of the same file, flushed to the disk. In brackets the middle half of the rounds.",
        common.table(
            ["format", "copy", "save", "load", "rate of saving, of a copy's", "rate of loading", "memory to save",
             "memory to load"],
            rows,
        ),
        f"The goals are rates of {goals} at least, and memory of at most {record['goals']['memory']} times the "
        "weights, these included.",
    ])  # fmt: skip


def main() -> None:
    """Measure, print, and write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--width", type=int, default=WIDTH)
    parser.add_argument("--folder", type=Path, help="where the files lie meanwhile; default: a temporary folder")
    parser.add_argument("--json", type=Path, default=common.RESULTS / "saving.json", help="where results are written")
    parser.add_argument("--peak", nargs=2, metavar=("save|load", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(peak(options.peak[0], Path(options.peak[1]), options.layers, options.width))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        record = measure(Path(folder), options.rounds, options.layers, options.width)
    text = report(record)
    common.save(options.json, record, text)
    print(text)


if __name__ == "__main__":
    main()
