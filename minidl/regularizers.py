"""Regularizers: a penalty on weights or outputs, added to the loss. l2 is c * sum(w^2), without a half (Keras)."""

from typing import Any

from minidl import ops, registry

__all__ = ["L1", "L1L2", "L2", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l1l2", "l2", "serialize"]


class Regularizer:
    """Base class: ``__call__(x)`` returns the penalty."""

    def __call__(self, x: Any) -> Any:
        raise NotImplementedError("a regularizer defines __call__(x)")

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Regularizer":
        return cls(**config)


def _checked(name: str, value: float | None) -> float:
    value = 0.0 if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
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
        super().__init__(l1=l1)

    def get_config(self):
        return {"l1": self.l1}


class L2(L1L2):
    """l2 * sum(x^2)."""

    def __init__(self, l2: float = 0.01):
        super().__init__(l2=l2)

    def get_config(self):
        return {"l2": self.l2}


l1, l2, l1_l2 = L1, L2, L1L2
l1l2 = L1L2  # the name as a string in Keras
serialize, deserialize = registry.serialize, registry.deserialize


def get(identifier: Any) -> Any:
    """A regularizer by name ("l2"), configuration, class or object; None stays None."""
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return registry.deserialize(identifier)
    if isinstance(identifier, str):
        identifier = registry.lookup("keras.regularizers", identifier, "regularizer")
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise TypeError(f"a regularizer is a name, an object or a function of the weights, not {identifier!r}")


registry.publish("keras.regularizers", globals())
