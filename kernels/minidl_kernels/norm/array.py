"""NumPy and CuPy: whole-array operations.

Sums are kept in float64: NumPy adds rows one after the other, which in float32 loses digits with every row.
"""

from ..arrays import Array, namespace
from . import batch_norm, batch_norm_grad, batch_norm_relu, batch_norm_relu_grad, scale_shift


@batch_norm.implementation("array", on=("numpy", "cupy"))
def batch_norm_array(x: Array, gamma: Array, beta: Array, *, epsilon: float, out: tuple[Array, Array, Array]) -> None:
    xp = namespace(x)
    y, mean, variance = out
    if not x.size:
        mean[...], variance[...] = 0, 0
        return
    leading = tuple(range(x.ndim - 1))
    mean[...] = x.mean(axis=leading, dtype="float64")
    xp.subtract(x, mean, out=y)
    variance[...] = (y * y).mean(axis=leading, dtype="float64")
    y *= gamma / xp.sqrt(variance + epsilon)
    y += beta


@batch_norm_grad.implementation("array", on=("numpy", "cupy"))
def batch_norm_grad_array(
    g: Array,
    x: Array,
    gamma: Array,
    mean: Array,
    variance: Array,
    *,
    epsilon: float,
    out: tuple[Array, Array, Array],
) -> None:
    dx, dgamma, dbeta = out
    if not x.size:
        dgamma[...], dbeta[...] = 0, 0
        return
    leading, n = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    r = 1 / namespace(x).sqrt(variance + epsilon)
    normalized = (x - mean) * r
    dbeta[...] = g.sum(axis=leading, dtype="float64")
    dgamma[...] = (g * normalized).sum(axis=leading, dtype="float64")
    normalized *= dgamma / n
    dx[...] = g
    dx -= dbeta / n
    dx -= normalized
    dx *= gamma * r


@batch_norm_relu.implementation("array", on=("numpy", "cupy"))
def batch_norm_relu_array(
    x: Array, gamma: Array, beta: Array, *, epsilon: float, negative_slope: float, out: tuple[Array, Array, Array]
) -> None:
    batch_norm_array(x, gamma, beta, epsilon=epsilon, out=out)
    y = out[0]
    y[...] = namespace(x).where(y < 0, y * negative_slope, y)


@batch_norm_relu_grad.implementation("array", on=("numpy", "cupy"))
def batch_norm_relu_grad_array(
    g: Array, y: Array, x: Array, gamma: Array, mean: Array, variance: Array, *,
    epsilon: float, negative_slope: float, out: tuple[Array, Array, Array],
) -> None:  # fmt: skip
    xp = namespace(x)
    # Not g * 0: an infinite g would become NaN where it should be 0.
    before = xp.where(y >= 0, g, g * negative_slope) if negative_slope else xp.where(y > 0, g, xp.zeros_like(g))
    batch_norm_grad_array(before, x, gamma, mean, variance, epsilon=epsilon, out=out)


@scale_shift.implementation("array", on=("numpy", "cupy"))
def scale_shift_array(x: Array, scale: Array, shift: Array, *, out: Array) -> None:
    namespace(x).multiply(x, scale, out=out)
    out += shift
