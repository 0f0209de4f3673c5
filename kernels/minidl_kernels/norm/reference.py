"""The definitions, channel by channel, in Python's own numbers (float64), rounded once."""

import math

import numpy as np

from . import batch_norm, batch_norm_grad, batch_norm_relu, batch_norm_relu_grad, scale_shift


@batch_norm.implementation("reference", on="numpy")
def batch_norm_reference(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, *, epsilon: float, out: tuple[np.ndarray, ...]
) -> None:
    y, means, variances = out
    rows = list(np.ndindex(x.shape[:-1]))
    n = max(len(rows), 1)
    for c in range(x.shape[-1]):
        mean = sum(float(x[(*row, c)]) for row in rows) / n
        variance = sum((float(x[(*row, c)]) - mean) ** 2 for row in rows) / n
        for row in rows:
            normalized = (float(x[(*row, c)]) - mean) / math.sqrt(variance + epsilon)
            y[(*row, c)] = normalized * float(gamma[c]) + float(beta[c])
        means[c], variances[c] = mean, variance


@batch_norm_grad.implementation("reference", on="numpy")
def batch_norm_grad_reference(
    g: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    *,
    epsilon: float,
    out: tuple[np.ndarray, ...],
) -> None:
    dx, dgamma, dbeta = out
    rows = list(np.ndindex(x.shape[:-1]))
    n = len(rows)
    for c in range(x.shape[-1]):
        r = 1 / math.sqrt(float(variance[c]) + epsilon)
        upstream = [float(g[(*row, c)]) for row in rows]
        normalized = [(float(x[(*row, c)]) - float(mean[c])) * r for row in rows]
        sum_g = sum(upstream)
        sum_gx = sum(gi * xi for gi, xi in zip(upstream, normalized, strict=True))
        for row, gi, xi in zip(rows, upstream, normalized, strict=True):
            dx[(*row, c)] = float(gamma[c]) * r * (gi - sum_g / n - xi * sum_gx / n)
        dgamma[c], dbeta[c] = sum_gx, sum_g


@batch_norm_relu.implementation("reference", on="numpy")
def batch_norm_relu_reference(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, *,
    epsilon: float, negative_slope: float, out: tuple[np.ndarray, ...],
) -> None:  # fmt: skip
    batch_norm_reference(x, gamma, beta, epsilon=epsilon, out=out)
    y = out[0]
    for i in np.ndindex(y.shape):
        y[i] = negative_slope * float(y[i]) if y[i] < 0 else y[i]


@batch_norm_relu_grad.implementation("reference", on="numpy")
def batch_norm_relu_grad_reference(
    g: np.ndarray, y: np.ndarray, x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, variance: np.ndarray, *,
    epsilon: float, negative_slope: float, out: tuple[np.ndarray, ...],
) -> None:  # fmt: skip
    before = np.zeros(g.shape)
    for i in np.ndindex(g.shape):
        if y[i] > 0 or (negative_slope > 0 and y[i] == 0):
            before[i] = g[i]
        elif negative_slope > 0:
            before[i] = negative_slope * float(g[i])
    batch_norm_grad_reference(before, x, gamma, mean, variance, epsilon=epsilon, out=out)


@scale_shift.implementation("reference", on="numpy")
def scale_shift_reference(x: np.ndarray, scale: np.ndarray, shift: np.ndarray, *, out: np.ndarray) -> None:
    for i in np.ndindex(x.shape):
        out[i] = float(x[i]) * float(scale[i[-1]]) + float(shift[i[-1]])
