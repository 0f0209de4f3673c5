"""TerminateOnNaN: no training with a loss that is no number."""

import math
from typing import Any

from .callback import Callback

__all__ = ["TerminateOnNaN"]


class TerminateOnNaN(Callback):
    """Ends the training after a batch whose loss is NaN or infinite.

    Args:
        raise_error: raise RuntimeError instead, so that no ``on_train_end`` is called and backups stay.
    """

    def __init__(self, raise_error: bool = False):
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"the loss is {loss} after batch {batch}; a smaller learning rate or clipnorm may help")
        print(f"Batch {batch}: the loss is {loss}, training ends")
        self.model.stop_training = True
