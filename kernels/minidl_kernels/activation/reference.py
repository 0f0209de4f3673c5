"""The definitions, element by element, in Python's own numbers (float64), rounded once."""

import math

import numpy as np

from . import (
    bias_relu,
    leaky_relu,
    leaky_relu_grad,
    relu,
    relu_bias_grad,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    tanh,
    tanh_grad,
)


@relu.implementation("reference", on="numpy")
def relu_reference(x: np.ndarray, *, out: np.ndarray) -> None:
    for i in np.ndindex(x.shape):
        out[i] = 0.0 if x[i] <= 0 else x[i]


@relu_grad.implementation("reference", on="numpy")
def relu_grad_reference(g: np.ndarray, y: np.ndarray, *, out: np.ndarray) -> None:
    for i in np.ndindex(g.shape):
        out[i] = g[i] if y[i] > 0 else 0.0


@relu_bias_grad.implementation("reference", on="numpy")
def relu_bias_grad_reference(g: np.ndarray, y: np.ndarray, *, out: tuple[np.ndarray, np.ndarray]) -> None:
    dx, db = out
    sums = np.zeros(db.shape)
    for place in np.ndindex(g.shape):
        dx[place] = g[place] if y[place] > 0 else 0
        sums[place[-1]] += float(dx[place])
    db[...] = sums


@leaky_relu.implementation("reference", on="numpy")
def leaky_relu_reference(x: np.ndarray, *, negative_slope: float, out: np.ndarray) -> None:
    for i in np.ndindex(x.shape):
        out[i] = x[i] if x[i] >= 0 else negative_slope * float(x[i])


@leaky_relu_grad.implementation("reference", on="numpy")
def leaky_relu_grad_reference(g: np.ndarray, x: np.ndarray, *, negative_slope: float, out: np.ndarray) -> None:
    for i in np.ndindex(g.shape):
        out[i] = g[i] if x[i] >= 0 else negative_slope * float(g[i])


@sigmoid.implementation("reference", on="numpy")
def sigmoid_reference(x: np.ndarray, *, out: np.ndarray) -> None:
    for i in np.ndindex(x.shape):
        value = float(x[i])
        # exp of a large positive number overflows, so each sign has its own form of the same formula.
        if value < 0:
            out[i] = math.exp(value) / (1 + math.exp(value))
        else:
            out[i] = 1 / (1 + math.exp(-value))


@sigmoid_grad.implementation("reference", on="numpy")
def sigmoid_grad_reference(g: np.ndarray, y: np.ndarray, *, out: np.ndarray) -> None:
    for i in np.ndindex(g.shape):
        out[i] = float(g[i]) * float(y[i]) * (1 - float(y[i]))


@tanh.implementation("reference", on="numpy")
def tanh_reference(x: np.ndarray, *, out: np.ndarray) -> None:
    for i in np.ndindex(x.shape):
        out[i] = math.tanh(float(x[i]))


@tanh_grad.implementation("reference", on="numpy")
def tanh_grad_reference(g: np.ndarray, y: np.ndarray, *, out: np.ndarray) -> None:
    for i in np.ndindex(g.shape):
        out[i] = float(g[i]) * (1 - float(y[i]) ** 2)


@bias_relu.implementation("reference", on="numpy")
def bias_relu_reference(x: np.ndarray, b: np.ndarray, *, out: np.ndarray) -> None:
    for i in np.ndindex(x.shape):
        value = float(x[i]) + float(b[i[-1]])
        out[i] = 0.0 if value <= 0 else value
