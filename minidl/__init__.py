"""minidl: a neural-net engine to read, to train with and to learn from. Public names are those of Keras 3."""

import importlib
from typing import Any

from minidl import (
    activations,
    callbacks,
    config,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    utils,
)  # fmt: skip
from minidl.config import __version__, device
from minidl.engine import GradientTape, Tensor, Variable, grad, no_grad, op
from minidl.graph import KerasTensor
from minidl.initializers import Initializer
from minidl.layers import Input, InputSpec, Layer
from minidl.layers.left_out import refuse
from minidl.losses import Loss
from minidl.metrics import Metric
from minidl.models import Functional, Model, Sequential
from minidl.notebook import attach
from minidl.ops import custom_gradient, stop_gradient
from minidl.optimizers import Optimizer
from minidl.registry import name_scope
from minidl.regularizers import Regularizer

__all__ = [
    "Functional", "GradientTape", "Initializer", "Input", "InputSpec", "KerasTensor", "Layer", "Loss", "Metric",
    "Model", "Optimizer", "Regularizer", "Sequential", "Tensor", "Variable", "__version__", "activations",
    "applications", "backend", "callbacks", "checking", "config", "constraints", "custom_gradient", "datasets", "grad",
    "gradcheck", "initializers", "layers", "losses", "metrics", "models", "no_grad", "op", "ops", "optimizers",
    "preprocessing", "random", "regularizers", "saving", "stop_gradient", "summary", "tree", "utils", "visualize",
    "name_scope", "testing", "version", "explain", "xray",
    "name_scope", "testing", "version",
    "device",
]  # fmt: skip

attach()

# Loaded when first asked for, so that `import minidl` stays quick.
_LAZY = {
    "gradcheck": ("minidl.checking", "gradcheck"),
    "explain": ("minidl.xray", "explain"),
    "xray": ("minidl.xray", None),
    **{
        name: (f"minidl.{name}", None)
        for name in (
            "applications",
            "backend",
            "checking",
            "datasets",
            "preprocessing",
            "saving",
            "summary",
            "testing",
            "tree",
            "visualize",
        )  # fmt: skip
    },
}

_HALF = "minidl computes in float32, or float64 where a dtype says so; there is no half precision, mixed or quantised"
_LEFT_OUT = {
    "mixed_precision": _HALF,
    "dtype_policies": _HALF,
    "DTypePolicy": _HALF,
    "FloatDTypePolicy": _HALF,
    "quantizers": _HALF,
    "Quantizer": _HALF,
    "distribution": "minidl runs in one process, with as many threads as MINIDL_THREADS says",
    "function": "nothing is compiled from Python code here, and nothing needs to be: leave the decorator out",
}


def version() -> str:
    """The version of minidl."""
    return __version__


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise refuse(__name__, name, _LEFT_OUT)
    module, attribute = _LAZY[name]
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found
