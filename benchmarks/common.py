"""What the benchmarks share: the record of the machine, interleaved rounds, medians, tables, charts, files.

Absolute times of a shared machine are not stable; ratios of rounds that alternate are. So everything here measures
two or more sides in turns, and states medians with the middle half of the rounds beside them.
"""

import contextlib
import ctypes
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"

# Settings that change how fast OpenBLAS is (they halve it on some machines), and that turn TF32 on or off behind our
# back; so children start without them.
BLAS_SETTINGS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "CUPY_TF32", "NVIDIA_TF32_OVERRIDE")
# OpenBLAS's threads wait busily for 0.1 s when their work is done, and take a core from the side that comes next.
# 2^20 cycles are enough within a turn; the pause between turns lets every kind of thread fall asleep.
BLAS_WAIT = {"OPENBLAS_THREAD_TIMEOUT": "20"}
PAUSE = 0.05
FOUND = {name: os.environ[name] for name in BLAS_SETTINGS if name in os.environ}


def forget_blas_settings() -> None:
    """Take ``BLAS_SETTINGS`` out of this process; to be called before NumPy is imported."""
    for name in BLAS_SETTINGS:
        os.environ.pop(name, None)


def child_environment() -> dict[str, str]:
    """The environment for a measured process: this one's without ``BLAS_SETTINGS``, with our sources importable.

    And with their bytecode kept, as that of the other libraries is: else each import would compile them.
    """
    left_out = (*BLAS_SETTINGS, "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    paths = [str(ROOT), str(ROOT / "kernels"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**kept, **BLAS_WAIT, "PYTHONPATH": os.pathsep.join(paths)}


def openblas_core() -> str:
    """Which processor NumPy's OpenBLAS takes this one for; "unknown" where NumPy has another BLAS."""
    import numpy as np

    for library in (Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas*"):
        for name in ("scipy_openblas_get_corename64_", "openblas_get_corename64_", "openblas_get_corename"):
            function = getattr(ctypes.CDLL(str(library)), name, None)
            if function is not None:
                function.restype = ctypes.c_char_p
                return function().decode()
    return "unknown"


def versions(*modules: str) -> dict[str, str]:
    """The versions of Python and of modules that are installed."""
    found = {"python": platform.python_version()}
    for name in modules:
        try:
            found[name] = str(importlib.import_module(name).__version__)
        except ImportError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Processor, cores, load, system, and what ``BLAS_SETTINGS`` were found in the environment of this process."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = set(facts.get("flags", "").split())
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "processor": f"{facts.get('model name') or platform.processor()} (family {facts.get('cpu family', '?')}, "
        f"model {facts.get('model', '?')})",
        "vectors": next((name for name in ("avx512f", "avx2", "avx") if name in flags), platform.machine()),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "load": [round(one, 2) for one in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "found in the environment": FOUND,
    }


class Child:
    """A process that stays: a line of JSON to it, a line of JSON back.

    Args:
        arguments: of the Python interpreter.
        environment: more of its variables.
    """

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None):
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**child_environment(), **(environment or {})},
            start_new_session=True,  # Ctrl-C is for the parent, which ends its children
        )  # fmt: skip

    def ask(self, question: Any) -> Any:
        """Send a question and wait for the answer.

        Raises:
            RuntimeError: the child has ended, or its answer is an error.
        """
        assert self.process.stdin and self.process.stdout
        try:
            print(json.dumps(question), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise RuntimeError(f"the child {self.process.args!r} ended at {question!r}; what it said is above")
        found = json.loads(answer)
        if isinstance(found, dict) and "error" in found:
            raise RuntimeError(found["error"])
        return found

    def close(self) -> None:
        """End the process, whatever it does."""
        assert self.process.stdin and self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def answer_questions(answer: Callable[[Any], Any]) -> None:
    """The other side of ``Child``: answer every line until the input ends. Prints go to the error stream."""
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=out, flush=True)


def seconds(run: Callable[[], Any], times: int = 1) -> float:
    """Seconds that one ``run()`` takes, over ``times`` of them."""
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


def interleaved(sides: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each side measures in every round; the sides take turns, and every second round the other way round."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in sides if number % 2 == 0 else reversed(sides):
            time.sleep(PAUSE)
            found[name].append(sides[name]())
    return found


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, and the quartiles between which the middle half lies."""
    low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    return {"median": statistics.median(values), "low": low, "high": high}


def ratio(slow: Sequence[float], fast: Sequence[float]) -> dict[str, float]:
    """How many times faster ``fast`` is: the ratio of the medians, and the quartiles of the rounds' ratios."""
    rounds = spread([a / b for a, b in zip(slow, fast, strict=True)])
    return {"median": statistics.median(slow) / statistics.median(fast), "low": rounds["low"], "high": rounds["high"]}


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; the first column to the left, the others to the right."""
    lines = [headers, ["---"] + ["---:"] * (len(headers) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def time_text(value: float) -> str:
    """Seconds as text with a fitting unit."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def save(path: Path, record: dict[str, Any], text: str, picture: str | None = None) -> None:
    """Write the record as JSON, the text as Markdown and the picture as SVG beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    shown = text if picture is None else f"{text}\n\n![chart]({path.with_suffix('.svg').name})"
    path.with_suffix(".md").write_text(shown + "\n", encoding="utf-8")
    if picture is not None:
        path.with_suffix(".svg").write_text(picture, encoding="utf-8")
