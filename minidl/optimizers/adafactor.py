"""Adafactor (Shazeer and Stern 2018): of a matrix of second moments it keeps the means of rows and columns alone."""

from typing import Any

from minidl_kernels.arrays import namespace

from .optimizer import Optimizer
from .settings import check_numbers

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """w -= max(epsilon_2, rms(w)) * rho * u / max(1, rms(u) / clip_threshold) with u = g / sqrt(v).

    rho = min(learning_rate, 1 / sqrt(t)). With b = 1 - t^beta_2_decay and s = g^2 + epsilon_1: r = b r + (1 - b) times
    the means of s along the last axis, c the same along the last but one, v = r c / mean(r). A weight of fewer than two
    axes has v = b v + (1 - b) s. rms is the root of the mean square.

    Args:
        learning_rate: default 0.001.
        beta_2_decay: below 0. Default -0.8.
        epsilon_1: default 1e-30.
        epsilon_2: the least size of a weight as far as steps go. Default 0.001.
        clip_threshold: default 1.
        relative_step: in Keras without effect, as rho is never above 1 / sqrt(t); kept for files. Default True.
        **settings: see ``Optimizer``.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **settings: Any,
    ):
        super().__init__(learning_rate, **settings)
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step
        check_numbers(self, -float("inf"), "beta_2_decay", below=0, top=True)
        check_numbers(self, 0, "epsilon_1", "epsilon_2", "clip_threshold")
        self.rows: list[Any] = []
        self.columns: list[Any] = []
        self.velocities: list[Any] = []

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        for variable in variables:
            shape, dtype = variable.shape, variable.dtype
            # Keras' files have a 0 in place of rows and columns of a vector.
            shapes = (shape[:-1], (*shape[:-2], shape[-1])) if len(shape) > 1 else ((), ())
            self.rows.append(self.add_variable(shapes[0], dtype=dtype, name=variable.name))
            self.columns.append(self.add_variable(shapes[1], dtype=dtype, name=variable.name))
            self.velocities.append(self.add_variable_from_reference(variable, "velocity"))

    def update(self, places, weights, grads, rate):
        step = self._updates() + 1
        rho, fresh = min(rate, step**-0.5), step**self.beta_2_decay
        for i, w, g in zip(places, weights, grads, strict=True):
            xp, v = namespace(w), self.velocities[i].data
            square = g * g + self.epsilon_1
            if w.ndim > 1:
                r, c = self.rows[i].data, self.columns[i].data
                r += fresh * (square.mean(-1) - r)
                c += fresh * (square.mean(-2) - c)
                v[...] = (r / r.mean(-1, keepdims=True))[..., None] * c[..., None, :]
            else:
                v += fresh * (square - v)
            u = g / xp.sqrt(v)
            longest = max(1.0, _rms(u) / self.clip_threshold)
            w -= max(self.epsilon_2, _rms(w)) * rho / longest * u

    def get_config(self):
        names = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _rms(array: Any) -> float:
    return float(namespace(array).sqrt((array * array).mean()))
