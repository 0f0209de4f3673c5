"""Activations that are a chain of steps: one launch where the array lies on a GPU, op by op everywhere else.

On a GPU each step of a chain would be a launch and a pass over memory. The kernels know the steps of these functions
(``kernels/minidl_kernels/elementwise/chains.py``); the functions themselves say what they compute, and are what runs
on a processor.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import minidl_kernels as kernels
from minidl.engine.op import Op, op
from minidl.engine.tensor import Tensor, raw
from minidl_kernels.arrays import FLOATS, Array, foreign, library_of, modules
from minidl_kernels.elementwise.chains import CHAINS, compiled

from . import activation  # the module, whose functions this file decorates: it is not complete yet
from .arithmetic import absolute, erf, exp, expm1, log1p, maximum, minimum, sqrt, where

__all__ = ["is_launched", "one_launch"]

F = TypeVar("F", bound=Callable[..., Any])
_call_op = Op.__call__


@op
def elementwise(x: Any, chain: str, constants: tuple[float, ...] = ()) -> Array:
    """The value of a chain of steps, in one pass.

    Args:
        chain: a name in ``minidl_kernels.elementwise.chains``.
        constants: a number for each that the chain names.
    """
    return kernels.elementwise(x, chain=chain, constants=constants)


@elementwise.grad("x")
def _(g, x, chain, constants):
    if not isinstance(g, Tensor):
        return kernels.elementwise_grad(g, x, chain=chain, constants=constants)
    # The same text, of ops: it can be differentiated again.
    functions = {
        "absolute": absolute, "erf": erf, "exp": exp, "expm1": expm1, "log1p": log1p, "maximum": maximum,
        "minimum": minimum, "sigmoid": activation.sigmoid, "sqrt": sqrt, "tanh": activation.tanh, "where": where,
    }  # fmt: skip
    one = CHAINS[chain]
    return compiled(one.gradient, ("g", "x", *one.constants), functions)(g, x, *constants)


def is_launched(x: Any) -> bool:
    """Whether x is an array, or holds one, on which a chain is one launch: floats on a GPU."""
    library = library_of(raw(x)) if foreign or "cupy" in modules else None
    return library is not None and not library.noted and x.dtype in FLOATS


def one_launch(function: F) -> F:
    """Decorates a function of x and constants, made of ops, whose name is that of a chain."""
    signature, name = inspect.signature(function), function.__name__

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if (
            foreign or "cupy" in modules
        ) and Op.__call__ is _call_op:  # with another one a trace is open: it shows steps
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            x, *constants = given.args
            if is_launched(x) and all(isinstance(one, (int, float)) for one in constants):
                return elementwise(x, name, tuple(map(float, constants)))
        return function(*args, **kwargs)

    return cast(F, wrapper)
