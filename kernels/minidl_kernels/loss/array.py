"""NumPy and CuPy: whole-array operations."""

from ..arrays import Array, namespace
from . import (
    log_softmax,
    log_softmax_grad,
    probability_cross_entropy,
    probability_cross_entropy_grad,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_grad,
    softmax_grad,
)


def _shifted(x: Array) -> Array:
    """x minus the maximum of its row: exp cannot overflow, and the largest term is 1."""
    top = x.max(axis=-1, keepdims=True)
    # inf - inf is NaN and would warn; the row becomes NaN all the same.
    return x - namespace(x).where(abs(top) == namespace(x).inf, namespace(x).nan, top)


@softmax.implementation("array", on=("numpy", "cupy"))
def softmax_array(x: Array, *, out: Array) -> None:
    if x.size:
        namespace(x).exp(_shifted(x), out=out)
        out /= out.sum(axis=-1, keepdims=True)


@softmax_grad.implementation("array", on=("numpy", "cupy"))
def softmax_grad_array(g: Array, y: Array, *, out: Array) -> None:
    namespace(g).multiply(y, g - (g * y).sum(axis=-1, keepdims=True), out=out)


@log_softmax.implementation("array", on=("numpy", "cupy"))
def log_softmax_array(x: Array, *, out: Array) -> None:
    if x.size:
        xp, shifted = namespace(x), _shifted(x)
        xp.subtract(shifted, xp.log(xp.exp(shifted).sum(axis=-1, keepdims=True)), out=out)


@log_softmax_grad.implementation("array", on=("numpy", "cupy"))
def log_softmax_grad_array(g: Array, y: Array, *, out: Array) -> None:
    xp = namespace(g)
    xp.subtract(g, xp.exp(y) * g.sum(axis=-1, keepdims=True), out=out)


@softmax_cross_entropy.implementation("array", on=("numpy", "cupy"))
def softmax_cross_entropy_array(logits: Array, labels: Array, *, out: tuple[Array, Array]) -> None:
    xp = namespace(logits)
    loss, probabilities = out
    if not logits.size:
        return
    shifted = _shifted(logits)
    xp.exp(shifted, out=probabilities)
    total = probabilities.sum(axis=-1, keepdims=True)
    probabilities /= total
    picked = xp.take_along_axis(shifted, xp.asarray(labels)[:, None], axis=1)
    loss[...] = (xp.log(total) - picked)[:, 0]


@softmax_cross_entropy_grad.implementation("array", on=("numpy", "cupy"))
def softmax_cross_entropy_grad_array(g: Array, probabilities: Array, labels: Array, *, out: Array) -> None:
    xp = namespace(g)
    out[...] = probabilities
    out[xp.arange(g.shape[0]), xp.asarray(labels)] -= 1
    out *= g[:, None]


@probability_cross_entropy.implementation("array", on=("numpy", "cupy"))
def probability_cross_entropy_array(output: Array, labels: Array, *, epsilon: float, out: tuple[Array, Array]) -> None:
    xp = namespace(output)
    loss, p = out
    xp.divide(output[xp.arange(labels.shape[0]), xp.asarray(labels)], output.sum(axis=-1), out=p)
    loss[...] = -xp.log(xp.minimum(xp.maximum(p, epsilon), 1 - epsilon))


@probability_cross_entropy_grad.implementation("array", on=("numpy", "cupy"))
def probability_cross_entropy_grad_array(
    g: Array, output: Array, p: Array, labels: Array, *, epsilon: float, out: Array
) -> None:
    xp = namespace(g)
    places = (xp.arange(g.shape[0]), xp.asarray(labels))
    inside = (p >= epsilon) & (p <= 1 - epsilon)
    g = xp.where(inside, g, 0)
    out[...] = (g / output.sum(axis=-1))[:, None]
    out[places] -= g / xp.where(inside, output[places], 1)  # 0 / 0 would be NaN where a probability is 0
