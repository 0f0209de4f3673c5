"""CuPy: one launch each (activation.cu)."""

import numpy as np

from ..arrays import Array
from ..cuda import Program, blocks
from ..cuda.columns import column_sum
from ..on_cpu import contiguous
from . import (
    bias_relu,
    leaky_relu,
    leaky_relu_grad,
    relu,
    relu_bias_grad,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    tanh,
    tanh_grad,
)

activation = Program("activation.cu", __file__)
THREADS = 256  # of a block: enough warps to hide memory's latency on every GPU, and eight blocks fill a multiprocessor


def _each_element(name: str, *arrays: Array, out: Array, settings: tuple[float, ...] = ()) -> None:
    activation(name, (blocks(out.size, THREADS),), (THREADS,), *arrays, out, np.int64(out.size), *settings)


@relu.implementation("cuda", on="cupy")
@contiguous
def relu_cuda(x: Array, *, out: Array) -> None:
    _each_element("relu_forward", x, out=out)


@relu_grad.implementation("cuda", on="cupy")
@contiguous
def relu_grad_cuda(g: Array, y: Array, *, out: Array) -> None:
    _each_element("relu_gradient", g, y, out=out)


@relu_bias_grad.implementation("cuda", on="cupy")
@contiguous
def relu_bias_grad_cuda(g: Array, y: Array, *, out: tuple[Array, Array]) -> None:
    _each_element("relu_gradient", g, y, out=out[0])
    column_sum(*out)


@leaky_relu.implementation("cuda", on="cupy")
@contiguous
def leaky_relu_cuda(x: Array, *, negative_slope: float, out: Array) -> None:
    _each_element("leaky_relu_forward", x, out=out, settings=(float(negative_slope),))


@leaky_relu_grad.implementation("cuda", on="cupy")
@contiguous
def leaky_relu_grad_cuda(g: Array, x: Array, *, negative_slope: float, out: Array) -> None:
    _each_element("leaky_relu_gradient", g, x, out=out, settings=(float(negative_slope),))


@sigmoid.implementation("cuda", on="cupy")
@contiguous
def sigmoid_cuda(x: Array, *, out: Array) -> None:
    _each_element("sigmoid_forward", x, out=out)


@sigmoid_grad.implementation("cuda", on="cupy")
@contiguous
def sigmoid_grad_cuda(g: Array, y: Array, *, out: Array) -> None:
    _each_element("sigmoid_gradient", g, y, out=out)


@tanh.implementation("cuda", on="cupy")
@contiguous
def tanh_cuda(x: Array, *, out: Array) -> None:
    _each_element("tanh_forward", x, out=out)


@tanh_grad.implementation("cuda", on="cupy")
@contiguous
def tanh_grad_cuda(g: Array, y: Array, *, out: Array) -> None:
    _each_element("tanh_gradient", g, y, out=out)


@bias_relu.implementation("cuda", on="cupy")
@contiguous
def bias_relu_cuda(x: Array, b: Array, *, out: Array) -> None:
    _each_element("bias_relu_forward", x, b, out=out, settings=(b.size,))
