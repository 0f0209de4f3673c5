"""Products of vectors and tensors, norms, and square matrices: inverse, determinant, systems of equations.

A matrix may be a stack of matrices, (..., n, n). The derivatives are those of M. Giles, "An extended collection of
matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).
"""

import builtins
import math
from typing import Any

import numpy as np

from minidl.engine.op import op
from minidl_kernels.arrays import Array, namespace

from .arithmetic import (
    abs,
    cast,
    divide,
    floating,
    log,
    multiply,
    not_equal,
    power,
    sign,
    sqrt,
    square,
    subtract,
    where,
)  # fmt: skip
from .arranging import diagonal, tril
from .custom import of_extents
from .products import matmul
from .reductions import max, mean, min, sum
from .shaping import (
    axes_of,
    concatenate,
    expand_dims,
    getitem,
    matrix_transpose,
    moveaxis,
    ravel,
    reshape,
    squeeze,
    stack,
    transpose,
)  # fmt: skip

__all__ = [
    "cdist", "cholesky", "corrcoef", "correlate", "cross", "det", "inner", "inv", "kron", "logdet", "norm",
    "outer", "slogdet", "solve", "solve_triangular", "tensordot", "vander", "vdot",
]  # fmt: skip


def outer(x1: Any, x2: Any) -> Any:
    """Every element of x1 times every element of x2, (n, m)."""
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


@of_extents
def inner(x1: Any, x2: Any) -> Any:
    """The sum over the last axes of both: (..., k) and (..., k) give all other axes of x1, then those of x2."""
    if len(x1.shape) == 0 or len(x2.shape) == 0:
        return multiply(x1, x2)
    return tensordot(x1, x2, axes=[[-1], [-1]])


def vdot(x1: Any, x2: Any) -> Any:
    """The sum of the products of all elements."""
    return sum(multiply(ravel(x1), ravel(x2)))


@of_extents
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """The sum over pairs of axes: the last n of x1 with the first n of x2, or the named ones.

    Args:
        axes: a number n, or ([axes of x1], [axes of x2]).
    """
    n1, n2 = len(x1.shape), len(x2.shape)
    if isinstance(axes, int):
        left, right = tuple(range(n1 - axes, n1)), tuple(range(axes))
    else:
        left, right = (axes_of(a if isinstance(a, int) else tuple(a), n) for a, n in zip(axes, (n1, n2), strict=True))
    if [x1.shape[a] for a in left] != [x2.shape[b] for b in right]:
        raise ValueError(
            f"tensordot: axes {left} of {tuple(x1.shape)} and {right} of {tuple(x2.shape)} differ in extent"
        )
    free1, free2 = ([a for a in range(n) if a not in used] for n, used in ((n1, left), (n2, right)))
    summed = math.prod(x1.shape[a] for a in left)
    rows = reshape(
        transpose(x1, (*free1, *left)), (-1, summed) if summed else (math.prod(x1.shape[a] for a in free1), 0)
    )
    columns = reshape(
        transpose(x2, (*right, *free2)), (summed, -1) if summed else (0, math.prod(x2.shape[b] for b in free2))
    )
    return reshape(matmul(rows, columns), (*(x1.shape[a] for a in free1), *(x2.shape[b] for b in free2)))


@of_extents
def kron(x1: Any, x2: Any) -> Any:
    """The Kronecker product: every element of x1 times the whole of x2, in its place."""
    ndim = builtins.max(len(x1.shape), len(x2.shape))
    a, b = ((1,) * (ndim - len(x.shape)) + tuple(x.shape) for x in (x1, x2))
    spread1 = reshape(x1, tuple(n for extent in a for n in (extent, 1)))
    spread2 = reshape(x2, tuple(n for extent in b for n in (1, extent)))
    return reshape(multiply(spread1, spread2), tuple(m * n for m, n in zip(a, b, strict=True)))


@of_extents
def cross(x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The cross product of vectors with 2 or 3 components, (..., 3); of two with 2 components its last component."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    if x1.shape[-1] not in (2, 3) or x2.shape[-1] not in (2, 3):
        raise ValueError(f"cross: vectors need 2 or 3 components, not {x1.shape[-1]} and {x2.shape[-1]}")
    a, b = ([x[..., i] for i in range(x.shape[-1])] for x in (x1, x2))
    last = a[0] * b[1] - a[1] * b[0]
    if len(a) == len(b) == 2:
        return last
    a, b = ([*v, multiply(v[0], 0)] if len(v) == 2 else v for v in (a, b))
    return moveaxis(stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], last], axis=-1), -1, axisc)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors (one axis) or matrices (two axes).

    Args:
        ord: None (the root of the sum of squares), "fro", inf, -inf, 1, -1, and of vectors 0 and any p.
        axis: None takes all elements as one vector (or, with ``ord``, x itself as vector or matrix).

    Raises:
        ValueError: an order that there is not for so many axes ("nuc" and 2 of matrices need singular values).
    """
    if axis is None and ord is None:
        return sqrt(sum(square(ravel(x)), keepdims=False)) if not keepdims else reshape(norm(x), (1,) * len(x.shape))
    axes = axes_of(axis if axis is None or isinstance(axis, int) else tuple(axis), len(x.shape))
    if ord is None or ord == "fro" and len(axes) == 2:
        return sqrt(sum(square(x), axis=axes, keepdims=keepdims))
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2 and ord in (1, -1, math.inf, -math.inf):
        summed, kept = axes if builtins.abs(ord) == 1 else axes[::-1]
        extreme = max if ord > 0 else min
        y = extreme(sum(abs(x), axis=summed, keepdims=True), axis=kept, keepdims=True)
        return y if keepdims else squeeze(y, axis=axes)
    raise ValueError(f"norm: ord={ord!r} over axes {axes} is not supported")


def _vector_norm(x: Any, ord: Any, axis: int, keepdims: bool) -> Any:
    if not isinstance(ord, (int, float)):
        raise ValueError(f"norm: ord={ord!r} is not an order of vectors")
    if ord in (math.inf, -math.inf):
        return (max if ord > 0 else min)(abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return sum(cast(not_equal(x, 0), x.dtype), axis=axis, keepdims=keepdims)
    return power(sum(power(abs(x), float(ord)), axis=axis, keepdims=keepdims), 1.0 / ord)


def cdist(x: Any, y: Any) -> Any:
    """The Euclidean distance of every row of x, (n, k), to every row of y, (m, k): (n, m)."""
    return norm(subtract(expand_dims(x, -2), expand_dims(y, -3)), axis=-1)


def corrcoef(x: Any) -> Any:
    """Pearson's correlation of every two rows of x, (variables, observations)."""
    centred = subtract(x, mean(x, axis=-1, keepdims=True))
    scaled = divide(centred, sqrt(sum(square(centred), axis=-1, keepdims=True)))
    return matmul(scaled, matrix_transpose(scaled))


@of_extents
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """The cross-correlation of two rows: sums of products with x2 at every offset.

    Args:
        mode: "valid" (both overlap in full), "same" (as long as the longer row) or "full".
    """
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"correlate: mode must be 'valid', 'same' or 'full', not {mode!r}")
    n, m = x1.shape[0], x2.shape[0]
    padded = concatenate([np.zeros(m - 1, x1.dtype), x1, np.zeros(m - 1, x1.dtype)], axis=0)
    windows = getitem(padded, np.arange(n + m - 1)[:, None] + np.arange(m))
    full = matmul(windows, x2)
    if mode == "full":
        return full
    shorter, longer = sorted((n, m))
    if mode == "valid":
        return full[shorter - 1 : longer]
    start = (shorter - 1) // 2 if n >= m else shorter // 2
    return full[start : start + longer]


@of_extents
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of each element as a row: (n, N), the largest first."""
    n = x.shape[0] if N is None else N
    powers = np.arange(n) if increasing else np.arange(n)[::-1]
    return power(expand_dims(x, -1), powers.astype(x.dtype))


@op
def inv(x: Any) -> Array:
    """The inverse of square matrices.

    Raises:
        LinAlgError: a matrix is singular.
    """
    return namespace(x).linalg.inv(floating(x))


@inv.grad("x")
def _(g, y):
    across = matrix_transpose(y)
    return -matmul(matmul(across, g), across)


@op
def solve(a: Any, b: Any) -> Array:
    """x with a x = b; a (..., n, n), b (..., n, k) or (n,).

    Raises:
        LinAlgError: a is singular.
    """
    return namespace(a).linalg.solve(floating(a), floating(b))


@solve.grad("a")
def _(g, a, y):
    back = solve(matrix_transpose(a), g)
    return -(outer(back, y) if len(y.shape) == 1 else matmul(back, matrix_transpose(y)))


@solve.grad("b")
def _(g, a):
    return solve(matrix_transpose(a), g)


@of_extents
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """As ``solve``, of the upper (or lower) triangle of a."""
    rows, columns = np.indices(tuple(a.shape[-2:]), sparse=True)
    return solve(where(columns <= rows if lower else columns >= rows, a, 0), b)


@op
def det(x: Any) -> Array:
    """The determinant of square matrices."""
    return namespace(x).asarray(namespace(x).linalg.det(floating(x)))


@det.grad("x")
def _(g, x, y):
    return (g * y)[..., None, None] * matrix_transpose(inv(x))


def slogdet(x: Any) -> tuple[Any, Any]:
    """The sign of the determinant, and the logarithm of its absolute value."""
    d = det(x)
    return sign(d), log(abs(d))


@of_extents
def logdet(x: Any) -> Any:
    """The logarithm of the determinant of symmetric positive definite matrices."""
    return multiply(sum(log(diagonal(cholesky(x), axis1=-2, axis2=-1)), axis=-1), 2.0)


@of_extents
def cholesky(x: Any, upper: bool = False) -> Any:
    """The lower triangle L with L L^T = x (or upper U with U^T U = x), of symmetric positive definite matrices.

    Raises:
        LinAlgError: a matrix is not positive definite.
    """
    lower = cholesky_factor(x)
    return matrix_transpose(lower) if upper else lower


@op
def cholesky_factor(x: Any) -> Array:
    """The lower triangle L with L L^T = x."""
    return namespace(x).linalg.cholesky(floating(x))


@cholesky_factor.grad("x")
def _(g, y):
    # L^-T Phi(L^T g) L^-1, made symmetric; Phi takes the lower triangle with half of the diagonal.
    product = tril(matmul(matrix_transpose(y), g))
    half = multiply(product, 1 - 0.5 * np.eye(y.shape[-1], dtype=y.dtype))
    inverse = inv(y)
    whole = matmul(matmul(matrix_transpose(inverse), half), inverse)
    return (whole + matrix_transpose(whole)) * 0.5
