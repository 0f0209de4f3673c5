"""Arguments that several commands share, checks of names, and the lines that say what goes on."""

import argparse
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from minidl.cli.arguments import Parser, UsageError, positive

from .common import RESULTS, machine

__all__ = ["Parser", "UsageError", "add_json", "add_measuring", "listed", "names_of", "note", "positive"]


def listed(text: str) -> list[str]:
    """Words with commas between them."""
    return [word.strip() for word in text.split(",") if word.strip()]


def add_measuring(parser: argparse.ArgumentParser, *, rounds: int, json: str, peers: str | None = None) -> None:
    """--rounds, --threads, --json and, with a default, --peers."""
    if peers is not None:
        parser.add_argument("--peers", type=listed, default=listed(peers), metavar="A,B", help=f"default: {peers}")
    parser.add_argument(
        "--rounds", type=positive, default=rounds, metavar="N", help="of each side (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=positive, default=min(2, machine()["cores"] or 1), metavar="N",
        help="that each side may use (default: two, or one where there is one core)",
    )  # fmt: skip
    add_json(parser, json)


def add_json(parser: argparse.ArgumentParser, json: str) -> None:
    """--json"""
    parser.add_argument(
        "--json", type=Path, default=RESULTS / json, metavar="FILE",
        help=f"where results are written, tables and plots beside it (default: {json} in benchmarks/results)",
    )  # fmt: skip


def names_of(asked: Sequence[str], known: Collection[str], what: str) -> list[str]:
    """The names asked for, once each; all where none is.

    Raises:
        UsageError: an unknown one.
    """
    if unknown := [name for name in asked if name not in known]:
        raise UsageError(f"unknown {what}: {', '.join(unknown)}; there are {', '.join(known)}")
    return list(dict.fromkeys(asked)) or list(known)


def note(text: str) -> None:
    """A line on the error stream that says what goes on."""
    print(f"[benchmarks] {text}", file=sys.stderr, flush=True)
