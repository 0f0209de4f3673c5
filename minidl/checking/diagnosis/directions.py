"""A first look: the gradient along random directions, which takes a few evaluations instead of some for each element.

Two products with random directions settle most gradients. A right one agrees with both down to the rounding of float64,
tighter than the elements are judged one by one: every coefficient lies within 0.5 and 1.5, so that the error of one
element shows, and those of several cancel in both products in fewer than one of a million draws, even where they are as
small as the tolerance of an element. A gradient that is wrong by more than a thousandth is settled, too. Whatever lies
between, kinks, jumps and functions that compute in float32, is left to the elements.
"""

import numpy as np

from ..finite_differences import EPSILON, SAFETY, STEP
from ..probing import signed
from .adapters import Checked
from .case import Case
from .jacobian import Look

__all__ = ["Moves", "first_look"]

Gradients = list[np.ndarray | None]  # one a leaf; None where nobody asks for it


class Moves:
    """Random steps of the leaves, drawn once for as long as a leaf has the same values: most points share theirs."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.drawn: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}

    def of(self, leaf: int, x: np.ndarray, turn: int) -> np.ndarray:
        """A step of each element; what the numbers can represent of it."""
        x_before, move = self.drawn.get((leaf, turn), (None, x))
        if x_before is not x:
            move = np.abs(x)
            np.maximum(move, 1.0, out=move)
            move *= STEP
            move *= signed(self.rng, x.shape)
            move += x
            move -= x
            self.drawn[leaf, turn] = x, move
        return move


def first_look(checked: Checked, case: Case, moves: Moves, leaves: bool = True, turns: int = 2) -> Look:
    """Compare along random directions.

    Args:
        checked: what is checked; evaluated twice a turn where it is right, else up to four times for each leaf, too.
        case: the point, with the upstream gradient and what came; ``slopes`` and ``numeric`` are not looked at.
        moves: draws the directions.
        leaves: where something is wrong, look at the leaves one by one.
        turns: in how many directions a right one must agree; 1 where the same function agreed at other inputs.
    """
    gradients: Gradients = []
    misshapen = set()
    for i, (x, a) in enumerate(zip(case.x, case.analytic, strict=True)):
        if a is None:
            gradients.append(None if checked.unasked(i) else np.zeros(x.shape))
        elif a.shape != x.shape and _squeezed(a) != _squeezed(x):
            gradients.append(np.zeros(x.shape))
            misshapen.add(i)
        elif not np.isfinite(a).all():
            return Look("unclear")
        else:
            gradients.append(a.reshape(x.shape))
    look = Look(_along(case, gradients, moves, 0)[0])
    if look.verdict == "right" and not misshapen:
        return look if turns == 1 else Look(_along(case, gradients, moves, 1)[0])
    if look.verdict == "right":  # zeros, in the wrong shape
        look.verdict = "wrong"
    if look.verdict == "wrong" and leaves:
        for i, a in enumerate(gradients):
            verdict, affine = _along(case, [a if j == i else None for j in range(len(gradients))], moves, 0)
            if verdict == "right" and i not in misshapen:
                look.settled.add(i)
            if affine:
                look.affine.add(i)
    return look


def _along(case: Case, gradients: Gradients, drawn: Moves, turn: int) -> tuple[str, bool]:
    """(verdict, whether the outputs are affine along there) of the leaves that have a gradient, all moved at once.

    What agrees with the mean slope of both sides is right, at a kink, too, where this lies in the interval; half the
    step is asked only where it does not.
    """
    center, g = case.y.reshape(-1), case.g.reshape(-1)
    moves = [None if a is None else drawn.of(i, case.x[i], turn) for i, a in enumerate(gradients)]

    def side(k: float) -> np.ndarray:
        point = [x if move is None else x + k * move for x, move in zip(case.x, moves, strict=True)]
        found: np.ndarray = (case.evaluate(point).reshape(-1) - center) / k
        return found

    pairs = [(a, move) for a, move in zip(gradients, moves, strict=True) if a is not None and move is not None]
    expected = sum(float(a.reshape(-1) @ move.reshape(-1)) for a, move in pairs)
    rounding = EPSILON * np.abs(center)
    noise = 4 * SAFETY * (rounding + EPSILON * float(np.abs(center).sum()) / max(1, center.size))
    allowed = 0.5 * (SAFETY * float(np.linalg.norm(g * rounding)) + 1e-12 * STEP)
    on, back = side(1.0), side(-1.0)
    wide = (on + back) / 2
    affine = bool((np.abs(on - back) <= noise).all())
    if abs(float(g @ wide) - expected) <= allowed / 3:  # of half the step and the extrapolation, the noise is thrice
        return "right", affine
    half_on, half_back = side(0.5), side(-0.5)
    narrow = (half_on + half_back) / 2
    tolerance = noise + 1e-7 * np.maximum(np.abs(on), np.abs(back))
    # Where the function is smooth, D(h) = D(h/2) up to h^2, and the gap between the sides shrinks with h.
    smooth = (np.abs(wide - narrow) <= tolerance) & (np.abs(on - back - 2 * (half_on - half_back)) <= tolerance)
    if not smooth.all():
        return "unclear", False
    numeric = float(g @ (4 * narrow - wide)) / 3
    gap = abs(numeric - expected)
    if gap <= allowed:
        return "right", affine
    largest = max([abs(numeric), *(float(np.linalg.norm(a * move)) for a, move in pairs)])
    return "wrong" if gap > 1e-3 * largest and gap > 1e3 * allowed else "unclear", affine


def _squeezed(a: np.ndarray) -> tuple[int, ...]:
    return tuple(extent for extent in a.shape if extent != 1)
