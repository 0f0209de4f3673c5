"""The command line: ``python -m benchmarks COMMAND``.

Each command is a module with ``add(commands)``, which declares its arguments, and ``run(options)``, which returns the
exit code: 0 done, 1 something failed, 2 wrong usage, 130 stopped by Ctrl-C.
"""

import argparse
import sys
from collections.abc import Sequence

from . import common

common.forget_blas_settings()  # before NumPy is imported

from . import bookkeeping, import_time, kernels, limits, scaling, step  # noqa: E402
from . import run as run_command  # noqa: E402
from .arguments import Parser, UsageError  # noqa: E402

_EPILOG = """Speeds are ratios of sides that took turns in one run: times of a busy machine differ from day to day,
ratios hardly. Results go to benchmarks/results unless --json says where."""


def main(words: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    parser = Parser(
        prog="python -m benchmarks", description="Measurements of minidl that anyone can repeat.", epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for command in (run_command, step, scaling, kernels, bookkeeping, import_time, limits):
        command.add(commands)
    options = parser.parse_args(words)
    try:
        return int(options.run(options))
    except UsageError as error:
        print(f"python -m benchmarks: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\npython -m benchmarks: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
