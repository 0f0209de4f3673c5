"""float64 as the default float type, and models that mix both."""

import numpy as np
import pytest

import minidl
from minidl import layers

RNG = np.random.default_rng(10)
PICTURES, LABELS = RNG.normal(size=(12, 8, 8, 2)), RNG.integers(0, 3, 12)


@pytest.fixture
def float64():
    minidl.config.set_floatx("float64")
    yield
    minidl.config.set_floatx("float32")


def net():
    minidl.utils.set_random_seed(4)
    return minidl.Sequential([
        layers.Input((8, 8, 2)), layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(), layers.LeakyReLU(),
        layers.MaxPooling2D(), layers.Dropout(0.2, seed=1), layers.AveragePooling2D(2), layers.Flatten(),
        layers.Dense(3, activation="softmax", kernel_regularizer="l2"),
    ])  # fmt: skip


def trained(optimizer):
    model = net()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(PICTURES, LABELS, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    return model, history


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_float64_from_end_to_end(optimizer, float64):
    model, history = trained(optimizer)
    assert {w.dtype for w in model.weights} == {np.dtype("float64")}
    assert model.predict(PICTURES, verbose=0).dtype == np.float64
    minidl.config.set_floatx("float32")
    single, short = trained(optimizer)
    assert {w.dtype for w in single.weights} == {np.dtype("float32")}
    np.testing.assert_allclose(history["loss"], short["loss"], rtol=1e-4)
    if optimizer == "sgd":  # Adam divides by roots of tiny gradients: rounding shows
        for double, float_ in zip(model.get_weights(), single.get_weights(), strict=True):
            np.testing.assert_allclose(double, float_, rtol=1e-3, atol=1e-5)


def test_one_layer_of_float64():
    model = minidl.Sequential(
        [layers.Input((8, 8, 2)), layers.Flatten(), layers.Dense(4), layers.Dense(3, dtype="float64")]
    )
    model.compile("sgd", "mse")
    model.fit(PICTURES, np.ones((12, 3)), verbose=0)
    assert [str(w.dtype) for w in model.weights] == ["float32", "float32", "float64", "float64"]
    assert model.predict(PICTURES, verbose=0).dtype == np.float64


def test_gradients_in_float64_agree_with_differences(float64):
    model = net()
    upstream = RNG.normal(size=(12, 3))

    def total():
        return float((model(PICTURES).numpy() * upstream).sum())

    gradients = minidl.grad(model(PICTURES), model.trainable_weights, upstream)
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        direction = RNG.normal(size=weight.shape)
        start, step = weight.numpy(), 1e-6
        values = []
        for sign in (1, -1):
            weight.assign(start + sign * step * direction)
            values.append(total())
        weight.assign(start)
        slope = (values[0] - values[1]) / (2 * step)
        assert slope == pytest.approx(float((gradient.numpy() * direction).sum()), rel=1e-6, abs=1e-8)
