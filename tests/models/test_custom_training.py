"""Training steps, losses and metrics of the user's own."""

import numpy as np
import pytest

import minidl
from minidl import layers, losses, metrics, ops, optimizers

RNG = np.random.default_rng(6)
X = RNG.normal(size=(24, 4)).astype("float32")
Y = (X @ np.array([[1.0], [-2.0], [0.5], [0.0]])).astype("float32")


def graph():
    x = layers.Input((4,))
    return x, layers.Dense(1, kernel_regularizer="l2")(layers.Dense(3, activation="tanh")(x))


class StepByHand:
    """The train step of Keras' guide, with a GradientTape."""

    def train_step(self, data):
        x, y = data
        with minidl.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class ByHand(StepByHand, minidl.Model):
    pass


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_train_step_with_a_tape_does_what_ours_does(optimizer):
    built_in, by_hand = minidl.Model(*graph()), ByHand(*graph())
    by_hand.set_weights(built_in.get_weights())
    histories = []
    for model in (built_in, by_hand):
        model.compile(optimizer, "mse", metrics=["mae"])
        # batches of one size: the guide's step counts the loss of each batch alike
        histories.append(model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0).history)
    for one, other in zip(built_in.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)
    assert list(histories[0]) == list(histories[1]) == ["loss", "mae"]
    for name in histories[0]:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-5)


def test_a_train_step_of_a_model_that_data_builds():
    class Net(StepByHand, minidl.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1, kernel_regularizer="l2")

        def call(self, inputs):
            return self.dense(inputs)

    model = Net()
    model.compile(optimizers.SGD(0.1), "mse")
    history = model.fit(X, Y, epochs=10, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] / 2


class Vae(minidl.Model):
    """Own trackers, own metrics property, no compiled loss: the pattern of the variational autoencoder."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.decoder = layers.Dense(2), layers.Dense(4)
        self.total, self.parts = metrics.Mean(name="total"), metrics.Mean(name="part")

    @property
    def metrics(self):
        return [self.total, self.parts]

    def call(self, inputs):
        return self.decoder(self.encoder(inputs))

    def train_step(self, data):
        with minidl.GradientTape() as tape:
            part = ops.mean(ops.square(data - self(data)))
            total = part * 2 + 0.001 * ops.sum(ops.square(self.encoder.kernel))
        self.optimizer.apply(tape.gradient(total, self.trainable_weights), self.trainable_weights)
        self.total.update_state(total)
        self.parts.update_state(part)
        return {"total": self.total.result(), "part": self.parts.result()}


def test_own_trackers_without_a_compiled_loss():
    model = Vae()
    model.compile(optimizer=optimizers.Adam(0.01))
    history = model.fit(X, epochs=15, batch_size=8, verbose=0).history
    assert list(history) == ["part", "total"]
    assert history["total"][-1] < history["total"][0] and len(history["part"]) == 15
    assert all(type(value) is float for value in history["total"])


def test_a_train_step_must_return_a_dictionary():
    class Wrong(minidl.Model):
        def train_step(self, data):
            return 3.0

        def call(self, inputs):
            return inputs

    model = Wrong()
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="dictionary.*float"):
        model.fit(X, Y, verbose=0)


def test_tensors_and_arrays_in_the_logs_become_numbers():
    class Logs(minidl.Model):
        def train_step(self, data):
            return {"b": ops.ones(()), "a": np.float32(2), "nested": {"c": minidl.Tensor([3.0])}}

        def call(self, inputs):
            return inputs

    model = Logs()
    model.compile("sgd", "mse")
    assert model.fit(X, Y, verbose=0).history == {"a": [2.0], "b": [1.0], "c": [3.0]}


def test_own_test_and_predict_steps():
    class Steps(minidl.Model):
        def test_step(self, data):
            x, y = data
            return {"largest": ops.max(ops.abs(y - self(x)))}

        def predict_step(self, data):
            return super().predict_step(data) * 0 + 7

        def call(self, inputs):
            return inputs[:, :1]

    model = Steps()
    model.compile("sgd", "mse")
    expected = np.abs(Y - X[:, :1]).max()
    assert model.evaluate(X, Y, batch_size=24, verbose=0) == pytest.approx(expected)
    np.testing.assert_array_equal(model.predict(X, verbose=0), np.full((24, 1), 7))


def test_compute_loss_may_be_overridden():
    class Scaled(minidl.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 3 * super().compute_loss(x, y, y_pred, sample_weight, training)

    model = Scaled(*graph())
    model.compile("sgd", "mse")
    plain = minidl.Model(model.input, model.output)
    plain.compile("sgd", "mse")
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(3 * plain.evaluate(X, Y, verbose=0), rel=1e-6)


def test_add_loss_joins_the_compiled_loss_and_is_differentiated():
    class Sparse(layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3, use_bias=False)

        def call(self, inputs):
            y = self.dense(inputs)
            self.add_loss(0.5 * ops.mean(ops.square(y)))
            return y

    x = layers.Input((4,))
    sparse, last = Sparse(), layers.Dense(1, use_bias=False)
    model = minidl.Model(x, last(sparse(x)))
    w, v = sparse.dense.kernel.numpy(), last.kernel.numpy()
    model.compile(optimizers.SGD(0.1), "mse")
    hidden, error = X @ w, X @ w @ v - Y
    expected = (error**2).mean() + 0.5 * (hidden**2).mean()
    assert model.test_on_batch(X, Y) == pytest.approx(expected, rel=1e-5)
    assert model.train_on_batch(X, Y) == pytest.approx(expected, rel=1e-5)
    gradient = X.T @ (2 * error @ v.T / 24 + hidden / hidden.size)
    np.testing.assert_allclose(sparse.dense.kernel, w - 0.1 * gradient, rtol=1e-4, atol=1e-6)


def test_a_loss_of_add_loss_alone():
    class Reconstruction(layers.Layer):
        def call(self, inputs):
            x, y = inputs
            self.add_loss(losses.MeanSquaredError()(x, y))
            return y

    x = layers.Input((4,))
    model = minidl.Model(x, Reconstruction()([x, layers.Dense(4)(layers.Dense(2)(x))]))
    model.compile(optimizer=optimizers.Adam(0.02))
    history = model.fit(X, epochs=20, verbose=0).history
    assert list(history) == ["loss"] and history["loss"][-1] < history["loss"][0]


def test_metrics_of_a_layer_are_shown():
    class Norm(layers.Layer):
        def __init__(self):
            super().__init__()
            self.norm = metrics.Mean(name="norm")

        def call(self, inputs):
            self.norm.update_state(ops.mean(ops.abs(inputs)))
            return inputs

    x = layers.Input((4,))
    model = minidl.Model(x, layers.Dense(1)(Norm()(x)))
    model.compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=24, verbose=0).history
    assert history["norm"][0] == pytest.approx(np.abs(X).mean(), rel=1e-5)


def test_a_loop_without_fit():
    """The whole training by hand: a model, a loss, an optimizer and a tape."""
    model = minidl.Model(*graph())
    loss_of, optimizer = losses.MeanSquaredError(), optimizers.Adam(0.05)
    values = []
    for _ in range(30):
        with minidl.GradientTape() as tape:
            loss = loss_of(Y, model(X, training=True)) + sum(model.losses)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, model.trainable_weights), model.trainable_weights, strict=True)
        )
        values.append(float(loss))
    assert values[-1] < values[0] / 2
