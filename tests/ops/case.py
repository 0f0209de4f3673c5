"""What a case of an op is, and the numbers that the tables of cases are made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

RNG = np.random.default_rng(20)


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes:
        arguments: by name. Floating arrays, also those in lists, become Tensors and are differentiated.
        expected: an independent definition in NumPy that takes the same arguments; None where a twin or a property is
            tested elsewhere.
        constant: floating arguments that are not differentiated.
        call: called in place of the op.
    """

    arguments: dict[str, Any]
    expected: Callable[..., Any] | None
    constant: tuple[str, ...] = ()
    call: Callable[..., Any] | None = None


def case(
    expected: Callable[..., Any] | None = None,
    constant: tuple[str, ...] = (),
    call: Callable[..., Any] | None = None,
    **arguments: Any,
) -> Case:
    return Case(arguments, expected, constant, call)


def cases(expected: Callable[..., Any] | None, *several: dict[str, Any], **common: Any) -> list[Case]:
    """One case for each of ``several``, with the ``common`` arguments."""
    return [case(expected, **common, **one) for one in several]


def normal(*shape: int) -> np.ndarray:
    return np.asarray(RNG.normal(size=shape))


def positive(*shape: int) -> np.ndarray:
    return np.asarray(RNG.uniform(0.3, 2.0, shape))


def nonzero(*shape: int) -> np.ndarray:
    """Of both signs, none near 0."""
    return np.asarray(RNG.uniform(0.5, 2.0, shape) * RNG.choice([-1, 1], shape))


def distinct(*shape: int) -> np.ndarray:
    """No two elements near each other."""
    return RNG.permutation(np.prod(shape)).reshape(shape) / 3.0 - 1.1


TIES = np.array([[1.0, 3.0, 3.0], [0.0, 0.0, -1.0], [2.0, 2.0, 2.0]])
ONE_ZERO, TWO_ZEROS = np.array([[2.0, 0.0, -3.0]]), np.array([[0.0, 4.0, 0.0]])
HUGE = np.array([[1000.0, -1000.0, 999.5], [-1000.0, -1000.0, -1000.0]])

# Broadcasting both ways, no two dimensions equal, then equal ones, no axes at all, extent 1.
PAIRS = [((3, 4), (3, 4)), ((2, 2), (2, 2)), ((3, 1, 4), (2, 1)), ((2, 1), (3, 1, 4)), ((), (2, 3)), ((2, 1), ())]


def two(expected: Callable[..., Any], make1: Any = normal, make2: Any = normal) -> list[Case]:
    """Cases of an op of x1 and x2, also with a number on either side."""
    found = [case(expected, x1=make1(*a), x2=make2(*b)) for a, b in PAIRS]
    return [*found, case(expected, x1=make1(2, 3), x2=1.5), case(expected, x1=2.5, x2=make2(2, 3))]


def each(expected: Callable[..., Any], make: Any = normal, *more: np.ndarray, **settings: Any) -> list[Case]:
    """Cases of an op of x, elementwise."""
    return [case(expected, x=np.asarray(x), **settings) for x in (make(2, 3), make(1, 1), make(), *more)]


def reduced(expected: Callable[..., Any], make: Any = normal, *more: np.ndarray, axis: str = "axis") -> list[Case]:
    """Cases of a reduction: over all axes, one, a negative one, several, and with the axes kept."""
    settings = [{}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 2)}, {"axis": (-1, 1), "keepdims": True}]
    found = [case(expected, x=make(2, 3, 4), **s) for s in settings]
    found += [case(expected, x=make(1, 3), axis=0), case(expected, x=make(3, 3), axis=1), case(expected, x=make(5))]
    return found + [case(expected, x=x, axis=1) for x in more]
