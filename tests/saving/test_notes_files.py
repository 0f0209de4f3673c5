"""Saving as the lecture notes write it: ``import minidl as keras``, and their calls."""

import json

import h5py
import numpy as np
import pytest

import minidl as keras
from minidl import Model, Sequential
from minidl.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from minidl.models import load_model, model_from_json, model_from_yaml

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 8)).astype("float32"), RNG.integers(0, 3, 64)


@pytest.fixture(autouse=True)
def counted_from_zero():
    keras.utils.clear_session()
    keras.utils.set_random_seed(42)


def trained():
    inputs = Input(shape=(8,))
    x = Dense(16, activation="relu")(inputs)
    model = Model(inputs=inputs, outputs=Dense(3, activation="softmax")(x))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(X, Y, epochs=2, verbose=0)
    return model


class MyModel(Model):
    def __init__(self, units=30, activation="relu", **kwargs):
        super(MyModel, self).__init__(**kwargs)  # noqa: UP008 - as the notes write it
        self.dense_layer1 = Dense(300, activation=activation)
        self.dense_layer2 = Dense(units, activation=activation)
        self.output_layer = Dense(3, activation="softmax")

    def call(self, inputs):
        x = self.dense_layer1(inputs)
        x = self.dense_layer2(x)
        return self.output_layer(x)


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_save_and_load_model(tmp_path, name):
    """The same numbers, and training goes on bit for bit as it would have."""
    model = trained()
    model.save(tmp_path / name)
    loaded = load_model(tmp_path / name)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert loaded.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    for one in (model, loaded):
        one.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["my.weights.h5", "my_weights.h5"])
def test_weights_of_a_subclassed_model(tmp_path, name):
    model, other = MyModel(), MyModel()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
    model.fit(X, Y, verbose=0)
    other.build((None, 8))
    assert not np.array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    model.save_weights(tmp_path / name)
    other.load_weights(tmp_path / name)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_subclassed_model_as_a_whole(tmp_path):
    """The notes say that save() cannot: into ``.h5`` it cannot indeed, ``.keras`` holds one whose class is known."""
    model = MyModel(units=20)
    model.build((None, 8))
    with pytest.raises(ValueError, match="subclassed model.*save_weights.*save.*keras"):
        model.save(tmp_path / "model.h5")
    assert list(tmp_path.iterdir()) == []
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", custom_objects={"MyModel": MyModel})
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_json(tmp_path):
    """Restored from the text, and from the path of a file, as the notes write it."""
    model = trained()
    text = model.to_json()
    assert json.loads(text)["class_name"] == "Functional"
    file_path = str(tmp_path / "model.json")
    with open(file_path, "w") as file:
        file.write(text)
    for given in (text, file_path, tmp_path / "model.json"):
        loaded = model_from_json(given)
        assert [layer.name for layer in loaded.layers] == ["input_layer", "dense", "dense_1"]
        assert not np.array_equal(loaded.get_weights()[0], model.get_weights()[0])
        loaded.set_weights(model.get_weights())
        np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_yaml(tmp_path):
    pytest.importorskip("yaml")
    model = trained()
    text = model.yaml()
    assert text == model.to_yaml() and "class_name: Functional" in text and "!!" not in text
    file_path = str(tmp_path / "model.yaml")
    with open(file_path, "w") as file:
        file.write(text)
    for given in (text, file_path, tmp_path / "model.yaml"):
        loaded = keras.models.model_from_yaml(given)
        assert loaded.to_json() == model_from_json(model.to_json()).to_json()
        loaded.set_weights(model.get_weights())
        np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert model_from_yaml is keras.models.model_from_yaml


def cnn_of_the_notes():
    cnn = Sequential()
    cnn.add(Conv2D(32, (3, 3), activation="relu", input_shape=(32, 32, 3)))
    cnn.add(Conv2D(32, (3, 3), activation="relu"))
    cnn.add(MaxPooling2D(pool_size=(2, 2)))
    cnn.add(Dropout(0.25))
    cnn.add(Flatten())
    cnn.add(Dense(64, activation="relu"))
    cnn.add(Dropout(0.5))
    cnn.add(Dense(10, activation="softmax"))
    cnn.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(), metrics=["accuracy"])
    return cnn


def test_a_cnn_as_h5(tmp_path):
    """HDF5 with model_config and weights."""
    cnn = cnn_of_the_notes()
    cnn.save(tmp_path / "my_cnn.h5")
    with h5py.File(tmp_path / "my_cnn.h5") as file:
        config = json.loads(file.attrs["model_config"])
        assert config["class_name"] == "Sequential" and len(config["config"]["layers"]) == 9
        assert file[f"model_weights/conv2d/{cnn.name}/conv2d/kernel"].shape == (3, 3, 3, 32)
        assert json.loads(file.attrs["training_config"])["loss"] == "categorical_crossentropy"
    pictures = RNG.random((4, 32, 32, 3), "float32")
    loaded = load_model(tmp_path / "my_cnn.h5")
    np.testing.assert_array_equal(loaded.predict(pictures, verbose=0), cnn.predict(pictures, verbose=0))


@pytest.mark.oracle
def test_real_keras_loads_that_cnn(tmp_path):
    real = pytest.importorskip("keras")
    cnn = cnn_of_the_notes()
    cnn.save(tmp_path / "my_cnn.h5")
    pictures = RNG.random((4, 32, 32, 3), "float32")
    wanted, found = cnn.predict(pictures, verbose=0), real.models.load_model(tmp_path / "my_cnn.h5").predict(pictures)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_checkpoints_as_h5(tmp_path):
    model = trained()
    callback = keras.callbacks.ModelCheckpoint(str(tmp_path / "best.h5"), save_best_only=True)
    model.fit(X, Y, epochs=2, validation_data=(X, Y), callbacks=[callback], verbose=0)
    assert load_model(tmp_path / "best.h5").compiled
    with pytest.raises(ValueError, match=r"filepath must end in \.keras or \.h5, not be"):
        keras.callbacks.ModelCheckpoint("m.weights.h5")
