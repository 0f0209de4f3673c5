"""The table of cases: every op of the engine and every public function of ``minidl.ops``, by name."""

import math

import numpy as np
from scipy import special

from minidl import ops
from minidl.engine.op import registered
from tests.ops import windows
from tests.ops.case import (
    HUGE, ONE_ZERO, RNG, TIES, TWO_ZEROS, Case, case, distinct, each, nonzero, normal, positive, reduced, two,
)  # fmt: skip

X, SQUARE, LONG = normal(2, 3, 4), normal(3, 3), normal(6)
LOGITS, LABELS = normal(4, 5), np.array([4, 0, 2, 2])
ROWS = np.arange(4)
CASES: dict[str, list[Case]] = {}

# ---- arithmetic ----


def limited(x, x_min, x_max):
    return np.minimum(np.maximum(x, x_min), x_max)


def chosen(condition, x1, x2):
    return np.where(condition, x1, x2)


CASES |= {
    "add": two(lambda x1, x2: x1 + x2),
    "subtract": two(lambda x1, x2: x1 - x2),
    "multiply": two(lambda x1, x2: x1 * x2),
    "divide": two(lambda x1, x2: x1 / x2, normal, nonzero),
    "power": [
        *two(lambda x1, x2: x1**x2, positive),
        *(case(lambda x1, x2: x1**x2, x1=base, x2=exponent) for base, exponent in (
            (nonzero(2, 3), 3.0), (nonzero(2, 3), -2.0), (ONE_ZERO, 2.0), (ONE_ZERO, 1.0), (ONE_ZERO, 0.0), (0.0, positive(3)),
        )),
    ],
    "maximum": [*two(lambda x1, x2: np.maximum(x1, x2)), case(lambda x1, x2: np.maximum(x1, x2), x1=TIES, x2=TIES.T.copy())],
    "minimum": [*two(lambda x1, x2: np.minimum(x1, x2)), case(lambda x1, x2: np.minimum(x1, x2), x1=TIES, x2=TIES.T.copy())],
    "clip": [
        case(limited, x=X, x_min=-0.5, x_max=0.8),
        case(limited, x=TIES, x_min=0.0, x_max=3.0),
        case(limited, x=X, x_min=-positive(3, 1), x_max=positive(4), constant=("x_min", "x_max")),
    ],
    "where": [
        case(chosen, condition=X > 0, x1=X, x2=normal(2, 3, 4)),
        case(chosen, condition=SQUARE[:, :1] > 0, x1=normal(3), x2=SQUARE),
        case(chosen, condition=X > 0, x1=X, x2=0.0),
        case(chosen, condition=np.array(True), x1=normal(), x2=normal(2)),
    ],
    "cast": [case(lambda x, dtype: x, x=X, dtype="float64"), case(lambda x, dtype: x, x=normal(), dtype=np.float64)],
    "negative": each(lambda x: 0 - x),
    "abs": each(lambda x: np.where(x < 0, -x, x), normal, TIES),
    "exp": each(lambda x: np.exp(x)),
    "expm1": each(lambda x: np.expm1(x), normal, 1e-9 * normal(3)),
    "log": each(lambda x: np.log(x), positive),
    "log1p": each(lambda x: np.log1p(x), positive, 1e-9 * normal(3)),
    "sqrt": each(lambda x: x**0.5, positive),
    "rsqrt": each(lambda x: x**-0.5, positive),
    "reciprocal": each(lambda x: 1 / x, nonzero),
    "square": each(lambda x: x * x, normal, TIES),
    "sin": each(lambda x: np.sin(x)),
    "cos": each(lambda x: np.cos(x)),
    "erf": each(lambda x: np.vectorize(math.erf, otypes=[float])(x)),
}  # fmt: skip

# ---- shaping ----

PICKS = np.array([[2, 0], [0, 0]])
INDICES = [
    (0, slice(None), 1), (slice(None, None, -2), slice(1, 3)), (Ellipsis, None, -1), -1, slice(1, 2), None,
    PICKS % 2, (slice(None), PICKS), (PICKS % 2, PICKS), X > 0, (Ellipsis, np.array([True, False, True, False])),
]  # fmt: skip


def scattered(x, index, shape):
    found = np.zeros(shape)
    np.add.at(found, index, x)
    return found


def joined(xs, axis):
    return np.concatenate(xs, axis)


CASES |= {
    "reshape": [case(lambda x, newshape: np.array(x.ravel().tolist()).reshape(newshape), x=x, newshape=to)
                for x, to in ((X, (4, -1)), (X, (3, 2, 2, 2)), (normal(1), ()), (normal(), (1, 1)), (X, -1))],
    "ravel": [case(lambda x: np.array(list(x.flat)), x=x) for x in (X, normal())],
    "expand_dims": [case(lambda x, axis: np.expand_dims(x, axis), x=X, axis=axis) for axis in (0, -1, 1, (0, -1))],
    "squeeze": [case(lambda x, axis=None: np.squeeze(x, axis), x=x, **axis) for x, axis in (
        (normal(1, 3, 1), {}), (normal(1, 3, 1), {"axis": -1}), (normal(1, 3, 1), {"axis": (0, 2)}), (normal(1, 1), {}))],
    "transpose": [case(lambda x, axes=None: np.transpose(x, axes), x=x, **axes) for x, axes in (
        (X, {}), (X, {"axes": (2, 0, 1)}), (X, {"axes": (-1, 0, -2)}), (SQUARE, {}), (LONG, {}))],
    "swapaxes": [case(lambda x, axis1, axis2: np.swapaxes(x, axis1, axis2), x=X, axis1=a, axis2=b)
                 for a, b in ((0, 2), (-1, 1), (1, 1))],
    "matrix_transpose": [case(lambda x: np.einsum("...ij->...ji", x), x=x) for x in (X, SQUARE)],
    "moveaxis": [case(lambda x, source, destination: np.moveaxis(x, source, destination), x=X, source=a, destination=b)
                 for a, b in ((0, -1), (-1, 0), ((0, 1), (2, 0)), (1, 1))],
    "broadcast_to": [case(lambda x, shape: np.broadcast_to(x, shape), x=x, shape=shape)
                     for x, shape in ((normal(3, 1), (2, 3, 4)), (normal(), (2, 2)), (SQUARE, (3, 3)))],
    "concatenate": [case(joined, xs=xs, axis=axis) for xs, axis in (
        ([X, normal(1, 3, 4)], 0), ([X, normal(2, 3, 1), X], -1), ([LONG], 0), ([normal(2, 0), normal(2, 3)], 1))],
    "stack": [case(lambda x, axis: np.stack(x, axis), x=[X, normal(2, 3, 4)], axis=axis) for axis in (0, 1, -1)]
    + [case(lambda x: np.stack(x), x=[normal(), normal(), normal()])],
    "split": [case(lambda x, indices_or_sections, axis=0: np.split(x, indices_or_sections, axis), x=x, indices_or_sections=n, **axis)
              for x, n, axis in ((X, 2, {}), (X, 2, {"axis": -1}), (X, [1], {"axis": 1}), (LONG, (2, 2, 5), {}))],
    "getitem": [case(lambda x, index: x[index], x=X, index=index) for index in INDICES],
    "scatter_add": [case(scattered, x=normal(*X[index].shape), index=index, shape=X.shape) for index in INDICES],
    "take": [case(lambda x, indices, axis=None: np.take(x, indices, axis), x=X, indices=picks, **axis) for picks, axis in (
        (PICKS, {"axis": 1}), (np.array([1, -1, 1]), {"axis": -1}), (PICKS, {}), (0, {"axis": 0}), ([1, 0], {"axis": 0}))],
    "take_along_axis": [
        case(lambda x, indices, axis: np.take_along_axis(x, indices, axis), x=X, indices=np.argsort(X, axis)[..., :2], axis=axis)
        if axis == -1 else
        case(lambda x, indices, axis: np.take_along_axis(x, indices, axis), x=X, indices=np.array([[[1, 0, 2, 2]]]), axis=axis)
        for axis in (-1, 1)],
    "pad": [case(lambda x, pad_width, constant_values=0: np.pad(x, pad_width, constant_values=constant_values), x=x,
                 pad_width=width, **value)
            for x, width, value in ((SQUARE, ((1, 2), (0, 3)), {}), (SQUARE, (2, 1), {"constant_values": 7.0}), (LONG, 2, {}))],
    "repeat": [case(lambda x, repeats, axis=None: np.repeat(x, repeats, axis), x=X, repeats=n, **axis)
               for n, axis in ((2, {"axis": 1}), (3, {"axis": -1}), (2, {}))],
    "tile": [case(lambda x, repeats: np.tile(x, repeats), x=x, repeats=n)
             for x, n in ((SQUARE, (2, 3)), (SQUARE, 2), (LONG, (2, 1, 2)), (X, (1, 2)))],
    "flip": [case(lambda x, axis=None: np.flip(x, axis), x=X, **axis) for axis in ({}, {"axis": 1}, {"axis": (-1, 0)})],
}  # fmt: skip

# ---- reductions ----


def variance(x, axis=None, keepdims=False):
    center = x - x.mean(axis, keepdims=True)
    return (center * center).mean(axis, keepdims=keepdims)


CASES |= {
    "sum": [*reduced(lambda x, **s: np.add.reduce(x, **{"axis": None, **s})), case(lambda x, axis: x.sum(axis), x=X, axis=(0, 1))],
    "mean": reduced(lambda x, **s: x.sum(**s) * (x.sum(**s).size / x.size)),
    "max": reduced(lambda x, **s: -np.min(-x, **s), distinct, TIES, HUGE),
    "min": reduced(lambda x, **s: -np.max(-x, **s), distinct, TIES, HUGE),
    "prod": reduced(lambda x, **s: np.multiply.reduce(x, **{"axis": None, **s}), nonzero, ONE_ZERO, TWO_ZEROS),
    "var": reduced(variance),
    "std": reduced(lambda x, **s: variance(x, **s) ** 0.5, lambda *shape: np.arange(math.prod(shape)).reshape(shape) ** 1.5)[:-3],
    "moments": [case(lambda x, axes, keepdims=False: (x.mean(axes, keepdims=keepdims), variance(x, axes, keepdims)), x=X, **s)
                for s in ({"axes": 0}, {"axes": (0, -1), "keepdims": True})],
    "logsumexp": reduced(lambda x, **s: special.logsumexp(x, **s), normal, HUGE),
}  # fmt: skip

# ---- activations ----

SATURATED = np.array([[-800.0, 800.0, 0.0], [-40.0, 40.0, 1.0]])


def positive_part(x):
    return np.where(x > 0, x, 0.0)


def gaussian_gate(x, approximate=True):
    if approximate:
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * special.ndtr(x)


def soft(x, axis=-1):
    return special.softmax(x, axis)


UPSTREAM, OUTPUT = normal(4, 5), RNG.uniform(0.1, 0.9, (4, 5))
CASES |= {
    "relu": each(positive_part, normal, TIES),
    "relu_grad": [
        case(lambda upstream, output: upstream * (output > 0), upstream=UPSTREAM, output=positive_part(normal(4, 5))),
        case(lambda upstream, output: upstream * (output > 0), upstream=normal(3, 3), output=positive_part(TIES)),
    ],
    "bias_relu": [case(lambda x, bias: positive_part(x + bias), x=x, bias=bias)
                  for x, bias in ((X, normal(4)), (SQUARE, normal(3)), (TIES, np.zeros(3)), (normal(1, 1), normal(1)))],
    "sigmoid": each(lambda x: special.expit(x), normal, SATURATED),
    "sigmoid_grad": [case(lambda upstream, output: upstream * output * (1 - output), upstream=UPSTREAM, output=OUTPUT)],
    "tanh": each(lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))),
    "tanh_grad": [case(lambda upstream, output: upstream * (1 - output**2), upstream=UPSTREAM, output=OUTPUT)],
    "softmax": [case(soft, x=X, axis=axis) for axis in (0, 1, -1)],
    "softmax_last": [case(soft, x=x) for x in (LOGITS, SQUARE, X, HUGE, normal(1, 1))],
    "softmax_grad": [case(lambda upstream, output: output * (upstream - (upstream * output).sum(-1, keepdims=True)),
                          upstream=g, output=y) for g, y in ((UPSTREAM, OUTPUT), (normal(2, 3, 4), X), (SQUARE, normal(3, 3)))],
    "log_softmax": [case(lambda x, axis: special.log_softmax(x, axis), x=X, axis=axis) for axis in (0, 1, -1)],
    "log_softmax_last": [case(lambda x: special.log_softmax(x, -1), x=x) for x in (LOGITS, SQUARE, X, HUGE, normal(1, 1))],
    "log_softmax_grad": [case(lambda upstream, output: upstream - np.exp(output) * upstream.sum(-1, keepdims=True),
                              upstream=g, output=y) for g, y in ((UPSTREAM, OUTPUT), (normal(2, 3, 4), X), (SQUARE, normal(3, 3)))],
    "leaky_relu": [*each(lambda x: np.where(x > 0, x, 0.2 * x), normal, TIES),
                   case(lambda x, negative_slope: np.where(x > 0, x, negative_slope * x), x=X, negative_slope=0.5)],
    "relu6": each(lambda x: np.clip(x, 0, 6), lambda *shape: 5 * normal(*shape)),
    "elu": [*each(lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1), normal, SATURATED),
            case(lambda x, alpha: np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1)), x=TIES, alpha=0.5)],
    "selu": each(lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(np.minimum(x, 0)) - 1))),
    "softplus": each(lambda x: np.logaddexp(x, 0), normal, SATURATED),
    "log_sigmoid": each(lambda x: special.log_expit(x), normal, SATURATED),
    "softsign": each(lambda x: x / (1 + np.abs(x)), normal, SATURATED),
    "silu": each(lambda x: x * special.expit(x), normal, SATURATED),
    "hard_sigmoid": each(lambda x: np.clip(x / 6 + 0.5, 0, 1), lambda *shape: 3 * normal(*shape)),
    "gelu": [*each(gaussian_gate), case(gaussian_gate, x=X, approximate=False), case(gaussian_gate, x=TIES, approximate=True)],
}  # fmt: skip

# ---- products ----


def affine(x, kernel, bias, activation=None):
    y = np.einsum("...k,kn->...n", x, kernel) + bias
    return positive_part(y) if activation == "relu" else y


MATRICES = [((3, 4), (4, 5)), ((3, 3), (3, 3)), ((1, 1), (1, 1)), ((2, 1, 3, 4), (5, 4, 2)), ((4, 2, 3), (3, 1)), ((1, 6), (6, 2))]
VECTORS = [((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,))]
CASES |= {
    "matrix_product": [case(lambda x1, x2: np.einsum("...ij,...jk->...ik", x1, x2), x1=normal(*a), x2=normal(*b)) for a, b in MATRICES],
    "matmul": [case(lambda x1, x2: x1 @ x2, x1=normal(*a), x2=normal(*b)) for a, b in MATRICES[:4] + VECTORS],
    "dot": [case(lambda x1, x2: np.dot(x1, x2), x1=normal(*a), x2=normal(*b))
            for a, b in [*VECTORS, ((2, 3, 4), (5, 4, 3)), ((), (2, 3)), ((2,), ())]],
    "dense": [case(affine, x=x, kernel=kernel, bias=bias, activation=activation) for activation in (None, "relu") for x, kernel, bias in (
        (normal(3, 4), normal(4, 2), normal(2)), (normal(2, 3, 4), normal(4, 5), normal(5)), (normal(1, 3), normal(3, 1), normal(1)),
        (SQUARE, normal(3, 3), normal(3)), (np.zeros((2, 3)), normal(3, 2), np.zeros(2)))],
}  # fmt: skip

# ---- convolution and pooling: overlapping, gapped and padded windows, one picture and several, one channel and several ----

GEOMETRY = [
    ((2, 4, 5, 3), (3, 2), (1, 1), "same"), ((1, 5, 4, 1), (2, 3), (2, 1), "valid"), ((2, 5, 6, 2), (2, 2), (3, 3), "valid"),
    ((1, 5, 7, 2), (3, 3), (2, 2), "same"), ((3, 3, 3, 3), (3, 3), (1, 1), "same"), ((1, 3, 2, 2), (1, 1), (2, 2), "same"),
]  # fmt: skip


def convolved(*given: str):
    """Cases whose arguments x, upstream and kernel (and shape, of the one that is made) fit together."""
    found = []
    for x, size, strides, padding in GEOMETRY:
        filters = 3 if x[3] == 3 else 2
        shapes = {"x": x, "kernel": (*size, x[3], filters), "upstream": windows.output_shape(x, size, strides, padding, filters)}
        settings = {"strides": strides, "padding": padding}
        if "kernel" not in given or "x" not in given:
            settings["shape"] = shapes["kernel" if "x" in given else "x"]
        expected = {"xk": windows.conv2d, "uk": windows.conv2d_input_grad, "xu": windows.conv2d_kernel_grad}
        found.append(case(expected["".join(g[0] for g in given)], **{name: normal(*shapes[name]) for name in given}, **settings))
    return found


def pooled(expected, *given: str, ties: bool = False):
    found = []
    for x, size, strides, padding in GEOMETRY:
        settings = {"pool_size": size, "strides": strides, "padding": padding}
        upstream = windows.output_shape(x, size, strides, padding, x[3])
        made = {"x": distinct(*x), "values": normal(*x), "upstream": normal(*upstream), "shape": x}
        found.append(case(expected, **{name: made[name] for name in given}, **settings))
        if ties:
            made["x"] = np.round(made["x"] % 2) - 1
            found.append(case(expected, **{name: made[name] for name in given}, **settings))
    return found


CASES |= {
    "conv2d": convolved("x", "kernel"),
    "conv2d_input_grad": convolved("upstream", "kernel"),
    "conv2d_kernel_grad": convolved("x", "upstream"),
    "conv": [case(lambda inputs, kernel, strides=1, padding="valid": windows.conv2d(inputs, kernel, (strides, strides), padding),
                  inputs=normal(2, 4, 5, 2), kernel=normal(2, 3, 2, 1), **s) for s in ({}, {"strides": 2, "padding": "same"})],
    "max_pool2d": pooled(windows.max_pool, "x", ties=True),
    "max_pool_scatter": pooled(windows.max_pool_scatter, "upstream", "x"),
    "max_pool_gather": pooled(windows.max_pool_gather, "values", "x"),
    "max_pool": [case(lambda inputs, pool_size: windows.max_pool(inputs, (2, 2), (2, 2), "valid"), inputs=distinct(1, 5, 4, 2), pool_size=2),
                 case(lambda inputs, pool_size, strides, padding: windows.max_pool(inputs, pool_size, (1, 2), padding),
                      inputs=distinct(1, 5, 4, 2), pool_size=(3, 2), strides=(1, 2), padding="same")],
    "average_pool2d": pooled(windows.average_pool, "x"),
    "average_pool_grad": pooled(windows.average_pool_grad, "upstream", "shape"),
    "average_pool": [case(lambda inputs, pool_size: windows.average_pool(inputs, (2, 2), (2, 2), "valid"), inputs=normal(1, 5, 4, 2), pool_size=2),
                     case(lambda inputs, pool_size, strides, padding: windows.average_pool(inputs, (3, 3), (2, 2), padding),
                          inputs=normal(1, 5, 4, 2), pool_size=3, strides=2, padding="same")],
}  # fmt: skip

# ---- normalisation ----


def normalized(x, gamma, beta, epsilon=1e-3):
    axes = tuple(range(x.ndim - 1))
    return gamma * (x - x.mean(axes)) / np.sqrt(variance(x, axes) + epsilon) + beta


def normalized_with_statistics(x, gamma, beta, epsilon=1e-3):
    axes = tuple(range(x.ndim - 1))
    return normalized(x, gamma, beta, epsilon), x.mean(axes), variance(x, axes)


def by_given(x, mean, variance, axis, offset=0.0, scale=1.0, epsilon=1e-3):
    extents = [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
    mean, variance, offset, scale = (np.broadcast_to(v, mean.shape).reshape(extents) for v in (mean, variance, offset, scale))
    return scale * (x - mean) / np.sqrt(variance + epsilon) + offset


BATCHES = [(normal(6, 3), nonzero(3), normal(3)), (normal(3, 3), nonzero(3), normal(3)), (normal(2, 3, 2, 4), nonzero(4), normal(4)),
           (np.hstack([normal(5, 2), np.ones((5, 1))]), nonzero(3), normal(3)), (normal(2, 1), nonzero(1), normal(1))]  # fmt: skip
CASES |= {
    "batch_norm": [case(normalized_with_statistics, x=x, gamma=gamma, beta=beta) for x, gamma, beta in BATCHES]
    + [case(normalized_with_statistics, x=3 + 2 * normal(4, 2), gamma=nonzero(2), beta=normal(2), epsilon=0.1)],
    "scale_shift": [case(lambda x, scale, shift: x * scale + shift, x=x, scale=scale, shift=shift) for x, scale, shift in BATCHES[:3]],
    "batch_normalization": [
        case(by_given, x=X, mean=normal(4), variance=positive(4), axis=-1, offset=normal(4), scale=nonzero(4)),
        case(by_given, x=X, mean=normal(3), variance=positive(3), axis=1, offset=normal(3), scale=nonzero(3)),
        case(by_given, x=X, mean=normal(4), variance=positive(4), axis=2, scale=nonzero(4), epsilon=0.1),
        case(by_given, x=X, mean=normal(2), variance=positive(2), axis=0),
    ],
}  # fmt: skip

# ---- losses ----

PROBABILITIES = special.softmax(normal(4, 5), -1)
EPSILON = 1e-7


def cross_entropy_and_probabilities(logits, labels):
    return -special.log_softmax(logits, -1)[np.arange(len(labels)), labels], special.softmax(logits, -1)


def cross_entropy_gradient(upstream, logits, labels):
    return (special.softmax(logits, -1) - np.eye(logits.shape[1])[labels]) * upstream[:, None]


def call_cross_entropy_gradient(upstream, logits, labels):
    probabilities = np.asarray(special.softmax(ops.convert_to_numpy(logits), -1), logits.dtype)
    return registered["softmax_cross_entropy_grad"](upstream, logits, probabilities, labels)


def of_probabilities(output, labels, epsilon):
    p = output[np.arange(len(labels)), labels] / output.sum(-1)
    return -np.log(np.clip(p, epsilon, 1 - epsilon)), p


def categorical(target, output, from_logits=False, axis=-1):
    if from_logits:
        return -(target * special.log_softmax(output, axis)).sum(axis)
    return -(target * np.log(np.clip(output / output.sum(axis, keepdims=True), EPSILON, 1 - EPSILON))).sum(axis)


def sparse(target, output, from_logits=False, axis=-1):
    output = np.moveaxis(output, axis, -1)
    return categorical(np.eye(output.shape[-1])[target.reshape(output.shape[:-1])], output, from_logits)


def binary(target, output, from_logits=False):
    if from_logits:
        return np.logaddexp(output, 0) - target * output
    p = np.clip(output, EPSILON, 1 - EPSILON)
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


CASES |= {
    "softmax_cross_entropy": [case(cross_entropy_and_probabilities, logits=logits, labels=labels) for logits, labels in (
        (LOGITS, LABELS), (SQUARE, np.array([1, 1, 0])), (normal(1, 3), np.array([2])), (HUGE, np.array([2, 0])))],
    "softmax_cross_entropy_grad": [case(cross_entropy_gradient, call=call_cross_entropy_gradient, upstream=normal(len(labels)),
                                        logits=logits, labels=labels)
                                   for logits, labels in ((LOGITS, LABELS), (SQUARE, np.array([1, 1, 0])))],
    "probability_cross_entropy": [case(of_probabilities, output=output, labels=labels, epsilon=1e-7) for output, labels in (
        (PROBABILITIES, LABELS), (positive(3, 3), np.array([1, 1, 0])), (np.array([[0.0, 1.0], [0.5, 0.0]]), np.array([1, 1])))],
    "categorical_crossentropy": [
        case(categorical, target=special.softmax(normal(4, 5), -1), output=PROBABILITIES),
        case(categorical, target=special.softmax(normal(2, 3, 4), 1), output=positive(2, 3, 4), axis=1),
        case(categorical, target=special.softmax(normal(4, 5), -1), output=LOGITS, from_logits=True),
    ],
    "sparse_categorical_crossentropy": [
        case(sparse, target=LABELS, output=PROBABILITIES), case(sparse, target=LABELS[:, None], output=LOGITS, from_logits=True),
        case(sparse, target=np.array([[0, 2, 1, 1], [2, 2, 0, 1]]), output=positive(2, 3, 4), axis=1),
        case(sparse, target=np.array([[0, 2, 1], [2, 3, 0]]), output=X, from_logits=True),
    ],
    "binary_crossentropy": [
        case(binary, target=RNG.uniform(0.1, 0.9, (2, 3)), output=RNG.uniform(0.1, 0.9, (2, 3))),
        case(binary, target=np.array([[0.0, 1.0, 0.0]]), output=np.array([[0.3, 0.7, 0.9]])),
        case(binary, target=RNG.uniform(0, 1, (2, 3)), output=SATURATED, from_logits=True),
    ],
}  # fmt: skip

# ---- randomness: what is drawn is tested with the kernel ----

KEY = np.array([7, 1], np.uint32)
CASES["masked_dropout"] = [case(x=X, key=KEY, rate=0.4), case(x=SQUARE, key=KEY, rate=0.0, offset=5)]

# ---- twins: what a fused op computes, one op at a time ----

for _name in [name for name in dir(ops) if name.endswith("_composed")]:
    CASES[_name] = [
        case(lambda _expected=one.expected, **s: _first(_expected(**s)), **one.arguments)
        for one in CASES[_name.removesuffix("_composed")]
    ]


def _first(outputs):
    return outputs[0] if isinstance(outputs, tuple) else outputs
