"""How many additions and multiplications of products and convolutions a workload's step takes, by their definition."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .workloads import NOISE, Workload, shape_after

__all__ = ["forward_operations", "operations"]


def operations(workload: Workload) -> float:
    """Of one step: forward, towards the weights, and towards the inputs of all layers but the first.

    A multiply-add counts as two. What is no product of matrices or pictures (activations, batch norm, pooling, losses,
    optimizers) is left out, as is what a better formula saves: Winograd's counts as the convolution that it replaces.
    """
    forward = forward_operations(workload.layers, (NOISE,) if workload.kind == "gan" else workload.shape)
    if workload.kind == "infer":
        return workload.batch * sum(forward)
    training = 3 * sum(forward) - forward[0]
    if workload.kind == "train":
        return workload.batch * training
    # The discriminator's update: pictures made, and judged with as many real ones. The generator's: pictures made and
    # judged, back through all of the discriminator but not to its weights, and through the generator.
    critic = forward_operations(workload.critic, workload.shape)
    of_critic = sum(forward) + 2 * (3 * sum(critic) - critic[0])
    return workload.batch * (of_critic + 2 * sum(critic) + training)


def forward_operations(layers: Sequence[Any], shape: tuple[int, ...]) -> list[float]:
    """Of each layer that has a kernel, for one sample."""
    return list(_counted(layers, shape))


def _counted(layers: Sequence[Any], shape: tuple[int, ...]) -> Iterator[float]:
    for layer in layers:
        kind, *settings = layer
        after = shape_after(layer, shape)
        if kind == "dense":
            yield 2.0 * shape[0] * after[0]
        elif kind in ("conv", "transposed"):
            # Of a convolution each output has a window of inputs, of a transposed one each input a window of outputs.
            pixels = np.prod((after if kind == "conv" else shape)[:2])
            yield 2.0 * float(pixels) * settings[1] ** 2 * shape[-1] * after[-1]
        elif kind == "residual":
            for way in settings:
                yield from _counted(way, shape)
        shape = after
