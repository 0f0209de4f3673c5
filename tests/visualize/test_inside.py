"""Kernels and feature maps: those of the layer, whatever the model around it is like."""

import re

import numpy as np
import pytest

import minidl
from minidl import layers
from minidl.visualize import feature_maps, kernels


class Subclassed(minidl.Model):
    def __init__(self, inner):
        super().__init__()
        self.inner, self.unused = inner, layers.Dense(2, name="unused")

    def call(self, inputs):
        return self.inner(inputs)


@pytest.fixture
def model():
    return minidl.Sequential(
        [
            layers.Input((6, 5, 1)),
            layers.Conv2D(3, (2, 3), activation="relu", name="first"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(),
            layers.Dense(4, activation="softmax", name="last"),
        ]
    )


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(6, 5, 1)).astype("float32")


def convolved(x, kernel, bias):
    """The feature maps by plain loops."""
    h, w, _, n = kernel.shape
    y = np.zeros((x.shape[0] - h + 1, x.shape[1] - w + 1, n))
    for i, j, k in np.ndindex(y.shape):
        y[i, j, k] = (x[i : i + h, j : j + w] * kernel[..., k]).sum() + bias[k]
    return np.maximum(y, 0)


def test_kernels_are_those_of_the_layer(model):
    found = kernels(model.get_layer("first"))
    np.testing.assert_array_equal(found, model.layers[0].get_weights()[0])
    found[:] = 0
    assert model.layers[0].get_weights()[0].any(), "a copy"


def test_units_that_see_a_picture_have_kernels_of_its_size():
    layer = layers.Dense(3)
    layer.build((None, 12))
    weights = layer.get_weights()[0]
    np.testing.assert_array_equal(kernels(layer, (2, 3, 2))[1, 2, 0], weights[(1 * 3 + 2) * 2 + 0])


@pytest.mark.parametrize("batch", [False, True])
def test_feature_maps_are_the_convolution_and_its_pooling(model, x, batch):
    kernel, bias = model.layers[0].get_weights()
    expected = convolved(x, kernel, bias)
    given = x[None] if batch else x
    np.testing.assert_allclose(feature_maps(model, given, "first"), expected, atol=1e-6)
    pooled = expected[:4, :2].reshape(2, 2, 1, 2, 3).max((1, 3))
    np.testing.assert_allclose(feature_maps(model, given, 1), pooled, atol=1e-6)
    np.testing.assert_allclose(feature_maps(model, given, model.layers[-1]).sum(), 1, rtol=1e-5)


def test_layers_inside_models_of_any_kind_are_found(model, x):
    whole = Subclassed(model)
    whole(x[None])
    np.testing.assert_array_equal(feature_maps(whole, x, "pool"), feature_maps(model, x, "pool"))
    inputs = layers.Input((6, 5, 1))
    around = minidl.Model(inputs, model(inputs * 2.0))
    np.testing.assert_array_equal(feature_maps(around, x, "first"), feature_maps(model, 2 * x, "first"))


def test_the_model_is_as_before(model, x):
    before = model.predict(x[None], verbose=0)
    feature_maps(model, x, 0)
    assert all("call" not in vars(layer) for layer in model.layers)
    np.testing.assert_array_equal(model.predict(x[None], verbose=0), before)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda m, x: feature_maps(m, x, "fist"), ValueError, "has no layer 'fist'; it has ['first', 'pool',"),
        (lambda m, x: feature_maps(m, x, 4), ValueError, "layer 4 was asked for, but"),
        (lambda m, x: feature_maps(m, x, 1.5), TypeError, "its name or its index, not 1.5"),
        (lambda m, x: feature_maps(m, x, layers.Dense(2, name="far")), ValueError, "'far' is not part of"),
        (lambda m, x: feature_maps(m, np.stack([x, x]), 0), ValueError, "not of shape (2, 6, 5, 1)"),
        (lambda m, x: feature_maps(m, x[0], 0), ValueError, "x must be one sample of a batch of shape (None, 6, 5, 1)"),
        (lambda m, x: kernels(layers.Conv2D(2, 3)), ValueError, "is not built yet"),
        (lambda m, x: kernels(m.layers[1]), ValueError, "'pool' has no kernel"),
        (lambda m, x: kernels(m.layers[-1]), ValueError, "pass shape=(h, w, channels)"),
        (lambda m, x: kernels(m.layers[-1], (2, 2, 1)), ValueError, "of 6 numbers together, not (2, 2, 1)"),
    ],
)
def test_what_is_wrong_is_named(model, x, call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call(model, x)


def test_a_layer_that_is_not_called_is_named(model, x):
    whole = Subclassed(model)
    whole(x[None])
    with pytest.raises(ValueError, match="does not call layer 'unused'"):
        feature_maps(whole, x, "unused")
