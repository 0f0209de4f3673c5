"""Models: Sequential, the functional Model, and subclasses of Model."""

from minidl import registry

from .cloning import clone_model
from .functional import Functional
from .model import Model
from .sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model"]


def __getattr__(name: str):
    if name in ("load_model", "model_from_json", "model_from_yaml", "save_model"):
        from minidl import saving

        return getattr(saving, name)
    raise AttributeError(f"module 'minidl.models' has no attribute {name!r}")


# Keras opens a functional model under its private module only; the name published first is the one that is written.
registry.publish("keras.src.models.functional", {"Functional": Functional})
registry.publish("keras", {"Functional": Functional, "Model": Functional, "Sequential": Sequential})
