"""Training loops and frozen parameters: what a loop makes of the parameters, against stochastic gradient descent."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .messages import chosen_language
from .trajectory import Trajectory, matched

__all__ = ["diagnose_training"]

Params = dict[str, np.ndarray]
Batch = tuple[np.ndarray, ...]
Way = tuple[str, dict[str, Any]]  # a cause, and the arguments of the descent that it changes


def diagnose_training(
    train: Callable[..., Any],
    loss: Callable[..., float],
    params: Params,
    batches: list[Batch],
    *,
    learning_rate: float = 0.1,
    epochs: int = 1,
    frozen: tuple[str, ...] = (),
    below: tuple[str, ...] = (),
    language: str | None = None,
) -> Trajectory:
    """Check a training loop that somebody wrote: plain gradient descent over batches.

    Args:
        train: ``train(params, batches, learning_rate)``, once an epoch; changes the dictionary, or returns another.
        loss: ``loss(params, *batch) -> float``; its gradient is taken by differences.
        params: names and values to start from.
        batches: tuples of arrays, such as (x, y); the last may be smaller.
        learning_rate: handed to train.
        epochs: how often the loop is run.
        frozen: parameters that must not move; ``below``: those whose gradient comes through them.
        language: "en" or "ko"; default: that of the locale.
    """
    own = {name: np.array(value, "float64") for name, value in params.items()}
    came = _trained(train, own, batches, learning_rate, epochs)
    slopes = _Gradients(loss, batches)

    def run(**how: Any) -> Iterator[list[np.ndarray]]:
        return _descent(slopes, own, learning_rate, epochs, frozen, **how)

    names = list(params)
    ways = _ways(names, len(batches), learning_rate)
    if frozen:
        free = tuple(name for name in names if name not in frozen)
        still = _still(free, frozen, below)
        ways = [*still, *ways[1:]] if below else [*ways[1:], *still]
    guesses = ((cause, run(**how)) for cause, how in ways)
    name = getattr(train, "__name__", type(train).__name__)
    return matched(name, "SGD", came, [list(run())], guesses, names, chosen_language(language), rtol=1e-5)


def _trained(
    train: Callable[..., Any], params: Params, batches: list[Batch], learning_rate: float, epochs: int
) -> list[list[np.ndarray]]:
    """The parameters after each epoch of the loop; it works on copies."""
    current, came = {name: value.copy() for name, value in params.items()}, []
    for _ in range(epochs):
        made = train(current, [tuple(np.array(part) for part in batch) for batch in batches], learning_rate)
        current = made if isinstance(made, dict) else current
        came.append([np.array(current[name], "float64") for name in params])
    return came


def _ways(names: list[str], batches: int, learning_rate: float) -> list[Way]:
    """Causes, and what each makes of the descent; the first is that nothing moves."""
    return [
        ("not_updated", {"rate": 0}),
        ("ascent", {"rate": -1}),
        ("gradients_kept", {"keep": True}),
        ("last_batch_lost", {"chosen": list(range(batches - 1))}),
        ("first_batch_only", {"chosen": [0] * batches}),
        ("one_update", {"chosen": [0]}),
        ("sequential_update", {"order": names}),
        ("sequential_update", {"order": names[::-1]}),
        ("batch_divided", {"divided": True}),
        ("learning_rate_twice", {"rate": learning_rate}),
        ("learning_rate_missing", {"rate": 1 / learning_rate}),
        ("gradient_fixed", {"fixed": True}),
        ("gradient_fixed", {"fixed_all": True}),
        ("targets_shifted", {"shifted": 1}),
        ("targets_shifted", {"shifted": -1}),
        ("factor_two", {"rate": 2}),
        ("last_left_out", {"without_last": True}),
    ]


def _still(free: tuple[str, ...], frozen: tuple[str, ...], below: tuple[str, ...]) -> list[Way]:
    """What may go wrong where some parameters are frozen."""
    found: list[Way] = [
        ("frozen_updated", {"still": ()}),
        ("frozen_all", {"rate": 0}),
        ("frozen_inverted", {"still": free}),
    ]
    return [*found, ("below_frozen", {"still": (*frozen, *below)})] if below else found


class _Gradients:
    """The loss' gradients by differences, each taken once: many ways to go wrong begin alike."""

    def __init__(self, loss: Callable[..., float], batches: list[Batch]):
        self.loss, self.batches = loss, batches
        self.found: dict[Any, np.ndarray] = {}

    def at(self, params: Params, name: str, k: int, shifted: int, without_last: bool) -> np.ndarray:
        """That of one parameter for batch k, its targets shifted by some places, or its last sample left out."""
        key = (name, k, shifted, without_last, *(p.tobytes() for p in params.values()))
        if key not in self.found:
            batch = self.batches[k]
            if shifted:
                batch = (batch[0], *(np.roll(part, shifted, axis=0) for part in batch[1:]))
            if without_last:
                batch = tuple(part[:-1] for part in batch)
            self.found[key] = _gradient(self.loss, params, batch, name)
        return self.found[key]


def _descent(
    slopes: _Gradients,
    params: Params,
    lr: float,
    epochs: int,
    frozen: tuple[str, ...],
    *,
    rate: float = 1.0,
    keep: bool = False,
    chosen: list[int] | None = None,
    order: list[str] | None = None,
    divided: bool = False,
    fixed: bool = False,
    fixed_all: bool = False,
    shifted: int = 0,
    still: tuple[str, ...] | None = None,
    without_last: bool = False,
) -> Iterator[list[np.ndarray]]:
    """Gradient descent, right by default: the parameters after each epoch."""
    still = frozen if still is None else still
    current = {name: value.copy() for name, value in params.items()}
    kept = {name: np.zeros_like(value) for name, value in params.items()}
    for _ in range(epochs):
        start = dict(current)
        for k in range(len(slopes.batches)) if chosen is None else chosen:
            at = params if fixed_all else start if fixed else current
            count = len(slopes.batches[k][0]) - without_last
            scale = lr * rate / (count if divided else 1)
            if order is None:
                moving = [name for name in current if name not in still]
                grads = {name: slopes.at(at, name, k, shifted, without_last) for name in moving}
                for name, g in grads.items():
                    kept[name] = kept[name] + g if keep else g
                    current[name] = current[name] - scale * kept[name]
            else:
                for name in order:
                    if name not in still:
                        g = slopes.at(current, name, k, shifted, without_last)
                        current[name] = current[name] - scale * g
        yield list(current.values())


def _gradient(loss: Callable[..., float], params: Params, batch: Batch, name: str) -> np.ndarray:
    value = params[name]
    found = np.zeros(value.shape)
    if not np.isfinite(value).all():
        return found + np.nan
    for place in np.ndindex(value.shape):
        ends = []
        for k in (1.0, -1.0, 0.5, -0.5):
            moved = value.copy()
            moved[place] += k * 1e-3
            ends.append(float(loss({**params, name: moved}, *batch)))
        found[place] = (4 * (ends[2] - ends[3]) / 1e-3 - (ends[0] - ends[1]) / 2e-3) / 3
    return found
