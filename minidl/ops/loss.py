"""Cross-entropies and the one-hot coding; formulas are those of Keras 3 on its JAX and NumPy backends."""

import math
from typing import Any

import numpy as np

import minidl_kernels as kernels
from minidl import config
from minidl.engine.op import op
from minidl.engine.tensor import Tensor, raw
from minidl_kernels.arrays import Array, namespace

from .activation import log_softmax, softmax, softmax_grad, softplus
from .arithmetic import add, cast, clip, divide, log, multiply, negative, square, subtract, where
from .elementary import log10
from .reductions import max, mean, sum
from .shaping import broadcast_to, expand_dims, getitem, moveaxis, reshape, scatter_add, squeeze

__all__ = [
    "binary_crossentropy", "categorical_crossentropy", "one_hot", "probability_cross_entropy",
    "probability_cross_entropy_composed", "softmax_cross_entropy",
    "softmax_cross_entropy_composed", "sparse_categorical_crossentropy",
    "multi_hot", "psnr",
]  # fmt: skip


@op(constant=True)
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Array:
    """Rows of zeros with a one at each label; a label out of range gives a row of zeros (as Keras)."""
    xp = namespace(x)
    labels = xp.asarray(x)
    coded = (xp.expand_dims(labels, -1) == xp.arange(num_classes)).astype(dtype or config.floatx())
    return coded if axis in (-1, coded.ndim - 1) else xp.moveaxis(coded, -1, axis)


def multi_hot(inputs: Any, num_classes: int | None = None, axis: int = -1, dtype: Any = None) -> Any:
    """Rows of zeros with ones at all labels of a row: (n, labels) gives (n, num_classes), (labels,) (num_classes,).

    Raises:
        ValueError: without ``num_classes``.
    """
    if num_classes is None:
        raise ValueError("multi_hot: num_classes must be a whole number, not None")
    return max(one_hot(inputs, num_classes, axis, dtype), axis=1 if len(inputs.shape) > 1 else 0)


def psnr(x1: Any, x2: Any, max_val: float) -> Any:
    """The peak signal-to-noise ratio in decibels, 10 log10(max_val^2 / mean((x1 - x2)^2)): of a picture and its copy.

    Args:
        max_val: the largest value that there can be, 255 or 1.

    Raises:
        ValueError: the shapes differ.
    """
    if tuple(x1.shape) != tuple(x2.shape):
        raise ValueError(f"x1 and x2 must have one shape, not {tuple(x1.shape)} and {tuple(x2.shape)}")
    return 20 * math.log10(max_val) - 10 * log10(mean(square(subtract(x1, x2))))


@op(outputs=("y", "probabilities"))
def softmax_cross_entropy(logits: Any, labels: Any) -> tuple[Array, Array]:
    """-log softmax(logits)[label] of every row, softmax and logarithm in one pass.

    Args:
        logits: (n, classes).
        labels: (n,) whole numbers from 0 to classes - 1.

    Returns:
        The losses (n,), and the probabilities (n, classes) as constants.
    """
    return kernels.softmax_cross_entropy(logits, labels)


@softmax_cross_entropy.grad("logits")
def _(g, logits, labels, probabilities):
    return softmax_cross_entropy_grad(g, logits, probabilities, labels)


@op
def softmax_cross_entropy_grad(upstream: Any, logits: Any, probabilities: Any, labels: Any) -> Array:
    """(softmax(logits) - one_hot(label)) * upstream for every row; ``probabilities`` are softmax(logits)."""
    return kernels.softmax_cross_entropy_grad(upstream, probabilities, labels)


@softmax_cross_entropy_grad.grad("upstream")
def _(g, logits, labels):
    # Not of the probabilities at hand: they are a constant, and this may be differentiated again.
    coded = one_hot(labels, logits.shape[-1], dtype=g.dtype)
    return sum(multiply(g, subtract(softmax(logits), coded)), axis=-1)


@softmax_cross_entropy_grad.grad("logits")
def _(g, upstream, logits):
    return softmax_grad(multiply(g, expand_dims(upstream, -1)), softmax(logits))


def softmax_cross_entropy_composed(logits: Any, labels: Any) -> Any:
    """What ``softmax_cross_entropy`` computes, one op at a time."""
    return negative(sum(multiply(one_hot(labels, logits.shape[-1], dtype=logits.dtype), log_softmax(logits)), axis=-1))


@op(outputs=("y", "probability"))
def probability_cross_entropy(output: Any, labels: Any, epsilon: float) -> tuple[Array, Array]:
    """-log(p) of every row, p = output[label] / sum(output) clipped to [epsilon, 1 - epsilon], in one op.

    Args:
        output: (n, classes), not negative.
        labels: (n,) whole numbers from 0 to classes - 1.

    Returns:
        The losses (n,), and p before the clipping (n,) as a constant.
    """
    return kernels.probability_cross_entropy(output, labels, epsilon=epsilon)


@probability_cross_entropy.grad("output")
def _(g, output, labels, epsilon, probability):
    if not isinstance(g, Tensor):
        return kernels.probability_cross_entropy_grad(g, output, probability, labels, epsilon=epsilon)
    # A clipped p is constant; else the loss is log(sum(output)) - log(output[label]).
    inside = (probability >= epsilon) & (probability <= 1 - epsilon)
    places = (namespace(labels).arange(labels.shape[0]), labels)
    g = g * cast(inside, g.dtype)
    of_sum = expand_dims(g / output.sum(axis=-1), -1)
    picked = where(inside, getitem(output, places), 1.0)  # 0 / 0 would be NaN where a probability is 0
    return broadcast_to(of_sum, output.shape) - scatter_add(g / picked, places, output.shape)


def probability_cross_entropy_composed(output: Any, labels: Any, epsilon: float) -> Any:
    """What ``probability_cross_entropy`` computes, one op at a time."""
    p = divide(getitem(output, (namespace(labels).arange(labels.shape[0]), labels)), sum(output, axis=-1))
    return negative(log(clip(p, epsilon, 1 - epsilon)))


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-sum(target * log(p)) over ``axis``; p is ``output`` divided by its sum and clipped to [epsilon, 1 - epsilon].

    Args:
        target: probabilities (often one-hot), of output's shape.
        output: probabilities, or logits with ``from_logits``.
    """
    _same_shape("categorical_crossentropy", target, output)
    return negative(sum(multiply(target, _log_probabilities(output, from_logits, axis)), axis=axis))


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """The categorical cross-entropy for whole-number labels, of output's shape without ``axis`` (or with 1 there)."""
    if len(target.shape) == len(output.shape) and target.shape[-1] == 1:
        target = squeeze(target, axis=-1)
    output = output if axis in (-1, len(output.shape) - 1) else moveaxis(output, axis, -1)
    if tuple(target.shape) != tuple(output.shape[:-1]):
        hint = "; is a Flatten() missing in front of the last Dense?" if len(target.shape) == 1 else ""
        raise ValueError(
            f"sparse_categorical_crossentropy: labels of shape {tuple(target.shape)} do not fit outputs of shape "
            f"{tuple(output.shape)}: one whole number for each row of {output.shape[-1]} is expected{hint}"
        )
    classes = output.shape[-1]
    labels = np.asarray(raw(target)) if isinstance(raw(target), (list, tuple)) else raw(target)
    labels = labels.astype("int64", copy=False).reshape(-1)
    rows = output if len(output.shape) == 2 else reshape(output, (-1, classes))
    if from_logits:
        losses = softmax_cross_entropy(rows, labels)[0]
    else:
        losses = probability_cross_entropy(rows, labels, config.current.epsilon)[0]
    return losses if len(output.shape) == 2 else reshape(losses, output.shape[:-1])


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """-(t log(p) + (1 - t) log(1 - p)), elementwise; p is clipped to [epsilon, 1 - epsilon]."""
    _same_shape("binary_crossentropy", target, output)
    if from_logits:  # softplus(x) - t x, which overflows nowhere
        return subtract(softplus(output), multiply(target, output))
    p = clip(output, config.epsilon(), 1 - config.epsilon())
    return negative(add(multiply(target, log(p)), multiply(subtract(1.0, target), log(subtract(1.0, p)))))


def _log_probabilities(output: Any, from_logits: bool, axis: int) -> Any:
    if from_logits:
        return log_softmax(output, axis=axis)
    p = divide(output, sum(output, axis=axis, keepdims=True))
    return log(clip(p, config.epsilon(), 1 - config.epsilon()))


def _same_shape(name: str, target: Any, output: Any) -> None:
    if tuple(target.shape) != tuple(output.shape):
        raise ValueError(f"{name}: targets of shape {tuple(target.shape)} for outputs of shape {tuple(output.shape)}")
