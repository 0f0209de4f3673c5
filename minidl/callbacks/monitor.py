"""What callbacks share that watch one number of the logs: when it is better than before."""

import warnings
from typing import Any

import numpy as np

from minidl import config, registry

from .callback import Callback

__all__ = ["MonitorCallback", "missing"]

MODES = ("auto", "min", "max")


class MonitorCallback(Callback):
    """Base class.

    Args:
        monitor: the name in the logs; default "val_loss".
        mode: "min", "max", or "auto" (default): what the metric of that name says of itself; a loss is better when it
            is smaller. With a warning, anything else is "auto".
        baseline: the value to start from; None: the first one that comes is the best.
        min_delta: by how much a value must be better; its sign does not matter.
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", baseline: Any = None, min_delta: float = 0):
        if mode not in MODES:
            warnings.warn(f"{type(self).__name__}: mode must be one of {MODES}, not {mode!r}; using auto", stacklevel=3)
            mode = "auto"
        self.monitor, self.mode, self.best, self.min_delta = monitor, mode, baseline, abs(min_delta)
        self._larger_is_better: bool | None = None

    def _settle(self) -> None:
        """Find out which way is better; not in __init__, for the metrics are made with the first batch.

        Raises:
            ValueError: with mode "auto", no compiled metric of that name says it.
        """
        if self._larger_is_better is None:
            self._larger_is_better = self._direction()

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        """Whether the value is better than the reference, by more than min_delta; anything is better than None."""
        self._settle()
        if reference is None:
            return True
        # As Keras compares: in floatx, so that two numbers that differ in double precision only are equal.
        one = np.dtype(config.floatx()).type
        if self._larger_is_better:
            return bool(one(value - self.min_delta) > one(reference))
        return bool(one(value + self.min_delta) < one(reference))

    def _direction(self) -> bool:
        """Whether larger is better."""
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        for metric in _each(self.model.metrics):
            direction = getattr(metric, "_direction", None)
            if metric.name == name and direction is not None:
                return direction == "up"
        if name == "loss":
            return False
        raise ValueError(
            f"{type(self).__name__}: whether a larger or a smaller {self.monitor} is better is not known; pass "
            f"mode='max' or mode='min'"
        )


def missing(monitor: str, logs: Any) -> str:
    """What to write where the logs lack a number, to be put behind the message; "" where it is unclear."""
    names = list(logs or {})
    if monitor.startswith("val_") and not any(name.startswith("val_") for name in names):
        return "; pass validation_data=(x, y) or validation_split=0.2 to fit()"
    return registry.did_you_mean(monitor, names)


def _each(metrics: Any) -> Any:
    """Metrics, with those of compile() one by one."""
    for metric in metrics:
        inside = getattr(metric, "metrics", None)
        if callable(inside):
            yield from inside()
        else:
            yield metric
