"""ModelCheckpoint: the model, or its weights, as a file every so often."""

import os
import warnings
from typing import Any

import numpy as np

from .monitor import MonitorCallback, missing

__all__ = ["ModelCheckpoint"]


class ModelCheckpoint(MonitorCallback):
    """Saves the model after epochs or batches.

    There is always a whole file: a new one takes the place of the old one when it is complete.

    Args:
        filepath: where; ends in ".keras" or ".h5", or with save_weights_only in ".weights.h5" or ".safetensors".
            ``{epoch:02d}`` (from 1), ``{batch}`` (from 1, with a save_freq in batches) and the names of the logs, such
            as ``{val_loss:.2f}``, are filled in. Folders are made where they are missing.
        monitor: the name in the logs; default "val_loss".
        verbose: 1: print what is done.
        save_best_only: save only when that number is better than it ever was. Where the logs lack it, save anyway, with
            a warning.
        save_weights_only: the weights and the optimizer's state, without the architecture.
        mode: "auto", "min" or "max".
        save_freq: "epoch" (default), or a number of batches, which are counted across epochs.
        initial_value_threshold: only what is better than this is saved, with save_best_only.

    Raises:
        ValueError: another ending, or another save_freq.
        KeyError: when it saves: filepath names something that the logs lack.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        endings = (".weights.h5", ".safetensors") if save_weights_only else (".keras", ".h5")
        weights_of_all = not save_weights_only and self.filepath.endswith(".weights.h5")
        if not self.filepath.endswith(endings) or weights_of_all:
            raise ValueError(
                f"ModelCheckpoint: with save_weights_only={save_weights_only}, filepath must end in "
                f"{' or '.join(endings)}, not be {self.filepath!r}"
            )
        check_save_freq("ModelCheckpoint", save_freq)
        self.verbose, self.save_best_only, self.save_weights_only = verbose, save_best_only, save_weights_only
        self.save_freq = save_freq
        self._counter = BatchCounter(save_freq)
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._counter.is_due(batch):
            self._save(self._epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        due, why = self._is_due(logs)
        if due:
            if os.path.isdir(path):
                raise OSError(f"ModelCheckpoint: filepath must name a file, but {path} is a folder")
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            save = self.model.save_weights if self.save_weights_only else self.model.save
            save(path, overwrite=True)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: {why}{f'saved to {path}' if due else ''}")

    def _is_due(self, logs: dict[str, Any]) -> tuple[bool, str]:
        """Whether to save, and what to say about it."""
        if not self.save_best_only:
            return True, ""
        current = logs.get(self.monitor)
        if current is None or np.ndim(current):
            found = "nothing" if current is None else f"an array of shape {np.shape(current)}"
            warnings.warn(
                f"ModelCheckpoint: save_best_only needs a number {self.monitor!r} in the logs, where there is {found}; "
                f"saving anyway{missing(self.monitor, logs) if current is None else ''}",
                stacklevel=4,
            )
            return True, ""
        before = "nothing" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            return False, f"{self.monitor} is no better than {before}"
        self.best = current
        return True, f"{self.monitor} improved from {before} to {current:.5f}, "

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        names = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**names)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath {self.filepath!r} names {error}; there are: {', '.join(names)}"
            ) from error


class BatchCounter:
    """Says after which batches to save, for a ``save_freq`` in batches; never for "epoch" or False."""

    def __init__(self, save_freq: Any):
        self.save_freq = save_freq
        self._since, self._last = 0, -1

    def is_due(self, batch: int) -> bool:
        """Count the batches up to this one; True for every save_freq-th."""
        if not isinstance(self.save_freq, int) or self.save_freq is False:
            return False
        self._since += batch + 1 if batch <= self._last else batch - self._last  # a smaller number: a new epoch
        self._last = batch
        if self._since < self.save_freq:
            return False
        self._since = 0
        return True

    def go_on_after(self, batches: int) -> None:
        """So many batches of an epoch were counted and saved before."""
        self._last = batches - 1


def check_save_freq(owner: str, save_freq: Any) -> None:
    """Raise ValueError unless it is "epoch" or a positive whole number."""
    whole = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
    if save_freq != "epoch" and not whole:
        raise ValueError(f"{owner}: save_freq must be 'epoch' or a positive whole number, not {save_freq!r}")
