"""Threads that train and predict at once get, bit for bit, what each gets alone."""

import threading

import numpy as np
import pytest

import minidl
from minidl import layers

RNG = np.random.default_rng(8)
ROWS = RNG.normal(size=(60, 40)).astype("float32")
PICTURES = RNG.normal(size=(60, 10, 10, 3)).astype("float32")
LABELS = RNG.integers(0, 4, 60)


def dense_net():
    minidl.utils.set_random_seed(1)
    return minidl.Sequential([
        layers.Input((40,)), layers.Dense(64, activation="relu", kernel_regularizer="l2"), layers.Dropout(0.4, seed=3),
        layers.Dense(4, activation="softmax"),
    ])  # fmt: skip


def conv_net():
    minidl.utils.set_random_seed(2)
    return minidl.Sequential([
        layers.Input((10, 10, 3)), layers.Conv2D(8, 3, padding="same"), layers.BatchNormalization(), layers.ReLU(),
        layers.MaxPooling2D(), layers.Dropout(0.2, seed=4), layers.Flatten(), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip


def training(make, x, optimizer):
    """A job that trains a model of its own; its result are the weights and the history."""
    model = make()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])

    def job():
        history = model.fit(x, LABELS, batch_size=16, epochs=3, validation_split=0.25, verbose=0)
        return [*model.get_weights(), np.array(list(history.history.values()))]

    return job


def predicting(make, x):
    """A job that predicts with a model of its own, again and again."""
    model = make()
    return lambda: [model.predict(x, batch_size=7, verbose=0) for _ in range(8)]


def jobs():
    return [
        training(dense_net, ROWS, "adam"),
        training(conv_net, PICTURES, "sgd"),
        predicting(conv_net, PICTURES),
        predicting(dense_net, ROWS),
    ]


def at_once(work):
    """The results of all jobs, each run in a thread, all started together."""
    results = [None] * len(work)
    start = threading.Barrier(len(work))

    def run(place):
        start.wait()
        try:
            results[place] = work[place]()
        except BaseException as error:  # noqa: B036 - handed to the test
            results[place] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive(), "a thread hangs"
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


@pytest.fixture(scope="module")
def alone():
    """What every job gives with the machine to itself."""
    return [job() for job in jobs()]


@pytest.mark.parametrize("repetition", range(4))
def test_two_train_and_two_predict(alone, repetition):
    for expected, found in zip(alone, at_once(jobs()), strict=True):
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_array_equal(one, other)


def test_two_threads_predict_with_one_model(alone):
    model = conv_net()
    job = lambda: [model.predict(PICTURES, batch_size=7, verbose=0) for _ in range(8)]  # noqa: E731
    for found in at_once([job, job, job]):
        for one, other in zip(alone[2], found, strict=True):
            np.testing.assert_array_equal(one, other)


def test_no_grad_and_frozen_variables_stay_with_their_thread():
    """What one thread switches off does not reach another."""
    entered, done = threading.Event(), threading.Event()
    layer = layers.Dense(2)
    layer(ROWS)

    def elsewhere():
        with minidl.no_grad():
            entered.set()
            done.wait(timeout=60)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    entered.wait(timeout=60)
    try:
        gradient = minidl.grad(layer(ROWS), layer.kernel)
    finally:
        done.set()
        thread.join()
    np.testing.assert_allclose(gradient, np.repeat(ROWS.sum(0)[:, None], 2, axis=1), rtol=1e-4, atol=1e-5)
