"""Products of matrices, and what a Dense layer needs around them.

The products are those of Keras' ``ops.matmul`` and ``layers.Dense``; integers are cast to float32 like everywhere in
the kernels.
"""

import math

from ..arrays import Array
from ..kernel import Output, kernel

__all__ = ["column_sum", "dense", "dense_weight_grad", "matmul"]


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """The common shape of two stacks, or ``None`` where they have none."""
    longest = max(len(a), len(b))
    pairs = zip((1,) * (longest - len(a)) + a, (1,) * (longest - len(b)) + b, strict=True)
    common = []
    for i, j in pairs:
        if i != j and i != 1 and j != 1:
            return None
        common.append(j if i == 1 else i)
    return tuple(common)


@kernel(arrays=2)
def matmul(a: Array, b: Array, *, transpose_a: bool = False, transpose_b: bool = False) -> Output:
    """The matrix product a @ b, of single matrices or of stacks of them.

    Args:
        a: (..., M, K), or (..., K, M) with ``transpose_a``.
        b: (..., K, N), or (..., N, K) with ``transpose_b``. The leading axes of a and b broadcast.
        transpose_a, transpose_b: swap the last two axes first.

    Returns:
        (..., M, N).
    """
    if a.ndim < 2 or b.ndim < 2:
        raise ValueError(f"matmul: a and b need at least 2 axes; they have shapes {a.shape} and {b.shape}")
    m, k = a.shape[:-3:-1] if transpose_a else a.shape[-2:]
    k_of_b, n = b.shape[:-3:-1] if transpose_b else b.shape[-2:]
    if k != k_of_b:
        raise ValueError(
            f"matmul: the inner sizes differ: a{' transposed' if transpose_a else ''} is (..., {m}, {k}), "
            f"b{' transposed' if transpose_b else ''} is (..., {k_of_b}, {n}); expected K = {k} in both"
        )
    if a.ndim == b.ndim == 2:
        return Output((m, n), a.dtype)
    stack = _broadcast(a.shape[:-2], b.shape[:-2])
    if stack is None:
        raise ValueError(f"matmul: the stacks of a {a.shape[:-2]} and of b {b.shape[:-2]} do not broadcast")
    return Output((*stack, m, n), a.dtype)


@kernel(arrays=3)
def dense(x: Array, w: Array, b: Array, *, activation: str | None = None) -> Output:
    """activation(x @ w + b): a fully connected layer in one pass over its output.

    Args:
        x: (..., K).
        w: (K, N).
        b: (N,).
        activation: ``None`` or ``"relu"``.

    Returns:
        (..., N).
    """
    if activation not in (None, "relu"):
        raise ValueError(f'dense: activation must be None or "relu", not {activation!r}')
    if x.ndim < 1 or w.ndim != 2 or x.shape[-1] != w.shape[0]:
        raise ValueError(f"dense: x has shape {x.shape} and w {w.shape}; expected (..., K) and (K, N)")
    if b.shape != w.shape[1:]:
        raise ValueError(f"dense: b has shape {b.shape}; expected {w.shape[1:]}, one number for each column of w")
    return Output((*x.shape[:-1], w.shape[1]), x.dtype)


@kernel(arrays=2)
def dense_weight_grad(x: Array, g: Array) -> tuple[Output, Output]:
    """x^T g and the sum over the rows of g: the gradients of ``dense`` by w and b, in one pass over g.

    Args:
        x: (M, K), what the layer was given.
        g: (M, N), upstream gradient.

    Returns:
        (K, N) and (N,); zeros for an empty batch. The same bits at every call.
    """
    if x.ndim != 2 or g.ndim != 2 or x.shape[0] != g.shape[0]:
        raise ValueError(f"dense_weight_grad: x has shape {x.shape}, g has {g.shape}; expected (M, K) and (M, N)")
    return Output((x.shape[1], g.shape[1]), x.dtype), Output(g.shape[1:], x.dtype)


@kernel(arrays=1)
def column_sum(g: Array) -> Output:
    """The sum over all axes but the last: the gradient of a bias. The same bits at every call.

    Args:
        g: (..., N), at least one axis.

    Returns:
        (N,); zeros where another axis is empty.
    """
    if g.ndim < 1:
        raise ValueError("column_sum: g is a single number; expected (..., N)")
    return Output(g.shape[-1:], g.dtype)


def rows(shape: tuple[int, ...]) -> int:
    """How many rows (..., K) has when the leading axes are flattened into one."""
    return math.prod(shape[:-1])
