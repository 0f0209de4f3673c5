"""NumPy and CuPy: the same text on whole arrays, a pass over memory for each operation."""

from typing import Any

from ..activation import sigmoid
from ..arrays import Array, namespace, special
from . import add, elementwise, elementwise_grad
from .chains import CHAINS, compiled


def _functions(x: Array) -> dict[str, Any]:
    xp = namespace(x)
    return {
        "absolute": xp.absolute, "erf": lambda a: special(a).erf(a), "exp": xp.exp, "expm1": xp.expm1,
        "log1p": xp.log1p, "maximum": xp.maximum, "minimum": xp.minimum, "sigmoid": sigmoid, "sqrt": xp.sqrt,
        "tanh": xp.tanh, "where": xp.where,
    }  # fmt: skip


@add.implementation("array", on=("numpy", "cupy"))
def add_array(x: Array, y: Array, *, out: Array) -> None:
    namespace(x).add(x, y, out=out)


@elementwise.implementation("array", on=("numpy", "cupy"))
def elementwise_array(x: Array, *, chain: str, constants: tuple[float, ...], out: Array) -> None:
    one = CHAINS[chain]
    out[...] = compiled(one.forward, ("x", *one.constants), _functions(x))(x, *constants)


@elementwise_grad.implementation("array", on=("numpy", "cupy"))
def elementwise_grad_array(g: Array, x: Array, *, chain: str, constants: tuple[float, ...], out: Array) -> None:
    one = CHAINS[chain]
    out[...] = compiled(one.gradient, ("g", "x", *one.constants), _functions(x))(g, x, *constants)
