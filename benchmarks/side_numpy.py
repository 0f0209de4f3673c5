"""Plain NumPy's side: dense networks, written as one would by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np

from . import common
from .workloads import Runner, Workload, batches, in_turn, initial_weights


class Mlp:
    """Dense layers with ReLU, a softmax at the end, and SGD or Adam."""

    def __init__(self, workload: Workload):
        pairs = initial_weights(workload.layers, tuple(workload.shape))
        self.kernels, self.biases = ([pair[i] for pair in pairs] for i in (0, 1))
        self.update: Callable[..., None] = Adam() if workload.optimizer == "adam" else sgd

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        """The input and every layer's output."""
        outputs = [x]
        last = len(self.kernels) - 1
        for place, (w, b) in enumerate(zip(self.kernels, self.biases, strict=True)):
            x = np.maximum(x @ w + b, 0) if place < last else softmax(x @ w + b)
            outputs.append(x)
        return outputs

    def step(self, x: np.ndarray, y: np.ndarray) -> float:
        """One update; the loss before it."""
        outputs = self.forward(x)
        rows = np.arange(len(y))
        loss = -np.log(outputs[-1][rows, y]).mean()
        g = outputs[-1].copy()
        g[rows, y] -= 1
        g /= len(y)
        gradients = []
        for place in reversed(range(len(self.kernels))):
            below = outputs[place]
            gradients += [g.sum(0), below.T @ g]
            if place:
                g = (g @ self.kernels[place].T) * (below > 0)
        weights = [one for pair in zip(self.biases[::-1], self.kernels[::-1], strict=True) for one in pair]
        self.update(weights, gradients)
        return float(loss)


def softmax(x: np.ndarray) -> np.ndarray:
    """Of each row."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sgd(weights: list[np.ndarray], gradients: list[np.ndarray], rate: float = 0.01) -> None:
    """w -= rate g"""
    for w, g in zip(weights, gradients, strict=True):
        w -= rate * g


class Adam:
    """Adam with Keras' place for epsilon."""

    def __init__(self) -> None:
        self.count, self.moments = 0, list[Any]()

    def __call__(self, weights: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        self.count += 1
        self.moments = self.moments or [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
        rate = np.float32(0.001 * np.sqrt(1 - 0.999**self.count) / (1 - 0.9**self.count))
        for w, g, (m, v) in zip(weights, gradients, self.moments, strict=True):
            m += np.float32(0.1) * (g - m)
            v += np.float32(0.001) * (g * g - v)
            w -= rate * m / (np.sqrt(v) + np.float32(1e-7))


def prepare(workload: Workload) -> Runner:
    """Build the network and return what does steps.

    Raises:
        ValueError: other layers than dense ones.
    """
    if any(layer[0] != "dense" for layer in workload.layers):
        raise ValueError("plain NumPy has dense networks only")
    model = Mlp(workload)
    count = sum(one.size for one in (*model.kernels, *model.biases))
    step = model.step if workload.kind == "train" else lambda x, y: model.forward(x)[-1][0, 0]
    return Runner(count, in_turn(batches(workload), step))


def set_threads(count: int) -> None:
    """OpenBLAS reads the number when it starts: see ``peers.py``."""


def describe() -> dict[str, Any]:
    """Versions and settings."""
    return {"versions": common.versions("numpy"), "OpenBLAS core": common.openblas_core()}
