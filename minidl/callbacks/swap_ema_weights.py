"""SwapEMAWeights: evaluate with the averages of the weights."""

from typing import Any

from .callback import Callback

__all__ = ["SwapEMAWeights"]


class SwapEMAWeights(Callback):
    """Puts the averages of an optimizer with ``use_ema=True`` in the place of the weights while the model is evaluated
    or predicts, and the weights back afterwards (Polyak and Juditsky 1992).

    Args:
        swap_on_epoch: do so from the end of each epoch to the beginning of the next one, too, so that callbacks that
            come later in the list, such as ModelCheckpoint, see the averages.

    Raises:
        ValueError: when it is to swap, and the optimizer keeps no averages.
    """

    def __init__(self, swap_on_epoch: bool = False):
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self.swap_on_epoch:
            self._to(False)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self.swap_on_epoch:
            return
        self._to(True)
        last = self.params is not None and epoch == self.params["epochs"] - 1
        if last or self.model.stop_training:
            # fit() puts the averages in the place of the weights when it ends: they must be what the model has now.
            for variable, average in self._pairs():
                average.assign(variable.numpy())
            self._swapped = False

    def on_test_begin(self, logs: Any = None) -> None:
        self._to(True)

    def on_test_end(self, logs: Any = None) -> None:
        self._to(False)

    def on_predict_begin(self, logs: Any = None) -> None:
        self._to(True)

    def on_predict_end(self, logs: Any = None) -> None:
        self._to(False)

    def _to(self, averages: bool) -> None:
        """Let the model have the averages, or its weights."""
        if self._swapped == averages:
            return
        for variable, average in self._pairs():
            kept = variable.numpy()
            variable.assign(average.numpy())
            average.assign(kept)
        self._swapped = averages

    def _pairs(self) -> list[tuple[Any, Any]]:
        optimizer = self.model.optimizer
        if not getattr(optimizer, "use_ema", False):
            raise ValueError("SwapEMAWeights needs an optimizer with use_ema=True, such as Adam(use_ema=True)")
        if not optimizer.built:
            raise ValueError("SwapEMAWeights: the optimizer has no averages before the first step of training")
        return list(zip(optimizer._variables, optimizer._averages, strict=True))
