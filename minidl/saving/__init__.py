"""Models and weights as files that Keras 3 reads and writes: ``.keras``, ``.h5``, ``.weights.h5``, JSON; and YAML.

Weights go into ``.safetensors`` files as well, which other programs read.
"""

from minidl.registry import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)  # fmt: skip
from minidl.registry import custom_object_scope as CustomObjectScope
from minidl.registry import deserialize as deserialize_keras_object
from minidl.registry import serialize as serialize_keras_object

from .errors import FormatError
from .files import load_model, load_weights, save_model, save_weights
from .text import model_from_json, model_from_yaml

__all__ = [
    "CustomObjectScope", "get_custom_objects",
    "FormatError", "custom_object_scope", "deserialize_keras_object", "get_registered_name", "get_registered_object",
    "load_model", "load_weights", "model_from_json", "model_from_yaml",
    "register_keras_serializable", "save_model", "save_weights", "serialize_keras_object",
]  # fmt: skip
