"""minidl on the command line.

Each command is a module with ``add(commands)``, which declares its arguments, and ``run(options)``, which returns the
exit code. Those modules import what is heavy inside functions, so that ``minidl --help`` answers at once.

Exit codes: 0 done, 1 done but a check failed, 2 wrong usage, 130 stopped by Ctrl-C.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from minidl.config import __version__

from . import bench, demo, demonstrate, explain, train, warmup
from .arguments import Parser, UsageError

__all__ = ["main"]

_EPILOG = """first steps:
  minidl demo                             train on pictures that minidl carries; half a minute
  minidl train --data fashion_mnist       the whole of Fashion-MNIST
  minidl train --data photos/             your own pictures, in folders photos/CLASS/PICTURE
  minidl explain                          one training step number by number, as a page

minidl COMMAND --help tells more."""


def _parser() -> Parser:
    parser = Parser(
        prog="minidl",
        description="A neural-net engine to read to the bottom, with the names, defaults and numerics of Keras 3.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"minidl {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for command in (demo, demonstrate, train, explain, bench, warmup):
        command.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the words after ``minidl``; default: those of this process.

    Returns:
        The exit code. (``--help``, ``--version`` and wrong arguments raise SystemExit, as argparse does.)
    """
    options = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return options.run(options)
    except UsageError as error:
        print(f"minidl: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nminidl: stopped", file=sys.stderr)
        return 130


def _show_warning(message: Warning | str, *where: Any, **more: Any) -> None:
    """A warning in one line, without the line of code that Python shows."""
    print(f"minidl: warning: {message}", file=sys.stderr)
