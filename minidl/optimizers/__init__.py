"""Optimizers, with the names, defaults and formulas of Keras 3."""

from typing import Any

from minidl import registry

from .adam import Adam
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer", "deserialize", "get", "serialize"]

serialize, deserialize = registry.serialize, registry.deserialize
sgd, adam = SGD, Adam


def get(identifier: Any) -> Optimizer:
    """An optimizer by name ("sgd", "adam", in any case), configuration, class or object."""
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return registry.deserialize(identifier)
    if isinstance(identifier, str):
        identifier = registry.lookup("keras.optimizers", identifier.lower(), "optimizer")
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    raise TypeError(f"an optimizer is a name or an Optimizer object, not {identifier!r}")


registry.publish("keras.optimizers", globals())
