"""Training loops and frozen parameters: what a loop makes of the parameters, against stochastic gradient descent."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .messages import chosen_language
from .trajectory import Steps, Trajectory, matched

__all__ = ["diagnose_training"]

Params = dict[str, np.ndarray]
Batch = tuple[np.ndarray, ...]


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
    names = list(params)
    own = {name: np.array(value, "float64") for name, value in params.items()}
    current, came = {name: value.copy() for name, value in own.items()}, []
    for _ in range(epochs):
        made = train(current, [tuple(np.array(part) for part in batch) for batch in batches], learning_rate)
        current = made if isinstance(made, dict) else current
        came.append([np.array(current[name], "float64") for name in names])

    def run(**how: Any) -> Steps:
        return _descent(loss, own, batches, learning_rate, epochs, frozen, **how)

    guesses = [
        ("not_updated", run(rate=0)),
        ("ascent", run(rate=-1)),
        ("gradients_kept", run(keep=True)),
        ("last_batch_lost", run(chosen=list(range(len(batches) - 1)))),
        ("first_batch_only", run(chosen=[0] * len(batches))),
        ("one_update", run(chosen=[0])),
        ("sequential_update", run(order=names)),
        ("sequential_update", run(order=names[::-1])),
        ("batch_divided", run(divided=True)),
        ("learning_rate_twice", run(rate=learning_rate)),
        ("learning_rate_missing", run(rate=1 / learning_rate)),
        ("gradient_fixed", run(fixed=True)),
        ("gradient_fixed", run(fixed_all=True)),
        ("targets_shifted", run(shifted=1)),
        ("targets_shifted", run(shifted=-1)),
        ("factor_two", run(rate=2)),
        ("last_left_out", run(without_last=True)),
    ]
    if frozen:
        free = tuple(name for name in names if name not in frozen)
        guesses += [
            ("frozen_updated", run(still=())),
            ("frozen_all", run(rate=0)),
            ("frozen_inverted", run(still=free)),
            ("below_frozen", run(still=(*frozen, *below))),
        ]
        guesses = guesses[-4:] + guesses[:-4] if below else [g for g in guesses if g[0] != "below_frozen"]
        guesses = [g for g in guesses if g[0] != "not_updated"]
    name = getattr(train, "__name__", type(train).__name__)
    return matched(name, "SGD", came, [run()], guesses, names, chosen_language(language), rtol=1e-5)


def _descent(
    loss: Callable[..., float],
    params: Params,
    batches: list[Batch],
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
) -> Steps:
    """Gradient descent, right by default."""
    still = frozen if still is None else still
    current = {name: value.copy() for name, value in params.items()}
    kept = {name: np.zeros_like(value) for name, value in params.items()}
    steps, first = [], {name: value.copy() for name, value in params.items()}
    for _ in range(epochs):
        start = {name: value.copy() for name, value in current.items()}
        for k in range(len(batches)) if chosen is None else chosen:
            batch = batches[k]
            if shifted:
                batch = (batch[0], *(np.roll(part, shifted, axis=0) for part in batch[1:]))
            if without_last:
                batch = tuple(part[:-1] for part in batch)
            scale = lr * rate / (len(batch[0]) if divided else 1)
            at = first if fixed_all else start if fixed else current
            if order is None:
                grads = {name: _gradient(loss, at, batch, name) for name in current}
                for name, g in grads.items():
                    kept[name] = kept[name] + g if keep else g
                    if name not in still:
                        current[name] = current[name] - scale * kept[name]
            else:
                for name in order:
                    if name not in still:
                        current[name] = current[name] - scale * _gradient(loss, current, batch, name)
        steps.append([value.copy() for value in current.values()])
    return steps


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
