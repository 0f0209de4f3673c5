"""CuPy: products on tensor cores, in TF32 (matmul_tf32.cu). The setting asks for them; cuBLAS has all others."""

import math

import numpy as np

from ..arrays import Array
from ..cuda import Program
from ..cuda.columns import column_sum as sum_of_columns
from ..cuda.tensor import LEAST, THREADS, asked_for, refused, tiles
from ..on_cpu import contiguous
from . import dense, dense_weight_grad, matmul
from .cuda import launches

products = Program("matmul_tf32.cu", __file__, LEAST)
MATRICES = np.dtype(
    [("rows", np.int32), ("columns", np.int32), ("inner", np.int32), ("each_a", np.int64), ("each_b", np.int64)],
    align=True,
)
TURNED = {
    (False, False): "matmul_tf32",
    (False, True): "matmul_tf32_turned_b",
    (True, False): "matmul_tf32_turned_a",
    (True, True): "matmul_tf32_turned_both",
}


@matmul.implementation("cuda_tf32", on="cupy", accepts=refused, pays=asked_for)
@contiguous
def matmul_tf32(a: Array, b: Array, *, transpose_a: bool, transpose_b: bool, out: Array) -> None:
    rows, columns = out.shape[-2:]
    inner = a.shape[-2 if transpose_a else -1]
    each_a, each_b = (math.prod(x.shape[-2:]) if x.ndim > 2 else 0 for x in (a, b))
    matrices = np.array((rows, columns, inner, each_a, each_b), MATRICES)
    for *arrays, count in launches(a, b, out):
        products(TURNED[transpose_a, transpose_b], (*tiles(rows, columns), count), (THREADS,), *arrays, matrices)


@dense.implementation("cuda_tf32", on="cupy", accepts=refused, pays=asked_for)
@contiguous
def dense_tf32(x: Array, w: Array, b: Array, *, activation: str | None, out: Array) -> None:
    inner, columns = w.shape
    rows = math.prod(x.shape[:-1])
    relu = activation == "relu"
    products("dense_forward_tf32", tiles(rows, columns), (THREADS,), x, w, b, out, rows, columns, inner, relu)


@dense_weight_grad.implementation("cuda_tf32", on="cupy", accepts=refused, pays=asked_for)
@contiguous
def dense_weight_grad_tf32(x: Array, g: Array, *, out: tuple[Array, Array]) -> None:
    matmul_tf32(x, g, transpose_a=True, transpose_b=False, out=out[0])
    sum_of_columns(g, out[1])
