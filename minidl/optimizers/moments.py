"""What Adam and its relatives keep: running means of the gradient and of its size."""

from typing import Any

from .optimizer import Optimizer
from .settings import check_numbers

__all__ = ["MomentOptimizer"]


class MomentOptimizer(Optimizer):
    """An optimizer with two variables for each weight, ``moments`` and ``velocities``.

    Args:
        learning_rate: default 0.001.
        beta_1, beta_2: how much stays of them in a step. Default 0.9 and 0.999.
        epsilon: default 1e-7.
        **settings: see ``Optimizer``.
    """

    slot_names = ("momentum", "velocity")  # of the variables

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **settings: Any,
    ):
        super().__init__(learning_rate, **settings)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        check_numbers(self, 0, "beta_1", "beta_2", below=1)
        check_numbers(self, 0, "epsilon")
        self.moments: list[Any] = []
        self.velocities: list[Any] = []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.moments, self.velocities = self.add_optimizer_variables(variables, self.slot_names)

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
