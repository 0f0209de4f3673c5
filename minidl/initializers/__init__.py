"""Initializers: the start values of weights. Names, defaults and formulas are those of Keras 3."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl import config, registry
from minidl.engine.tensor import Tensor, as_array

from .constant import STFT, Constant, Identity, Initializer, Ones, Zeros
from .draws import Orthogonal, RandomInitializer, RandomNormal, RandomUniform, TruncatedNormal
from .scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    compute_fans,
)

__all__ = [
    "STFT", "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "IdentityInitializer",
    "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer", "RandomInitializer",
    "RandomNormal", "RandomUniform", "STFTInitializer", "TruncatedNormal", "VarianceScaling", "Zeros", "compute_fans",
    "deserialize", "get", "serialize",
]  # fmt: skip

zero = zeros = Zeros
one = ones = Ones
constant = Constant
identity = IdentityInitializer = Identity
stft = STFTInitializer = STFT
normal = random_normal = RandomNormal
uniform = random_uniform = RandomUniform
orthogonal = OrthogonalInitializer = Orthogonal
truncated_normal, variance_scaling = TruncatedNormal, VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal

serialize = registry.serialize
deserialize = registry.deserializer("keras.initializers", lambda name: get(name))


def get(identifier: Any) -> Callable[..., Any] | None:
    """An initializer by name ("he_normal", "HeNormal"), configuration, class, object or array; None stays None."""
    if isinstance(identifier, (Tensor, np.ndarray, np.generic)):
        return _these(as_array(identifier))
    found = registry.made_of(identifier, "keras.initializers", "initializer")
    if found is None or callable(found):
        return found
    raise TypeError(f"an initializer is a name, an object or a function of (shape, dtype), not {identifier!r}")


def _these(values: Any) -> Callable[..., Any]:
    """An initializer that gives an array, to weights of its shape only."""

    def initialize(shape: tuple[int, ...], dtype: Any = None) -> Any:
        if tuple(shape) != tuple(values.shape):
            raise ValueError(f"an initializer of shape {tuple(values.shape)} was given for weights of {tuple(shape)}")
        return values.astype(dtype or config.floatx())

    return initialize


_classes = {n: c for n, c in globals().items() if isinstance(c, type) and issubclass(c, Initializer)}
registry.publish("keras.initializers", _classes)
