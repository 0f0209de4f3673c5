"""Gradient ascent on the input: for a linear filter the answer is the filter, and its size follows from the penalty."""

import re

import numpy as np
import pytest

import minidl
from minidl import layers
from minidl.visualize import maximal_activation


@pytest.fixture
def filters():
    """A convolution as large as the picture: each channel is one linear filter."""
    model = minidl.Sequential([layers.Input((4, 5, 2)), layers.Conv2D(3, (4, 5), name="filters"), layers.Flatten()])
    rng = np.random.default_rng(0)
    model.layers[0].set_weights([rng.normal(size=(4, 5, 2, 3)), rng.normal(size=3)])
    return model


def unit(kernel):
    return kernel / np.sqrt((kernel**2).mean())


def cosine(a, b):
    return (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())


@pytest.mark.parametrize("channel", [0, 2])
def test_the_picture_of_a_linear_filter_is_the_filter(filters, channel):
    kernel = filters.layers[0].get_weights()[0][..., channel]
    start = np.zeros((4, 5, 2))
    found = maximal_activation(filters, "filters", channel, start=start, steps=7, learning_rate=0.1, bounds=None)
    np.testing.assert_allclose(found, 0.7 * unit(kernel), rtol=1e-5)
    noisy = maximal_activation(filters, 0, channel, steps=400, bounds=None)
    assert cosine(noisy, kernel) > 0.999


def test_the_penalty_on_the_size_gives_the_size(filters):
    """x stops where unit(kernel) = 2 l2 x."""
    kernel = filters.layers[0].get_weights()[0][..., 1]
    found = maximal_activation(filters, 0, 1, l2=0.8, steps=300, bounds=None)
    np.testing.assert_allclose(found, unit(kernel) / 1.6, rtol=1e-4)


def laplacian(height, width):
    """Sum of the differences to the neighbours, as a matrix on the flattened picture."""
    places = [(i, j) for i in range(height) for j in range(width)]
    matrix = np.zeros((height * width, height * width))
    for a, (i, j) in enumerate(places):
        for b, (k, m) in enumerate(places):
            if abs(i - k) + abs(j - m) == 1:
                matrix[a, a] += 1
                matrix[a, b] -= 1
    return matrix


def test_smoothness_solves_its_linear_equation(filters):
    """x stops where unit(kernel) = 2 (l2 + smoothness L) x, for each colour."""
    kernel = unit(filters.layers[0].get_weights()[0][..., 0]).reshape(20, 2)
    expected = np.linalg.solve(2 * (0.3 * np.eye(20) + 0.5 * laplacian(4, 5)), kernel).reshape(4, 5, 2)
    found = maximal_activation(filters, 0, 0, l2=0.3, smoothness=0.5, steps=600, bounds=None)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_within_bounds_the_picture_is_the_sign_of_the_filter(filters):
    kernel = filters.layers[0].get_weights()[0][..., 2]
    found = maximal_activation(filters, 0, 2, steps=2000, bounds=(-0.25, 0.75))
    clear = np.abs(unit(kernel)) > 0.05
    np.testing.assert_array_equal(found[clear], np.where(kernel > 0, 0.75, -0.25)[clear])


def test_jitter_makes_all_places_alike():
    """A filter of one pixel on a wide picture: rolled to everywhere, it brightens everywhere."""
    model = minidl.Sequential([layers.Input((4, 4, 1)), layers.Flatten(), layers.Dense(1, use_bias=False)])
    weights = np.zeros((16, 1))
    weights[5] = 1
    model.layers[-1].set_weights([weights])
    settings = {"start": np.zeros((4, 4, 1)), "bounds": None, "steps": 400, "learning_rate": 0.01}
    still = maximal_activation(model, 1, 0, **settings)
    np.testing.assert_allclose(still[1, 1, 0], 400 * 0.01 * 4, rtol=1e-5)
    assert np.count_nonzero(still) == 1
    rolled = maximal_activation(model, 1, 0, jitter=2, **settings)
    np.testing.assert_allclose(rolled.sum(), still.sum(), rtol=1e-5)
    assert rolled.min() > 0


def test_what_rises_for_a_class_is_what_goes_into_the_softmax():
    """Also where the probability is 1 already and does not rise any more."""
    model = minidl.Sequential([layers.Input((6,)), layers.Dense(3, activation="softmax")])
    kernel = np.random.default_rng(1).normal(size=(6, 3))
    model.layers[0].set_weights([kernel, np.array([0.0, 500.0, 0.0])])
    start = np.zeros(6)
    found = maximal_activation(model, -1, 1, start=start, steps=10, learning_rate=0.1, bounds=None)
    np.testing.assert_allclose(found, unit(kernel[:, 1]), rtol=1e-4)


def test_the_seed_gives_the_same_picture_again(filters):
    settings = {"steps": 3, "jitter": 1}
    once, again, other = (maximal_activation(filters, 0, 0, seed=seed, **settings) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any() and once.dtype == np.float32


@pytest.mark.parametrize(
    "change, message",
    [
        ({"channel": 3}, "channel must be from 0 to 2 for layer 'filters', not 3"),
        ({"layer": "filter"}, "has no layer 'filter'"),
        ({"smoothness": 5.0}, "or the steps diverge; they are 0.05, 0.0 and 5.0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"l2": -1.0}, "l2 and smoothness from 0 up"),
    ],
)
def test_what_is_wrong_is_named(filters, change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        maximal_activation(**{"model": filters, "layer": "filters", "channel": 0, **change})


def test_a_model_of_unknown_input_shape_needs_a_start():
    model = minidl.Sequential([layers.Input((None, None, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="pass start"):
        maximal_activation(model, 0, 0)
    assert maximal_activation(model, 0, 1, start=np.zeros((5, 6, 1)), steps=2).shape == (5, 6, 1)
