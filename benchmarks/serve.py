"""The child: ``python -m benchmarks.serve SIDE --threads N [--device D --tf32]`` answers questions, one JSON a line.

{"ask": "describe"}                     versions, settings, seconds of the import
{"ask": "prepare", "workload": {...}}   builds it; the number of parameters, seconds of the first step, its loss
{"ask": "steps", "steps": n}            seconds of one of them, the last loss
{"ask": "peak"}                         of minidl: multiplications and additions a second, at most
{"ask": "memory"}                       MiB after the import, after the first step and at most; of a GPU; threads
"""

import argparse
import importlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any


def main() -> None:
    """Import the side, then answer until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("side")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tf32", action="store_true")
    with answering(**vars(parser.parse_args())) as answer:
        from .common import answer_questions

        answer_questions(answer)


@contextmanager
def answering(side: str, threads: int, device: str, tf32: bool) -> Iterator[Callable[[Any], dict[str, Any]]]:
    """Inside the block this thread is the side, and works on the device: what answers its questions."""
    from . import common  # neither of these imports NumPy, whose import is to be timed
    from .peers import SIDES

    start = time.perf_counter()
    for name in SIDES[side].needs or ("numpy",):
        importlib.import_module(name)
    import_seconds = time.perf_counter() - start
    after_import = peak_mebibytes()
    own = importlib.import_module(f"benchmarks.{SIDES[side].module}")
    own.set_threads(threads)
    prepare = partial(own.prepare, manner=side) if side.startswith("torch") else own.prepare
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
            set_up = {name: value for name, value in SIDES[side].environment}
            return {**own.describe(), "import": import_seconds, "BLAS settings": found, "environment": set_up}
        if question["ask"] == "prepare":
            runner = prepare(Workload(**question["workload"]))
            state["runner"] = runner
            first, loss = timed(runner, 1)
            state["after the first step"] = resident_mebibytes()
            return {"parameters": runner.parameters, "first step": first, "loss": loss}
        if question["ask"] == "steps":
            seconds, loss = timed(state["runner"], question["steps"])
            return {"seconds": seconds / question["steps"], "loss": loss}
        if question["ask"] == "peak":
            from minidl_kernels.limits import flops_per_second

            return {"flops a second": flops_per_second(threads)}
        sizes = {name: value for name, value in state.items() if name != "runner"} | {"at most": peak_mebibytes()}
        if (memory := state["runner"].memory) is not None:
            sizes["of the GPU"] = round(memory() / (1 << 20), 1)
        return {"MiB": sizes, "threads": number_of_threads()}

    with nullcontext() if device == "cpu" else own.using(device, tf32):
        yield answer


def timed(runner: Any, steps: int) -> tuple[float, float]:
    """Seconds that steps take, from when the device has nothing to do until it has done them; the last loss."""
    runner.wait()
    begun = time.perf_counter()
    loss = runner.run(steps)
    runner.wait()
    return time.perf_counter() - begun, loss


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


def number_of_threads() -> int:
    """How many threads this process has."""
    return int(_status().get("Threads", threading.active_count()))


if __name__ == "__main__":
    main()
