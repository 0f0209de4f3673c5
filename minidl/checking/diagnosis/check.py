"""diagnose: are these gradients right, and if not, what is wrong with them?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from numpy.random import mtrand

from ..probing import signed
from . import activations, chains, convolution, dense, losses, normalization, pooling, shapes
from .adapters import PHASES, Checked, Taped, adapt, method, parameters
from .case import Case, Family, Guess
from .comparison import Comparison, compare
from .directions import first_look
from .jacobian import Came, Look, differentiate
from .matching import best_match
from .report import Diagnosis, shapes_of
from .state import state_faults

__all__ = ["FAMILIES", "diagnose"]

FAMILIES: tuple[Family, ...] = (
    shapes.guesses,
    activations.guesses,
    dense.guesses,
    chains.guesses,
    convolution.guesses,
    pooling.guesses,
    normalization.guesses,
    losses.guesses,
)

Make = Callable[[np.random.Generator, int], Any]


def diagnose(
    f: Any,
    inputs: Any,
    *,
    backward: Any = None,
    seed: int = 0,
    rtol: float = 1e-6,
    language: str | None = None,
    probes: bool = True,
    **arguments: Any,
) -> Diagnosis:
    """Check gradients that somebody wrote, and name the slip where they are wrong.

    ::

        print(diagnose(forward, [x, w, b], backward=backward))     # forward(x, w, b) -> (y, cache)
        print(diagnose(MyLayer(3, 4), x))                          # forward(x) and backward(g) as methods
        print(diagnose(softmax_loss, [scores, labels]))            # -> (loss, gradients)
        print(diagnose(minidl.layers.Dense(4), x))                 # minidl's own way

    Numbers come from central differences in float64 with a random signed upstream gradient; beside the given inputs,
    inputs with ties and zeros and with values of 1000 are tried, a second call of backward, and a second batch.

    Args:
        f: what is checked; see above.
        inputs: arrays, or one array; or ``make(rng, batch) -> inputs``, which is also asked for other batches.
        backward: ``backward(g, cache)``, for a pair of functions. It returns a tuple, list or dictionary.
        seed: of the upstream gradient and of NumPy's global generator, which is set before each forward.
        rtol: tolerated relative error.
        language: of the report, "en" or "ko"; default: that of the locale.
        probes: False: only at the given inputs.
        arguments: further arguments of f by name. ``training`` (or ``train``, ``train_flg``) is tried both ways where f
            takes it and it is not given here.

    Returns:
        The report; ``report.ok``, ``report.cause``, ``str(report)``.

    Raises:
        TypeError: f is nothing that can be checked, or no input is floating.
        ValueError: f gives two results for the same inputs.
    """
    with _own_randomness():
        return _diagnose(f, inputs, backward, seed, rtol, language, probes, arguments)


@contextmanager
def _own_randomness() -> Iterator[None]:
    """NumPy's global generator loses a normal number that it has drawn ahead when another one stands in for it."""
    ahead = None
    if isinstance(mtrand.get_bit_generator(), np.random.MT19937):
        state: Any = np.random.get_state()
        ahead = state if state[3] else None
    try:
        yield
    finally:
        if ahead is not None:
            np.random.set_state(ahead)


def _diagnose(
    f: Any,
    inputs: Any,
    backward: Any,
    seed: int,
    rtol: float,
    language: str | None,
    probes: bool,
    arguments: dict[str, Any],
) -> Diagnosis:
    made = inputs if callable(inputs) and not isinstance(inputs, np.ndarray) else None
    given = _listed(made(np.random.default_rng(seed), 4) if made else inputs)
    found: Diagnosis | None = None
    for phase in _phases(f, arguments):
        current = _one(f, given, backward, seed, rtol, language, probes, {**arguments, **phase})
        found = found if found is not None and current.ok else current
        if not current.ok:
            break
    assert found is not None
    if made and found.ok and probes:
        for batch in (1, 2, 7):
            more = _listed(made(np.random.default_rng(seed + batch), batch))
            current = _one(f, more, backward, seed, rtol, language, False, arguments)
            if not current.ok:
                return current
    if not found.ok and probes:
        found.smallest = _smallest(f, given, made, backward, seed, rtol, arguments) or found.smallest
    return found


def _listed(inputs: Any) -> list[Any]:
    return list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]


def _phases(f: Any, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    call = method(f, ("forward", "call", "__call__")) if hasattr(f, "backward") else getattr(f, "call", f)
    names = [name for name in PHASES if name in parameters(call) and name not in arguments]
    return [{names[0]: True}, {names[0]: False}] if names else [{}]


@contextmanager
def _ready(checked: Checked) -> Iterator[None]:
    with checked.subject.in_float64() if isinstance(checked, Taped) else nullcontext(), np.errstate(all="ignore"):
        if isinstance(checked, Taped):
            checked.entered()
        yield


def _checked(f: Any, args: list[Any], backward: Any, arguments: dict[str, Any], seed: int) -> Checked:
    with np.errstate(all="ignore"):
        return adapt(f, backward, args, arguments, seed)


def _one(
    f: Any,
    args: list[Any],
    backward: Any,
    seed: int,
    rtol: float,
    language: str | None,
    probes: bool,
    arguments: dict[str, Any],
) -> Diagnosis:
    rng = np.random.default_rng(seed)
    checked = _checked(f, args, backward, arguments, seed)
    with _ready(checked):
        x = checked.values
        if not x:
            raise TypeError(f"{checked.name}: nothing to differentiate; no input is an array of floats")
        y = checked.evaluate(x)
        if not np.array_equal(y, checked.evaluate(x), equal_nan=True):
            raise ValueError(f"{checked.name} gave two results for the same inputs; fix the seed of its random numbers")
        base = _at(checked, x, "given", rng, rtol, y=y)
        result = _diagnosed(checked, base, language)
        if not result.ok or not probes:
            return result
        fault = state_faults(checked, base)
        if fault:
            return Diagnosis.of_state(checked, base, fault, language)
        for name, point in _points(x, base.case.y):
            probe = _at(checked, point, name, rng, rtol, base)
            if probe is not None and not probe.ok:
                return _diagnosed(checked, probe, language)
        return result


def _points(x: list[np.ndarray], y: np.ndarray) -> Iterator[tuple[str, list[np.ndarray]]]:
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


def _at(
    checked: Checked,
    x: list[np.ndarray],
    where: str,
    rng: np.random.Generator,
    rtol: float,
    base: Any = None,
    named: bool = True,
    y: np.ndarray | None = None,
) -> Any:
    """The comparison at one point; None where the function itself is not finite there.

    Args:
        base: that of the given inputs, at others.
        named: False: whether it is right is all that is asked.
        y: the output there, where it is known.
    """
    y = checked.evaluate(x) if y is None else y
    if not np.isfinite(y).all():
        return None if where != "given" else Comparison.not_finite(checked, x, y)
    g = signed(rng, y.shape) if checked.upstream else np.ones(y.shape)
    checked.clear()
    cache = checked.forward(x)[1]
    analytic = checked.backward(g, cache)
    case = Case(
        checked.filled(x), checked.names, x, y, g, [], [], analytic, len(checked.leaf_args), checked.evaluate,
        checked.arguments,
    )  # fmt: skip
    single = base is not None and base.coarse
    look = Look("unclear") if single else first_look(checked, case, rng, leaves=named)
    if look.verdict == "right":
        case.numeric = _filled(case, case.analytic)
        return Comparison(case, where)
    if look.verdict == "wrong" and not named:
        return Comparison(case, where, wrong=list(range(len(x))))
    if look.verdict == "wrong":
        case.slopes, coarse = differentiate(checked.evaluate, x, y, rng, look=look)
        case.numeric = _filled(
            case, [s.product(g) if s.taken else a for s, a in zip(case.slopes, analytic, strict=True)]
        )
        found = compare(checked, case, where, rtol, coarse, base)
        if not found.ok:
            return found
    came = [a if a is not None and a.size == part.size else None for a, part in zip(analytic, x, strict=True)]
    case.slopes, coarse = differentiate(checked.evaluate, x, y, rng, single=single, came=Came(came, g))
    case.numeric = [s.product(g) for s in case.slopes]
    return compare(checked, case, where, rtol, coarse, base)


def _filled(case: Case, gradients: list[Any]) -> list[np.ndarray]:
    return [np.zeros(x.shape) if a is None else a.reshape(x.shape) for x, a in zip(case.x, gradients, strict=True)]


def _diagnosed(checked: Checked, comparison: Any, language: str | None) -> Diagnosis:
    if comparison.ok:
        return Diagnosis.right(checked, comparison, language)
    return Diagnosis.wrong_at(checked, comparison, _cause(comparison), language)


def _cause(comparison: Any) -> tuple[str, float]:
    case, wrong = comparison.case, comparison.wrong
    if comparison.cause:
        return comparison.cause, 1.0
    if any(case.analytic[i] is not None and not np.isfinite(case.analytic[i]).all() for i in wrong):
        return "overflow", 0.9

    case.suspects = set(wrong)

    def every() -> Iterator[Guess]:
        for family in FAMILIES:
            yield from family(case)

    return best_match(case, wrong, every(), comparison.noise)


def _smallest(
    f: Any, given: list[Any], made: Make | None, backward: Any, seed: int, rtol: float, arguments: dict[str, Any]
) -> str:
    """The shapes of the smallest batch that still fails."""
    first = np.asarray(given[0])
    count = len(first) if first.ndim else 1
    for batch in range(1, min(count, 4)):
        if made:
            small = _listed(made(np.random.default_rng(seed), batch))
        else:
            small = [
                a[:batch] if _samples(a) == count and (i == 0 or np.ndim(a) == 1) else a for i, a in enumerate(given)
            ]
            small = [np.asarray(a) for a in small]
        try:
            checked = _checked(f, small, backward, arguments, seed)
            with _ready(checked):
                found = _at(checked, checked.values, "given", np.random.default_rng(seed), rtol, named=False)
        except Exception:
            continue  # this cut does not fit together
        if not found.ok:
            return shapes_of(found.case)
    return ""


def _samples(value: Any) -> int:
    return len(value) if np.ndim(value) else -1
