"""CSVLogger: the logs of every epoch as a line of a file."""

import csv
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from .callback import Callback

__all__ = ["CSVLogger"]


class CSVLogger(Callback):
    """Writes a line for every epoch: ``epoch``, then the logs in alphabetical order.

    The columns are those of the first epoch. Where that has no ``val_...``, a column is kept free for each, and what an
    epoch lacks is "NA". A line is in the file when its epoch ends, whatever happens to the process afterwards.

    Args:
        filename: the file; its folder must be there.
        separator: between two numbers of a line; default ",".
        append: go on in the file, without a second heading, where there is one; default: write it anew.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False):
        self.filename, self.sep, self.append = os.fspath(filename), separator, append
        self.keys: list[str] | None = None
        self._file: Any = None
        self._writer: Any = None
        self._heading = True

    def on_train_begin(self, logs: Any = None) -> None:
        self._close()
        if self.append and os.path.exists(self.filename):
            with open(self.filename, "rb") as file:
                self._heading = not file.readline()
        # newline="": csv ends the lines itself, with \r\n everywhere
        self._file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")  # noqa: SIM115
        if self.append and _ends_within_a_line(self.filename):
            self._file.write("\r\n")  # the last run was killed while it wrote
        self._writer = self.keys = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
        if self._writer is None:
            self._writer = csv.DictWriter(self._file, ["epoch", *self.keys], delimiter=self.sep)
            if self._heading:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **{key: _cell(logs.get(key, "NA")) for key in self.keys}})
        self._file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = self._writer = None


def _cell(value: Any) -> Any:
    """A value as csv takes it; several as "[1, 2]", in quotes of its own."""
    if isinstance(value, str) or not isinstance(value, Iterable) or (isinstance(value, np.ndarray) and not value.ndim):
        return value
    return f'"[{", ".join(map(str, value))}]"'


def _ends_within_a_line(path: str) -> bool:
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        return file.read() not in (b"", b"\n")
