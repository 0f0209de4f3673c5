"""Networks under Keras' names: one builder serves minidl and Keras."""

from collections.abc import Sequence
from typing import Any

from .workloads import NOISE, Workload, initial_weights


def build(k: Any, layers: Sequence[Any], shape: tuple[int, ...], seed: int = 0) -> Any:
    """The network with its initial weights.

    Args:
        k: the module ``minidl`` or ``keras``.
        layers: as described in ``benchmarks.workloads``.
        shape: of one sample.
        seed: of the weights.
    """
    weighted: list[Any] = []
    if any(layer[0] == "residual" for layer in layers):
        inputs = k.layers.Input(tuple(shape))
        model = k.Model(inputs, _applied(k, layers, inputs, weighted))
    else:
        model = k.Sequential([k.layers.Input(tuple(shape)), *(made(k, one, weighted) for one in layers)])
    for layer, weights in zip(weighted, initial_weights(layers, tuple(shape), seed), strict=True):
        layer.set_weights(weights)
    return model


def gan_nets(k: Any, workload: Workload) -> tuple[Any, Any]:
    """(generator, discriminator)"""
    return build(k, workload.layers, (NOISE,), 1), build(k, workload.critic, workload.shape, 2)


def parameters(*models: Any) -> int:
    """How many trainable numbers models have."""
    return sum(int(variable.numpy().size) for model in models for variable in model.trainable_variables)


def _applied(k: Any, layers: Sequence[Any], x: Any, weighted: list[Any]) -> Any:
    for layer in layers:
        if layer[0] == "residual":
            x = k.layers.Add()([_applied(k, way, x, weighted) for way in layer[1:]])
        else:
            x = made(k, layer, weighted)(x)
    return x


def made(k: Any, layer: Sequence[Any], weighted: list[Any]) -> Any:
    """One layer; it joins ``weighted`` where it has a kernel."""
    kind, *settings = layer
    known = k.layers
    if kind == "dense":
        weighted.append(known.Dense(settings[0], activation=settings[1]))
    elif kind == "conv":
        filters, size, stride, padding, activation, bias = settings
        weighted.append(known.Conv2D(filters, size, stride, padding, activation=activation, use_bias=bias))
    elif kind == "transposed":
        filters, size, stride, activation, bias = settings
        weighted.append(known.Conv2DTranspose(filters, size, stride, "same", activation=activation, use_bias=bias))
    elif kind == "reshape":
        return known.Reshape(tuple(settings))
    elif kind == "leaky":
        return known.LeakyReLU(negative_slope=0.2)
    else:
        others = {"norm": "BatchNormalization", "relu": "ReLU", "pool": "MaxPooling2D", "dropout": "Dropout",
                  "average": "GlobalAveragePooling2D", "flatten": "Flatten"}  # fmt: skip
        return getattr(known, others[kind])(*settings)
    return weighted[-1]
