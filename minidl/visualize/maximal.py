"""The picture that a unit answers to most: gradient ascent on the input."""

import math
from typing import Any

import numpy as np

from minidl.engine.tensor import Tensor
from minidl.engine.walk import gradients

from .watch import Watch, before_softmax, find_layer

__all__ = ["maximal_activation"]


def maximal_activation(
    model: Any, layer: Any, channel: int, *, start: Any = None, steps: int = 100, learning_rate: float = 0.05,
    l2: float = 0.0, smoothness: float = 0.0, jitter: int = 0, bounds: tuple[float, float] | None = (0.0, 1.0),
    seed: int = 0,
) -> np.ndarray:  # fmt: skip
    """A picture for which one channel of a layer is as large as possible (Erhan et al. 2009, Simonyan et al. 2014).

    What rises is the mean of the channel over its places, less the penalties:

        x <- x + learning_rate * (g / rms(g) - 2 l2 x - 2 smoothness Lx)

    where g is its gradient and Lx, for each pixel, the sum of its differences to its neighbours (up, down, left,
    right): 2 Lx is the gradient of the squared differences of all neighbours. With g at unit size, the settings mean
    the same for every layer.

    Args:
        layer: a layer of the model, its name or index. Of the last layer, what goes into its softmax is what rises.
        channel: which of its channels, or of its units.
        start: a picture to begin with, without the batch axis; default: noise around the middle of the bounds.
        l2: pulls the values to 0.
        smoothness: evens out neighbouring pixels (squared total variation, as of Mahendran and Vedaldi 2015).
        jitter: in every step the picture is rolled by up to so many pixels both ways, so that no place is special
            (Mordvintsev et al. 2015).
        bounds: values are kept between these; None: no bounds.
        seed: of the noise and the jitter.

    Returns:
        The picture, of the shape of the model's inputs without the batch axis.

    Raises:
        ValueError: no such layer or channel; a model whose input shape is not known and no ``start``; settings with
            which the steps diverge.
    """
    layer = find_layer(model, layer)
    if learning_rate <= 0 or min(l2, smoothness) < 0 or learning_rate * (2 * l2 + 16 * smoothness) > 2:
        raise ValueError(
            f"learning_rate must be above 0, l2 and smoothness from 0 up, and learning_rate * (2 l2 + 16 smoothness) "
            f"at most 2, or the steps diverge; they are {learning_rate}, {l2} and {smoothness}"
        )
    rng = np.random.default_rng(seed)
    x = _start(model, start, bounds, rng)
    axes = tuple(range(min(2, x.ndim)))
    for _ in range(steps):
        shift = rng.integers(-jitter, jitter + 1, len(axes))
        g = np.roll(_gradient(model, layer, channel, np.roll(x, shift, axes)), -shift, axes)
        size = float(np.sqrt(np.mean(np.square(g, dtype=np.float64))))
        if size:
            g = g / size
        x = x + learning_rate * (g - 2 * l2 * x - 2 * smoothness * _differences(x))
        if bounds is not None:
            x = np.clip(x, *bounds)
    return x


def _start(model: Any, start: Any, bounds: tuple[float, float] | None, rng: np.random.Generator) -> np.ndarray:
    if start is not None:
        return np.array(start, model.dtype)
    shape = getattr(model, "input_shape", None) if model.built else None
    if not isinstance(shape, tuple) or None in shape[1:]:
        raise ValueError(f"the input shape of {model.name!r} is {shape}; pass start, a picture to begin with")
    low, high = bounds or (-1.0, 1.0)
    noise = rng.standard_normal(shape[1:]) * 0.2 * (high - low)
    return np.asarray((low + high) / 2 + noise, model.dtype)


def _gradient(model: Any, layer: Any, channel: int, x: np.ndarray) -> np.ndarray:
    """The gradient of the channel's mean with respect to the picture."""
    given = Tensor(x[None].astype(model.dtype), requires_grad=True)
    with Watch([layer]) as seen:
        outputs = model(given, training=False)
    if layer not in seen.values:
        raise ValueError(f"{model.name!r} does not call layer {layer.name!r} on the way to its outputs")
    y = seen.values[layer]
    if not 0 <= channel < y.shape[-1]:
        raise ValueError(f"channel must be from 0 to {y.shape[-1] - 1} for layer {layer.name!r}, not {channel}")
    if y is outputs:
        y = before_softmax(y)
    upstream = np.zeros(y.shape, y.dtype)
    upstream[..., channel] = 1 / math.prod(y.shape[1:-1])
    (found,) = gradients([y], [upstream], [given], create_graph=False)
    if found is None:
        raise ValueError(f"layer {layer.name!r} does not depend on the input through differentiable steps")
    return found.numpy()[0]


def _differences(x: np.ndarray) -> np.ndarray:
    """For each pixel the sum of its differences to its neighbours."""
    result = np.zeros_like(x)
    for axis in (0, 1) if x.ndim > 1 else (0,):
        step = np.diff(x, axis=axis)
        before, after = (np.insert(step, place, 0, axis=axis) for place in (0, step.shape[axis]))
        result += before - after
    return result
