"""EarlyStopping: end the training when it no longer gets better."""

import warnings
from typing import Any

from .monitor import MonitorCallback, missing

__all__ = ["EarlyStopping"]


class EarlyStopping(MonitorCallback):
    """Ends the training when a number has not become better for ``patience`` epochs (never after the first epoch).

    Args:
        monitor: the name in the logs; default "val_loss". Where it is missing, a warning says so.
        min_delta: a change by less is no improvement; default 0.
        patience: epochs without improvement after which training ends; default 0.
        verbose: 1: print what is done.
        mode: "auto", "min" or "max".
        baseline: only what is better than this, too, starts the count of epochs anew.
        restore_best_weights: when training ends, for whatever reason, go back to the weights of the best epoch.
        start_from_epoch: the first epoch, from 0, that is looked at.

    Attributes:
        stopped_epoch: the epoch after which training was ended; 0 where it was not.
        best, best_epoch, best_weights: the best value, its epoch, and (with restore_best_weights) the weights then.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._settle()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:  # a first value of NaN is no improvement
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Back to the weights of epoch {self.best_epoch + 1}, the best one")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Any) -> Any:
        """The number that is watched; None, with a warning, where the logs lack it."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            there = ", ".join(logs or {})
            warnings.warn(
                f"EarlyStopping: the logs have no {self.monitor!r}; there are: {there}{missing(self.monitor, logs)}",
                stacklevel=3,
            )
        return value
