"""Ftrl, "follow the regularized leader" (McMahan et al. 2013): many weights become exactly 0."""

from typing import Any

from minidl import initializers
from minidl_kernels.arrays import namespace

from .optimizer import Optimizer
from .settings import check_numbers

__all__ = ["Ftrl"]


class Ftrl(Optimizer):
    """n' = n + g^2; z += g + 2 shrinkage w - (n'^p - n^p) w / learning_rate; w = (clip(z, -l1, l1) - z) / q.

    p = -learning_rate_power and q = (n'^p + beta) / learning_rate + 2 l2, with w as it was in the first two steps.

    Args:
        learning_rate: default 0.001.
        learning_rate_power: at most 0; 0 keeps the learning rate. Default -0.5.
        initial_accumulator_value: what n starts with. Default 0.1.
        l1_regularization_strength, l2_regularization_strength: l1 and l2. Default 0.
        l2_shrinkage_regularization_strength: an l2 penalty that acts through the gradient. Default 0.
        beta: default 0.
        **settings: see ``Optimizer``.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **settings: Any,
    ):
        super().__init__(learning_rate, **settings)
        self.learning_rate_power, self.beta = learning_rate_power, beta
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        check_numbers(self, -float("inf"), "learning_rate_power", below=0, top=True)
        check_numbers(
            self, 0, "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength",
            "l2_shrinkage_regularization_strength", "beta",
        )  # fmt: skip
        self.accumulators: list[Any] = []
        self.linears: list[Any] = []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        starts = [initializers.Constant(self.initial_accumulator_value), "zeros"]
        self.accumulators, self.linears = self.add_optimizer_variables(variables, ["accumulator", "linear"], starts)

    def update(self, places, weights, grads, rate):
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        for i, w, g in zip(places, weights, grads, strict=True):
            n, z = self.accumulators[i].data, self.linears[i].data
            before = n**power
            n += g * g
            after = n**power
            z += g + 2 * self.l2_shrinkage_regularization_strength * w - (after - before) / rate * w
            w[...] = (namespace(w).clip(z, -l1, l1) - z) / (
                (after + self.beta) / rate + 2 * self.l2_regularization_strength
            )

    def get_config(self):
        names = (
            "learning_rate_power", "initial_accumulator_value", "l1_regularization_strength",
            "l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta",
        )  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
