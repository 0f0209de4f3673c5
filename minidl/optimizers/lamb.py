"""Lamb (You et al. 2019): Adam for very large batches, whose steps are as long as the weights themselves."""

from typing import Any

from minidl_kernels.arrays import namespace

from .optimizer import Optimizer
from .settings import check_numbers

__all__ = ["Lamb"]


class Lamb(Optimizer):
    """u = m_hat / (sqrt(v_hat) + epsilon), as in Adam's paper; w -= learning_rate * u * norm(w) / norm(u).

    Where one of the norms is 0, the factor is 1. Each weight has norms of its own.

    Args:
        learning_rate: default 0.001.
        beta_1, beta_2: default 0.9 and 0.999.
        epsilon: added to the corrected root. Default 1e-7.
        **settings: see ``Optimizer``.
    """

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
        self.moments, self.velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])

    def update(self, places, weights, grads, rate):
        step = self._updates() + 1
        for i, w, g in zip(places, weights, grads, strict=True):
            xp, m, v = namespace(w), self.moments[i].data, self.velocities[i].data
            m += (g - m) * (1 - self.beta_1)
            v += (g * g - v) * (1 - self.beta_2)
            u = m / (1 - self.beta_1**step) / (xp.sqrt(v / (1 - self.beta_2**step)) + self.epsilon)
            lengths = [float(xp.sqrt(xp.sum(a * a))) for a in (w, u)]
            w -= rate * (lengths[0] / lengths[1] if min(lengths) > 0 else 1.0) * u

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
