"""Calls of kernels on arrays to measure with: one for each kernel, small or of a layer's size, and parts for more."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import minidl_kernels as kernels

__all__ = ["OPERATIONS", "Case", "convolutions", "one_of_each", "pooling", "products", "updates"]

# Operations of a kernel's formula for each element of its largest array (an exp, a root and a division are one each,
# and so is a step of Philox). Products have theirs by shape.
OPERATIONS = {
    "relu": 1, "relu_grad": 1, "relu_bias_grad": 2, "leaky_relu": 2, "leaky_relu_grad": 2,
    "sigmoid": 3, "sigmoid_grad": 3, "tanh": 1, "tanh_grad": 3, "bias_relu": 2,
    "add": 1, "elementwise": 10, "elementwise_grad": 20,  # of gelu
    "column_sum": 1, "softmax": 5, "softmax_grad": 4, "log_softmax": 5, "log_softmax_grad": 4,
    "softmax_cross_entropy": 4, "softmax_cross_entropy_grad": 4, "probability_cross_entropy": 2,
    "probability_cross_entropy_grad": 3, "batch_norm": 7, "batch_norm_grad": 9, "batch_norm_relu": 8,
    "batch_norm_relu_grad": 10, "scale_shift": 2, "max_pool": 1,
    "max_pool_scatter": 1, "max_pool_gather": 1, "average_pool": 1, "average_pool_grad": 1, "random_bits": 15,
    "dropout": 17, "sgd": 2, "sgd_momentum": 4, "adam": 11, "rmsprop": 7,
}  # fmt: skip


class Case(NamedTuple):
    """A call of a kernel."""

    kernel: kernels.Kernel
    text: str  # its shape, for people
    arrays: tuple[Any, ...]
    settings: dict[str, Any]
    flops: float = 0.0  # of a product: what the textbook counts

    @property
    def in_place(self) -> bool:
        """Lists of arrays, of which some are written to."""
        return isinstance(self.arrays[0], list)

    def operations(self) -> float:
        """Floating-point operations of one call."""
        return self.flops or float(OPERATIONS[self.kernel.name] * max(_elements(one) for one in self._all()))

    def bytes(self) -> int:
        """Every array once; what is updated in place is read and written."""
        sizes = [sum(one.nbytes for one in several) for several in self._all()]
        return 2 * sum(sizes) - sizes[1] if self.in_place else sum(sizes)  # gradients are read only

    def _all(self) -> list[list[Any]]:
        """Arguments and results, each as a list of arrays."""
        if self.in_place:
            return list(self.arrays)
        out = self.kernel(*self.arrays, **self.settings)
        return [[one] for one in (*self.arrays, *(out if isinstance(out, tuple) else (out,)))]


def _elements(arrays: Sequence[Any]) -> int:
    return sum(one.size for one in arrays)


def numbers(*shape: int) -> np.ndarray:
    """Normal ones, the same for the same shape."""
    return np.random.default_rng([3, *shape]).standard_normal(shape, dtype=np.float32)


def convolutions(
    batch: int, size: int, channels: int, filters: int, padding: str = "same", window: int = 3
) -> Iterator[Case]:
    """Forward, input gradient and kernel gradient with stride 1."""
    out = size if padding == "same" else size - window + 1
    x, g = numbers(batch, size, size, channels), numbers(batch, out, out, filters)
    w = numbers(window, window, channels, filters)
    flops, text = 2.0 * g.size * window * window * channels, f"{size}x{size}x{channels} to {filters}, {padding}"
    yield Case(kernels.conv2d, text, (x, w), {"padding": padding}, flops)
    yield Case(kernels.conv2d_input_grad, text, (g, w), {"input_shape": x.shape, "padding": padding}, flops)
    yield Case(kernels.conv2d_kernel_grad, text, (x, g), {"kernel_shape": w.shape, "padding": padding}, flops)


def depthwise(batch: int, size: int, channels: int, window: int = 3) -> Iterator[Case]:
    """The same for one filter on each channel."""
    x, w = numbers(batch, size, size, channels), numbers(window, window, channels, 1)
    g = numbers(batch, size, size, channels)[::-1].copy()
    flops, text, same = 2.0 * g.size * window * window, f"{size}x{size}x{channels}", {"padding": "same"}
    yield Case(kernels.depthwise_conv2d, text, (x, w), same, flops)
    yield Case(kernels.depthwise_conv2d_input_grad, text, (g, w), {"input_shape": x.shape, **same}, flops)
    yield Case(kernels.depthwise_conv2d_kernel_grad, text, (x, g), {"kernel_shape": w.shape, **same}, flops)


def pooling(batch: int, size: int, channels: int) -> Iterator[Case]:
    """Windows of 2x2, largest numbers and means."""
    window = {"pool_size": (2, 2), "strides": (2, 2)}
    x, g = numbers(batch, size, size, channels), numbers(batch, size // 2, size // 2, channels)
    text = f"{size}x{size}x{channels}"
    yield Case(kernels.max_pool, text, (x,), window)
    yield Case(kernels.max_pool_scatter, text, (g, x), window)
    yield Case(kernels.max_pool_gather, text, (x[::-1].copy(), x), window)
    yield Case(kernels.average_pool, text, (x,), window)
    yield Case(kernels.average_pool_grad, text, (g,), {**window, "input_shape": x.shape})


def products(batch: int, inputs: int, units: int) -> Iterator[Case]:
    """A dense layer and its two gradients, the second by two kernels."""
    x, w, g = numbers(batch, inputs), numbers(inputs, units), numbers(batch, units)
    flops, text = 2.0 * batch * inputs * units, f"{inputs} to {units}"
    yield Case(kernels.dense, text, (x, w, numbers(units)), {}, flops)
    yield Case(kernels.matmul, f"{text}, to x", (g, w), {"transpose_b": True}, flops)
    yield Case(kernels.matmul, f"{text}, to w", (x, g), {"transpose_a": True}, flops)
    yield Case(kernels.dense_weight_grad, text, (x, g), {}, flops)


def updates(sizes: Sequence[int]) -> Iterator[Case]:
    """Optimizers on so many weights."""
    lists = tuple([abs(numbers(n)) for n in sizes] for _ in range(4))
    text = f"{sum(sizes)} weights"
    decay = {"learning_rate": 1e-6, "epsilon": 1e-7}
    yield Case(kernels.sgd, text, lists[:2], {"learning_rate": 1e-6})
    yield Case(kernels.sgd_momentum, text, lists[:3], {"learning_rate": 1e-6, "momentum": 0.9, "nesterov": False})
    yield Case(kernels.adam, text, lists, {**decay, "beta_1": 0.9, "beta_2": 0.999, "step": 10})
    yield Case(kernels.rmsprop, text, lists[:3], {**decay, "rho": 0.9})


def elementwise(batch: int, size: int, channels: int) -> Iterator[Case]:
    """Activations, batch norm and dropout on pictures."""
    x, channel, text = numbers(batch, size, size, channels), numbers(channels), f"{size}x{size}x{channels}"
    y = np.abs(np.tanh(x))
    for one in (kernels.relu, kernels.sigmoid, kernels.tanh, kernels.column_sum):
        yield Case(one, text, (x,), {})
    for one in (kernels.relu_grad, kernels.relu_bias_grad, kernels.sigmoid_grad, kernels.tanh_grad):
        yield Case(one, text, (x, y), {})
    yield Case(kernels.leaky_relu, text, (x,), {"negative_slope": 0.2})
    yield Case(kernels.leaky_relu_grad, text, (x, y), {"negative_slope": 0.2})
    yield Case(kernels.add, text, (x, y), {})
    yield Case(kernels.elementwise, text, (x,), {"chain": "gelu_tanh"})
    yield Case(kernels.elementwise_grad, text, (x, x), {"chain": "gelu_tanh"})
    yield Case(kernels.bias_relu, text, (x, channel), {})
    yield Case(kernels.batch_norm, text, (x, channel, channel), {"epsilon": 1e-3})
    yield Case(kernels.batch_norm_grad, text, (x, x, channel, channel, np.square(channel)), {"epsilon": 1e-3})
    yield Case(kernels.batch_norm_relu, text, (x, channel, channel), {"epsilon": 1e-3})
    yield Case(kernels.batch_norm_relu_grad, text, (x, y, x, channel, channel, np.square(channel)), {"epsilon": 1e-3})
    yield Case(kernels.scale_shift, text, (x, channel, channel), {})
    key = np.array([1, 2], np.uint32)
    yield Case(kernels.dropout, text, (x, key), {"rate": 0.25})
    yield Case(kernels.random_bits, f"{x.size} words", (key,), {"size": x.size})


def classes(rows: int, count: int) -> Iterator[Case]:
    """Softmax and the losses behind it."""
    logits, g, labels = numbers(rows, count), numbers(rows), np.arange(rows) % count
    text = f"{rows}x{count}"
    p = kernels.softmax(logits)
    yield Case(kernels.softmax, text, (logits,), {})
    yield Case(kernels.softmax_grad, text, (logits, p), {})
    yield Case(kernels.log_softmax, text, (logits,), {})
    yield Case(kernels.log_softmax_grad, text, (logits, np.log(p)), {})
    yield Case(kernels.softmax_cross_entropy, text, (logits, labels), {})
    yield Case(kernels.softmax_cross_entropy_grad, text, (g, p, labels), {})
    yield Case(kernels.probability_cross_entropy, text, (p, labels), {"epsilon": 1e-7})
    right = p[np.arange(rows), labels]
    yield Case(kernels.probability_cross_entropy_grad, text, (g, p, right, labels), {"epsilon": 1e-7})


def one_of_each(size: str) -> dict[str, Case]:
    """A call of every kernel.

    Args:
        size: "small", where plain loops take at most a tenth of a second or so, or "layer".
    """
    small = size == "small"
    batch, extent, channels = (1, 8, 16) if small else (32, 32, 32)
    found = (
        *convolutions(batch, extent, channels, channels), *depthwise(batch, extent, channels),
        *pooling(batch, extent, channels), *elementwise(batch, extent, channels),
        *(products(8, 32, 32) if small else products(128, 1024, 512)),
        *(classes(8, 10) if small else classes(128, 1000)),
        *updates((1000,) if small else (500_000, 1000)),
    )  # fmt: skip
    return {case.kernel.name: case for case in found}
