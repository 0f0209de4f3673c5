"""Subclasses of Model: layers as attributes, and a call that is plain Python."""

import re

import numpy as np
import pytest

import minidl
from minidl import layers, ops

RNG = np.random.default_rng(2)
X, Y = RNG.normal(size=(20, 5)).astype("float32"), RNG.integers(0, 3, 20)


class MyModel(minidl.Model):
    """The class of the lecture notes."""

    def __init__(self, units=30, activation="relu", **kwargs):
        super(MyModel, self).__init__(**kwargs)  # noqa: UP008 - as the notes write it
        self.dense_layer1 = layers.Dense(300, activation=activation)
        self.dense_layer2 = layers.Dense(100, activation=activation)
        self.dense_layer3 = layers.Dense(units, activation=activation)
        self.output_layer = layers.Dense(3, activation="softmax")

    def call(self, inputs):
        x = self.dense_layer1(inputs)
        x = self.dense_layer2(x)
        x = self.dense_layer3(x)
        return self.output_layer(x)


class Deep(minidl.Model):
    """A list of layers, a loop and a branch."""

    def __init__(self, depth):
        super().__init__()
        self.hidden = [layers.Dense(5, activation="tanh") for _ in range(depth)]
        self.last = layers.Dense(1)

    def call(self, inputs, training=None):
        x = inputs
        for i, layer in enumerate(self.hidden):
            x = layer(x) + x if i % 2 else layer(x)
        if training:
            x = x * 2
        return self.last(x)


def test_the_model_of_the_notes_trains():
    minidl.utils.set_random_seed(3)
    model = MyModel(units=10, name="my_model")
    assert not model.built and model.weights == [] and model.name == "my_model"
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    history = model.fit(X, Y, epochs=8, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert len(model.weights) == 8 and [layer.name for layer in model.layers][:2] == [
        model.dense_layer1.name,
        model.dense_layer2.name,
    ]
    assert model.predict(X, verbose=0).shape == (20, 3)
    assert len(model.evaluate(X, Y, verbose=0)) == 2


def test_built_by_the_first_call():
    model = Deep(3)
    assert model(X).shape == (20, 1) and len(model.weights) == 8
    model = Deep(3)
    model.build((None, 5))
    assert model.built and len(model.weights) == 8


def test_the_summary_knows_the_shapes_of_a_model_built_by_data(capsys):
    model = Deep(1)
    model(X)
    model.summary(line_length=80)
    text = capsys.readouterr().out
    for row in (r"\(Dense\) +│ \(None, 5\) +│ +30 ", r"\(Dense\) +│ \(None, 1\) +│ +6 "):
        assert re.search(row, text), text


def test_lists_loops_and_branches_differentiate():
    model = Deep(3)
    model(X)
    h = X
    for i, layer in enumerate(model.hidden):
        kernel, bias = layer.get_weights()
        h = np.tanh(h @ kernel + bias) + (h if i % 2 else 0)
    np.testing.assert_allclose(model(X), h @ model.last.kernel.numpy(), rtol=1e-5, atol=1e-6)
    y = model(X, training=True)
    np.testing.assert_allclose(y, 2 * h @ model.last.kernel.numpy(), rtol=1e-5, atol=1e-6)
    gradients = minidl.grad(y, model.trainable_variables)
    np.testing.assert_allclose(gradients[-2], 2 * h.sum(0)[:, None], rtol=1e-4, atol=1e-5)
    assert all(np.abs(g.numpy()).max() > 0 for g in gradients)


def test_a_branch_on_values():
    class Gate(minidl.Model):
        def __init__(self):
            super().__init__()
            self.small, self.large = layers.Dense(1), layers.Dense(1)

        def call(self, inputs):
            return self.small(inputs) if ops.mean(ops.abs(inputs)) < 1 else self.large(inputs)

    model = Gate()
    model(X * 0.01), model(X * 100)
    np.testing.assert_array_equal(model(X * 0.01), model.small(X * 0.01))
    np.testing.assert_array_equal(model(X * 100), model.large(X * 100))


def test_several_inputs_and_outputs():
    class Two(minidl.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Dense(1), layers.Dense(2)

        def call(self, inputs):
            a, b = inputs
            return self.one(a), self.two(b)

    model = Two()
    model.compile("sgd", ["mse", "mae"], metrics=[["mae"], []])
    history = model.fit([X, X], [X[:, :1], X[:, :2]], verbose=0).history
    assert list(history) == ["loss", "mae", "mae_loss", "mse_loss"]  # as in Keras: the outputs have no names
    assert [part.shape for part in model.predict([X, X], verbose=0)] == [(20, 1), (20, 2)]
    model.compile("sgd", "mse")
    assert len(model.evaluate([X, X], [X[:, :1], X[:, :2]], verbose=0)) == 3


def test_a_build_of_the_user_runs():
    class Net(minidl.Model):
        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1], 2), "ones", name="kernel")

        def call(self, inputs):
            return ops.matmul(inputs, self.kernel)

    model = Net()
    np.testing.assert_allclose(model(X), X @ np.ones((5, 2)), rtol=1e-5, atol=1e-6)
    model = Net()
    model.compile("sgd", "mse")
    model.fit(X, X[:, :2], verbose=0)
    assert not np.array_equal(model.kernel, np.ones((5, 2)))


def test_models_and_layers_mix():
    class Outer(minidl.Model):
        def __init__(self):
            super().__init__()
            self.net = Deep(2)
            self.row = minidl.Sequential([layers.Dense(4), layers.Dense(1)])

        def call(self, inputs):
            return self.net(inputs) + self.row(inputs)

    model = Outer()
    model.compile("sgd", "mse")
    before = model.predict(X, verbose=0)
    model.fit(X, X[:, :1], verbose=0)
    assert len(model.trainable_weights) == 6 + 4
    assert not np.array_equal(before, model.predict(X, verbose=0))


def test_arguments_of_the_user_do_not_reach_model():
    class Plain(minidl.Model):
        pass

    with pytest.raises(TypeError, match="Plain"):
        Plain(30)
    with pytest.raises(TypeError, match="units"):
        Plain(units=30)
    with pytest.raises(NotImplementedError, match="call"):
        Plain()(X)


def test_a_forgotten_super_init_says_so():
    class Forgetful(minidl.Model):
        def __init__(self):
            self.dense = layers.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    with pytest.raises(RuntimeError, match=r"Forgetful.*super\(\).__init__"):
        Forgetful()(X)


def test_monte_carlo_dropout():
    """Dropout stays on where training=True is passed, and every call draws a new mask."""
    model = minidl.Sequential([layers.Input((5,)), layers.Dense(50), layers.Dropout(0.5), layers.Dense(1)])
    samples = np.stack([model(X, training=True) for _ in range(20)])
    assert samples.shape == (20, 20, 1) and samples.std(axis=0).min() > 0
    np.testing.assert_array_equal(model(X), model(X))
