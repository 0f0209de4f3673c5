"""Stochastic gradient descent, with momentum."""

from typing import Any

import minidl_kernels as kernels

from .optimizer import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """w -= learning_rate * g; with momentum: m = momentum * m - learning_rate * g, w += m.

    Nesterov's form uses w += momentum * m - learning_rate * g, with the new m (Keras).

    Args:
        learning_rate: default 0.01.
        momentum: from 0 to 1; default 0.
        nesterov: default False.
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, name, **kwargs)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"momentum must be a number from 0 to 1, not {momentum!r}")
        self.momentum, self.nesterov = momentum, nesterov
        self.momentums: list[Any] = []

    def build(self, variables):
        super().build(variables)
        if self.momentum:
            self.momentums = [self._slot(v, "momentum") for v in variables]

    def _slots(self):
        return self.momentums

    def update(self, places, weights, grads):
        if not self.momentum:
            kernels.sgd(weights, grads, learning_rate=self.learning_rate)
            return
        momentums = [self.momentums[i].data for i in places]
        kernels.sgd_momentum(
            weights, grads, momentums,
            learning_rate=self.learning_rate, momentum=float(self.momentum), nesterov=self.nesterov,
        )  # fmt: skip

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
