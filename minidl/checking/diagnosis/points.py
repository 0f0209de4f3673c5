"""The points at which gradients are compared: the given inputs, inputs with ties and zeros, large ones."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..probing import signed
from .adapters import Checked
from .case import Case
from .comparison import Comparison, compare
from .directions import Moves, first_look
from .jacobian import Look, differentiate
from .sides import Came

__all__ = ["compared", "probed"]


def probed(x: list[np.ndarray]) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Inputs with ties and zeros, and large ones.

    No zeros where there are parameters: zeros under zero biases make every unit behind them 0, and ReLU's derivative of
    0 there need not be one of the whole, as in relu(x) - relu(-x) = x (Kakade & Lee, 2018).
    """
    first, seen = x[0], x[0]
    unit = 0.5 * (float(first.std()) or 1.0)
    tied = np.round(first / unit) * unit
    if len(x) > 1:
        tied += unit / 4
    elif (first < 0).any() and (first > 0).any():
        tied.flat[np.abs(first).argmin()] = 0.0
    # Most of the elements at the largest value: ties in nearly every window.
    for point in (tied, np.minimum(tied, np.quantile(tied, 0.4))) if first.ndim > 1 else (tied,):
        if not np.array_equal(point, seen):
            yield "ties", [point, *x[1:]]
        seen = point
    reach = min(float(first.max(initial=0)), -float(first.min(initial=0)))
    if reach > 0:  # inputs of one sign may be probabilities
        yield "large", [first * (1000 / reach), *x[1:]]


def compared(
    checked: Checked,
    x: list[np.ndarray],
    where: str,
    moves: Moves,
    rtol: float,
    base: Comparison | None = None,
    named: bool = True,
    y: np.ndarray | None = None,
) -> Comparison | None:
    """The comparison at one point; None where the function itself is not finite there, unless the point was given.

    Args:
        checked: the function and its gradients.
        x: the point; ``where``: "given", "ties" or "large".
        moves: draws the upstream gradient and the directions.
        rtol: tolerated relative error.
        base: the comparison at the given inputs, for others.
        named: False: whether it is right is all that is asked.
        y: the output there, where it is known.
    """
    y = checked.evaluate(x) if y is None else y
    if not np.isfinite(y).all():
        return None if where != "given" else Comparison.not_finite(checked, x, y)
    g = signed(moves.rng, y.shape) if checked.upstream else np.ones(y.shape)
    checked.clear()
    cache = checked.forward(x)[1]
    analytic = checked.backward(g, cache)
    case = Case(
        checked.filled(x), checked.names, x, y, g, [], [], analytic, len(checked.leaf_args), checked.evaluate,
        checked.arguments,
    )  # fmt: skip
    single = base is not None and base.coarse
    turns = 2 if base is None else 1
    look = Look("unclear") if single else first_look(checked, case, moves, leaves=named, turns=turns)
    if look.verdict == "right":
        case.numeric = _filled(case, case.analytic)
        return Comparison(case, where)
    if look.verdict == "wrong" and not named:
        return Comparison(case, where, wrong=list(range(len(x))))
    if look.verdict == "wrong":
        case.slopes, coarse = differentiate(checked.evaluate, x, y, moves.rng, look=look)
        case.numeric = _filled(
            case, [s.product(g) if s.taken else a for s, a in zip(case.slopes, analytic, strict=True)]
        )
        found = compare(checked, case, where, rtol, coarse, base)
        if not found.ok:
            return found
    came = [a if a is not None and a.size == part.size else None for a, part in zip(analytic, x, strict=True)]
    case.slopes, coarse = differentiate(checked.evaluate, x, y, moves.rng, single=single, came=Came(came, g))
    case.numeric = [s.product(g) for s in case.slopes]
    return compare(checked, case, where, rtol, coarse, base)


def _filled(case: Case, gradients: list[Any]) -> list[np.ndarray]:
    return [np.zeros(x.shape) if a is None else a.reshape(x.shape) for x, a in zip(case.x, gradients, strict=True)]
