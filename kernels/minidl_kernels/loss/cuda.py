"""CuPy: one warp a row (softmax.cu, cross_entropy.cu)."""

from typing import Any

from ..arrays import Array
from ..cuda import Program, blocks
from ..on_cpu import contiguous
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

rows_of_logits = Program("softmax.cu", __file__)
rows_with_labels = Program("cross_entropy.cu", __file__)
BLOCK = (32, 4)  # a row is a warp's; four to a block, since a multiprocessor holds fewer blocks than warps


def _each_row(program: Program, name: str, matrix: Array, *arguments: Any) -> None:
    classes = matrix.shape[-1]
    rows = matrix.size // classes if classes else 0
    program(name, (blocks(rows, BLOCK[1]),), BLOCK, *arguments[:-1], rows, classes, *arguments[-1])


def _whole(labels: Array) -> Array:
    return labels.astype("int64", copy=False)


@softmax.implementation("cuda", on="cupy")
@contiguous
def softmax_cuda(x: Array, *, out: Array) -> None:
    _each_row(rows_of_logits, "softmax_forward", x, x, out, ())


@softmax_grad.implementation("cuda", on="cupy")
@contiguous
def softmax_grad_cuda(g: Array, y: Array, *, out: Array) -> None:
    _each_row(rows_of_logits, "softmax_gradient", g, g, y, out, ())


@log_softmax.implementation("cuda", on="cupy")
@contiguous
def log_softmax_cuda(x: Array, *, out: Array) -> None:
    _each_row(rows_of_logits, "log_softmax_forward", x, x, out, ())


@log_softmax_grad.implementation("cuda", on="cupy")
@contiguous
def log_softmax_grad_cuda(g: Array, y: Array, *, out: Array) -> None:
    _each_row(rows_of_logits, "log_softmax_gradient", g, g, y, out, ())


@softmax_cross_entropy.implementation("cuda", on="cupy")
@contiguous
def softmax_cross_entropy_cuda(logits: Array, labels: Array, *, out: tuple[Array, Array]) -> None:
    _each_row(rows_with_labels, "softmax_cross_entropy_forward", logits, logits, _whole(labels), *out, ())


@softmax_cross_entropy_grad.implementation("cuda", on="cupy")
@contiguous
def softmax_cross_entropy_grad_cuda(g: Array, probabilities: Array, labels: Array, *, out: Array) -> None:
    arrays = g, probabilities, _whole(labels), out
    _each_row(rows_with_labels, "softmax_cross_entropy_gradient", out, *arrays, ())


@probability_cross_entropy.implementation("cuda", on="cupy")
@contiguous
def probability_cross_entropy_cuda(output: Array, labels: Array, *, epsilon: float, out: tuple[Array, Array]) -> None:
    arrays = (output, _whole(labels), *out)
    _each_row(rows_with_labels, "probability_cross_entropy_forward", output, *arrays, (float(epsilon),))


@probability_cross_entropy_grad.implementation("cuda", on="cupy")
@contiguous
def probability_cross_entropy_grad_cuda(
    g: Array, output: Array, p: Array, labels: Array, *, epsilon: float, out: Array
) -> None:
    arrays = g, output, p, _whole(labels), out
    _each_row(rows_with_labels, "probability_cross_entropy_gradient", output, *arrays, (float(epsilon),))
