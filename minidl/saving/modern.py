"""Configurations as Keras 2 wrote them (and Keras 3 still writes into ``.h5`` files), turned into those of Keras 3.

There, an object has no module: ``{"class_name": "Dense", "config": {...}}``; what kind it is follows from where it
stands. Objects that have one go through here unharmed, so that every configuration may.
"""

import inspect
from functools import cache
from typing import Any

from minidl import registry

__all__ = ["modern"]

LAYERS, MODELS, METRICS = "keras.layers", "keras", "keras.metrics"
LOSSES, OPTIMIZERS, SCHEDULES = "keras.losses", "keras.optimizers", "keras.optimizers.schedules"

# What stands under such a key of a configuration.
_ENDINGS = {
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "activation": LAYERS,
    "layer": LAYERS,
    "layers": LAYERS,
    "cell": LAYERS,
    "cells": LAYERS,
    "learning_rate": SCHEDULES,
}
_RENAMED = {"BatchNormalizationV1": "BatchNormalization", "BatchNormalizationV2": "BatchNormalization"}
_NOT_CONFIGS = ("inbound_nodes", "input_layers", "output_layers", "build_config", "compile_config")


def modern(config: Any, module: str = LAYERS) -> Any:
    """The configuration of an object, or a structure of them, as Keras 3 writes it into ``.keras`` files.

    Args:
        config: plain data; stays as it is.
        module: where a class without a module is looked for.
    """
    if isinstance(config, (list, tuple)):
        return [modern(one, module) for one in config]
    if not isinstance(config, dict):
        return config
    name, inner = config.get("class_name"), config.get("config")
    if not isinstance(name, str) or "config" not in config or name.startswith("__"):
        return {key: one if key in _NOT_CONFIGS else modern(one, module) for key, one in config.items()}
    if name == "function" or (isinstance(config.get("module"), str) and module == LAYERS and name == "Lambda"):
        return config
    name = _RENAMED.get(name, name)
    if "module" not in config:
        plain = name.rpartition(">")[2]  # Keras 2.11 wrote "Custom>Adam"
        if plain in registry.published(MODELS) and module == LAYERS:
            config = {**config, "class_name": plain, "module": MODELS}
        elif registry.get_registered_object(name) is None and plain in registry.published(module):
            config = {**config, "class_name": plain, "module": module}
        else:
            config = {**config, "class_name": plain, "module": None, "registered_name": name}
    kept = {key: one for key, one in config.items() if key != "__passive_serialization__"}
    if isinstance(inner, list):  # of a Sequential, long ago
        inner = {"layers": inner}
    if isinstance(inner, dict):
        kept["config"] = _settings(kept["class_name"], inner, module)
    return kept


def _settings(name: str, config: dict[str, Any], module: str) -> dict[str, Any]:
    """The arguments of a class, with the names and values that they have now."""
    found = {}
    for key, value in config.items():
        ending = key if key in _ENDINGS else key.rpartition("_")[2]
        place = _ENDINGS.get(ending)
        if key in _NOT_CONFIGS or (place is None and isinstance(value, dict)):
            found[key] = value
        else:
            found[key] = modern(value, place or module)
    return _known({**found, **_renewed(name, found, module)}, name, module)


def _renewed(name: str, config: dict[str, Any], module: str) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if module == LAYERS:
        axis = config.get("axis")
        if isinstance(axis, list) and len(axis) == 1:
            changed["axis"] = axis[0]
        if name == "Lambda" and isinstance(config.get("function"), str):
            function = config["function"]
            changed["function"] = {
                "module": "builtins", "class_name": "function", "config": function, "registered_name": function,
            }  # fmt: skip
    elif module == LOSSES and config.get("reduction") == "auto":
        changed["reduction"] = "sum_over_batch_size"
    elif module == METRICS and isinstance(config.get("fn"), str):
        function = config["fn"]
        changed["fn"] = {
            "module": "builtins", "class_name": "function", "config": function, "registered_name": function,
        }  # fmt: skip
    elif module == OPTIMIZERS:
        if not config.get("use_ema"):
            changed["ema_overwrite_frequency"] = None
        if config.get("decay"):  # Keras 2 divided the rate by 1 + decay * steps
            rate = config.get("learning_rate", config.get("lr"))
            schedule = {"initial_learning_rate": rate, "decay_steps": 1.0, "decay_rate": config["decay"]}
            changed["learning_rate"] = {"module": SCHEDULES, "class_name": "InverseTimeDecay", "config": schedule}
    elif module == "keras.initializers" and config.get("distribution") == "normal":
        changed["distribution"] = "truncated_normal"
    return changed


# What earlier names stand for, and what only said how something was computed.
_NAMES = {("LeakyReLU", "alpha"): "negative_slope", ("", "lr"): "learning_rate"}
_GONE = {
    LAYERS: (
        "function_type", "implementation", "module", "output_shape_module", "output_shape_type", "time_major",
    ),
    LOSSES: ("fn",),
    OPTIMIZERS: ("decay", "initial_decay", "is_legacy_optimizer", "jit_compile", "schedule_decay"),
    "keras.initializers": ("dtype",),
}  # fmt: skip


def _known(config: dict[str, Any], name: str, module: str) -> dict[str, Any]:
    """Without what has gone, and without what a class does not take where it was off."""
    cls = registry.published(module).get(name)
    if cls is None:
        return config
    taken, gone = _parameters(cls), _GONE.get(module, ())
    found = {}
    for key, value in config.items():
        new = _NAMES.get((name, key)) or _NAMES.get(("", key)) or key
        key = new if new in taken and key not in taken else key
        if key in taken or not (key in gone or value is None or value is False):
            found[key] = value
    if module == OPTIMIZERS and found.get("epsilon", 0) is None:
        del found["epsilon"]
    return found


@cache
def _parameters(cls: Any) -> frozenset[str]:
    """The names of the arguments of a class, and of those it stands on."""
    makers = [vars(base)["__init__"] for base in getattr(cls, "__mro__", ()) if "__init__" in vars(base)]
    return frozenset(name for maker in makers[:-1] for name in inspect.signature(maker).parameters)
