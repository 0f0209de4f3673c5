"""The progress bar of fit, evaluate and predict: rich on a terminal, one plain line an epoch elsewhere."""

import sys
import time
from typing import Any

from minidl import config

from .callback import Callback

__all__ = ["ProgbarLogger"]


class ProgbarLogger(Callback):
    """Shows how far training is.

    What is shown follows ``verbose`` of fit, evaluate and predict: 0: nothing; 1 or "auto": a bar (a plain line an
    epoch where the output is not a terminal); 2: a plain line an epoch.
    """

    def __init__(self) -> None:
        self.verbose = 1
        self._bar: Any = None
        self._task: Any = None
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
        if self.verbose == 1 and sys.stdout.isatty() and config.is_interactive_logging_enabled():
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                TextColumn("{task.fields[numbers]}"), transient=True,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task(title, total=self._param("steps"), numbers="")

    def _advance(self, batch: int, logs: Any) -> None:
        now = time.perf_counter()
        if self._bar is not None and now - self._shown > 0.1:  # ten times a second is enough for eyes
            self._shown = now
            self._bar.update(self._task, completed=batch + 1, numbers=_text(logs))

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


def _text(logs: Any) -> str:
    return " - ".join(f"{name}: {value:.4f}" for name, value in (logs or {}).items() if isinstance(value, (int, float)))
