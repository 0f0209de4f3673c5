"""CuPy: products in tiles (matmul.cu), to be read and measured against; and sums of columns.

The default for products stays with ``array.py``, which asks cuBLAS through CuPy: these run where they are asked for,
``with matmul.use("cuda"):`` or ``with matmul.use("cuda_naive"):``.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..arrays import Array, namespace
from ..cuda import Program, blocks, parts
from ..cuda.columns import column_sum as sum_of_columns
from ..cuda.tile import THREADS, tiles
from ..on_cpu import contiguous
from . import column_sum, dense, dense_weight_grad, matmul

products = Program("matmul.cu", __file__)
MATRIX = np.dtype([("across", np.int64), ("along", np.int64), ("each", np.int64)])
SQUARE = 16


def _leave_to_cublas(*arrays: Any, **settings: Any) -> bool:
    return False


def _matrix(x: Array, transposed: bool) -> np.ndarray:
    """How to walk through each matrix of a contiguous stack."""
    rows, columns = x.shape[-2:]
    return np.array((*((1, columns) if transposed else (columns, 1)), rows * columns if x.ndim > 2 else 0), MATRIX)


def launches(a: Array, b: Array, out: Array) -> Iterator[tuple[Array, Array, Array, int]]:
    """(a, b, out, how many matrices) of each launch; a matrix that a whole stack has in common stays one."""
    stack, xp = out.shape[:-2], namespace(out)
    count = math.prod(stack)

    def side_by_side(x: Array) -> Array:
        whole = xp.ascontiguousarray(xp.broadcast_to(x, stack + x.shape[-2:]))
        return whole.reshape(count, *x.shape[-2:])

    a, b = (x if x.ndim == 2 else side_by_side(x) for x in (a, b))
    out = out.reshape(count, *out.shape[-2:])
    for some, size in parts(count):
        yield (*(x if x.ndim == 2 else x[some] for x in (a, b, out)), size)


def _product(name: str, a: Array, b: Array, transpose_a: bool, transpose_b: bool, out: Array) -> None:
    rows, columns = out.shape[-2:]
    inner = a.shape[-2 if transpose_a else -1]
    if name == "matmul_blocked":
        grid, block = tiles(rows, columns), (THREADS,)
    else:  # a thread for each result; a block is a square, so that what it fetches is used along both sides
        grid, block = (blocks(columns, SQUARE), blocks(rows, SQUARE)), (SQUARE, SQUARE)
    of_a, of_b = _matrix(a, transpose_a), _matrix(b, transpose_b)
    for *arrays, count in launches(a, b, out):
        products(name, (*grid, count), block, *arrays, of_a, of_b, rows, columns, inner)


@matmul.implementation("cuda", on="cupy", pays=_leave_to_cublas)
@contiguous
def matmul_cuda(a: Array, b: Array, *, transpose_a: bool, transpose_b: bool, out: Array) -> None:
    _product("matmul_blocked", a, b, transpose_a, transpose_b, out)


@matmul.implementation("cuda_tiled", on="cupy")
@contiguous
def matmul_tiled(a: Array, b: Array, *, transpose_a: bool, transpose_b: bool, out: Array) -> None:
    _product("matmul_tiled", a, b, transpose_a, transpose_b, out)


@matmul.implementation("cuda_naive", on="cupy")
@contiguous
def matmul_naive(a: Array, b: Array, *, transpose_a: bool, transpose_b: bool, out: Array) -> None:
    _product("matmul_naive", a, b, transpose_a, transpose_b, out)


@dense.implementation("cuda", on="cupy", pays=_leave_to_cublas)
@contiguous
def dense_cuda(x: Array, w: Array, b: Array, *, activation: str | None, out: Array) -> None:
    inner, columns = w.shape
    rows = math.prod(x.shape[:-1])
    products(
        "dense_forward", tiles(rows, columns), (THREADS,), x, w, b, out, rows, columns, inner, activation == "relu"
    )


@dense_weight_grad.implementation("cuda", on="cupy", pays=_leave_to_cublas)
@contiguous
def dense_weight_grad_cuda(x: Array, g: Array, *, out: tuple[Array, Array]) -> None:
    _product("matmul_blocked", x, g, True, False, out[0])
    sum_of_columns(g, out[1])


@column_sum.implementation("cuda", on="cupy")
@contiguous
def column_sum_cuda(g: Array, *, out: Array) -> None:
    sum_of_columns(g, out)
