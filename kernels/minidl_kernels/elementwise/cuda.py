"""CuPy: one launch for a sum, or for a whole chain, by kernels that are written here by the texts of ``chains.py``."""

import re

import numpy as np

from ..arrays import Array
from ..cuda import Program, blocks
from ..on_cpu import contiguous
from . import add, elementwise, elementwise_grad
from .chains import CHAINS, NAME, Chain

THREADS = 256
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
KERNEL = """
extern "C" __global__ void {name}({arrays}, real* result, long long size{constants}) {{
    ELEMENT
{steps}    result[i] = {last};
}}
"""


def _kernel(name: str, steps: str, given: tuple[str, ...], constants: tuple[str, ...]) -> str:
    """A kernel of arrays that are named as what they hold, but for an s: x is an element of xs."""
    # Not 0.5, which is a double and would make one of all that it meets; nor 1 / 2, which C++ makes 0.
    lines = [f"real {NUMBER.sub(lambda number: f'real({number[0]})', step.strip())};" for step in steps.split(";")]
    return KERNEL.format(
        name=name,
        arrays=", ".join(f"const real* {one}s" for one in given),
        constants="".join(f", real {one}" for one in constants),
        steps="".join(f"    {line}\n" for line in [f"real {one} = {one}s[i];" for one in given] + lines),
        last=NAME.findall(steps)[-1],
    )


def _kernels(name: str, chain: Chain) -> str:
    forward = _kernel(f"{name}_forward", chain.forward, ("x",), chain.constants)
    return forward + _kernel(f"{name}_gradient", chain.gradient, ("g", "x"), chain.constants)


chains = Program("elementwise.cu", __file__, more="".join(_kernels(name, chain) for name, chain in CHAINS.items()))


def _launch(name: str, *arrays: Array, out: Array, constants: tuple[float, ...] = ()) -> None:
    chains(name, (blocks(out.size, THREADS),), (THREADS,), *arrays, out, np.int64(out.size), *map(float, constants))


@add.implementation("cuda", on="cupy")
@contiguous
def add_cuda(x: Array, y: Array, *, out: Array) -> None:
    _launch("add", x, y, out=out)


@elementwise.implementation("cuda", on="cupy")
@contiguous
def elementwise_cuda(x: Array, *, chain: str, constants: tuple[float, ...], out: Array) -> None:
    _launch(f"{chain}_forward", x, out=out, constants=constants)


@elementwise_grad.implementation("cuda", on="cupy")
@contiguous
def elementwise_grad_cuda(g: Array, x: Array, *, chain: str, constants: tuple[float, ...], out: Array) -> None:
    _launch(f"{chain}_gradient", g, x, out=out, constants=constants)
