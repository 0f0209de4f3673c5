"""Files of events that TensorBoard shows, and functions that write into the one that is current, as in tf.summary."""

import itertools
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np

from . import wire
from .graphs import graph_of_model
from .records import RecordFile
from .values import histogram_summary, image_summary, keras_summary, scalar_summary, text_summary
from .wire import field, float64, whole

__all__ = ["FileWriter", "create_file_writer", "graph", "histogram", "image", "scalar", "text"]

_numbers = itertools.count()
_current: ContextVar["FileWriter | None"] = ContextVar("summary_writer", default=None)
_step: ContextVar[int | None] = ContextVar("summary_step", default=None)


class FileWriter:
    """Writes what TensorBoard shows of one run into one new file.

    An event is in the file when the call returns: a process that is killed leaves a file that can be read.

    Args:
        logdir: the folder of the run; it is made with the first event.
        filename_suffix: the end of the file's name; default ".v2", as TensorFlow has it.
    """

    def __init__(self, logdir: Any, filename_suffix: str = ".v2"):
        self.logdir = Path(os.fspath(logdir))
        self._suffix = filename_suffix
        self._file: RecordFile | None = None

    # ---- what can be shown ----

    def scalar(self, name: str, value: Any, step: int) -> None:
        """A point of a curve; ``value`` is a single number, kept in float32."""
        self._write(step, field(5, scalar_summary(name, value)))

    def histogram(self, name: str, data: Any, step: int, buckets: int = 30) -> None:
        """How the values of an array are spread, in ``buckets`` intervals of equal width."""
        self._write(step, field(5, histogram_summary(name, data, buckets)))

    def image(self, name: str, data: Any, step: int, max_outputs: int = 3) -> None:
        """Pictures (number, height, width, channels): floats from 0 to 1, or uint8; the first ``max_outputs``."""
        self._write(step, field(5, image_summary(name, data, max_outputs)))

    def text(self, name: str, data: Any, step: int) -> None:
        """A text in Markdown, or an array of texts, which is shown as a table."""
        self._write(step, field(5, text_summary(name, data)))

    def graph(self, model: Any) -> None:
        """The layers of a model and how they are joined."""
        self._write(0, field(4, graph_of_model(model)))

    def keras_model(self, name: str, config: str, step: int = 0) -> None:
        """The configuration of a model, as JSON: TensorBoard's "conceptual graph"."""
        self._write(step, field(5, keras_summary(name, config)))

    # ---- the file ----

    def as_default(self, step: int | None = None) -> Any:
        """A ``with`` block in which ``minidl.summary.scalar`` and the others write here.

        Args:
            step: theirs, where they are given none.
        """
        return _as_current(self, step)

    def flush(self) -> None:
        """Bring all events onto the disk, so that they survive a power cut too."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file; further events would go to a new one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, step: Any, content: bytes) -> None:
        if isinstance(step, bool) or not isinstance(step, (int, np.integer)):
            raise ValueError(f"step must be a whole number, not {step!r}")
        if self._file is None:
            self._file = self._opened()
        self._file.append(float64(1, time.time()) + whole(2, int(step)) + content)

    def _opened(self) -> RecordFile:
        self.logdir.mkdir(parents=True, exist_ok=True)
        host = re.sub(r"[^\w.-]", "_", socket.gethostname())
        name = f"events.out.tfevents.{int(time.time())}.{host}.{os.getpid()}.{next(_numbers)}{self._suffix}"
        file = RecordFile(self.logdir / name)
        file.append(float64(1, time.time()) + wire.text(3, "brain.Event:2"))  # the version that readers expect first
        return file


@contextmanager
def _as_current(writer: FileWriter, step: int | None) -> Iterator[FileWriter]:
    writers, steps = _current.set(writer), _step.set(step)
    try:
        yield writer
    finally:
        _current.reset(writers)
        _step.reset(steps)


def create_file_writer(logdir: Any, filename_suffix: str = ".v2") -> FileWriter:
    """A writer for one run; use it with ``with writer.as_default():``, or call its methods."""
    return FileWriter(logdir, filename_suffix)


def _write(kind: str, name: str, data: Any, step: int | None, **settings: Any) -> bool:
    writer = _current.get()
    if writer is None:
        return False
    chosen = _step.get() if step is None else step
    if chosen is None:
        raise ValueError(f"summary.{kind}({name!r}, ...) needs step=...; or give one to writer.as_default(step)")
    getattr(writer, kind)(name, data, chosen, **settings)
    return True


def scalar(name: str, data: Any, step: int | None = None) -> bool:
    """A point of a curve, for the current writer; returns whether there is one."""
    return _write("scalar", name, data, step)


def histogram(name: str, data: Any, step: int | None = None, buckets: int = 30) -> bool:
    """How values are spread, for the current writer; returns whether there is one."""
    return _write("histogram", name, data, step, buckets=buckets)


def image(name: str, data: Any, step: int | None = None, max_outputs: int = 3) -> bool:
    """Pictures (number, height, width, channels), for the current writer; returns whether there is one."""
    return _write("image", name, data, step, max_outputs=max_outputs)


def text(name: str, data: Any, step: int | None = None) -> bool:
    """A text in Markdown, or an array of texts, for the current writer; returns whether there is one."""
    return _write("text", name, data, step)


def graph(model: Any) -> bool:
    """The layers of a model, for the current writer; returns whether there is one."""
    writer = _current.get()
    if writer is not None:
        writer.graph(model)
    return writer is not None
