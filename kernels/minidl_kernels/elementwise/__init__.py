"""Sums of two arrays; and chains of elementwise steps in one pass, each with its gradient, listed in ``chains.py``.

Where each step is a pass over memory of its own, an activation such as gelu takes eight of them, its gradient more.
"""

from ..arrays import Array
from ..kernel import Output, kernel
from .chains import CHAINS

__all__ = ["ADD_FROM", "add", "elementwise", "elementwise_grad"]

ADD_FROM = 1 << 17  # elements from which on a sum is worth more than one core: below, NumPy's own is as quick


@kernel(arrays=2)
def add(x: Array, y: Array) -> Output:
    """x + y, element by element.

    Args:
        x, y: any shape, both the same.
    """
    if x.shape != y.shape:
        raise ValueError(f"add: x has shape {x.shape}, y has {y.shape}; they must be equal")
    return Output(x.shape, x.dtype)


def _check(name: str, chain: str, constants: tuple[float, ...]) -> None:
    if chain not in CHAINS:
        raise ValueError(f"{name}: there is no chain {chain!r}; there are: {', '.join(CHAINS)}")
    if len(constants) != len(wanted := CHAINS[chain].constants):
        raise ValueError(f"{name}: {chain} has the constants {wanted}, and {len(constants)} numbers came: {constants}")


@kernel(arrays=1)
def elementwise(x: Array, *, chain: str, constants: tuple[float, ...] = ()) -> Output:
    """The value of a chain, element by element.

    Args:
        x: any shape.
        chain: a name in ``chains.CHAINS``, such as "gelu_erf".
        constants: a number for each name in the chain's ``constants``.
    """
    _check("elementwise", chain, constants)
    return Output(x.shape, x.dtype)


@kernel(arrays=2)
def elementwise_grad(g: Array, x: Array, *, chain: str, constants: tuple[float, ...] = ()) -> Output:
    """g times the derivative of a chain at x.

    Args:
        g: upstream gradient, any shape.
        x: what ``elementwise`` got, of g's shape.
        chain, constants: those of the forward pass.
    """
    _check("elementwise_grad", chain, constants)
    if g.shape != x.shape:
        raise ValueError(f"elementwise_grad: g has shape {g.shape}, x has {x.shape}; they must be equal")
    return Output(g.shape, g.dtype)
