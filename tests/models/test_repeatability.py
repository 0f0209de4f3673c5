"""The same seed gives the same weights bit for bit, in every run and with any number of threads."""

import numpy as np
import pytest

import minidl
from minidl import layers
from minidl_kernels import config as kernel_config

RNG = np.random.default_rng(5)
PICTURES = RNG.normal(size=(50, 12, 12, 3)).astype("float32")
ROWS = RNG.normal(size=(50, 60)).astype("float32")
LABELS = RNG.integers(0, 5, 50)


def convolutional():
    return minidl.Sequential([
        layers.Input((12, 12, 3)), layers.Conv2D(8, 3, padding="same", activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(), layers.Dropout(0.3), layers.Conv2D(12, 3, strides=2), layers.LeakyReLU(),
        layers.AveragePooling2D(2, strides=1, padding="same"), layers.Flatten(), layers.Dropout(0.3),
        layers.Dense(5, activation="softmax"),
    ])  # fmt: skip


def dense():
    x = layers.Input((60,))
    y = layers.Dropout(0.5)(layers.Dense(40, activation="relu", kernel_initializer="he_normal")(x))
    return minidl.Model(x, layers.Dense(5, activation="softmax")(layers.Concatenate()([x, y])))


def trained(make, x, seed):
    minidl.utils.set_random_seed(seed)
    model = make()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, LABELS, batch_size=16, epochs=3, validation_split=0.2, verbose=0)
    return [*model.get_weights(), np.array(list(history.history.values())), model.predict(x, verbose=0)]


def identical(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture
def any_threads():
    before = kernel_config.threads()
    yield kernel_config.set_threads
    kernel_config.set_threads(before)


CASES = pytest.mark.parametrize("make, x", [(dense, ROWS), (convolutional, PICTURES)], ids=["dense", "convolutional"])


@CASES
def test_two_runs_of_one_seed(make, x):
    first = trained(make, x, 42)
    assert identical(first, trained(make, x, 42))
    assert not identical(first, trained(make, x, 43))


@CASES
def test_any_number_of_threads(make, x, any_threads):
    runs = []
    for threads in (1, 2, 3):
        any_threads(threads)
        runs.append(trained(make, x, 7))
    assert identical(runs[0], runs[1]) and identical(runs[0], runs[2])


def test_without_a_seed_every_model_is_another():
    assert not np.array_equal(dense().get_weights()[0], dense().get_weights()[0])


def test_the_order_of_shuffling_changes_every_epoch_and_repeats_with_the_seed():
    class Watch(minidl.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.seen = layers.Dense(1), []

        def train_step(self, data):
            self.seen += data[0].numpy()[:, 0].tolist()
            return super().train_step(data)

        def call(self, inputs):
            return self.dense(inputs)

    def orders(**options):
        minidl.utils.set_random_seed(1)
        model = Watch()
        model.compile("sgd", "mse")
        rows = np.arange(20, dtype="float32")[:, None]
        model.fit(rows, rows, batch_size=6, epochs=2, verbose=0, **options)
        return model.seen[:20], model.seen[20:]

    first, second = orders()
    assert sorted(first) == sorted(second) == list(range(20)) and first != second and first != sorted(first)
    assert orders() == (first, second)
    assert orders(shuffle=False) == (sorted(first), sorted(first))
    held_back, _ = orders(validation_split=0.5)  # the last half is never trained on
    assert sorted(held_back[:10]) == list(range(10))


def test_rows_keep_together_when_shuffled():
    """Inputs, targets and weights move as one: each target is a function of its own row."""
    rows = np.arange(30, dtype="float32")[:, None]

    class Check(minidl.Model):
        def train_step(self, data):
            x, y, weight = data
            np.testing.assert_array_equal(y, x.numpy() * 2)
            np.testing.assert_array_equal(weight, x.numpy()[:, 0] + 1)
            return {"loss": 0.0}

        def call(self, inputs):
            return inputs

    model = Check()
    model.compile("sgd", "mse")
    model.fit(rows, rows * 2, sample_weight=rows[:, 0] + 1, batch_size=7, epochs=3, verbose=0)
