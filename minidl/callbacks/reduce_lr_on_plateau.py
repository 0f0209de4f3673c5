"""ReduceLROnPlateau: a smaller learning rate when training no longer gets better."""

import warnings
from typing import Any

import numpy as np

from .monitor import MonitorCallback, missing

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by ``factor`` when a number has not become better for ``patience`` epochs.

    It puts the learning rate of each epoch into the logs, as ``learning_rate``.

    Args:
        monitor: the name in the logs; default "val_loss". Where it is missing, a warning says so.
        factor: less than 1; default 0.1.
        patience: epochs without improvement after which the rate is reduced; default 10.
        verbose: 1: print what is done.
        mode: "auto", "min" or "max".
        min_delta: a change by less is no improvement; default 1e-4.
        cooldown: epochs after a reduction in which none are counted; default 0.
        min_lr: the rate does not get smaller than this; default 0.

    Raises:
        ValueError: factor is 1 or more.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ):
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be less than 1, not {factor!r}")
        super().__init__(monitor, mode, min_delta=min_delta)
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self.cooldown_counter = self.wait = 0

    def on_train_begin(self, logs: Any = None) -> None:
        self.best = None
        self.cooldown_counter = self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._settle()
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        current = logs.get(self.monitor)
        if current is None:
            there = ", ".join(logs)
            hint = missing(self.monitor, logs)
            warnings.warn(
                f"ReduceLROnPlateau: the logs have no {self.monitor!r}; there are: {there}{hint}", stacklevel=2
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter, self.wait = self.cooldown, 0

    def in_cooldown(self) -> bool:
        """Whether a reduction is so recent that nothing is counted."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int) -> bool:
        optimizer = self.model.optimizer
        old = float(optimizer.learning_rate)
        if not old > np.float32(self.min_lr):  # the rate is kept in float32, so min_lr may be a little above it
            return False
        new = float(max(old * self.factor, self.min_lr))
        optimizer.learning_rate = new
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau sets the learning rate to {new}")
        return True
