"""Stochastic gradient descent, with momentum."""

from typing import Any

import minidl_kernels as kernels

from .optimizer import Optimizer
from .settings import check_numbers

__all__ = ["SGD"]


class SGD(Optimizer):
    """w -= learning_rate * g; with momentum: m = momentum * m - learning_rate * g, w += m.

    Nesterov's form uses w += momentum * m - learning_rate * g, with the new m (Keras).

    Args:
        learning_rate: default 0.01.
        momentum: from 0 to 1; default 0.
        nesterov: default False.
        **settings: see ``Optimizer``.
    """

    def __init__(self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **settings: Any):
        super().__init__(learning_rate, **settings)
        self.momentum, self.nesterov = momentum, nesterov
        check_numbers(self, 0, "momentum", below=1, top=True)
        self.momentums: list[Any] = []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        if self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update(self, places, weights, grads, rate):
        if not self.momentum:
            kernels.sgd(weights, grads, learning_rate=rate)
            return
        momentums = [self.momentums[i].data for i in places]
        kernels.sgd_momentum(
            weights, grads, momentums, learning_rate=rate, momentum=float(self.momentum), nesterov=self.nesterov
        )

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
