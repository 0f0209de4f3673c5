"""Learning rates that follow from the number of steps, with the names, defaults and formulas of Keras 3.

A schedule is a function of the step: ``ExponentialDecay(0.1, 100, 0.5)(200)`` is a Tensor of 0.025. It takes numbers,
Tensors and arrays (all of its curve at once, for a plot), computes in floatx, and records no graph.
"""

import inspect
import math
from typing import Any

import numpy as np

from minidl import config, registry
from minidl.engine.tensor import Tensor, raw
from minidl_kernels.arrays import to_numpy

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip


class LearningRateSchedule:
    """Base class: ``__call__(step)`` returns the learning rate; ``get_config()`` makes it savable.

    The step counts from 0, and is the number of updates made so far.
    """

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, step)")

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} must define get_config() to be saved")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearningRateSchedule":
        return cls(**config)


class _Schedule(LearningRateSchedule):
    """One of Keras: its arguments are its attributes, and ``_rate`` its formula on arrays of floatx."""

    def _rate(self, step: np.ndarray) -> Any:
        raise NotImplementedError

    def __call__(self, step: Any) -> Tensor:
        return Tensor.of(np.asarray(self._rate(_array(step)), config.floatx()))

    def get_config(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}


def _array(value: Any) -> Any:
    return np.asarray(to_numpy(raw(value)), config.floatx())


def _check_positive(**values: Any) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} must be greater than 0, not {value!r}")


class _Powers(_Schedule):
    """What the two decays by rate share."""

    def __init__(self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool, name: str):
        _check_positive(decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps, self.decay_rate = initial_learning_rate, decay_steps, decay_rate
        self.staircase, self.name = staircase, name

    def _periods(self, step):
        periods = step / _array(self.decay_steps)
        return np.floor(periods) if self.staircase else periods


class ExponentialDecay(_Powers):
    """initial_learning_rate * decay_rate ** (step / decay_steps).

    Args:
        initial_learning_rate: at step 0.
        decay_steps: above 0.
        decay_rate: the factor for every decay_steps.
        staircase: step / decay_steps is rounded down. Default False.
        name: for files.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def _rate(self, step):
        return _array(self.initial_learning_rate) * _array(self.decay_rate) ** self._periods(step)


class InverseTimeDecay(_Powers):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps).

    Args:
        initial_learning_rate: at step 0.
        decay_steps: above 0.
        decay_rate: what is added below the line for every decay_steps.
        staircase: step / decay_steps is rounded down. Default False.
        name: for files.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def _rate(self, step):
        return _array(self.initial_learning_rate) / (1 + _array(self.decay_rate) * self._periods(step))


class PiecewiseConstantDecay(_Schedule):
    """values[0] up to and with step boundaries[0], values[1] up to and with boundaries[1], ..., then values[-1].

    Args:
        boundaries: rising numbers of steps.
        values: one more than boundaries.
        name: for files.
    """

    def __init__(self, boundaries: list[int], values: list[float], name: str = "PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"boundaries must have one element less than values: boundaries has {len(boundaries)}, values "
                f"{len(values)}"
            )
        if any(low >= high for low, high in zip(boundaries[:-1], boundaries[1:], strict=True)):
            raise ValueError(f"boundaries must rise from one to the next, not {list(boundaries)!r}")
        self.boundaries, self.values, self.name = list(boundaries), list(values), name

    def _rate(self, step):
        # A boundary belongs to the values before it.
        return _array(self.values)[np.searchsorted(_array(self.boundaries), step, side="left")]


class PolynomialDecay(_Schedule):
    """(initial_learning_rate - end_learning_rate) * (1 - step / decay_steps) ** power + end_learning_rate.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: above 0; from there on the learning rate stays.
        end_learning_rate: default 0.0001.
        power: default 1.
        cycle: do not stay, but start again in a period made longer: decay_steps becomes its first multiple that is not
            below the step. Default False.
        name: for files.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        _check_positive(decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle, self.name = end_learning_rate, power, cycle, name

    def _rate(self, step):
        steps, end = _array(self.decay_steps), _array(self.end_learning_rate)
        if self.cycle:
            steps = steps * np.maximum(np.ceil(step / steps), 1)
        left = 1 - np.minimum(step, steps) / steps
        return (_array(self.initial_learning_rate) - end) * left ** _array(self.power) + end


class CosineDecay(_Schedule):
    """Half a wave of a cosine from initial_learning_rate down to alpha times as much, with or without a warm-up.

    initial_learning_rate * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha) (Loshchilov and Hutter 2016).
    With a warm-up, a straight line leads to warmup_target in warmup_steps, and the wave starts there.

    Args:
        initial_learning_rate: at step 0.
        decay_steps: above 0, without those of the warm-up; after them the learning rate stays.
        alpha: the part that is left at the end. Default 0.
        name: for files.
        warmup_target: default None: no warm-up.
        warmup_steps: default 0.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        _check_positive(decay_steps=decay_steps)
        self.initial_learning_rate, self.decay_steps, self.alpha, self.name = (
            initial_learning_rate, decay_steps, alpha, name,
        )  # fmt: skip
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def _rate(self, step):
        start, steps = _array(self.initial_learning_rate), _array(self.decay_steps)
        if self.warmup_target is None:
            return start * self._left(np.minimum(step, steps) / steps)
        target, warm = _array(self.warmup_target), _array(self.warmup_steps)
        rising = (target - start) * (step / np.maximum(warm, 1)) + start
        after = np.clip(step - warm, 0, steps)
        return np.where(step < warm, rising, target * self._left(after / steps))

    def _left(self, done):
        return (1 - self.alpha) * (0.5 * (1 + np.cos(_array(math.pi) * done))) + self.alpha


class CosineDecayRestarts(_Schedule):
    """Half a wave of a cosine that starts again and again (SGDR, Loshchilov and Hutter 2016).

    Args:
        initial_learning_rate: at step 0.
        first_decay_steps: length of the first period, above 0.
        t_mul: each period is so many times as long as the one before. Default 2.
        m_mul: and starts at so many times its learning rate. Default 1.
        alpha: the part of initial_learning_rate that is left at the end of a period. Default 0.
        name: for files.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        _check_positive(first_decay_steps=first_decay_steps, t_mul=t_mul)
        self.initial_learning_rate, self.first_decay_steps = initial_learning_rate, first_decay_steps
        self.t_mul, self.m_mul, self.alpha, self.name = t_mul, m_mul, alpha, name

    def _rate(self, step):
        done, longer, alpha = step / _array(self.first_decay_steps), _array(self.t_mul), _array(self.alpha)
        if self.t_mul == 1:
            restarts = np.floor(done)
            done = done - restarts
        else:
            # Before period i lie (1 - t_mul^i) / (1 - t_mul) first periods.
            restarts = np.floor(np.log(1 - done * (1 - longer)) / np.log(longer))
            done = (done - (1 - longer**restarts) / (1 - longer)) / longer**restarts
        wave = 0.5 * _array(self.m_mul) ** restarts * (1 + np.cos(_array(math.pi) * done))
        return _array(self.initial_learning_rate) * ((1 - alpha) * wave + alpha)


serialize = registry.serialize


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule of a configuration."""
    return registry.deserialize({"module": "keras.optimizers.schedules", **config}, custom_objects)


registry.publish("keras.optimizers.schedules", {name: globals()[name] for name in __all__})
