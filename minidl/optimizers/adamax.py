"""Relatives of Adam: Adamax (Kingma and Ba 2014, section 7.1) and Nadam (Dozat 2016)."""

from typing import Any

import numpy as np

from minidl_kernels import devices
from minidl_kernels.arrays import namespace
from minidl_kernels.graphs import number

from .moments import MomentOptimizer

__all__ = ["Adamax", "Nadam"]

DECAY = 0.96  # of Nadam's momentum, as in the paper


class Adamax(MomentOptimizer):
    """m += (g - m)(1 - beta_1); u = max(beta_2 u, |g|); w -= learning_rate m / ((1 - beta_1^t)(u + epsilon)).

    Args:
        learning_rate: default 0.001.
        beta_1, beta_2: default 0.9 and 0.999.
        epsilon: default 1e-7.
        **settings: see ``Optimizer``.
    """

    slot_names = ("momentum", "norm")

    def update(self, places, weights, grads, rate):
        rate = number(lambda rate: rate / (1 - self.beta_1 ** (self._updates() + 1)), rate)
        for i, w, g in zip(places, weights, grads, strict=True):
            m, u = self.moments[i].data, self.velocities[i].data
            m += (g - m) * (1 - self.beta_1)
            u[...] = namespace(w).maximum(self.beta_2 * u, abs(g))
            w -= rate * m / (u + self.epsilon)


class Nadam(MomentOptimizer):
    """Adam with Nesterov's momentum: w -= learning_rate * m_hat / (sqrt(v_hat) + epsilon).

    m_hat = u' m / (1 - p u') + (1 - u) g / (1 - p) and v_hat = v / (1 - beta_2^t), where u = beta_1 (1 - 0.96^t / 2),
    u' is that of step t + 1, and p the product of all u so far. epsilon is added to the corrected root, other than in
    Adam.

    Args:
        learning_rate: default 0.001.
        beta_1, beta_2: default 0.9 and 0.999.
        epsilon: default 1e-7.
        **settings: see ``Optimizer``.
    """

    product: Any = None  # a variable

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        dtype = variables[0].data.dtype if variables else None
        with devices.scope(devices.CPU):  # every step reads it
            self.product = self.add_variable((), "ones", dtype, name="variable")
        self._read.append(self.product)

    def update(self, places, weights, grads, rate):
        step = self._updates() + 1
        now, later = (self.beta_1 * (1 - 0.5 * DECAY**t) for t in (step, step + 1))
        product = float(self.product.data) * now
        self.product.assign(np.asarray(product))
        for i, w, g in zip(places, weights, grads, strict=True):
            m, v = self.moments[i].data, self.velocities[i].data
            m += (g - m) * (1 - self.beta_1)
            v += (g * g - v) * (1 - self.beta_2)
            m_hat = m * (later / (1 - product * later)) + g * ((1 - now) / (1 - product))
            w -= rate * m_hat / (namespace(w).sqrt(v / (1 - self.beta_2**step)) + self.epsilon)
