"""History: the logs of all epochs."""

from typing import Any

from .callback import Callback

__all__ = ["History"]


class History(Callback):
    """Keeps the logs of every epoch: ``history`` (a list for each name), ``epoch`` and ``params``.

    ``fit`` adds one, behind the callbacks that it was given, and returns it; it is ``model.history`` too. One that is
    used for several calls of ``fit`` goes on collecting.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self
