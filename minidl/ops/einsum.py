"""Einstein's summation convention: products of arrays, named axis by axis, summed over the axes that disappear.

Every product is the op ``contraction`` of two arrays. There each letter stands in two or all three of the left, the
right and the result, so that the gradient of either side is such a contraction too.
"""

import math
from collections import Counter
from string import ascii_letters
from typing import Any

import numpy as np

from minidl.engine.op import op
from minidl_kernels.arrays import Array

from .arithmetic import multiply
from .products import matmul
from .reductions import sum
from .shaping import getitem, reshape, transpose

__all__ = ["einsum"]


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Products summed by Einstein's convention, such as einsum("bij,bjk->bik", x, y).

    Args:
        subscripts: a letter for each axis of each operand; "..." for further axes, which broadcast. Without "->" the
            result has the axes of "..." and the letters that occur once, in alphabetical order.
        operands: one array or more; they are joined from left to right.

    Raises:
        ValueError: subscripts that do not fit the operands.
    """
    kwargs.pop("optimize", None)  # NumPy's choice of an order
    if kwargs:
        raise TypeError(f"einsum got unknown arguments: {', '.join(kwargs)}")
    terms, result = _spelled_out(subscripts, [tuple(x.shape) for x in operands])
    y, term = None, ""
    for place, (x, letters) in enumerate(zip(operands, terms, strict=True)):
        others = {letter for i, one in enumerate(terms) if i != place for letter in one}
        x, letters = _alone(x, letters, others | set(result))
        if y is None:
            y, term = x, letters
            continue
        later = set(result).union(*terms[place + 1 :])
        joined = "".join(letter for letter in dict.fromkeys(term + letters) if letter in later)
        joined = result if set(joined) == set(result) and place == len(terms) - 1 else joined
        y, term = contraction(y, x, f"{term},{letters}->{joined}"), joined
    return y if term == result else transpose(y, tuple(term.index(letter) for letter in result))


def _alone(x: Any, term: str, needed: set[str]) -> tuple[Any, str]:
    """An operand with each letter once, and only letters that another operand or the result has."""
    twice = next((letter for letter, count in Counter(term).items() if count > 1), None)
    while twice is not None:  # the diagonal, which stands where the first of its axes stood
        first, second = [i for i, letter in enumerate(term) if letter == twice][:2]
        order = [first, second, *[i for i in range(len(term)) if i not in (first, second)]]
        places = np.arange(x.shape[first])
        x = getitem(transpose(x, tuple(order)), (places, places))
        term = "".join(term[i] for i in order)[1:]
        twice = next((letter for letter, count in Counter(term).items() if count > 1), None)
    unused = tuple(i for i, letter in enumerate(term) if letter not in needed)
    if unused:
        x, term = sum(x, axis=unused), "".join(letter for letter in term if letter in needed)
    return x, term


@op
def contraction(x1: Any, x2: Any, equation: str) -> Array:
    """The product of two arrays, summed over the letters that the result lacks.

    Args:
        equation: "left,right->result": a letter for each axis, none twice in one term, each in two terms at least.
    """
    left, right, result = _terms(equation)
    shared = [a for a in result if a in left and a in right]
    rows, columns = [a for a in result if a not in right], [a for a in result if a not in left]
    summed = [a for a in left if a in right and a not in result]
    sizes = {**dict(zip(left, x1.shape, strict=True)), **dict(zip(right, x2.shape, strict=True))}
    a = transpose(x1, tuple(left.index(i) for i in (*shared, *rows, *summed)))
    b = transpose(x2, tuple(right.index(i) for i in (*shared, *summed, *columns)))
    depth = math.prod(sizes[i] for i in summed)
    a = reshape(a, (*a.shape[: len(shared)], math.prod(sizes[i] for i in rows), depth))
    b = reshape(b, (*b.shape[: len(shared)], depth, math.prod(sizes[i] for i in columns)))
    # Without a sum the matrices are a column and a row: to multiply them as such would be slow.
    y = matmul(a, b) if summed else multiply(a, b)
    y = reshape(y, (*y.shape[: len(shared)], *[sizes[i] for i in (*rows, *columns)]))
    order = [*shared, *rows, *columns]
    return transpose(y, tuple(order.index(i) for i in result))


@contraction.grad("x1")
def _(g, x2, equation):
    left, right, result = _terms(equation)
    return contraction(g, x2, f"{result},{right}->{left}")


@contraction.grad("x2")
def _(g, x1, equation):
    left, right, result = _terms(equation)
    return contraction(g, x1, f"{result},{left}->{right}")


def _terms(equation: str) -> tuple[str, str, str]:
    inputs, result = equation.split("->")
    left, right = inputs.split(",")
    return left, right, result


def _spelled_out(subscripts: str, shapes: list[tuple[Any, ...]]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, those behind "..." among them."""
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum: subscripts must be a text such as 'ij,jk->ik', not {subscripts!r}")
    inputs, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if any(not all(letter in ascii_letters for letter in one.replace("...", "", 1)) for one in (*terms, result)):
        raise ValueError(f"einsum: {subscripts!r} holds something else than letters, ',', '->' and '...'")
    if len(terms) != len(shapes):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} operands, but there are {len(shapes)}")
    free = [letter for letter in reversed(ascii_letters) if letter not in subscripts]
    more = [len(shape) - len(one.replace("...", "")) for one, shape in zip(terms, shapes, strict=True)]
    for one, shape, rest in zip(terms, shapes, more, strict=True):
        if rest < 0 or (rest and "..." not in one):
            raise ValueError(f"einsum: {one!r} of {subscripts!r} does not fit an operand of shape {shape}")
    hidden = "".join(free[: max(more)])
    spelled = [one.replace("...", hidden[len(hidden) - rest :]) for one, rest in zip(terms, more, strict=True)]
    counts = Counter("".join(spelled))
    if not arrow:
        result = hidden + "".join(
            sorted(letter for letter, count in counts.items() if count == 1 and letter not in hidden)
        )
    elif hidden and "..." not in result:
        raise ValueError(f"einsum: {subscripts!r} loses the axes behind '...': the result must have it as well")
    result = result.replace("...", hidden)
    if len(set(result)) != len(result) or not set(result) <= counts.keys():
        raise ValueError(
            f"einsum: each letter of the result of {subscripts!r} must stand there once, and in an operand"
        )
    _check_extents(subscripts, spelled, shapes, hidden)
    return spelled, result


def _check_extents(subscripts: str, terms: list[str], shapes: list[tuple[Any, ...]], hidden: str) -> None:
    extents: dict[str, set[Any]] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if n is not None and not (letter in hidden and n == 1):
                extents.setdefault(letter, set()).add(n)
    for letter, found in extents.items():
        if len(found) > 1:
            name = "'...'" if letter in hidden else repr(letter)
            raise ValueError(f"einsum: {name} of {subscripts!r} stands for extents {sorted(found)} in shapes {shapes}")
