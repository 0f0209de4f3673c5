"""CuPy: one thread a result (pool.cu)."""

from ..arrays import Array
from ..conv.geometry import Pair, Shape
from ..cuda import Program, blocks
from ..cuda.window import limited, window
from ..on_cpu import contiguous
from . import average_pool, average_pool_grad, max_pool, max_pool_gather, max_pool_scatter

pool = Program("pool.cu", __file__)
THREADS = 256


def _each(
    name: str,
    out: Array,
    arrays: tuple[Array, ...],
    pictures: Shape,
    size: Shape,
    cells: Pair,
    strides: Pair,
    padding: str,
) -> None:
    of_window = window(pictures, size, cells, strides, padding)
    pool(name, (blocks(out.size, THREADS),), (THREADS,), *arrays, out, of_window)


@max_pool.implementation("cuda", on="cupy", accepts=limited)
@contiguous
def max_pool_cuda(x: Array, *, pool_size: Pair, strides: Pair, padding: str, out: Array) -> None:
    _each("max_pool_forward", out, (x,), x.shape, out.shape[1:3], pool_size, strides, padding)


@max_pool_gather.implementation("cuda", on="cupy", accepts=limited)
@contiguous
def max_pool_gather_cuda(v: Array, x: Array, *, pool_size: Pair, strides: Pair, padding: str, out: Array) -> None:
    _each("max_pool_pick", out, (v, x), x.shape, out.shape[1:3], pool_size, strides, padding)


@max_pool_scatter.implementation("cuda", on="cupy", accepts=limited)
@contiguous
def max_pool_scatter_cuda(g: Array, x: Array, *, pool_size: Pair, strides: Pair, padding: str, out: Array) -> None:
    _each("max_pool_gradient", out, (g, x), x.shape, g.shape[1:3], pool_size, strides, padding)


@average_pool.implementation("cuda", on="cupy", accepts=limited)
@contiguous
def average_pool_cuda(x: Array, *, pool_size: Pair, strides: Pair, padding: str, out: Array) -> None:
    _each("average_pool_forward", out, (x,), x.shape, out.shape[1:3], pool_size, strides, padding)


@average_pool_grad.implementation("cuda", on="cupy", accepts=limited)
@contiguous
def average_pool_grad_cuda(
    g: Array, *, input_shape: Shape, pool_size: Pair, strides: Pair, padding: str, out: Array
) -> None:
    _each("average_pool_gradient", out, (g,), input_shape, g.shape[1:3], pool_size, strides, padding)
