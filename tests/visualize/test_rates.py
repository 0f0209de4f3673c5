"""The range test finds the largest rate where mathematics gives one, and leaves no trace."""

import re

import numpy as np
import pytest

import minidl
from minidl import layers
from minidl.visualize import LearningRates, learning_rate_range


@pytest.fixture
def line():
    """y = 3 x: the loss has the curvature 2 mean(x^2), so gradient descent diverges above 1 / mean(x^2)."""
    x = np.random.default_rng(0).normal(size=(64, 1)).astype("float32")
    return x, 3 * x, float(1 / np.mean(x**2))


def single(optimizer="sgd"):
    model = minidl.Sequential([layers.Input((1,)), layers.Dense(1, use_bias=False)])
    model.compile(optimizer, "mse")
    return model


def test_the_largest_rate_of_a_parabola_is_two_over_its_curvature(line):
    x, y, limit = line
    found = learning_rate_range(single(), x, y, low=0.9 * limit, high=1.2 * limit, steps=25, batch_size=64, smoothing=1)
    below = found.rates[found.rates < limit]
    np.testing.assert_allclose(found.largest, below[-1])
    np.testing.assert_allclose(found.suggested, below[-1] / 2)
    assert found.diverged and "half of it" in str(found)
    ratio = found.losses[1:] / found.losses[:-1]  # each step multiplies the error by 1 - 2 rate / limit
    np.testing.assert_allclose(ratio, (1 - 2 * found.rates[1:] / limit) ** 2, rtol=1e-3)


def test_where_the_loss_still_falls_it_says_so(line):
    x, y, limit = line
    found = learning_rate_range(single(), x, y, low=1e-4, high=0.3 * limit, steps=20, batch_size=64)
    assert not found.diverged and found.largest == pytest.approx(0.3 * limit) and "raise high" in str(found)


def test_a_loss_that_is_not_finite_ends_it(line):
    x, y, limit = line
    found = learning_rate_range(single(), x, y, low=0.9 * limit, high=1e30, steps=60, batch_size=64)
    assert len(found.rates) < 60 and found.diverged and found.largest < 10 * limit


def test_the_model_is_as_it_was_and_goes_on_the_same():
    def trained(test):
        minidl.utils.set_random_seed(1)
        model = minidl.Sequential([
            layers.Input((4,)), layers.Dense(8, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.5),
            layers.Dense(2),
        ])  # fmt: skip
        model.compile(
            minidl.optimizers.Adam(minidl.optimizers.schedules.ExponentialDecay(0.01, 2, 0.5)), "mse", metrics=["mae"]
        )
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(48, 4)).astype("float32"), rng.normal(size=(48, 2)).astype("float32")
        model.fit(x, y, epochs=1, verbose=0)
        optimizer, weights = model.optimizer, model.get_weights()
        if test:
            learning_rate_range(model, x, y, steps=10, high=100.0, batch_size=16)
            assert model.optimizer is optimizer
            for one, other in zip(model.get_weights(), weights, strict=True):
                np.testing.assert_array_equal(one, other)
        model.fit(x, y, epochs=2, verbose=0)
        return model.get_weights()

    for one, other in zip(trained(True), trained(False), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_is_taken_back_after_an_error_too(line):
    x, y, _ = line
    model = single()
    before, optimizer = model.get_weights(), model.optimizer
    count = iter(range(3))

    class Broken(RuntimeError):
        pass

    def step(data, original=model.train_step):
        if next(count, None) is None:
            raise Broken
        return original(data)

    model.train_step = step
    with pytest.raises(Broken):
        learning_rate_range(model, x, y)
    assert model.optimizer is optimizer
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_the_chart_marks_both_rates():
    losses = np.array([2.0, 1.0, 0.5, 8.0])
    found = LearningRates(np.array([0.1, 0.2, 0.4, 0.8]), losses, losses, 0.4, True)
    assert found.suggested == 0.2
    chart = found.chart()
    assert ">half</text>" in chart and ">largest</text>" in chart and chart == found._repr_html_()
    assert "largest</text>" not in LearningRates(found.rates, losses, losses, 0.8, False).chart()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"low": 0.0}, "0 < low < high, not 0.0 and 10.0"),
        ({"low": 20.0}, "0 < low < high, not 20.0 and 10.0"),
        ({"smoothing": 2}, "and smoothing odd; they are 100, 32 and 2"),
        ({"steps": 1}, "steps must be 2 or more"),
        ({"low": 1e29, "high": 1e30}, "lower low"),
    ],
)
def test_what_is_wrong_is_named(line, change, message):
    x, y, _ = line
    with pytest.raises(ValueError, match=re.escape(message)):
        learning_rate_range(single(), x, y, **change)


def test_a_model_that_is_not_compiled_is_named(line):
    with pytest.raises(ValueError, match="must be compiled with an optimizer first"):
        learning_rate_range(minidl.Sequential([layers.Dense(1, name="d")]), *line[:2])
