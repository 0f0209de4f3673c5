"""Gamma and beta: the factor and the shift that normalisation layers learn."""

from typing import Any

from minidl import constraints, initializers, registry, regularizers

from .layer import Layer

__all__ = ["GammaAndBeta"]


class GammaAndBeta(Layer):
    """A layer with weights gamma (where ``scale`` says so) and beta (where ``center`` does); None otherwise."""

    gamma: Any
    beta: Any

    def _settle_gamma_and_beta(
        self, center: bool, scale: bool, beta_initializer: Any, gamma_initializer: Any, beta_regularizer: Any,
        gamma_regularizer: Any, beta_constraint: Any, gamma_constraint: Any,
    ) -> None:  # fmt: skip
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def _add_gamma_and_beta(self, shape: tuple[int, ...]) -> None:
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
                name="gamma",
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, regularizer=self.beta_regularizer, constraint=self.beta_constraint,
                name="beta",
            )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": registry.serialize(self.beta_initializer),
            "gamma_initializer": registry.serialize(self.gamma_initializer),
            "beta_regularizer": registry.serialize(self.beta_regularizer),
            "gamma_regularizer": registry.serialize(self.gamma_regularizer),
            "beta_constraint": registry.serialize(self.beta_constraint),
            "gamma_constraint": registry.serialize(self.gamma_constraint),
        }
