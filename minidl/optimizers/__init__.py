"""Optimizers, with the names, defaults and formulas of Keras 3."""

from typing import Any

from minidl import registry

from . import legacy as legacy
from . import schedules as schedules
from .adafactor import Adafactor
from .adam import Adam, AdamW
from .adamax import Adamax, Nadam
from .ftrl import Ftrl
from .lamb import Lamb
from .lion import Lion
from .optimizer import Optimizer
from .rmsprop import Adadelta, Adagrad, RMSprop
from .sgd import SGD

__all__ = [
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Nadam", "Optimizer",
    "RMSprop",
    "deserialize", "get", "legacy", "schedules", "serialize",
]  # fmt: skip

CLASSES = (SGD, Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, Lamb, Lion, Nadam, Optimizer, RMSprop)
_by_name = {cls.__name__.lower(): cls for cls in CLASSES}  # as strings they may be written in any case

serialize = registry.serialize


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer of a configuration; its class may be written in any case, and needs no module."""
    known = _by_name.get(str(config.get("class_name")).lower())
    if known is not None:
        config = {"module": "keras.optimizers", **config, "class_name": known.__name__}
    return registry.deserialize(config, custom_objects)


def get(identifier: Any) -> Any:
    """An optimizer by name ("sgd", "adam", in any case), configuration, class or object; None stays None."""
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        known = registry.get_registered_object(identifier)
        identifier = known or registry.lookup("keras.optimizers", identifier.lower(), "optimizer")
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    raise TypeError(f"an optimizer is a name or an Optimizer object, not {identifier!r}")


registry.publish("keras.optimizers", {**{cls.__name__: cls for cls in CLASSES}, **_by_name})
