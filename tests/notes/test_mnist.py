"""The seven steps: load, look, prepare, build, compile, fit, evaluate and predict. Rows 76, 98."""

import numpy as np
import pytest

import minidl as keras
from minidl import Model
from minidl.datasets import fashion_mnist, mnist
from minidl.layers import Dense, Flatten, Input


def seven_steps(path, epochs):
    (x_train, y_train), (x_test, y_test) = mnist.load_data(path)
    shown = keras.utils.array_to_img(x_train[0][:, :, None], scale=False)
    assert np.array_equal(np.asarray(shown), x_train[0])

    x_train, x_test = x_train.reshape(-1, 28, 28, 1) / 255.0, x_test.reshape(-1, 28, 28, 1) / 255.0
    held_out = len(x_train) // 6
    x_val, y_val, x_train, y_train = x_train[:held_out], y_train[:held_out], x_train[held_out:], y_train[held_out:]

    inputs = Input(shape=(28, 28, 1))
    x = Flatten(input_shape=(28, 28, 1))(inputs)
    x = Dense(200, activation="relu")(x)
    x = Dense(100, activation="relu")(x)
    x = Dense(10, activation="softmax")(x)
    model = Model(inputs=inputs, outputs=x)
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    history = model.fit(x_train, y_train, epochs=epochs, validation_data=(x_val, y_val))
    loss, accuracy = model.evaluate(x_test, y_test)
    predicted = model.predict(x_test).argmax(axis=1)
    assert accuracy == pytest.approx((predicted == y_test).mean())
    return history.history, accuracy


@pytest.mark.slow
def test_76_the_steps(tmp_path):
    """On clothes in a file laid out as MNIST's: they are harder than digits."""
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_subset()
    np.savez(tmp_path / "mnist.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    history, accuracy = seven_steps(tmp_path / "mnist.npz", epochs=4)
    assert accuracy > 0.8 and history["loss"][-1] < 0.6 * history["loss"][0]


@pytest.mark.slow
def test_76_digits():
    try:
        mnist.load_data()
    except OSError as error:
        pytest.skip(f"MNIST is not here: {error}")
    _, accuracy = seven_steps("mnist.npz", epochs=5)
    assert accuracy > 0.97


def test_98_many_units_and_early_stopping(pictures):
    """Take a large network and stop it: of 30 epochs on 500 pictures few are needed, and the best weights come back."""
    (x, y), (x_val, y_val), _ = pictures
    model = keras.Sequential([Flatten(input_shape=[28, 28]), Dense(300, "relu"), Dense(10, "softmax")])
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    history = model.fit(
        x[:500], y[:500], epochs=60, batch_size=64, validation_data=(x_val, y_val), callbacks=[stop], verbose=0
    )
    losses = history.history["val_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 4 < 60 and losses[0] > losses[best]
    assert model.evaluate(x_val, y_val, verbose=0)[0] == pytest.approx(losses[best], rel=1e-6)
