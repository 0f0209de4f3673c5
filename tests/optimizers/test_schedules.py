"""Schedules: values from their formulas, schedules of one's own, errors."""

import math

import numpy as np
import pytest

import minidl
from minidl import optimizers
from minidl.optimizers import schedules


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        (schedules.ExponentialDecay(0.1, 100, 0.5), 200, 0.025),
        (schedules.ExponentialDecay(0.1, 100, 0.5, staircase=True), 199, 0.05),
        (schedules.InverseTimeDecay(0.1, 1, 0.5), 8, 0.02),
        (schedules.InverseTimeDecay(0.1, 2, 0.5, staircase=True), 3, 0.1 / 1.5),
        (schedules.PiecewiseConstantDecay([5, 9], [1.0, 0.5, 0.1]), 5, 1.0),
        (schedules.PiecewiseConstantDecay([5, 9], [1.0, 0.5, 0.1]), 6, 0.5),
        (schedules.PiecewiseConstantDecay([5, 9], [1.0, 0.5, 0.1]), 10, 0.1),
        (schedules.PolynomialDecay(0.5, 10, 0.1), 5, 0.3),
        (schedules.PolynomialDecay(0.5, 10, 0.1), 25, 0.1),
        (schedules.PolynomialDecay(0.5, 10, 0.1, cycle=True), 15, 0.1 + 0.4 * 0.25),
        (schedules.CosineDecay(0.2, 8), 4, 0.1),
        (schedules.CosineDecay(0.2, 8, alpha=0.5), 100, 0.1),
        (schedules.CosineDecay(0, 8, warmup_target=0.4, warmup_steps=4), 1, 0.1),
        (schedules.CosineDecay(0.2, 8, warmup_target=0.4, warmup_steps=4), 6, 0.2 * (1 + math.cos(math.pi / 4))),
        (schedules.CosineDecayRestarts(0.2, 4), 4, 0.2),
        (schedules.CosineDecayRestarts(0.2, 4), 8, 0.1),
        (schedules.CosineDecayRestarts(0.2, 4, t_mul=1.0, m_mul=0.5), 6, 0.05),
    ],
)
def test_values(schedule, step, expected):
    assert float(schedule(step)) == pytest.approx(expected, rel=1e-6)


class Halving(schedules.LearningRateSchedule):
    """A schedule as users write it, with ops on the step."""

    def __init__(self, start):
        self.start = start

    def __call__(self, step):
        return self.start / minidl.ops.power(2.0, minidl.ops.cast(step, "float32"))

    def get_config(self):
        return {"start": self.start}


def test_a_schedule_of_ones_own():
    w = minidl.Variable(np.zeros(1, "float32"))
    optimizer = optimizers.SGD(Halving(1.0))
    for expected in (-1.0, -1.5, -1.75):
        optimizer.apply([np.ones(1, "float32")], [w])
        assert w.numpy()[0] == expected
    assert float(optimizer.learning_rate) == 0.125
    assert [v.name for v in optimizer.variables] == ["iteration"]
    config = optimizers.serialize(optimizer)
    again = optimizers.deserialize(config, custom_objects={"Halving": Halving})
    assert again.learning_rate.numpy() == 1.0 and again.get_config()["learning_rate"]["config"] == {"start": 1.0}


def test_a_schedule_is_asked_for_calls_while_gradients_are_accumulated():
    asked = []

    class Asked(schedules.LearningRateSchedule):
        def __call__(self, step):
            asked.append(int(step))
            return 0.5

    w = minidl.Variable(np.zeros(1, "float32"))
    optimizer = optimizers.SGD(Asked(), gradient_accumulation_steps=2)
    for _ in range(4):
        optimizer.apply([np.ones(1, "float32")], [w])
    assert asked == [1, 3] and w.numpy()[0] == -1.0 and int(optimizer.iterations) == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps must be greater than 0, not 0"),
        (lambda: schedules.InverseTimeDecay(0.1, -1, 0.5), "decay_steps must be greater than 0, not -1"),
        (lambda: schedules.PolynomialDecay(0.1, 0), "decay_steps"),
        (lambda: schedules.CosineDecay(0.1, 0), "decay_steps"),
        (lambda: schedules.CosineDecayRestarts(0.1, 0), "first_decay_steps"),
        (lambda: schedules.CosineDecayRestarts(0.1, 5, t_mul=0.0), "t_mul must be greater than 0"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "boundaries has 2, values 2"),
        (lambda: schedules.PiecewiseConstantDecay([2, 2], [0.1, 0.2, 0.3]), r"boundaries must rise.*\[2, 2\]"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_base_class_says_what_is_missing():
    base = schedules.LearningRateSchedule()
    with pytest.raises(NotImplementedError, match="__call__"):
        base(0)
    with pytest.raises(NotImplementedError, match="get_config"):
        base.get_config()
