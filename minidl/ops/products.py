"""Matrix products: everything dense."""

from typing import Any

import minidl_kernels as kernels
from minidl.engine.op import op
from minidl.engine.tensor import Tensor, operations
from minidl_kernels.arrays import Array

from .activation import relu, relu_grad
from .arithmetic import add, multiply
from .reductions import sum
from .shaping import expand_dims, moveaxis, reshape, squeeze

__all__ = ["dense", "dense_composed", "dot", "matmul"]


@op
def matrix_product(x1: Any, x2: Any, transpose_1: bool = False, transpose_2: bool = False) -> Array:
    """The product of two matrices, or of stacks of them, (..., m, k) and (..., k, n); each may be transposed first."""
    if x1.flags.c_contiguous and x2.flags.c_contiguous:
        return kernels.matmul(x1, x2, transpose_a=transpose_1, transpose_b=transpose_2)
    # A transposed view of a row-major matrix is read where it lies, not copied.
    t1, t2 = _is_transposed(x1), _is_transposed(x2)
    return kernels.matmul(
        x1.T if t1 else x1, x2.T if t2 else x2, transpose_a=t1 != transpose_1, transpose_b=t2 != transpose_2
    )


@matrix_product.grad("x1")
def _(g, x2, transpose_1, transpose_2):
    # g x2^T, and the transpose of that where x1 was transposed.
    return matrix_product(x2, g, transpose_2, True) if transpose_1 else matrix_product(g, x2, False, not transpose_2)


@matrix_product.grad("x2")
def _(g, x1, transpose_1, transpose_2):
    return matrix_product(g, x1, True, transpose_1) if transpose_2 else matrix_product(x1, g, not transpose_1, False)


def _is_transposed(x: Any) -> bool:
    return not x.flags.c_contiguous and x.ndim == 2 and x.flags.f_contiguous


def matmul(x1: Any, x2: Any) -> Any:
    """The matrix product with NumPy's rules: stacks broadcast, a vector is a row on the left and a column on the right.

    Raises:
        ValueError: inner extents that differ.
    """
    left, right = len(x1.shape) == 1, len(x2.shape) == 1
    y = matrix_product(expand_dims(x1, 0) if left else x1, expand_dims(x2, 1) if right else x2)
    if right:
        y = squeeze(y, axis=-1)
    return squeeze(y, axis=-1 if right else -2) if left else y


def dot(x1: Any, x2: Any) -> Any:
    """The sum over the last axis of x1 and the second last (or only) axis of x2, as NumPy's dot.

    Stacks of matrices do not broadcast, as they do in ``matmul``: all other axes appear in the result.
    """
    if len(x1.shape) == 0 or len(x2.shape) == 0:
        return multiply(x1, x2)
    if len(x2.shape) <= 2:
        return matmul(x1, x2)
    rows = moveaxis(x2, -2, 0)
    y = matmul(x1, reshape(rows, (rows.shape[0], -1)))
    return reshape(y, (*x1.shape[:-1], *rows.shape[1:]))


@op
def dense(x: Any, kernel: Any, bias: Any, activation: str | None = None) -> Array:
    """activation(x @ kernel + bias) in one pass; x (..., k), kernel (k, n), bias (n,); activation None or "relu"."""
    return kernels.dense(x, kernel, bias, activation=activation)


@dense.upstream
def _(g, y, activation):
    return relu_grad(g, y) if activation == "relu" else g


@dense.grad("x")
def _(g, kernel):
    return matrix_product(g, kernel, False, True)


@dense.grad("kernel", "bias")
def _(g, x):
    if len(x.shape) != 2:
        x, g = reshape(x, (-1, x.shape[-1])), reshape(g, (-1, g.shape[-1]))
    if isinstance(g, Tensor):
        return matrix_product(x, g, True, False), sum(g, axis=0)
    return kernels.dense_weight_grad(x, g)


def dense_composed(x: Any, kernel: Any, bias: Any, activation: str | None = None) -> Any:
    """What ``dense`` computes, one op at a time."""
    y = add(matmul(x, kernel), bias)
    return relu(y) if activation == "relu" else y


operations.matmul = matmul
