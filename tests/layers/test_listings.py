"""Layers and models as books on Keras write them: they run, train, and open again from a file."""

import numpy as np
import pytest

import minidl as keras
from minidl import ops

RNG = np.random.default_rng(42)
X = RNG.normal(size=(64, 8)).astype("float32")
Y = (X[:, :1] - 0.5 * X[:, 1:2]).astype("float32")


class MyDense(keras.layers.Layer):
    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, batch_input_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=[batch_input_shape[-1], self.units], initializer="glorot_normal"
        )
        self.bias = self.add_weight(name="bias", shape=[self.units], initializer="zeros")
        super().build(batch_input_shape)  # must be at the end

    def call(self, X):
        return self.activation(X @ self.kernel + self.bias)

    def compute_output_shape(self, batch_input_shape):
        return (*batch_input_shape[:-1], self.units)

    def get_config(self):
        base_config = super().get_config()
        return {**base_config, "units": self.units, "activation": keras.activations.serialize(self.activation)}


class MyMultiLayer(keras.layers.Layer):
    def call(self, X):
        X1, X2 = X
        return X1 + X2, X1 * X2, X1 / X2

    def compute_output_shape(self, batch_input_shape):
        first, _ = batch_input_shape
        return [first, first, first]


class MyGaussianNoise(keras.layers.Layer):
    def __init__(self, stddev, **kwargs):
        super().__init__(**kwargs)
        self.stddev = stddev

    def call(self, X, training=None):
        if training:
            return X + keras.random.normal(ops.shape(X), stddev=self.stddev)
        return X

    def compute_output_shape(self, batch_input_shape):
        return batch_input_shape


class ResidualBlock(keras.layers.Layer):
    def __init__(self, n_layers, n_neurons, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [
            keras.layers.Dense(n_neurons, activation="relu", kernel_initializer="he_normal") for _ in range(n_layers)
        ]

    def call(self, inputs):
        Z = inputs
        for layer in self.hidden:
            Z = layer(Z)
        return inputs + Z


class ResidualRegressor(keras.Model):
    def __init__(self, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.hidden1 = keras.layers.Dense(30, activation="relu", kernel_initializer="he_normal")
        self.block1 = ResidualBlock(2, 30)
        self.block2 = ResidualBlock(2, 30)
        self.out = keras.layers.Dense(output_dim)

    def call(self, inputs):
        Z = self.hidden1(inputs)
        for _ in range(1 + 3):
            Z = self.block1(Z)
        return self.out(self.block2(Z))


class ReconstructingRegressor(keras.Model):
    def __init__(self, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [keras.layers.Dense(30, activation="relu", kernel_initializer="he_normal") for _ in range(3)]
        self.out = keras.layers.Dense(output_dim)
        self.reconstruction_mean = keras.metrics.Mean(name="reconstruction_error")

    def build(self, batch_input_shape):
        self.reconstruct = keras.layers.Dense(batch_input_shape[-1])
        self.built = True

    def call(self, inputs, training=False):
        Z = inputs
        for layer in self.hidden:
            Z = layer(Z)
        recon_loss = ops.mean(ops.square(self.reconstruct(Z) - inputs))
        self.add_loss(0.05 * recon_loss)
        if training:
            self.reconstruction_mean.update_state(recon_loss)
        return self.out(Z)


class Sampling(keras.layers.Layer):
    def call(self, inputs):
        z_mean, z_log_var = inputs
        epsilon = keras.random.normal(shape=ops.shape(z_mean))
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


def test_my_dense(tmp_path):
    model = keras.Sequential([keras.Input((8,)), MyDense(30, activation="relu"), MyDense(1)])
    assert model.count_params() == 8 * 30 + 30 + 31
    model.compile(loss="mse", optimizer="nadam" if hasattr(keras.optimizers, "Nadam") else "adam")
    losses = model.fit(X, Y, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.layers[0].get_config()["activation"] == "relu"
    model.save(tmp_path / "m.keras")
    opened = keras.models.load_model(tmp_path / "m.keras", custom_objects={"MyDense": MyDense})
    np.testing.assert_array_equal(opened.predict(X, verbose=0), model.predict(X, verbose=0))


def test_my_multi_layer():
    first, second = keras.Input((3,)), keras.Input((3,))
    outputs = MyMultiLayer()([first, second])
    assert [one.shape for one in outputs] == [(None, 3)] * 3
    a, b = np.full((2, 3), 6.0, "float32"), np.full((2, 3), 3.0, "float32")
    found = keras.Model([first, second], outputs)([a, b])
    assert [one.numpy()[0, 0] for one in found] == [9, 18, 2]


def test_my_gaussian_noise():
    noisy = keras.Sequential([MyGaussianNoise(stddev=1.0)])
    np.testing.assert_array_equal(noisy.predict(X, verbose=0), X)
    apart = noisy(np.zeros((100, 100), "float32"), training=True).numpy()
    assert abs(apart.mean()) < 0.05 and abs(apart.std() - 1) < 0.05


@pytest.mark.parametrize("kind", [ResidualRegressor, ReconstructingRegressor])
def test_subclassed_models(kind, tmp_path):
    keras.utils.set_random_seed(42)
    model = kind(1)
    model.compile(loss="mse", optimizer="adam")
    history = model.fit(X, Y, epochs=4, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert ("reconstruction_error" in history) == (kind is ReconstructingRegressor)
    assert len(model.trainable_weights) == (12 if kind is ResidualRegressor else 10)
    model.save(tmp_path / "m.keras")  # with the arguments of __init__, though there is no get_config
    custom = {"ResidualRegressor": ResidualRegressor, "ReconstructingRegressor": ReconstructingRegressor}
    opened = keras.models.load_model(tmp_path / "m.keras", custom_objects=custom)
    np.testing.assert_array_equal(opened.predict(X, verbose=0), model.predict(X, verbose=0))


def test_sampling_of_a_variational_autoencoder():
    inputs = keras.Input((8,))
    mean, log_var = keras.layers.Dense(2, name="mean")(inputs), keras.layers.Dense(2, name="log_var")(inputs)
    sample = Sampling()([mean, log_var])
    encoder = keras.Model(inputs, [mean, log_var, sample])
    assert sample.shape == (None, 2)
    found_mean, found_log_var, first = encoder(X)
    apart = (first.numpy() - found_mean.numpy()) / np.exp(0.5 * found_log_var.numpy())
    assert abs(apart.mean()) < 0.3 and abs(apart.std() - 1) < 0.3
    assert not np.array_equal(encoder(X)[2], first)


def test_a_lambda_in_a_model():
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Lambda(lambda x: ops.exp(x))])
    model.compile(loss="mse", optimizer="sgd")
    model.fit(X, np.abs(X[:, :3]), epochs=1, verbose=0)
    assert (model.predict(X, verbose=0) > 0).all()


def test_two_towers_joined():
    wide, deep = keras.Input((8,)), keras.Input((8,))
    hidden = keras.layers.Dense(6, activation="relu")(deep)
    joined = keras.layers.concatenate([wide, hidden])
    model = keras.Model(inputs=[wide, deep], outputs=keras.layers.Dense(1)(joined))
    assert joined.shape == (None, 14) and model.count_params() == 8 * 6 + 6 + 15
    similar = keras.layers.dot([wide, deep], axes=1, normalize=True)
    np.testing.assert_allclose(keras.Model([wide, deep], similar)([X, 2 * X]), np.ones((64, 1)), rtol=1e-5)
