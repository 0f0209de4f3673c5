"""The definitions, as plain loops. Sums are kept in float64 and rounded once."""

import numpy as np

from ..arrays import Array
from . import column_sum, dense, dense_weight_grad, matmul


@matmul.implementation("reference", on="numpy")
def matmul_reference(a: Array, b: Array, *, transpose_a: bool, transpose_b: bool, out: Array) -> None:
    a = a.swapaxes(-1, -2) if transpose_a else a
    b = b.swapaxes(-1, -2) if transpose_b else b
    stack = out.shape[:-2]
    a = np.broadcast_to(a, stack + a.shape[-2:])
    b = np.broadcast_to(b, stack + b.shape[-2:])
    for s in np.ndindex(stack):
        for i in range(out.shape[-2]):
            for j in range(out.shape[-1]):
                total = 0.0
                for k in range(a.shape[-1]):
                    total += float(a[(*s, i, k)]) * float(b[(*s, k, j)])
                out[(*s, i, j)] = total


@dense.implementation("reference", on="numpy")
def dense_reference(x: Array, w: Array, b: Array, *, activation: str | None, out: Array) -> None:
    for row in np.ndindex(x.shape[:-1]):
        for j in range(w.shape[1]):
            total = float(b[j])
            for k in range(w.shape[0]):
                total += float(x[(*row, k)]) * float(w[k, j])
            out[(*row, j)] = 0.0 if activation == "relu" and total < 0 else total


@dense_weight_grad.implementation("reference", on="numpy")
def dense_weight_grad_reference(x: Array, g: Array, *, out: tuple[Array, Array]) -> None:
    of_w, of_b = out
    for k, n in np.ndindex(of_w.shape):
        of_w[k, n] = sum(float(x[m, k]) * float(g[m, n]) for m in range(x.shape[0]))
    for n in range(g.shape[1]):
        of_b[n] = sum(float(g[m, n]) for m in range(g.shape[0]))


@column_sum.implementation("reference", on="numpy")
def column_sum_reference(g: Array, *, out: Array) -> None:
    for j in range(g.shape[-1]):
        total = 0.0
        for row in np.ndindex(g.shape[:-1]):
            total += float(g[(*row, j)])
        out[j] = total
