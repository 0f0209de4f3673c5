"""The learning-rate range test: how large a learning rate may be, found in one short run that is taken back."""

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from minidl import optimizers, random
from minidl.data.arrays import check_lengths, standardized
from minidl.graph.symbolic import flatten, map_structure

from .axes import short
from .lines import line_chart
from .svg import Figure
from .words import Words

__all__ = ["LearningRates", "learning_rate_range", "left_alone"]


@dataclass
class LearningRates:
    """What a range test found.

    Attributes:
        rates: the learning rates that were tried, rising.
        losses: the loss after the step with each of them (of the next batch); infinite where it was not finite.
        smoothed: the running median of the losses.
        largest: the largest rate for which the smoothed loss is still the least, up to the usual distance of a loss
            from the smoothed one: above it, steps lead up.
        diverged: whether the loss did rise again; else ``largest`` is only the largest that was tried.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    largest: float
    diverged: bool

    @property
    def suggested(self) -> float:
        """Half of the largest."""
        return self.largest / 2

    def __str__(self) -> str:
        if not self.diverged:
            return f"the loss still falls at {short(self.largest)}, the largest rate tried; raise high"
        return f"largest learning rate {short(self.largest)}; half of it, {short(self.suggested)}, is a good one"

    def chart(self) -> Figure:
        """The loss over the learning rate, with the two rates marked."""
        known = self.losses[np.isfinite(self.losses)]
        top = max(2 * known[0], 1.2 * known.min()) if known.min() > 0 else math.inf  # what diverges would hide the rest
        lines = {
            name: (self.rates.tolist(), np.where(values <= top, values, np.nan).tolist())
            for name, values in ((Words("loss", "손실"), self.losses), (Words("smoothed", "평활"), self.smoothed))
        }
        found = {Words("half", "절반"): self.suggested, Words("largest", "최대"): self.largest}
        return line_chart(
            lines, title=str(self), across=Words("learning rate", "학습률"), up=Words("loss", "손실"), log_x=True,
            marks=found if self.diverged else {},
        )  # fmt: skip

    def _repr_html_(self) -> str:
        return str(self.chart())


def learning_rate_range(
    model: Any, x: Any, y: Any = None, *, low: float = 1e-6, high: float = 10.0, steps: int = 100,
    batch_size: int = 32, smoothing: int = 5, seed: int = 0,
) -> LearningRates:  # fmt: skip
    """Train with a rate that grows from batch to batch until the loss explodes, then take everything back.

    The rate above which training diverges is the largest that works; half of it is a good one (Smith 2017 for the test,
    Geron's "Hands-On Machine Learning", chapter 11, for the rule).

    Args:
        model: a compiled model. Its weights, optimizer and random numbers are afterwards what they were before;
            metrics are reset. The test has an optimizer of its own, a new one with the same settings.
        x, y: arrays, as for ``fit``. Batches are drawn from them in a random order, over and over.
        low, high: the first and the last learning rate.
        steps: batches; each rate is the one before times the same factor.
        smoothing: an odd number of losses whose median stands for the middle one.
        seed: of the order of the data.

    Returns:
        ``rates``, ``losses``, ``largest``, ``suggested``; ``chart()`` draws them.

    Raises:
        ValueError: the model is not compiled, or an argument is out of its range.
    """
    if not getattr(model, "compiled", False) or model.optimizer is None:
        raise ValueError(f"{model.name!r} must be compiled with an optimizer first: model.compile('sgd', loss='mse')")
    if not 0 < low < high:
        raise ValueError(f"low and high must be learning rates with 0 < low < high, not {low} and {high}")
    if steps < 2 or smoothing < 1 or smoothing % 2 == 0 or batch_size < 1:
        raise ValueError(
            f"steps must be 2 or more, batch_size 1 or more, and smoothing odd; they are {steps}, {batch_size} and "
            f"{smoothing}"
        )
    x, y, _ = standardized(x, y, None)
    batches = _batches(x, y, batch_size, np.random.default_rng(seed))
    if not model.built:
        model(next(batches)[0], training=False)
    rates = np.geomspace(low, high, steps)
    before: list[float] = []  # the loss of each batch, before its step
    with left_alone(model):
        for rate in [*rates, rates[-1]]:  # one more, for the loss after the last step
            model.optimizer.learning_rate = rate
            with np.errstate(over="ignore", invalid="ignore"):
                loss = float(model.train_on_batch(*next(batches), return_dict=True)["loss"])
            before.append(loss if math.isfinite(loss) else math.inf)
            if not math.isfinite(loss) or loss > 100 * abs(before[0]) + 1:
                break
    losses = np.array(before[1:])
    rates = rates[: len(losses)]
    if not len(losses) or not np.isfinite(losses).any():
        raise ValueError(f"the loss was {before[-1]} after the first step, with a learning rate of {low}; lower low")
    window = min(smoothing, len(losses) // 4 | 1)  # of a few losses, a wide median would be one number
    smoothed = _running_median(losses, window)
    last = _last_of_the_least(losses, smoothed)
    return LearningRates(rates, losses, smoothed, float(rates[last]), last < len(rates) - 1)


@contextmanager
def left_alone(model: Any) -> Iterator[None]:
    """Inside, the model has an optimizer of its own; afterwards all is as it was, and metrics are reset."""
    generators = [
        value
        for layer in model._flatten_layers()
        for value in vars(layer).values()
        if isinstance(value, random.SeedGenerator)
    ]
    variables = [*model.weights, *(one.state for one in generators)]
    values = [variable.numpy() for variable in variables]
    optimizer, stop = model.optimizer, model.stop_training
    settings = copy.deepcopy(optimizer.get_config())
    settings["learning_rate"] = float(optimizer.learning_rate)
    model.optimizer = optimizers.get(type(optimizer).from_config(settings))
    try:
        yield
    finally:
        model.optimizer, model.stop_training = optimizer, stop
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        model.reset_metrics()


def _batches(x: Any, y: Any, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Any, Any]]:
    """Batches in random orders, without end."""
    length = check_lengths(x=x, y=y) if y is not None else len(next(iter(flatten(x))))
    size = min(batch_size, length)
    while True:
        order = rng.permutation(length)
        for first in range(0, length - size + 1, size):
            some = np.sort(order[first : first + size])
            yield map_structure(itemgetter(some), x), None if y is None else map_structure(itemgetter(some), y)


def _last_of_the_least(losses: np.ndarray, smoothed: np.ndarray) -> int:
    """Where the smoothed loss begins to rise, behind its minimum."""
    finite = np.isfinite(losses) & np.isfinite(smoothed)
    scatter = np.median(np.abs(losses[finite] - smoothed[finite]))
    last = int(np.argmin(smoothed))
    while last + 1 < len(smoothed) and smoothed[last + 1] <= smoothed.min() + scatter:
        last += 1
    return last


def _running_median(values: np.ndarray, window: int) -> np.ndarray:
    """The median of each value and its neighbours; fewer of them at the ends."""
    half = window // 2
    return np.array([np.median(values[max(0, i - half) : i + half + 1]) for i in range(len(values))])
