"""RMSprop (Hinton 2012), Adagrad (Duchi et al. 2011) and Adadelta (Zeiler 2012): steps by the size of past gradients.

All three add epsilon inside the root (Keras).
"""

from typing import Any

from minidl import initializers
from minidl_kernels.arrays import namespace

from .optimizer import Optimizer
from .settings import check_numbers

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class RMSprop(Optimizer):
    """v = rho * v + (1 - rho) * g^2; w -= learning_rate * g / sqrt(v + epsilon).

    With momentum: m = momentum * m + that step, w -= m. Centered: v - a^2 in place of v, where a is the average of g.

    Args:
        learning_rate: default 0.001.
        rho: default 0.9.
        momentum: default 0.
        epsilon: default 1e-7.
        centered: divide by the deviation rather than the size of gradients (Graves 2013). Default False.
        **settings: see ``Optimizer``.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **settings: Any,
    ):
        super().__init__(learning_rate, **settings)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered
        check_numbers(self, 0, "rho", "momentum", below=1, top=True)
        check_numbers(self, 0, "epsilon")
        self.velocities: list[Any] = []
        self.momentums: list[Any] = []
        self.averages: list[Any] = []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.velocities = self.add_optimizer_variables(variables, "velocity")
        if self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self.averages = self.add_optimizer_variables(variables, "average_gradient")

    def update(self, places, weights, grads, rate):
        for i, w, g in zip(places, weights, grads, strict=True):
            v = self.velocities[i].data
            v *= self.rho
            v += (1 - self.rho) * (g * g)
            square = v
            if self.centered:
                average = self.averages[i].data
                average *= self.rho
                average += (1 - self.rho) * g
                square = v - average * average
            step = rate * g / namespace(w).sqrt(square + self.epsilon)
            if self.momentum:
                m = self.momentums[i].data
                m *= self.momentum
                m += step
                step = m
            w -= step

    def get_config(self):
        own = {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}
        return {**super().get_config(), **own}


class Adagrad(Optimizer):
    """a += g^2; w -= learning_rate * g / sqrt(a + epsilon).

    Args:
        learning_rate: default 0.001.
        initial_accumulator_value: what a starts with, from 0 on. Default 0.1.
        epsilon: default 1e-7.
        **settings: see ``Optimizer``.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **settings: Any,
    ):
        super().__init__(learning_rate, **settings)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon
        check_numbers(self, 0, "initial_accumulator_value", "epsilon")
        self.accumulators: list[Any] = []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        start = initializers.Constant(self.initial_accumulator_value)
        self.accumulators = self.add_optimizer_variables(variables, "accumulator", start)

    def update(self, places, weights, grads, rate):
        for i, w, g in zip(places, weights, grads, strict=True):
            total = self.accumulators[i].data
            total += g * g
            w -= rate * g / namespace(w).sqrt(total + self.epsilon)

    def get_config(self):
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


class Adadelta(Optimizer):
    """a = rho * a + (1 - rho) * g^2; d = g * sqrt(b + epsilon) / sqrt(a + epsilon); w -= learning_rate * d;
    b = rho * b + (1 - rho) * d^2.

    Args:
        learning_rate: default 0.001; the paper has 1.
        rho: default 0.95.
        epsilon: default 1e-7.
        **settings: see ``Optimizer``.
    """

    def __init__(self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float = 1e-7, **settings: Any):
        super().__init__(learning_rate, **settings)
        self.rho, self.epsilon = rho, epsilon
        check_numbers(self, 0, "rho", below=1, top=True)
        check_numbers(self, 0, "epsilon")
        self.squares: list[Any] = []
        self.steps: list[Any] = []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        names = ["accumulated_grad", "accumulated_delta_var"]
        self.squares, self.steps = self.add_optimizer_variables(variables, names)

    def update(self, places, weights, grads, rate):
        for i, w, g in zip(places, weights, grads, strict=True):
            sqrt, square, steps = namespace(w).sqrt, self.squares[i].data, self.steps[i].data
            square *= self.rho
            square += (1 - self.rho) * (g * g)
            step = sqrt(steps + self.epsilon) * g / sqrt(square + self.epsilon)
            steps *= self.rho
            steps += (1 - self.rho) * (step * step)
            w -= rate * step

    def get_config(self):
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
