"""How models are built and looked into. Rows 4, 5, 56 to 66, 114."""

import importlib

import numpy as np
import pytest

import minidl as keras
from minidl import Model, Sequential, layers, ops
from minidl.layers import Dense, Flatten, Input
from tests.notes.listings import (
    MyModel,
    branch_and_join,
    one_input_two_outputs,
    one_variable,
    two_inputs_one_output,
    two_inputs_two_outputs,
)

RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.normal(size=(12, 10, 10)).astype("float32"), RNG.normal(size=(12, 10, 28)).astype("float32")
MAIN, SUM = RNG.integers(0, 2, (12, 10, 1)).astype("float32"), SECOND.mean(axis=2, keepdims=True)


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_4_5_a_list_or_add():
    row = [Flatten(input_shape=(28, 28)), Dense(100, activation="relu"), Dense(10, activation="softmax")]
    from_list = keras.models.Sequential(row)
    added = Sequential()
    for layer in row:
        added.add(layer)
    assert from_list.layers == added.layers == row and keras.models.Sequential is Sequential
    x = RNG.random((3, 28, 28), "float32")
    np.testing.assert_array_equal(from_list.predict(x, verbose=0), added.predict(x, verbose=0))


def test_56_one_variable(capsys):
    model = one_variable()
    printed = capsys.readouterr().out
    assert all(number in printed for number in ("157,000", "20,100", "1,010", "178,110"))
    assert [layer.name for layer in model.layers] == ["input_layer", "flatten", "dense", "dense_1", "dense_2"]
    assert model.input_shape == (None, 28, 28, 1) and model.output_shape == (None, 10)


def test_57_58_branch_and_join():
    model, concat = branch_and_join()
    assert concat.shape == (None, 28, 58) and model.output_shape == (None, 28, 1)
    assert model.count_params() == (28 * 100 + 100) + (100 * 30 + 30) + (58 + 1)
    x = RNG.normal(size=(8, 28, 28)).astype("float32")
    k1, b1, k2, b2, k3, b3 = model.get_weights()
    joined = np.concatenate([x, relu(relu(x @ k1 + b1) @ k2 + b2)], axis=-1)  # Dense acts on the last axis
    np.testing.assert_allclose(model.predict(x, verbose=0), joined @ k3 + b3, rtol=1e-4, atol=1e-5)
    model.compile(loss="mse", optimizer="adam")
    losses = model.fit(x, x.sum(axis=2, keepdims=True), epochs=5, verbose=0).history["loss"]  # a bare array
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    "x",
    [[FIRST, SECOND], (FIRST, SECOND), {"input_1": FIRST, "input_2": SECOND}, {"input_2": SECOND, "input_1": FIRST}],
    ids=["list", "tuple", "names", "names in another order"],
)
def test_59_two_inputs(x):
    model = two_inputs_one_output()
    k1, b1, k2, b2, k3, b3 = model.get_weights()
    expected = sigmoid(np.concatenate([FIRST, relu(relu(SECOND @ k1 + b1) @ k2 + b2)], axis=-1) @ k3 + b3)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4)
    model.compile(loss="binary_crossentropy", optimizer="adam")
    losses = model.fit(x, MAIN, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_60_two_outputs():
    """The loss is the weighted sum of those of the outputs, which stand in the history by name."""
    model = one_input_two_outputs()
    losses = {"main_output": "binary_crossentropy", "sum_output": "mse"}
    model.compile(optimizer="sgd", loss=losses, loss_weights={"main_output": 1.0, "sum_output": 0.1})
    p_main, p_sum = model.predict(FIRST, verbose=0)
    found = model.evaluate(FIRST, {"main_output": MAIN, "sum_output": SUM}, return_dict=True, verbose=0)
    crossentropy = -np.mean(MAIN * np.log(p_main) + (1 - MAIN) * np.log(1 - p_main))
    squares = np.mean((SUM - p_sum) ** 2)
    expected = {
        "loss": crossentropy + 0.1 * squares, "main_output_loss": crossentropy, "sum_output_loss": squares
    }  # fmt: skip
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "y, settings",
    [
        ([MAIN, SUM], {"loss": ["binary_crossentropy", "mse"]}),
        ((MAIN, SUM), {"loss": ["binary_crossentropy", "mse"], "loss_weights": [1.0, 0.1]}),
        (
            {"main_output": MAIN, "sum_output": SUM},
            {"loss": {"main_output": "binary_crossentropy", "sum_output": "mse"}},
        ),
    ],
    ids=["lists", "tuples", "names"],
)
def test_61_two_inputs_and_two_outputs(y, settings):
    model = two_inputs_two_outputs()
    model.compile(optimizer="adam", **settings)
    history = model.fit([FIRST, SECOND], y, epochs=10, verbose=0).history
    assert list(history) == ["loss", "main_output_loss", "sum_output_loss"]
    assert all(values[-1] < values[0] for values in history.values())
    predictions = model.predict([FIRST, SECOND], verbose=0)
    assert isinstance(predictions, list) and [p.shape for p in predictions] == [(12, 10, 1), (12, 10, 1)]


def test_62_subclassing(pictures):
    (X_train, y_train), (X_valid, y_valid), _ = pictures
    X_train, X_valid = X_train.reshape(-1, 784), X_valid.reshape(-1, 784)
    model = MyModel(units=20)
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    assert not model.built and len(model.layers) == 4
    model.fit(X_train, y_train, epochs=3, verbose=0)
    assert model.count_params() == 784 * 300 + 300 + 300 * 100 + 100 + 100 * 20 + 20 + 20 * 10 + 10
    probabilities = model.predict(X_valid, verbose=0)
    loss, accuracy = model.evaluate(X_valid, y_valid, verbose=0)
    assert accuracy == pytest.approx((probabilities.argmax(1) == y_valid).mean()) and accuracy > 0.65


def test_63_for_if_and_low_level_operations():
    class Powers(Model):
        def __init__(self):
            super().__init__()
            self.inner = Dense(1, use_bias=False, kernel_initializer="ones")

        def call(self, inputs):
            total = 0.0
            for power in range(1, 4):
                term = self.inner(inputs) ** power
                if power % 2 == 0:
                    term = -2.0 * term
                total = total + ops.sum(term, axis=1)
            return total

    model = Powers()
    x = np.array([[1.0], [2.0]], "float32")
    with keras.GradientTape() as tape:
        y = model(x)  # u - 2u^2 + u^3 with u = wx
        loss = ops.sum(y)
    np.testing.assert_allclose(y.numpy(), [0.0, 2.0], atol=1e-6)
    (gradient,) = tape.gradient(loss, model.trainable_weights)  # sum of x - 4wx^2 + 3w^2x^3 at w = 1: 0 + 10
    np.testing.assert_allclose(gradient.numpy(), [[10.0]], rtol=1e-6)


def test_64_65_66_layers_names_weights():
    model = Sequential()
    model.add(Dense(300, activation="relu", input_shape=(784,)))
    model.add(Dense(10, activation="softmax"))
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
    assert model.get_layer("dense_1") is model.layers[1] is model.get_layer(index=1)
    with pytest.raises(ValueError, match="dense_7"):
        model.get_layer("dense_7")
    with pytest.raises(ValueError, match="5"):
        model.get_layer(index=5)
    kernel, bias = model.layers[0].get_weights()
    assert type(kernel) is type(bias) is np.ndarray and kernel.shape == (784, 300) and bias.shape == (300,)
    assert np.abs(kernel).max() <= np.sqrt(6 / 1084) < 1.01 * np.abs(kernel).max() and not bias.any()  # Glorot uniform
    kinds = [layers.Conv2D(1, 1), layers.Conv2D(1, 1), layers.MaxPooling2D(), layers.LeakyReLU()]
    assert [layer.name for layer in kinds] == ["conv2d", "conv2d_1", "max_pooling2d", "leaky_re_lu"]


@pytest.mark.parametrize(
    "module, names",
    [
        ("layers", ["Concatenate", "Dense", "Flatten", "Input", "Conv2D", "BatchNormalization"]),
        ("models", ["Model", "Sequential", "clone_model", "load_model"]),
        ("callbacks", ["EarlyStopping", "LearningRateScheduler", "ModelCheckpoint", "TensorBoard"]),
        ("datasets", ["cifar10", "fashion_mnist", "mnist"]),
        ("optimizers", ["SGD", "Adam", "RMSprop", "Adagrad"]),
        ("losses", ["mse", "SparseCategoricalCrossentropy"]),
        ("utils", ["to_categorical", "set_random_seed", "plot_model"]),
        ("regularizers", ["l1", "l2", "L1L2"]),
    ],
)
def test_114_names_come_from_real_modules(module, names):
    found = importlib.import_module(f"minidl.{module}")
    assert found is getattr(keras, module) and all(callable(getattr(found, n)) or module == "datasets" for n in names)
    scope: dict[str, object] = {}
    exec(f"from minidl.{module} import {', '.join(names)}", scope)
    assert all(scope[name] is getattr(found, name) for name in names)


def test_114_bare_names():
    assert keras.models.Model is Model and keras.Input is Input is layers.Input
