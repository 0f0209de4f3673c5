"""Adam (Kingma and Ba 2014), and what decays weights with it (AdamW)."""

from typing import Any

import minidl_kernels as kernels
from minidl_kernels.arrays import namespace
from minidl_kernels.graphs import number
from minidl_kernels.update import adam_rate

from .moments import MomentOptimizer

__all__ = ["Adam", "AdamW"]


class Adam(MomentOptimizer):
    """m += (g - m)(1 - beta_1); v += (g^2 - v)(1 - beta_2); w -= a m / (sqrt(v) + epsilon).

    a = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t): epsilon is added to the uncorrected root (Keras, and
    "epsilon hat" in the paper).

    Args:
        learning_rate: default 0.001.
        beta_1, beta_2: default 0.9 and 0.999.
        epsilon: default 1e-7.
        amsgrad: divide by the root of the largest v so far (Reddi et al. 2018), uncorrected too. Default False.
        **settings: see ``Optimizer``.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **settings: Any,
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **settings)
        self.amsgrad = amsgrad
        self.largest: list[Any] = []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        if self.amsgrad:
            self.largest = self.add_optimizer_variables(variables, "velocity_hat")

    def update(self, places, weights, grads, rate):
        rate = number(lambda rate: adam_rate(rate, self.beta_1, self.beta_2, self._updates() + 1), rate)
        if self.amsgrad:
            self._update_by_largest(places, weights, grads, rate)
            return
        kernels.adam(
            weights, grads, [self.moments[i].data for i in places], [self.velocities[i].data for i in places],
            learning_rate=rate, beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon, step=None,
        )  # fmt: skip

    def _update_by_largest(self, places, weights, grads, rate):
        for i, w, g in zip(places, weights, grads, strict=True):
            m, v, largest = self.moments[i].data, self.velocities[i].data, self.largest[i].data
            m += (g - m) * (1 - self.beta_1)
            v += (g * g - v) * (1 - self.beta_2)
            largest[...] = namespace(w).maximum(largest, v)
            w -= m * rate / (namespace(w).sqrt(largest) + self.epsilon)

    def get_config(self):
        return {**super().get_config(), "amsgrad": self.amsgrad}


class AdamW(Adam):
    """Adam that first lets weights decay: w -= weight_decay * learning_rate * w (Loshchilov and Hutter 2019).

    All weights decay, biases and those of normalizations too, but those of ``exclude_from_weight_decay``.

    Args:
        learning_rate: default 0.001.
        weight_decay: default 0.004.
        beta_1, beta_2, epsilon, amsgrad: as in ``Adam``.
        **settings: see ``Optimizer``.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **settings: Any,
    ):
        if weight_decay is None:
            raise ValueError("weight_decay of AdamW must be a number, not None; Adam lets no weight decay")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **settings)
