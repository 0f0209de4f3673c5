"""Cases of every kernel: a generator of calls, for one dtype. The families' own tests go further."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Call = tuple[tuple[Any, ...], dict[str, Any]]
CASES: dict[str, Callable[[str], Iterator[Call]]] = {}

ROWS = ((3, 5), (4, 4), (1, 1), (2, 3, 7), (0, 3))
GEOMETRY = [  # pictures, window, filters, strides, padding
    ((2, 5, 7, 3), (3, 2), 4, (2, 1), "same"),
    ((1, 6, 5, 1), (2, 3), 5, (1, 1), "valid"),
    ((3, 4, 4, 4), (2, 2), 4, (3, 3), "valid"),
    ((2, 8, 9, 2), (3, 3), 16, (1, 2), "same"),
]
POOLED = (1, 6, 5, 1), (2, 5, 7, 3), (3, 4, 4, 4)


def numbers(dtype: str, *shape: int) -> np.ndarray:
    return np.random.default_rng([7, *shape]).standard_normal(shape).astype(dtype)


def generator(*names: str) -> Callable[[Any], Any]:
    def register(function: Callable[[str, str], Iterator[Call]]) -> Any:
        for name in names:
            CASES[name] = lambda dtype, name=name: function(name, dtype)  # type: ignore[misc]
        return function

    return register


def extent(n: int, k: int, s: int, padding: str) -> int:
    return -(-n // s) if padding == "same" else (n - k) // s + 1


@generator("relu", "sigmoid", "tanh", "softmax", "log_softmax", "column_sum")
def _(name, dtype):
    for shape in ROWS:
        yield (3 * numbers(dtype, *shape),), {}


@generator("relu_grad", "relu_bias_grad", "sigmoid_grad", "tanh_grad", "softmax_grad", "log_softmax_grad")
def _(name, dtype):
    for shape in ROWS:
        y = np.abs(np.round(numbers(dtype, *shape), 1)) / 4  # some zeros
        yield (numbers(dtype, *shape), -y if name == "log_softmax_grad" else y), {}


@generator("leaky_relu", "leaky_relu_grad")
def _(name, dtype):
    for shape, slope in zip(ROWS, (0.2, 0.5, 0.0, -1.5, *[0.01] * len(ROWS)), strict=False):
        x = np.round(3 * numbers(dtype, *shape), 1)  # some zeros
        yield (
            (numbers(dtype, *shape)[::-1].copy(), x)[: 2 if name.endswith("_grad") else 1][-2:],
            {"negative_slope": slope},
        )


@generator("add")
def _(name, dtype):
    for shape in ROWS:
        yield (numbers(dtype, *shape), numbers(dtype, *shape)[::-1].copy()), {}


@generator("elementwise", "elementwise_grad")
def _(name, dtype):
    for shape, chain in zip(ROWS, ("gelu_erf", "elu", "softplus", "hard_silu", "mish"), strict=True):
        x = np.round(3 * numbers(dtype, *shape), 1)  # some zeros
        arrays = (numbers(dtype, *shape)[::-1].copy(), x) if name.endswith("_grad") else (x,)
        yield arrays, {"chain": chain, "constants": (0.7,) * (chain == "elu")}


@generator("bias_relu", "scale_shift", "batch_norm", "batch_norm_grad")
def _(name, dtype):
    for shape in ROWS:
        x, gamma, beta = numbers(dtype, *shape), numbers(dtype, shape[-1]), 1 + numbers(dtype, shape[-1])
        if name == "bias_relu":
            yield (x, beta), {}
        elif name == "scale_shift":
            yield (x, gamma, beta), {}
        elif name == "batch_norm":
            yield (x, gamma, beta), {"epsilon": 1e-3}
        else:
            rows = x.reshape(-1, shape[-1])
            mean, variance = (rows.mean(0), rows.var(0)) if len(rows) else (0 * gamma, 0 * gamma)
            yield (numbers(dtype, *shape)[::-1].copy(), x, gamma, mean, variance), {"epsilon": 1e-3}


@generator("batch_norm_relu", "batch_norm_relu_grad")
def _(name, dtype):
    for shape, slope in zip(ROWS, (0.0, 0.2, 0.0, 0.3, 0.1), strict=True):
        x, gamma, beta = numbers(dtype, *shape), numbers(dtype, shape[-1]), 1 + numbers(dtype, shape[-1])
        settings = {"epsilon": 1e-3, "negative_slope": slope}
        if name == "batch_norm_relu":
            yield (x, gamma, beta), settings
        else:
            rows = x.reshape(-1, shape[-1])
            mean, variance = (rows.mean(0), rows.var(0)) if len(rows) else (0 * gamma, 0 * gamma)
            y = np.round(numbers(dtype, *shape), 1)  # some zeros
            yield (numbers(dtype, *shape)[::-1].copy(), y, x, gamma, mean, variance), settings


@generator("softmax_cross_entropy", "softmax_cross_entropy_grad")
def _(name, dtype):
    for n, classes in ((3, 5), (4, 4), (1, 1), (0, 3), (40, 7)):
        labels = np.arange(n) % classes
        logits = 3 * numbers(dtype, n, classes)
        if name == "softmax_cross_entropy":
            yield (logits, labels), {}
        else:
            yield (numbers(dtype, n), np.abs(logits), labels), {}


@generator("probability_cross_entropy", "probability_cross_entropy_grad")
def _(name, dtype):
    for n, classes in ((3, 5), (4, 4), (2, 2), (0, 3), (40, 7)):
        labels = np.arange(n) % classes
        output = np.abs(numbers(dtype, n, classes)) + 0.1
        output[:1, :1] = 0  # its probability is below epsilon, so it is clipped
        output[1:2] = np.where(np.arange(classes) == labels[1:2, None], 1, 0)  # and this one above
        if name == "probability_cross_entropy":
            yield (output, labels), {"epsilon": 1e-3}
        else:
            p = output[np.arange(n), labels] / output.sum(-1)
            yield (numbers(dtype, n), output, p, labels), {"epsilon": 1e-3}


@generator("dense_weight_grad")
def _(name, dtype):
    for rows, k, n in ((3, 4, 5), (1, 1, 1), (32, 300, 100), (70, 33, 17), (0, 3, 2), (512, 40, 40)):
        yield (numbers(dtype, rows, k), numbers(dtype, rows, n)), {}


@generator("matmul")
def _(name, dtype):
    for m, k, n in ((3, 4, 5), (4, 4, 4), (1, 1, 1), (33, 17, 40), (2, 0, 3)):
        a, b = numbers(dtype, m, k), numbers(dtype, k, n)
        yield (a, b), {}
        yield (np.ascontiguousarray(a.T), b), {"transpose_a": True}
        yield (a, np.ascontiguousarray(b.T)), {"transpose_b": True}
    yield (numbers(dtype, 2, 1, 3, 4), numbers(dtype, 5, 4, 2)), {}


@generator("dense")
def _(name, dtype):
    for rows, k, n in (((3,), 4, 5), ((4,), 4, 4), ((1,), 1, 1), ((2, 3), 7, 40), ((0,), 3, 2)):
        for activation in (None, "relu"):
            yield (numbers(dtype, *rows, k), numbers(dtype, k, n), numbers(dtype, n)), {"activation": activation}


WIDE = [  # for Winograd's way: channels in whole vectors; tiles that hang over every border, and none that does
    ((2, 5, 6, 16), (3, 3), 16, (1, 1), "same"),
    ((1, 7, 10, 16), (3, 3), 48, (1, 1), "valid"),
    ((1, 6, 10, 32), (3, 3), 16, (1, 1), "valid"),
    ((3, 3, 3, 16), (3, 3), 16, (1, 1), "valid"),
    ((1, 1, 2, 16), (3, 3), 16, (1, 1), "same"),
]


@generator("conv2d", "conv2d_input_grad", "conv2d_kernel_grad")
def _(name, dtype):
    for shape, window, filters, strides, padding in GEOMETRY + WIDE:
        settings = {"strides": strides, "padding": padding}
        size = tuple(extent(n, k, s, padding) for n, k, s in zip(shape[1:3], window, strides, strict=True))
        x, w = numbers(dtype, *shape), numbers(dtype, *window, shape[3], filters)
        g = numbers(dtype, shape[0], *size, filters)
        if name == "conv2d":
            yield (x, w), settings
            yield (x, w, numbers(dtype, filters)), {"activation": "relu", **settings}
        elif name == "conv2d_input_grad":
            yield (g, w), {"input_shape": shape, **settings}
        else:
            yield (x, g), {"kernel_shape": w.shape, **settings}


@generator("depthwise_conv2d", "depthwise_conv2d_input_grad", "depthwise_conv2d_kernel_grad")
def _(name, dtype):
    for shape, window, filters, strides, padding in GEOMETRY:
        settings = {"strides": strides, "padding": padding}
        size = tuple(extent(n, k, s, padding) for n, k, s in zip(shape[1:3], window, strides, strict=True))
        multiplier = 1 + filters % 4  # 1 for three of the four
        x, w = numbers(dtype, *shape), numbers(dtype, *window, shape[3], multiplier)
        g = numbers(dtype, shape[0], *size, shape[3] * multiplier)
        if name == "depthwise_conv2d":
            yield (x, w), settings
        elif name == "depthwise_conv2d_input_grad":
            yield (g, w), {"input_shape": shape, **settings}
        else:
            yield (x, g), {"kernel_shape": w.shape, **settings}


@generator("max_pool", "max_pool_scatter", "max_pool_gather", "average_pool", "average_pool_grad")
def _(name, dtype):
    for shape, window, _filters, strides, padding in GEOMETRY:
        settings = {"pool_size": window, "strides": strides, "padding": padding}
        size = tuple(extent(n, k, s, padding) for n, k, s in zip(shape[1:3], window, strides, strict=True))
        x, g = np.round(numbers(dtype, *shape)), numbers(dtype, shape[0], *size, shape[3])  # many ties
        if name in ("max_pool", "average_pool"):
            yield (x,), settings
        elif name == "max_pool_scatter":
            yield (g, x), settings
        elif name == "max_pool_gather":
            yield (numbers(dtype, *shape), x), settings
        else:
            yield (g,), {"input_shape": shape, **settings}


@generator("random_bits", "dropout")
def _(name, dtype):
    key = np.array([3, 5], np.uint32)
    for size, offset in ((1, 0), (10, 3), (1000, 4), (0, 1)):
        if name == "random_bits":
            yield (key,), {"size": size, "offset": offset}
        else:
            yield (numbers(dtype, size), key), {"rate": 0.4, "offset": offset}


@generator("sgd", "sgd_momentum", "adam", "rmsprop")
def _(name, dtype):
    shapes = (3, 5), (), (70,), (0, 2)
    power = (1, 1, 2) if name == "rmsprop" else (1, 1, 1, 2)  # second moments are not negative
    lists = [[np.array(0.1 * numbers(dtype, *shape) ** k, dtype) for shape in shapes] for k in power]
    if name == "sgd":
        yield tuple(lists[:2]), {"learning_rate": 0.1}
    elif name == "sgd_momentum":
        for nesterov in (False, True):
            yield tuple(lists[:3]), {"learning_rate": 0.1, "momentum": 0.9, "nesterov": nesterov}
    elif name == "rmsprop":
        yield tuple(lists), {"learning_rate": 0.1, "rho": 0.9, "epsilon": 1e-3}
    else:
        yield tuple(lists), {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-7, "step": 3}
