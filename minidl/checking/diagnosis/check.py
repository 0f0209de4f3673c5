"""diagnose: are these gradients right, and if not, what is wrong with them?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import mtrand

from . import activations, chains, convolution, dense, losses, normalization, pooling, shapes
from .adapters import PHASES, Checked, Taped, adapt, method, parameters
from .case import Family, Guess
from .directions import Moves
from .matching import best_match
from .points import compared, probed
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
    request = Request(f, backward, seed, rtol, language, arguments)
    with _own_randomness():
        return _diagnose(request, inputs, probes)


@dataclass(frozen=True)
class Request:
    """What is to be checked, and how; the arguments of ``diagnose``."""

    f: Any
    backward: Any
    seed: int
    rtol: float
    language: str | None
    arguments: dict[str, Any]

    def checked(self, args: list[Any]) -> Checked:
        """The function at these inputs."""
        with np.errstate(all="ignore"):
            return adapt(self.f, self.backward, args, self.arguments, self.seed)

    def phases(self) -> list["Request"]:
        """In training and not, where the function is told which and the arguments do not say."""
        f, given = self.f, self.arguments
        call = method(f, ("forward", "call", "__call__")) if hasattr(f, "backward") else getattr(f, "call", f)
        names = [name for name in PHASES if name in parameters(call) and name not in given]
        return [replace(self, arguments={**given, names[0]: on}) for on in (True, False)] if names else [self]

    def made(self, make: Make, batch: int, apart: int = 0) -> list[Any]:
        """Inputs of so many samples; those of other ``apart`` are drawn apart."""
        return _listed(make(np.random.default_rng(self.seed + apart), batch))


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


def _diagnose(request: Request, inputs: Any, probes: bool) -> Diagnosis:
    make = inputs if callable(inputs) and not isinstance(inputs, np.ndarray) else None
    given = request.made(make, 4) if make else _listed(inputs)
    found: Diagnosis | None = None
    for phase in request.phases():
        current = _one(phase, given, probes)
        found = found if found is not None and current.ok else current
        if not current.ok:
            break
    assert found is not None
    if make and found.ok and probes:
        for batch in (1, 2, 7):
            current = _one(request, request.made(make, batch, batch), probes=False)
            if not current.ok:
                return current
    if not found.ok and probes:
        found.smallest = _smallest(request, given, make) or found.smallest
    return found


def _listed(inputs: Any) -> list[Any]:
    return list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]


@contextmanager
def _ready(checked: Checked) -> Iterator[None]:
    with checked.subject.in_float64() if isinstance(checked, Taped) else nullcontext(), np.errstate(all="ignore"):
        if isinstance(checked, Taped):
            checked.entered()
        yield


def _one(request: Request, args: list[Any], probes: bool) -> Diagnosis:
    moves = Moves(np.random.default_rng(request.seed))
    checked = request.checked(args)
    with _ready(checked):
        x = checked.values
        if not x:
            raise TypeError(f"{checked.name}: nothing to differentiate; no input is an array of floats")
        y = checked.evaluate(x)
        if not np.array_equal(y, checked.evaluate(x), equal_nan=True):
            raise ValueError(f"{checked.name} gave two results for the same inputs; fix the seed of its random numbers")
        base = compared(checked, x, "given", moves, request.rtol, y=y)
        assert base is not None
        result = _diagnosed(checked, base, request.language)
        if not result.ok or not probes:
            return result
        fault = state_faults(checked, base)
        if fault:
            return Diagnosis.of_state(checked, base, fault, request.language)
        for name, point in probed(x):
            probe = compared(checked, point, name, moves, request.rtol, base)
            if probe is not None and not probe.ok:
                return _diagnosed(checked, probe, request.language)
        return result


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


def _smallest(request: Request, given: list[Any], make: Make | None) -> str:
    """The shapes of the smallest batch that still fails."""
    first = np.asarray(given[0])
    count = len(first) if first.ndim else 1
    for batch in range(1, min(count, 4)):
        if make:
            small = request.made(make, batch)
        else:
            small = [
                a[:batch] if _samples(a) == count and (i == 0 or np.ndim(a) == 1) else a for i, a in enumerate(given)
            ]
            small = [np.asarray(a) for a in small]
        try:
            checked = request.checked(small)
            with _ready(checked):
                moves = Moves(np.random.default_rng(request.seed))
                found = compared(checked, checked.values, "given", moves, request.rtol, named=False)
        except Exception:
            continue  # this cut does not fit together
        if found is not None and not found.ok:
            return shapes_of(found.case)
    return ""


def _samples(value: Any) -> int:
    return len(value) if np.ndim(value) else -1
