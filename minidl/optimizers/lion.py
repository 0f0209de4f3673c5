"""Lion (Chen et al. 2023): steps of one size, in the direction of a sign."""

from typing import Any

from minidl_kernels.arrays import namespace

from .optimizer import Optimizer
from .settings import check_numbers

__all__ = ["Lion"]


class Lion(Optimizer):
    """w -= learning_rate * sign(beta_1 * m + (1 - beta_1) * g); m = beta_2 * m + (1 - beta_2) * g.

    Args:
        learning_rate: default 0.001; the paper takes a third to a tenth of Adam's.
        beta_1: above 0, at most 1. Default 0.9.
        beta_2: default 0.99.
        **settings: see ``Optimizer``.
    """

    def __init__(self, learning_rate: Any = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **settings: Any):
        super().__init__(learning_rate, **settings)
        self.beta_1, self.beta_2 = beta_1, beta_2
        check_numbers(self, 0, "beta_1", "beta_2", below=1, top=True)
        if beta_1 == 0:
            raise ValueError("beta_1 must be above 0, or nothing but the sign of the gradient would count")
        self.momentums: list[Any] = []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update(self, places, weights, grads, rate):
        for i, w, g in zip(places, weights, grads, strict=True):
            m = self.momentums[i].data
            w -= rate * namespace(w).sign(self.beta_1 * m + (1 - self.beta_1) * g)
            m *= self.beta_2
            m += (1 - self.beta_2) * g

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
