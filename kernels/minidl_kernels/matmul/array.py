"""NumPy and CuPy: the library's own product."""

from ..arrays import Array, namespace
from . import column_sum, dense, dense_weight_grad, matmul


@matmul.implementation("array", on=("numpy", "cupy"))
def matmul_array(a: Array, b: Array, *, transpose_a: bool, transpose_b: bool, out: Array) -> None:
    a = a.swapaxes(-1, -2) if transpose_a else a
    b = b.swapaxes(-1, -2) if transpose_b else b
    namespace(a).matmul(a, b, out=out)


@dense.implementation("array", on=("numpy", "cupy"))
def dense_array(x: Array, w: Array, b: Array, *, activation: str | None, out: Array) -> None:
    xp = namespace(x)
    if out.flags.c_contiguous:  # one product instead of one for each picture or time step
        x, out = x.reshape(-1, x.shape[-1]) if x.size else x, out.reshape(-1, out.shape[-1]) if x.size else out
    xp.matmul(x, w, out=out)
    out += b
    if activation == "relu":
        xp.maximum(out, 0, out=out)


@dense_weight_grad.implementation("array", on=("numpy", "cupy"))
def dense_weight_grad_array(x: Array, g: Array, *, out: tuple[Array, Array]) -> None:
    namespace(x).matmul(x.T, g, out=out[0])
    g.sum(axis=0, out=out[1])


@column_sum.implementation("array", on=("numpy", "cupy"))
def column_sum_array(g: Array, *, out: Array) -> None:
    g.sum(axis=tuple(range(g.ndim - 1)), out=out)
