"""Arguments that several commands share, their types, and errors in one line."""

import argparse
import math
import sys
from typing import NoReturn

__all__ = ["Parser", "UsageError", "add_language", "add_output", "add_training", "image_size", "positive", "rate"]


class UsageError(Exception):
    """The user asked for something that cannot be done; the text says what and why, in one line."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: error: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


def seed(text: str) -> int:
    """A whole number of 32 bits."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to 4294967295, got {text!r}")
    return int(text)


def rate(text: str) -> float:
    """A learning rate."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def image_size(text: str) -> tuple[int, int]:
    """HEIGHTxWIDTH, or one number for both."""
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() and 8 <= int(part) <= 4096 for part in parts):
        raise argparse.ArgumentTypeError(f"expected SIZE or HEIGHTxWIDTH, each from 8 to 4096, got {text!r}")
    return int(parts[0]), int(parts[-1])


def add_training(parser: argparse.ArgumentParser, *, epochs: str) -> None:
    """--epochs and --seed."""
    parser.add_argument(
        "--epochs", type=positive, metavar="N", help=f"how often to go through the data (default: {epochs})"
    )
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="same seed, same model (default: 0)")


def add_language(parser: argparse.ArgumentParser) -> None:
    """--language, of the report."""
    parser.add_argument(
        "--language", choices=("en", "ko"), help="language that the report shows first (default: that of the locale)"
    )


def add_output(parser: argparse.ArgumentParser, *, out: str) -> None:
    """--out and --quiet."""
    parser.add_argument(
        "--out",
        default=out,
        metavar="DIR",
        help="folder for model.keras and report.html, replaced if there (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress; only the results")
