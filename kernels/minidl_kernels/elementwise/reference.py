"""The definitions, element by element, in Python's own numbers (float64), rounded once."""

import math

import numpy as np

from . import add, elementwise, elementwise_grad
from .chains import CHAINS, compiled

FUNCTIONS = {
    "absolute": abs, "erf": math.erf, "exp": math.exp, "expm1": math.expm1, "log1p": math.log1p, "sqrt": math.sqrt,
    "tanh": math.tanh,
    "maximum": lambda a, b: b if a < b else a,  # NaN in a passes
    "minimum": lambda a, b: b if a > b else a,
    "sigmoid": lambda a: math.exp(min(a, 0)) / (1 + math.exp(-abs(a))),
    "where": lambda condition, yes, no: yes if condition else no,
}  # fmt: skip


@add.implementation("reference", on="numpy")
def add_reference(x: np.ndarray, y: np.ndarray, *, out: np.ndarray) -> None:
    for i in np.ndindex(x.shape):
        out[i] = float(x[i]) + float(y[i])


@elementwise.implementation("reference", on="numpy")
def elementwise_reference(x: np.ndarray, *, chain: str, constants: tuple[float, ...], out: np.ndarray) -> None:
    one = CHAINS[chain]
    value = compiled(one.forward, ("x", *one.constants), FUNCTIONS)
    for i in np.ndindex(x.shape):
        out[i] = value(float(x[i]), *constants)


@elementwise_grad.implementation("reference", on="numpy")
def elementwise_grad_reference(
    g: np.ndarray, x: np.ndarray, *, chain: str, constants: tuple[float, ...], out: np.ndarray
) -> None:
    one = CHAINS[chain]
    gradient = compiled(one.gradient, ("g", "x", *one.constants), FUNCTIONS)
    for i in np.ndindex(x.shape):
        out[i] = gradient(float(g[i]), float(x[i]), *constants)
