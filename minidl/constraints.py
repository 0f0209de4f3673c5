"""Constraints: what is done to a weight after each update. Names, defaults and formulas are those of Keras 3.

The length of a vector is taken along ``axis``: 0 for the inputs of a Dense unit, (0, 1, 2) for a filter of a Conv2D.
"""

from typing import Any

from minidl import config, ops, registry

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm", "min_max_norm",
    "non_neg", "serialize", "unit_norm",
]  # fmt: skip


class Constraint:
    """Base class: ``__call__(w)`` returns the weight made to fit."""

    def __call__(self, w: Any) -> Any:
        return w

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Constraint":
        return cls(**config)


def _axes(axis: Any) -> Any:
    """An axis, or several as a tuple: a configuration that was written to JSON holds a list."""
    return tuple(axis) if isinstance(axis, list) else axis


def _lengths(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=_axes(axis), keepdims=True))


def _scaled(w: Any, lengths: Any, wanted: Any) -> Any:
    """w with these lengths instead; one of length 0 stays 0."""
    return ops.multiply(w, ops.divide(wanted, ops.add(lengths, config.epsilon())))


class MaxNorm(Constraint):
    """Vectors longer than ``max_value`` are shortened to it (Srivastava et al. 2014).

    Args:
        max_value: the largest length.
        axis: of the vectors, one or several.
    """

    def __init__(self, max_value: float = 2, axis: Any = 0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w):
        w = ops.convert_to_tensor(w)
        lengths = _lengths(w, self.axis)
        # Also the short ones are divided by length + epsilon: Keras' rule.
        return _scaled(w, lengths, ops.clip(lengths, 0, self.max_value))

    def get_config(self):
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Negative weights become 0."""

    def __call__(self, w):
        return ops.maximum(ops.convert_to_tensor(w), 0.0)


class UnitNorm(Constraint):
    """Vectors along ``axis`` get length 1."""

    def __init__(self, axis: Any = 0):
        self.axis = axis

    def __call__(self, w):
        w = ops.convert_to_tensor(w)
        return ops.divide(w, ops.add(_lengths(w, self.axis), config.epsilon()))

    def get_config(self):
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Lengths are brought between ``min_value`` and ``max_value``.

    Args:
        min_value, max_value: the smallest and the largest length.
        rate: how much of the way goes at each update; 1: all of it, 0: nothing.
        axis: of the vectors, one or several.
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w):
        w = ops.convert_to_tensor(w)
        lengths = _lengths(w, self.axis)
        inside = ops.clip(lengths, self.min_value, self.max_value)
        wanted = ops.add(ops.multiply(inside, self.rate), ops.multiply(lengths, 1 - self.rate))
        return _scaled(w, lengths, wanted)

    def get_config(self):
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
serialize = registry.serialize
deserialize = registry.deserializer("keras.constraints", lambda name: get(name))


def get(identifier: Any) -> Any:
    """A constraint by name ("max_norm"), configuration, class or object; None stays None."""
    found = registry.made_of(identifier, "keras.constraints", "constraint")
    if found is None or callable(found):
        return found
    raise TypeError(f"a constraint is a name, an object or a function of the weight, not {identifier!r}")


registry.publish("keras.constraints", globals())
