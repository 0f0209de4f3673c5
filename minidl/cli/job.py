"""One training from data to report: what ``minidl demo`` and ``minidl train`` have in common."""

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minidl.callbacks import Callback, History
from minidl.visualize.words import in_language

from .arguments import UsageError
from .data import Data

__all__ = ["Decay", "Job"]


class Decay(Callback):
    """Lowers the learning rate in a straight line, from where it is to zero at the end of the last epoch."""

    def __init__(self) -> None:
        self.start, self.step, self.steps = 0.0, 0, 0

    def on_train_begin(self, logs: Any = None) -> None:
        assert self.params is not None  # fit sets it first
        self.steps = self.params["epochs"] * self.params["steps"]
        self.start, self.step = float(self.model.optimizer.learning_rate), 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.model.optimizer.learning_rate = self.start * (1 - self.step / self.steps)
        self.step += 1

    def restore(self) -> None:
        """Set the rate of the start again: a model saved with a rate of zero could not learn on."""
        if self.step:
            self.model.optimizer.learning_rate = self.start


@dataclass
class Job:
    """What to train, on what, how, and where to leave it."""

    title: str
    data: Data
    network: str
    optimizer: str
    learning_rate: float
    batch_size: int
    epochs: int
    seed: int
    out: str
    quiet: bool = False
    language: str | None = None  # that the report shows first; None: that of the locale
    callbacks: list[Callback] = field(default_factory=list)  # besides those of the job

    def run(self) -> int:
        """Train, save, test, check the gradients, report.

        Returns:
            0; 1 where the gradient check failed; 130 where Ctrl-C stopped the training (the model is saved then too).

        Raises:
            UsageError: nothing can be written there, or the pictures are too small for the network.
        """
        folder = self._folder()
        model = self._model()
        self.say(
            f"{self.network} with {model.count_params():,} parameters, on {in_language(self.data.name, 'en')}: "
            f"{len(self.data.x_train):,} pictures to learn from, {len(self.data.x_test):,} to test on"
        )
        start = time.perf_counter()
        history, finished = self._fit(model)
        seconds = time.perf_counter() - start
        path = folder / "model.keras"
        try:
            model.save(path)
        except OSError as error:
            raise UsageError(f"the model could not be saved: {error}") from error
        if not finished:
            print(f"\n{_stopped(history, self.epochs)}; the model as it is now was saved to {path}", file=sys.stderr)
            return 130
        from .results import finish

        return finish(self, model, history.history, seconds, folder)

    def say(self, text: str) -> None:
        """Print a line, unless quiet."""
        if not self.quiet:
            print(text, flush=True)

    def _folder(self) -> Path:
        """The folder for the results; made first, so that no training is lost for want of it."""
        folder = Path(self.out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--out: cannot make the folder {folder}: {error.strerror}") from error
        if not os.access(folder, os.W_OK):
            raise UsageError(f"--out: nothing can be written to the folder {folder}")
        return folder

    def _model(self) -> Any:
        from minidl import config, optimizers

        from .networks import NETWORKS

        config.set_global_seed(self.seed)
        try:
            model = NETWORKS[self.network](self.data.shape, len(self.data.class_names))
        except ValueError as error:
            raise UsageError(f"the network does not fit pictures of shape {self.data.shape}: {error}") from error
        optimizer: optimizers.Optimizer = optimizers.Adam(self.learning_rate)
        if self.optimizer == "sgd":
            optimizer = optimizers.SGD(self.learning_rate, momentum=0.9)
        model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def _fit(self, model: Any) -> tuple[History, bool]:
        """Train; returns the history, and whether nobody pressed Ctrl-C."""
        history, decay, data = History(), Decay(), self.data
        finished = True
        try:
            model.fit(
                data.x_train,
                data.y_train,
                batch_size=self.batch_size,
                epochs=self.epochs,
                verbose=0 if self.quiet else 1,
                callbacks=[history, decay, *self.callbacks],
                validation_data=(data.x_test, data.y_test),
            )
        except KeyboardInterrupt:
            finished = False
        finally:
            decay.restore()
        return history, finished


def _stopped(history: History, epochs: int) -> str:
    """How far a training came that Ctrl-C stopped."""
    accuracies = history.history.get("val_accuracy", [])
    text = f"stopped in epoch {len(accuracies) + 1} of {epochs}"
    if accuracies:
        best = max(range(len(accuracies)), key=accuracies.__getitem__)
        text += f"; test accuracy {accuracies[-1]:.4f} after epoch {len(accuracies)}, the last full one"
        text += f" (best: {accuracies[best]:.4f}, after epoch {best + 1})"
    return text
