"""Constraints: what is done to a weight after each update."""

from typing import Any

from minidl import registry

__all__ = ["Constraint", "get"]


class Constraint:
    """Base class: ``__call__(w)`` returns the weight made to fit."""

    def __call__(self, w: Any) -> Any:
        return w

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Constraint":
        return cls(**config)


def get(identifier: Any) -> Any:
    """A constraint by name, configuration, class or object; None stays None."""
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return registry.deserialize(identifier)
    if isinstance(identifier, str):
        identifier = registry.lookup("keras.constraints", identifier, "constraint")
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise TypeError(f"a constraint is a name, an object or a function of the weight, not {identifier!r}")


registry.publish("keras.constraints", globals())
