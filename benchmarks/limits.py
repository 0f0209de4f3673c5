"""`python -m benchmarks limits`: what the machine can do at most, measured; see `kernels/minidl_kernels/limits.py`."""

import argparse
from typing import Any

from .arguments import positive
from .common import table


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "limits", help="multiply-adds and copies a second, at most",
        description="Multiply-adds on vectors that stay in registers, and copies of arrays that no cache holds.",
    )  # fmt: skip
    parser.add_argument("--threads", type=positive, metavar="N", help="default: one, and all cores of this process")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print both limits for each number of threads."""
    from minidl_kernels import config
    from minidl_kernels.limits import bytes_per_second, flops_per_second

    rows = [
        [count, f"{flops_per_second(count) / 1e9:.0f} GFLOP/s", f"{bytes_per_second(count) / 1e9:.0f} GB/s"]
        for count in sorted({options.threads or 1, options.threads or config.threads()})
    ]
    print(table(["threads", "multiply-adds", "copies"], rows))
    return 0
