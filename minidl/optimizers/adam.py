"""Adam (Kingma and Ba 2014)."""

from typing import Any

import minidl_kernels as kernels

from .optimizer import Optimizer

__all__ = ["Adam"]


class Adam(Optimizer):
    """m += (g - m)(1 - beta_1); v += (g^2 - v)(1 - beta_2); w -= a m / (sqrt(v) + epsilon).

    a = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t): epsilon is added to the uncorrected root (Keras, and
    "epsilon hat" in the paper).

    Args:
        learning_rate: default 0.001.
        beta_1, beta_2: default 0.9 and 0.999.
        epsilon: default 1e-7.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, name, **kwargs)
        for key, value in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not 0 <= value < 1:
                raise ValueError(f"{key} must be at least 0 and less than 1, not {value!r}")
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.moments: list[Any] = []
        self.velocities: list[Any] = []

    def build(self, variables):
        super().build(variables)
        self.moments = [self._slot(v, "momentum") for v in variables]
        self.velocities = [self._slot(v, "velocity") for v in variables]

    def _slots(self):
        return [slot for pair in zip(self.moments, self.velocities, strict=True) for slot in pair]

    def update(self, places, weights, grads):
        kernels.adam(
            weights, grads, [self.moments[i].data for i in places], [self.velocities[i].data for i in places],
            learning_rate=self.learning_rate, beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon,
            step=int(self.iterations.data) + 1,
        )  # fmt: skip

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
