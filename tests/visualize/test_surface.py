"""The surface of a linear model is a parabola that can be written down; directions have the length of the filters."""

import re

import numpy as np
import pytest

import minidl
from minidl import layers
from minidl.visualize import LossSurface, loss_surface


def test_the_loss_of_a_linear_model_is_known_everywhere():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 3)), rng.normal(size=(10, 2))
    model = minidl.Sequential([layers.Input((3,)), layers.Dense(2, kernel_regularizer=minidl.regularizers.L2(0.1))])
    model.compile("sgd", "mse")
    kernel, bias = model.get_weights()
    found = loss_surface(model, x.astype("float32"), y.astype("float32"), span=0.5, points=5, batch_size=4)
    np.testing.assert_allclose(found.steps, [-0.5, -0.25, 0, 0.25, 0.5])
    (one, still), (other, _) = found.directions
    assert not still.any(), "biases do not move"
    for i, a in enumerate(found.steps):
        for j, b in enumerate(found.steps):
            moved = kernel + a * one + b * other
            expected = np.mean((x @ moved + bias - y) ** 2) + 0.1 * (moved**2).sum()
            np.testing.assert_allclose(found.losses[i, j], expected, rtol=1e-5)
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


def test_each_filter_of_a_direction_is_as_long_as_the_models():
    model = minidl.Sequential([
        layers.Input((5, 5, 2)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Flatten(), layers.Dense(3),
    ])  # fmt: skip
    model.compile("sgd", "mse")
    found = loss_surface(model, np.ones((2, 5, 5, 2), "float32"), np.ones((2, 3), "float32"), points=3)
    for direction in found.directions:
        for weight, one in zip(model.get_weights(), direction, strict=True):
            if weight.ndim > 1:
                axes = tuple(range(weight.ndim - 1))
                np.testing.assert_allclose((one**2).sum(axes), (weight**2).sum(axes), rtol=1e-5)
            else:
                assert not one.any()
    first, second = (d[0].ravel() for d in found.directions)
    assert abs(first @ second) < 0.5 * (first @ first), "two directions, not one"


def test_the_chart_has_a_square_for_each_point():
    losses = np.array([[4.0, 4, 4], [4, 1, 4], [4, 4, 4]])
    found = LossSurface(np.array([-1.0, 0, 1]), losses, ([], []))
    assert found.sharpness == 4.0
    chart = str(found.chart())
    assert chart.count("<rect") == 9 + 1 and chart.count("fill-opacity:1.000") == 8
    assert "fill-opacity:0.000" in chart and "-1, 1: loss 4" in chart and found._repr_html_() == chart


@pytest.mark.parametrize(
    "change, message",
    [({"points": 4}, "points must be odd, 3 or more"), ({"span": 0}, "span above 0; they are 15 and 0")],
)
def test_what_is_wrong_is_named(change, message):
    model = minidl.Sequential([layers.Input((1,)), layers.Dense(1)])
    with pytest.raises(ValueError, match="must be compiled and built first"):
        loss_surface(model, np.ones((2, 1)), np.ones((2, 1)))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=re.escape(message)):
        loss_surface(model, np.ones((2, 1)), np.ones((2, 1)), **change)
