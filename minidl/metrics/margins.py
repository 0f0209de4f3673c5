"""Margins: how clearly the right side, or the right class, is predicted."""

from . import distances
from .reduction import MeanMetricWrapper

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge"]


class Hinge(MeanMetricWrapper):
    """mean(max(1 - y_true y_pred, 0)) for targets of -1 and 1, or of 0 and 1."""

    _direction = "down"

    def __init__(self, name="hinge", dtype=None):
        super().__init__(distances.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """mean(max(1 - y_true y_pred, 0)^2) for targets of -1 and 1, or of 0 and 1."""

    _direction = "down"

    def __init__(self, name="squared_hinge", dtype=None):
        super().__init__(distances.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """max(the largest wrong prediction - the right one + 1, 0), for one-hot targets."""

    _direction = "down"

    def __init__(self, name="categorical_hinge", dtype=None):
        super().__init__(distances.categorical_hinge, name, dtype)
