"""`python -m benchmarks import`: `import minidl` against `import numpy`.

Fresh processes take turns; what an empty process takes is measured in the same rounds and taken off both. The goal is
at most 5 times NumPy's.
"""

import argparse
import statistics
import subprocess
import sys
import time
from typing import Any

from . import common
from .arguments import add_json, positive

CODES = {"nothing": "pass", "numpy": "import numpy", "minidl": "import minidl"}
GOAL = 5.0


def seconds_of(code: str) -> float:
    """Seconds that a fresh Python takes to run ``code``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=common.child_environment(), check=True)
    return time.perf_counter() - start


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "import", help="the time of `import minidl` beside NumPy's",
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--rounds", type=positive, default=11, metavar="N", help="starts of each side (default: 11)")
    add_json(parser, "import_time.json")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the files."""
    for code in CODES.values():
        seconds_of(code)  # the files' way into memory is not counted
    found = common.interleaved({name: lambda c=code: seconds_of(c) for name, code in CODES.items()}, options.rounds)
    empty = statistics.median(found["nothing"])
    numpy, minidl = (statistics.median(found[name]) - empty for name in ("numpy", "minidl"))
    rows = [
        ["`import numpy`", common.time_text(numpy), "1.0"],
        ["`import minidl`", common.time_text(minidl), f"{minidl / numpy:.1f} (goal: at most {GOAL:.0f})"],
    ]
    text = common.table(["", "median, less an empty process", "times NumPy's"], rows)
    record = {
        "machine": common.machine(), "versions": common.versions("numpy", "minidl"), "rounds": options.rounds,
        "seconds": found, "ratio": minidl / numpy, "goal": GOAL,
    }  # fmt: skip
    common.save(options.json, record, text)
    print(text)
    return 0
