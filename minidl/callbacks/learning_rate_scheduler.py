"""LearningRateScheduler: the learning rate as a function of the epoch."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from .callback import Callback

__all__ = ["LearningRateScheduler"]


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of every epoch, and puts it into the logs as ``learning_rate``.

    Args:
        schedule: a function of (epoch, learning rate so far), or of the epoch alone, epochs from 0; it returns a float.
        verbose: 1: print the rate of each epoch.

    Raises:
        ValueError: when the schedule returns something else, or there is no learning rate.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0):
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        if not hasattr(optimizer, "learning_rate"):
            raise ValueError(f"LearningRateScheduler: the optimizer {optimizer!r} has no learning_rate")
        rate = self._scheduled(epoch, float(optimizer.learning_rate))
        if not isinstance(rate, (float, np.float32, np.float64)):
            raise ValueError(f"LearningRateScheduler: the schedule must return a float, not {rate!r}")
        optimizer.learning_rate = rate
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler sets the learning rate to {rate}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)

    def _scheduled(self, epoch: int, rate: float) -> Any:
        # Calling it with two arguments and then, on TypeError, with one would hide errors inside the function.
        try:
            inspect.signature(self.schedule).bind(epoch, rate)
        except TypeError:
            return self.schedule(epoch)
        except ValueError:  # compiled functions have no signature that could be read
            pass
        return self.schedule(epoch, rate)
