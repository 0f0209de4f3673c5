"""Cases of arithmetic and of activations."""

import math

import numpy as np
from scipy import special

from minidl_kernels.elementwise.chains import CHAINS
from tests.ops.case import (
    HUGE,
    ONE_ZERO,
    RNG,
    TIES,
    Case,
    case,
    cases,
    each,
    nonzero,
    normal,
    positive,
    two,
)  # fmt: skip

X, SQUARE = normal(2, 3, 4), normal(3, 3)
SATURATED = np.array([[-800.0, 800.0, 0.0], [-40.0, 40.0, 1.0]])


def limited(x, x_min, x_max):
    return np.minimum(np.maximum(x, x_min), x_max)


def chosen(condition, x1, x2):
    return np.where(condition, x1, x2)


def larger(x1, x2):
    return np.where(x1 > x2, x1, x2)


def smaller(x1, x2):
    return np.where(x1 < x2, x1, x2)


def raised(x1, x2):
    return x1**x2


ARITHMETIC: dict[str, list[Case]] = {
    "add": two(lambda x1, x2: x1 + x2),
    "subtract": two(lambda x1, x2: x1 - x2),
    "multiply": two(lambda x1, x2: x1 * x2),
    "divide": two(lambda x1, x2: x1 / x2, normal, nonzero),
    "power": [
        *two(raised, positive),
        *cases(raised, {"x2": 3.0}, {"x2": -2.0}, x1=nonzero(2, 3)),
        *cases(raised, {"x2": 2.0}, {"x2": 1.0}, {"x2": 0.0}, x1=ONE_ZERO),
        case(raised, x1=0.0, x2=positive(3)),
    ],
    "maximum": [*two(larger), case(larger, x1=TIES, x2=TIES.T.copy()), case(larger, x1=TIES, x2=0.0)],
    "minimum": [*two(smaller), case(smaller, x1=TIES, x2=TIES.T.copy()), case(smaller, x1=TIES, x2=0.0)],
    "clip": [
        case(limited, x=X, x_min=-0.5, x_max=0.8),
        case(limited, x=TIES, x_min=0.0, x_max=3.0),
        case(limited, x=X, x_min=-positive(3, 1), x_max=positive(4), constant=("x_min", "x_max")),
    ],
    "where": [
        case(chosen, condition=SQUARE > 0, x1=SQUARE, x2=normal(3, 3)),
        case(chosen, condition=SQUARE[:, :1] > 0, x1=normal(3), x2=SQUARE),
        case(chosen, condition=X > 0, x1=X, x2=0.0),
        case(chosen, condition=np.array(True), x1=normal(), x2=normal(2)),
    ],
    "cast": cases(lambda x, dtype: x, {"x": X, "dtype": "float64"}, {"x": normal(), "dtype": np.float64}),
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
}


def positive_part(x):
    return np.where(x > 0, x, 0.0)


def gate(upstream, output):
    return upstream * (output > 0)


def leaky(x, negative_slope=0.2):
    return np.where(x > 0, x, negative_slope * x)


def leaky_gate(upstream, x, negative_slope):
    return upstream * np.where(x >= 0, 1, negative_slope)


def exponential(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))


def gaussian_gate(x, approximate=True):
    if approximate:
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * special.ndtr(x)


def soft(x, axis=-1):
    return special.softmax(x, axis)


def log_soft(x, axis=-1):
    return special.log_softmax(x, axis)


def soft_gradient(upstream, output):
    return output * (upstream - (upstream * output).sum(-1, keepdims=True))


def log_soft_gradient(upstream, output):
    return upstream - np.exp(output) * upstream.sum(-1, keepdims=True)


LAST_AXIS = [{"x": x} for x in (normal(3, 5), SQUARE, normal(2, 1, 4), HUGE, normal(1, 1))]
BELOW = [{"upstream": normal(*shape), "output": normal(*shape)} for shape in ((3, 5), (3, 3), (2, 1, 4))]
UPSTREAM, OUTPUT = normal(3, 4), RNG.uniform(0.1, 0.9, (3, 4))

ACTIVATIONS: dict[str, list[Case]] = {
    "relu": each(positive_part, normal, TIES),
    "relu_grad": [
        case(gate, upstream=UPSTREAM, output=positive_part(normal(3, 4))),
        case(gate, upstream=normal(3, 3), output=positive_part(TIES)),
    ],
    "bias_relu": [
        case(lambda x, bias: positive_part(x + bias), x=x, bias=bias)
        for x, bias in ((X, normal(4)), (SQUARE, normal(3)), (TIES, np.zeros(3)), (normal(1, 1), normal(1)))
    ],
    "sigmoid": each(lambda x: special.expit(x), normal, SATURATED),
    "sigmoid_grad": [case(lambda upstream, output: upstream * output * (1 - output), upstream=UPSTREAM, output=OUTPUT)],
    "tanh": each(lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))),
    "tanh_grad": [case(lambda upstream, output: upstream * (1 - output**2), upstream=UPSTREAM, output=OUTPUT)],
    "softmax": cases(soft, {"axis": 0}, {"axis": 1}, {"axis": -1}, x=X),
    "softmax_last": cases(soft, *LAST_AXIS),
    "softmax_grad": cases(soft_gradient, *BELOW),
    "log_softmax": cases(log_soft, {"axis": 0}, {"axis": 1}, {"axis": -1}, x=X),
    "log_softmax_last": cases(log_soft, *LAST_AXIS),
    "log_softmax_grad": cases(log_soft_gradient, *BELOW),
    "leaky_relu_grad": [
        case(leaky_gate, upstream=UPSTREAM, x=normal(3, 4), negative_slope=0.3),
        case(leaky_gate, upstream=normal(3, 3), x=TIES, negative_slope=0.2),
    ],
    "leaky_relu": [*each(leaky, normal, TIES), case(leaky, x=SQUARE, negative_slope=0.5)],
    "relu6": each(lambda x: np.clip(x, 0, 6), lambda *shape: 5 * normal(*shape)),
    "elu": [*each(exponential, normal, SATURATED), case(exponential, x=TIES, alpha=0.5)],
    "selu": each(lambda x: 1.0507009873554805 * exponential(x, 1.6732632423543772)),
    "softplus": each(lambda x: np.logaddexp(x, 0), normal, SATURATED),
    "log_sigmoid": each(lambda x: special.log_expit(x), normal, SATURATED),
    "softsign": each(lambda x: x / (1 + np.abs(x)), normal, SATURATED),
    "silu": each(lambda x: x * special.expit(x), normal, SATURATED),
    "hard_sigmoid": each(lambda x: np.clip(x / 6 + 0.5, 0, 1), lambda *shape: 3 * normal(*shape)),
    "gelu": [*each(gaussian_gate), *cases(gaussian_gate, {"approximate": False}, {"approximate": True}, x=SQUARE)],
}


def halves(x, axis=-1):
    values, gates = np.split(x, 2, axis)
    return values * special.expit(gates)


def shrunk(x, threshold=0.5):
    return np.sign(x) * np.maximum(np.abs(x) - threshold, 0)


def nearest_of_the_simplex(x, axis=-1):
    """By bisection of the shift that makes the sum 1."""
    low, high = x.max(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(80):
        middle = (low + high) / 2
        large = np.maximum(x - middle, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(large, middle, low), np.where(large, high, middle)
    return np.maximum(x - low, 0)


def away_from_kinks(*shape):
    """At least 0.05 from every kink of these functions: -3, -1, -0.5, 0, 0.5, 1, 3."""
    return RNG.choice([-4.0, -1.8, -0.7, -0.3, 0.3, 0.7, 1.8, 4.0], shape) + RNG.uniform(-0.1, 0.1, shape)


PIECEWISE: dict[str, list[Case]] = {
    "celu": [
        *each(lambda x: np.maximum(x, 0) + np.expm1(np.minimum(x, 0)), away_from_kinks, SATURATED),
        case(lambda x, alpha: np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0) / alpha), x=X, alpha=0.4),
    ],
    "glu": cases(halves, {}, {"axis": 0}, {"axis": 2}, x=normal(2, 3, 4)),
    "hard_shrink": [
        *each(lambda x: x * (abs(x) > 0.5), away_from_kinks),
        case(lambda x, threshold: x * (abs(x) > threshold), x=away_from_kinks(3, 3), threshold=1.0),
    ],
    "soft_shrink": [*each(shrunk, away_from_kinks), case(shrunk, x=away_from_kinks(3, 3), threshold=1.0)],
    "tanh_shrink": each(lambda x: x - np.sinh(x) / np.cosh(x)),
    "threshold": [
        case(
            lambda x, threshold, default_value: np.where(x > threshold, x, default_value),
            x=away_from_kinks(3, 4),
            threshold=0.5,
            default_value=-2.0,
        ),  # fmt: skip
    ],
    "hard_tanh": each(lambda x: limited(x, -1, 1), away_from_kinks),
    "hard_silu": each(lambda x: x * limited(x / 6 + 0.5, 0, 1), away_from_kinks),
    "sparse_sigmoid": each(lambda x: limited((x + 1) / 2, 0, 1), away_from_kinks),
    "sparse_plus": each(lambda x: np.where(x < 1, (np.maximum(x, -1) + 1) ** 2 / 4, x), away_from_kinks),
    "squareplus": [
        *each(lambda x: (x + np.hypot(x, 2)) / 2),
        case(lambda x, b: (x + np.hypot(x, b**0.5)) / 2, x=X, b=0.5),
    ],
    "sparsemax": cases(nearest_of_the_simplex, {}, {"axis": 0}, {"axis": 1}, x=normal(3, 5, 4)),
    "sparsemax_last": [
        case(nearest_of_the_simplex, x=x) for x in (normal(3, 5), 0.1 * normal(2, 3), normal(1, 1), HUGE)
    ],
}


def defined(x, chain, constants):
    """What a chain is, by the definition of the function that it is named after."""
    if chain == "mish":
        return x * np.tanh(np.logaddexp(x, 0))
    if chain.startswith("gelu"):
        return gaussian_gate(x, chain == "gelu_tanh")
    one = (ACTIVATIONS | PIECEWISE)[chain][-1]
    return one.expected(x, *constants)


PIECEWISE["elementwise"] = [
    case(defined, x=away_from_kinks(2, 3), chain=chain, constants=(0.5, -2.0)[: len(one.constants)])
    for chain, one in CHAINS.items()
]
