"""The chains: short texts that are Python and, but for the types, C++ as well.

Each step is ``name = expression``. The forward is given ``x`` and the constants and ends with ``y``; the gradient is
given the upstream gradient ``g`` too, and ends with ``dx``. One text serves all: Python's numbers (``reference.py``),
arrays (``array.py``), tensors (``minidl.ops``), and the CUDA kernel that makes the whole chain in one launch
(``cuda.py``). So both sides of a ``where`` are computed, and neither may overflow.

At a kink the gradient is the one that ``minidl.ops`` makes of the single steps: at a tie of a maximum or a minimum
with a constant, half of g.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

__all__ = ["CHAINS", "FUNCTIONS", "Chain", "compiled"]

# What a text may call. Every language that runs it has these.
FUNCTIONS = ("absolute", "erf", "exp", "expm1", "log1p", "maximum", "minimum", "sigmoid", "sqrt", "tanh", "where")
NAME = re.compile(r"(\w+) = ")


class Chain(NamedTuple):
    """Steps of the value, steps of the gradient, and the names of what both take beside x and g."""

    forward: str
    gradient: str
    constants: tuple[str, ...] = ()


# What relu6(s) lets through of g, where s is x + 3.
_RAMP = "s = x + 3; slope = where(s > 0, where(s < 6, g, where(s > 6, 0, g / 2)), 0)"
# log(1 + exp(x)) without overflow.
_SOFTPLUS = "maximum(x, 0) + log1p(exp(-absolute(x)))"

CHAINS = {
    "celu": Chain(
        "y = maximum(x, 0) + alpha * expm1(minimum(x, 0) / alpha)",
        "dx = where(x > 0, g, g * exp(minimum(x, 0) / alpha))",
        ("alpha",),
    ),
    "elu": Chain(
        "y = where(x > 0, x, alpha * expm1(where(x > 0, 0, x)))",
        "dx = where(x > 0, g, g * alpha * exp(where(x > 0, 0, x)))",
        ("alpha",),
    ),
    "gelu_erf": Chain(
        "y = x / 2 * (1 + erf(x * 0.7071067811865476))",
        "dx = g * ((1 + erf(x * 0.7071067811865476)) / 2 + x * 0.3989422804014327 * exp(-x * x / 2))",
    ),
    "gelu_tanh": Chain(
        "t = tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)); y = x / 2 * (1 + t)",
        "t = tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)); "
        "dx = g * ((1 + t) / 2 + x / 2 * (1 - t * t) * 0.7978845608028654 * (1 + 0.134145 * x * x))",
    ),
    "hard_shrink": Chain(
        "y = where(absolute(x) > threshold, x, 0)",
        "dx = where(absolute(x) > threshold, g, 0)",
        ("threshold",),
    ),
    "hard_sigmoid": Chain("y = minimum(maximum(x + 3, 0), 6) / 6", f"{_RAMP}; dx = slope / 6"),
    "hard_silu": Chain(
        "y = x * minimum(maximum(x + 3, 0), 6) / 6",
        f"{_RAMP}; dx = (g * minimum(maximum(s, 0), 6) + x * slope) / 6",
    ),
    "hard_tanh": Chain("y = minimum(maximum(x, -1), 1)", "dx = where(x >= -1, where(x > 1, 0, g), 0)"),
    "log_sigmoid": Chain("y = minimum(x, 0) - log1p(exp(-absolute(x)))", "dx = g * sigmoid(-x)"),
    "mish": Chain(
        f"y = x * tanh({_SOFTPLUS})",
        f"t = tanh({_SOFTPLUS}); dx = g * (t + x * (1 - t * t) * sigmoid(x))",
    ),
    "relu6": Chain(
        "y = minimum(maximum(x, 0), 6)",
        "dx = where(x > 0, where(x < 6, g, where(x > 6, 0, g / 2)), 0)",
    ),
    "selu": Chain(
        "y = 1.0507009873554805 * where(x > 0, x, 1.6732632423543772 * expm1(where(x > 0, 0, x)))",
        "dx = 1.0507009873554805 * where(x > 0, g, g * 1.6732632423543772 * exp(where(x > 0, 0, x)))",
    ),
    "silu": Chain("y = x * sigmoid(x)", "s = sigmoid(x); dx = g * s * (1 + x * (1 - s))"),
    "soft_shrink": Chain(
        "y = where(x > threshold, x - threshold, where(x < -threshold, x + threshold, 0))",
        "dx = where(x > threshold, g, where(x < -threshold, g, 0))",
        ("threshold",),
    ),
    "softplus": Chain(f"y = {_SOFTPLUS}", "dx = g * sigmoid(x)"),
    "softsign": Chain("y = x / (1 + absolute(x))", "d = 1 + absolute(x); dx = g / (d * d)"),
    "sparse_plus": Chain(
        "s = maximum(x, -1) + 1; y = where(x > 1, x, s * s / 4)",
        "dx = where(x > 1, g, where(x > -1, g * (x + 1) / 2, 0))",
    ),
    "sparse_sigmoid": Chain(
        "y = minimum(maximum(x + 1, 0), 2) / 2",
        "dx = where(x + 1 >= 0, where(x + 1 > 2, 0, g / 2), 0)",
    ),
    "squareplus": Chain(
        "y = (x + sqrt(x * x + b)) / 2",
        "dx = g / 2 * (1 + x / sqrt(x * x + b))",
        ("b",),
    ),
    "tanh_shrink": Chain("y = x - tanh(x)", "t = tanh(x); dx = g * t * t"),
    "threshold": Chain(
        "y = where(x > threshold, x, default_value)",
        "dx = where(x > threshold, g, 0)",
        ("threshold", "default_value"),
    ),
}


def compiled(steps: str, given: tuple[str, ...], functions: Mapping[str, Any]) -> Callable[..., Any]:
    """A Python function of what is ``given``, which returns what the last of the steps names."""
    scope = dict(functions)
    exec(f"def chain({', '.join(given)}): {steps}; return {NAME.findall(steps)[-1]}", scope)
    return scope["chain"]
