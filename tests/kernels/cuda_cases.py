"""Sizes that CUDA kernels get wrong first: one less, and one more, than a warp, a block, a tile, a slice of a sum."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minidl_kernels.elementwise.chains import CHAINS
from minidl_kernels.random import philox
from tests.kernels.cases import CASES, Call, extent, numbers

BORDERS: dict[str, Callable[[str], Iterator[Call]]] = {}
SIZES = (1, 31, 32, 33, 127, 128, 129, 255, 256, 257)


def borders(*names: str) -> Callable[[Any], Any]:
    def register(function: Callable[[str, str], Iterator[Call]]) -> Any:
        for name in names:
            BORDERS[name] = lambda dtype, name=name: function(name, dtype)  # type: ignore[misc]
        return function

    return register


def all_cases(name: str, dtype: str) -> Iterator[Call]:
    yield from CASES[name](dtype)
    yield from BORDERS[name](dtype)


@borders("add", "relu", "sigmoid", "tanh", "relu_grad", "sigmoid_grad", "tanh_grad", "bias_relu", "scale_shift")
def _(name, dtype):
    for size in SIZES:
        x = numbers(dtype, size)
        if name in ("bias_relu", "scale_shift"):
            yield (x.reshape(-1, 1), *[1 + x[:1]] * (2 if name == "scale_shift" else 1)), {}
            yield (x[:32].reshape(1, -1), *[x[:32]] * (2 if name == "scale_shift" else 1)), {}
        else:
            yield (x, numbers(dtype, size, 2)[:, 0])[: 2 if name == "add" or name.endswith("_grad") else 1], {}
    if name in ("relu", "sigmoid", "tanh"):
        yield (np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1000, -1000], dtype),), {}


@borders("leaky_relu", "leaky_relu_grad")
def _(name, dtype):
    for size in SIZES:
        yield (
            (numbers(dtype, size), numbers(dtype, size, 2)[:, 0])[: 1 + name.endswith("_grad")],
            {"negative_slope": 0.3},
        )
    odd = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1000, -1000], dtype)
    if name == "leaky_relu_grad":
        yield (np.arange(1, 8).astype(dtype), odd), {"negative_slope": 0.3}  # at 0 the slope is 1
    else:
        yield (odd,), {"negative_slope": 0.3}


@borders("elementwise", "elementwise_grad")
def _(name, dtype):
    for size in SIZES:
        yield (numbers(dtype, size), numbers(dtype, size, 2)[:, 0])[: 1 + name.endswith("_grad")], {"chain": "silu"}
    kinks = [-3, 3, -1, 1, -0.7, 0.7, 0, -0.0, 6]
    x = np.array([*kinks, 0.3, -0.3, 1e-4, -1e-4, 2.5, -2.5, 4, -4, 9, 20, -20, 90, -90, 1000, -1000, np.nan], dtype)
    arrays = (np.linspace(1, 3, x.size, dtype=dtype), x) if name.endswith("_grad") else (x,)
    for chain, one in CHAINS.items():
        yield arrays, {"chain": chain, "constants": (0.7, -2.0)[: len(one.constants)]}


@borders("softmax", "log_softmax", "softmax_grad", "log_softmax_grad")
def _(name, dtype):
    for shape in ((5, 31), (4, 32), (3, 33), (1, 129), (9, 1)):
        x = 3 * numbers(dtype, *shape)
        yield (x, -np.abs(x[::-1]) / 4)[: 2 if name.endswith("_grad") else 1], {}
    if name in ("softmax", "log_softmax"):
        odd = numbers(dtype, 6, 40)
        odd[0, 35], odd[1, 3], odd[2, 39], odd[3] = np.nan, np.inf, -np.inf, -np.inf
        odd[4] += 10000
        yield (odd,), {}


@borders(
    "softmax_cross_entropy",
    "softmax_cross_entropy_grad",
    "probability_cross_entropy",
    "probability_cross_entropy_grad",
)
def _(name, dtype):
    for n, classes in ((3, 31), (4, 32), (5, 33), (2, 129), (1, 1)):
        labels = (np.arange(n, dtype="uint8") * 11 + classes - 1) % classes
        x, g = 2 * numbers(dtype, n, classes), numbers(dtype, n)
        if name == "softmax_cross_entropy":
            yield (x, labels), {}
        elif name == "softmax_cross_entropy_grad":
            yield (g, np.abs(x), labels), {}
        elif classes > 1:
            output = np.abs(x) + np.asarray(0.1, dtype)
            p = output[np.arange(n), labels] / output.sum(-1)
            yield (
                ((output, labels) if name == "probability_cross_entropy" else (g, output, p, labels)),
                {"epsilon": 1e-3},
            )
    if name == "probability_cross_entropy_grad":  # at both ends of what is not clipped
        share = np.array([2**-10, 1 - 2**-10], dtype)
        yield (share, np.ones((2, 3), dtype), share, np.arange(2)), {"epsilon": 2**-10}


@borders("relu_bias_grad")
def _(name, dtype):
    for rows, columns in ((7, 31), (8, 32), (9, 33), (65, 2), (1023, 1), (1025, 3)):
        yield (numbers(dtype, rows, columns), np.round(numbers(dtype, columns, rows).T.copy(), 1)), {}


@borders("column_sum", "batch_norm", "batch_norm_grad")
def _(name, dtype):
    # 8 rows of threads with 64 rows each before sums are split into slices; blocks of 32 columns.
    for rows, columns in ((7, 31), (8, 32), (9, 33), (65, 2), (1023, 1), (1025, 3)):
        x, gamma = numbers(dtype, rows, columns), 1 + numbers(dtype, columns)
        if name == "column_sum":
            yield (x,), {}
        elif name == "batch_norm":
            yield (x + 10, gamma, gamma + 1), {"epsilon": 1e-3}
        else:
            yield (numbers(dtype, columns, rows).T.copy(), x, gamma, x.mean(0), x.var(0)), {"epsilon": 1e-3}


@borders("batch_norm_relu", "batch_norm_relu_grad")
def _(name, dtype):
    for (rows, columns), slope in zip(
        ((7, 31), (8, 32), (9, 33), (65, 2), (1025, 3)), (0, 0.3, 0, 0.1, 0), strict=True
    ):
        x, gamma = numbers(dtype, rows, columns), 1 + numbers(dtype, columns)
        settings = {"epsilon": 1e-3, "negative_slope": slope}
        if name == "batch_norm_relu":
            yield (x, gamma, gamma - 1), settings
        else:
            g, y = numbers(dtype, columns, rows).T.copy(), np.round(x, 1)
            g[y == 0] += 1
            yield (g, y, x, gamma, x.mean(0), x.var(0)), settings
    x, ones = numbers(dtype, 9, 2), np.ones(2, dtype)
    for slope in (0, 2.5):
        settings = {"epsilon": 1e-3, "negative_slope": slope}
        if name == "batch_norm_relu":
            # 0 everywhere; then a channel of infinities, which are NaN in the sums, and must not become 0.
            yield (0 * x, ones, 0 * ones), settings
            yield (np.where(np.arange(2), x, np.inf).astype(dtype), ones, ones), settings
        else:
            y = np.round(x, 1)
            y[:4, 1] = 0, -0.0, np.nan, np.finfo(dtype).smallest_subnormal  # which is positive
            g = np.where((y > 0) | (slope > 0), x + 3, np.inf).astype(dtype)  # infinite, where a 0 stops it
            yield (g, y, x, ones, x.mean(0), x.var(0)), settings


@borders("matmul", "dense", "dense_weight_grad")
def _(name, dtype):
    for m, k, n in ((15, 16, 17), (16, 15, 16), (17, 33, 1), (63, 16, 2), (64, 17, 65), (3, 15, 129), (65, 1, 64)):
        a, b = numbers(dtype, m, k), numbers(dtype, k, n)
        if name == "matmul":
            yield (a, b), {}
            yield (a.T.copy(), b.T.copy()), {"transpose_a": True, "transpose_b": True}
        elif name == "dense":
            yield (a, b, numbers(dtype, n)), {"activation": "relu" if m % 2 else None}
        else:
            yield (a, numbers(dtype, m, n)), {}
    if name == "matmul":
        yield (numbers(dtype, 3, 5, 17), numbers(dtype, 3, 17, 4)), {}
        yield (numbers(dtype, 3, 17, 5), numbers(dtype, 4, 17)), {"transpose_a": True, "transpose_b": True}


WINDOWS = [  # pictures, window, filters, strides, padding
    ((1, 8, 8, 1), (3, 3), 1, (1, 1), "same"),  # 64 places: a tile
    ((1, 5, 13, 2), (1, 1), 65, (1, 1), "valid"),
    ((1, 7, 9, 7), (3, 3), 3, (1, 1), "same"),  # 63 places, and rows of 63 in the kernel's gradient
    ((3, 5, 4, 33), (2, 3), 2, (2, 1), "same"),
    ((0, 4, 4, 2), (2, 2), 3, (1, 1), "same"),
    ((1, 33, 32, 1), (2, 2), 2, (1, 1), "same"),  # 1056 places: two slices
]


@borders("conv2d", "conv2d_input_grad", "conv2d_kernel_grad")
@borders("depthwise_conv2d", "depthwise_conv2d_input_grad", "depthwise_conv2d_kernel_grad")
@borders("max_pool", "max_pool_scatter", "max_pool_gather", "average_pool", "average_pool_grad")
def _(name, dtype):
    for shape, cells, filters, strides, padding in WINDOWS:
        settings = {"strides": strides, "padding": padding}
        size = tuple(extent(n, k, s, padding) for n, k, s in zip(shape[1:3], cells, strides, strict=True))
        x = numbers(dtype, *shape)
        if "pool" in name:
            settings["pool_size"] = cells
            x, g = np.round(x), numbers(dtype, shape[0], *size, shape[3])
            if name in ("max_pool", "average_pool"):
                yield (x,), settings
            elif name == "average_pool_grad":
                yield (g,), {"input_shape": shape, **settings}
            else:
                yield (g if name == "max_pool_scatter" else numbers(dtype, *shape) + 1, x), settings
            continue
        filters = 1 + filters % 3 if "depthwise" in name else filters
        outputs = shape[3] * filters if "depthwise" in name else filters
        w, g = numbers(dtype, *cells, shape[3], filters), numbers(dtype, shape[0], *size, outputs)
        if name.endswith("input_grad"):
            yield (g, w), {"input_shape": shape, **settings}
        elif name.endswith("kernel_grad"):
            yield (x, g), {"kernel_shape": w.shape, **settings}
        else:
            yield (x, w), settings
            if name == "conv2d":
                yield (x, w, numbers(dtype, filters)), {"activation": "relu" if filters % 2 else None, **settings}
    if name.startswith("max_pool") and dtype == "float32":
        x = numbers(dtype, 1, 4, 4, 2)
        x[0, 1, 1, 0], x[0, 0, 1, 0], x[0, 3, 3, 1] = np.nan, np.nan, np.inf
        arrays = (x,) if name == "max_pool" else (x[:, ::2, ::2].copy() if "scatter" in name else -abs(x), x)
        if name != "max_pool_scatter":
            arrays = tuple(np.nan_to_num(a, posinf=9) if a is not x else a for a in arrays)
        else:
            arrays = (np.ones((1, 2, 2, 2), dtype), x)
        yield arrays, {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}


@borders("random_bits", "dropout")
def _(name, dtype):
    key = np.array([2**32 - 1, 7], np.uint32)
    for size, offset in ((1, 3), (1021, 3), (1023, 1), (1024, 0), (1025, 2), (9, 2**34 - 3)):
        if name == "random_bits":
            yield (key,), {"size": size, "offset": offset}
        else:
            x = numbers(dtype, size)
            x[-1] = np.nan
            yield (x, key), {"rate": 0.5, "offset": offset}
    if name == "dropout":
        word = philox((0, 0, 0, 0), (int(key[0]), int(key[1])))[2]
        yield (numbers(dtype, 5), key), {"rate": word / 2**32}  # the third word is at the threshold: kept


@borders("sgd", "sgd_momentum", "adam", "rmsprop")
def _(name, dtype):
    lists = {"sgd": 2, "sgd_momentum": 3, "adam": 4, "rmsprop": 3}[name]
    settings = {
        "sgd": {},
        "sgd_momentum": {"momentum": 0.9, "nesterov": True},
        "adam": {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3, "step": 1},
        "rmsprop": {"rho": 0.9, "epsilon": 1e-3},
    }[name]
    for shapes in (SIZES, (3,) * 64, (2,) * 65, (0, 0), ()):  # 64 arrays are one launch
        arrays = [[np.abs(numbers(dtype, n, 1 + i)[:, i].copy()) for n in shapes] for i in range(lists)]
        yield tuple(arrays), {"learning_rate": 0.01, **settings}
