"""Regularizers: a penalty on weights or outputs, added to the loss. l2 is c * sum(w^2), without a half (Keras)."""

from typing import Any

import numpy as np

from minidl import ops, registry

__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l1l2", "l2",
    "orthogonal_regularizer", "serialize",
]  # fmt: skip


class Regularizer:
    """Base class: ``__call__(x)`` returns the penalty."""

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError("a regularizer defines __call__(x)")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Regularizer":
        return cls(**config)


def _checked(name: str, value: float | None, default: float = 0.0) -> float:
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be a number from 0 on, not {value!r}")
    return float(value)


class L1L2(Regularizer):
    """l1 * sum(|x|) + l2 * sum(x^2)."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1, self.l2 = _checked("l1", l1), _checked("l2", l2)

    def __call__(self, x):
        penalty = 0.0
        if self.l1:
            penalty = ops.sum(ops.abs(x)) * self.l1
        if self.l2:
            penalty = ops.sum(ops.square(x)) * self.l2 + penalty
        return penalty

    def get_config(self):
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """l1 * sum(|x|)."""

    def __init__(self, l1: float = 0.01):
        super().__init__(l1=_checked("l1", l1, 0.01))

    def get_config(self):
        return {"l1": self.l1}


class L2(L1L2):
    """l2 * sum(x^2)."""

    def __init__(self, l2: float = 0.01):
        super().__init__(l2=_checked("l2", l2, 0.01))

    def get_config(self):
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """factor times the mean size of the cosines between all pairs of rows (or columns) of a matrix.

    Args:
        factor: from 0 on.
        mode: "rows" or "columns".

    Raises:
        ValueError: another mode, a negative factor; at the call, an input without exactly two axes.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        self.factor = _checked("factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(f"mode must be 'rows' or 'columns', not {mode!r}")
        self.mode = mode

    def __call__(self, x):
        if len(x.shape) != 2:
            raise ValueError(f"OrthogonalRegularizer: a matrix is expected, not a shape {tuple(x.shape)}")
        rows = ops.normalize(x if self.mode == "rows" else ops.transpose(x), axis=1)
        n = rows.shape[0]
        cosines = ops.multiply(ops.matmul(rows, ops.transpose(rows)), 1.0 - np.eye(n, dtype=x.dtype))
        pairs = n * (n - 1) / 2
        return ops.multiply(ops.sum(ops.abs(cosines)), self.factor * 0.5 / max(pairs, 1))

    def get_config(self):
        return {"factor": self.factor, "mode": self.mode}


l1, l2, l1_l2 = L1, L2, L1L2
orthogonal_regularizer = OrthogonalRegularizer
l1l2 = L1L2  # the name as a string in Keras
serialize = registry.serialize
deserialize = registry.deserializer("keras.regularizers", lambda name: get(name))


def get(identifier: Any) -> Any:
    """A regularizer by name ("l2"), configuration, class or object; None stays None."""
    found = registry.made_of(identifier, "keras.regularizers", "regularizer")
    if found is None or callable(found):
        return found
    raise TypeError(f"a regularizer is a name, an object or a function of the weights, not {identifier!r}")


registry.publish("keras.regularizers", globals())
