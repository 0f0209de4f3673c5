"""The child: ``python -m benchmarks.serve SIDE --threads N`` answers questions, a line of JSON each.

{"ask": "describe"}                     versions, settings, seconds of the import
{"ask": "prepare", "workload": {...}}   builds it; the number of parameters, seconds of the first step, its loss
{"ask": "steps", "steps": n}            seconds of one of them, the last loss
{"ask": "peak"}                         of minidl: multiplications and additions a second, at most
{"ask": "memory"}                       MiB after the import, after the first step and at most; threads
"""

import argparse
import importlib
import os
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any


def main() -> None:
    """Import the side, then answer until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("side")
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()

    from . import common  # neither of these imports NumPy, whose import is to be timed
    from .peers import SIDES

    start = time.perf_counter()
    for name in SIDES[options.side].needs or ("numpy",):
        importlib.import_module(name)
    import_seconds = time.perf_counter() - start
    after_import = peak_mebibytes()
    side = importlib.import_module(f"benchmarks.{SIDES[options.side].module}")
    side.set_threads(options.threads)
    prepare = partial(side.prepare, manner=options.side) if options.side.startswith("torch") else side.prepare
    state: dict[str, Any] = {"after the import": after_import}

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        try:
            return answer_one(question)
        except Exception as error:  # the other sides go on
            return {"error": f"{type(error).__name__}: {error}"}

    def answer_one(question: dict[str, Any]) -> dict[str, Any]:
        from .workloads import Workload

        if question["ask"] == "describe":
            found = {name: os.environ[name] for name in common.BLAS_SETTINGS if name in os.environ}
            set_up = {name: value for name, value in SIDES[options.side].environment}
            return {**side.describe(), "import": import_seconds, "BLAS settings": found, "environment": set_up}
        if question["ask"] == "prepare":
            runner = prepare(Workload(**question["workload"]))
            begun = time.perf_counter()
            loss = runner.run(1)
            first = time.perf_counter() - begun
            state.update({"run": runner.run, "after the first step": resident_mebibytes()})
            return {"parameters": runner.parameters, "first step": first, "loss": loss}
        if question["ask"] == "steps":
            begun = time.perf_counter()
            loss = state["run"](question["steps"])
            return {"seconds": (time.perf_counter() - begun) / question["steps"], "loss": loss}
        if question["ask"] == "peak":
            from minidl_kernels.limits import flops_per_second

            return {"flops a second": flops_per_second(options.threads)}
        sizes = {name: value for name, value in state.items() if name != "run"}
        return {"MiB": {**sizes, "at most": peak_mebibytes()}, "threads": threads()}

    common.answer_questions(answer)


def _status() -> dict[str, str]:
    path = Path("/proc/self/status")
    lines = path.read_text().splitlines() if path.exists() else []
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def peak_mebibytes() -> float:
    """The most memory this process has held."""
    # Not from getrusage where /proc is there: its maximum covers the process that started this one, up to the exec.
    if "VmHWM" in (status := _status()):
        return round(int(status["VmHWM"].split()[0]) / 1024, 1)
    try:
        import resource
    except ImportError:
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)


def resident_mebibytes() -> float:
    """The memory this process holds now."""
    return round(int(_status().get("VmRSS", "nan").split()[0]) / 1024, 1) if _status() else peak_mebibytes()


def threads() -> int:
    """How many threads this process has."""
    return int(_status().get("Threads", threading.active_count()))


if __name__ == "__main__":
    main()
