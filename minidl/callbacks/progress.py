"""The progress of fit, evaluate and predict: rich on a terminal, a line that is rewritten in a notebook, and elsewhere
one plain line an epoch."""

import sys
import time
from typing import Any

from minidl import config

from .callback import Callback

__all__ = ["ProgbarLogger"]

_WIDTH = 20  # of the bar of a notebook, in characters


class ProgbarLogger(Callback):
    """Shows how far training is.

    What is shown follows ``verbose`` of fit, evaluate and predict: 0: nothing; 1 or "auto": a bar on a terminal and in
    a notebook (elsewhere a plain line an epoch); 2: a plain line an epoch.
    """

    def __init__(self) -> None:
        self.verbose = 1
        self._bar: Any = None
        self._epoch, self._start, self._shown, self._training = 0, 0.0, 0.0, False

    def set_params(self, params: dict[str, Any]) -> None:
        super().set_params(params)
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else int(verbose)

    def on_train_begin(self, logs: Any = None) -> None:
        self._training = True

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self._begin(f"Epoch {epoch + 1}/{self._param('epochs')}")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._advance(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._finish(f"Epoch {epoch + 1}/{self._param('epochs')}", logs)

    def on_test_begin(self, logs: Any = None) -> None:
        if not self._training:
            self._begin("Evaluating")

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if not self._training:
            self._advance(batch, logs)

    def on_test_end(self, logs: Any = None) -> None:
        if not self._training:
            self._finish("Evaluated", logs)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._begin("Predicting")

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self._advance(batch, None)

    def on_predict_end(self, logs: Any = None) -> None:
        self._finish("Predicted", None)

    def on_train_end(self, logs: Any = None) -> None:
        self._training = False

    def _param(self, name: str) -> Any:
        return (self.params or {}).get(name)

    def _begin(self, title: str) -> None:
        self._start = time.perf_counter()
        self._shown = self._start
        if self.verbose == 1 and config.is_interactive_logging_enabled():
            steps = self._param("steps")
            if sys.stdout.isatty():
                self._bar = _TerminalBar(title, steps)
            elif _in_notebook():
                self._bar = _Line(title, steps)

    def _advance(self, batch: int, logs: Any) -> None:
        now = time.perf_counter()
        if self._bar is not None and now - self._shown > 0.2:  # five times a second is enough for eyes
            self._shown = now
            self._bar.update(batch + 1, _text(logs))

    def _finish(self, title: str, logs: Any) -> None:
        if not self.verbose:
            return
        seconds = time.perf_counter() - self._start
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        numbers = _text(logs)
        config.show(f"{title} - {seconds:.1f} s{' - ' + numbers if numbers else ''}")

    def close(self) -> None:
        """Give the terminal back, also when training was broken off."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class _TerminalBar:
    """A bar of rich's, which goes away when it stops."""

    def __init__(self, title: str, steps: int | None):
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"), transient=True,
        )  # fmt: skip
        self._progress.start()
        self._task = self._progress.add_task(title, total=steps, numbers="")

    def update(self, done: int, numbers: str) -> None:
        self._progress.update(self._task, completed=done, numbers=numbers)

    def stop(self) -> None:
        self._progress.stop()


class _Line:
    """A line that carriage returns write anew. Steps that are over before an eye sees them leave no trace of one."""

    def __init__(self, title: str, steps: int | None):
        self._title, self._steps, self._length = title, steps, 0

    def update(self, done: int, numbers: str) -> None:
        bar = ""
        if self._steps:
            filled = int(_WIDTH * min(done / self._steps, 1.0))
            bar = f" {'━' * filled}{'╌' * (_WIDTH - filled)}"
        line = f"{self._title}{bar} {done}/{self._steps or '?'}{' - ' + numbers if numbers else ''}"
        self._write(f"\r{line:{self._length}}")  # blanks over what a longer line left
        self._length = len(line)

    def stop(self) -> None:
        if self._length:
            self._write(f"\r{'':{self._length}}\r")
            self._length = 0

    @staticmethod
    def _write(text: str) -> None:
        print(text, end="", flush=True)


def _in_notebook() -> bool:
    """Whether the output goes below a cell of Jupyter. What a test or ``%%capture`` put in its place is none."""
    return type(sys.stdout).__module__.startswith("ipykernel")


def _text(logs: Any) -> str:
    return " - ".join(f"{name}: {value:.4f}" for name, value in (logs or {}).items() if isinstance(value, (int, float)))
