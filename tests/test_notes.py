"""The listings of the lecture notes, as they stand there but for the imports: ``import minidl as keras``."""

import numpy as np
import pytest

import minidl as keras
from minidl import Model, Sequential, layers
from minidl.datasets import fashion_mnist
from minidl.layers import Concatenate, Dense, Flatten, Input

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def counted_from_zero():
    keras.utils.clear_session()


# ---- networks for CIFAR-10, in two ways ----


def test_the_mlp_for_cifar_10_in_two_ways():
    x = layers.Input((32, 32, 3))
    y = layers.Flatten()(x)
    y = layers.Dense(200, activation="relu")(y)
    y = layers.Dense(150, activation="relu")(y)
    functional = keras.models.Model(x, layers.Dense(10, activation="softmax")(y))
    row = keras.Sequential([
        layers.Input((32, 32, 3)), layers.Flatten(), layers.Dense(200, activation="relu"),
        layers.Dense(150, activation="relu"), layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    assert x.shape == (None, 32, 32, 3)
    assert [layer.count_params() for layer in functional.layers] == [0, 0, 614_600, 30_150, 1_510]
    assert [layer.count_params() for layer in row.layers] == [0, 614_600, 30_150, 1_510]
    row.set_weights(functional.get_weights())
    pictures = RNG.random((5, 32, 32, 3), "float32")
    np.testing.assert_array_equal(row.predict(pictures, verbose=0), functional.predict(pictures, verbose=0))
    np.testing.assert_allclose(row.predict(pictures, verbose=0).sum(axis=1), np.ones(5), rtol=1e-5)


def test_labels_and_pixels_of_cifar_10():
    x_train, y_train = RNG.integers(0, 256, (60, 32, 32, 3), np.uint8), RNG.integers(0, 10, (60, 1))
    assert x_train[54, 12, 13, :].shape == (3,)
    one_hot = keras.utils.to_categorical(y_train, 10)
    assert one_hot.shape == (60, 10) and one_hot.dtype == np.float32 and (one_hot.argmax(1) == y_train[:, 0]).all()


# ---- the functional API ----


def test_one_variable_x(capsys):
    inputs = Input(shape=(28, 28, 1))
    x = Flatten(input_shape=(28, 28, 1))(inputs)
    x = Dense(200, activation="relu")(x)
    x = Dense(100, activation="relu")(x)
    x = Dense(10, activation="softmax")(x)
    model = Model(inputs=inputs, outputs=x)
    model.summary()
    printed = capsys.readouterr().out
    for number in ("157,000", "20,100", "1,010", "178,110"):
        assert number in printed
    assert [layer.name for layer in model.layers] == ["input_layer", "flatten", "dense", "dense_1", "dense_2"]


def test_branch_and_join():
    input_layer = Input(shape=(28, 28))
    hidden1 = Dense(100, activation="relu")(input_layer)
    hidden2 = Dense(30, activation="relu")(hidden1)
    concat = Concatenate()([input_layer, hidden2])
    output = Dense(1)(concat)
    model = Model(inputs=[input_layer], outputs=[output])
    assert concat.shape == (None, 28, 58) and model.output_shape == (None, 28, 1)
    model.compile(loss="mse", optimizer="sgd")
    model.fit(RNG.normal(size=(8, 28, 28)), RNG.normal(size=(8, 28, 1)), verbose=0)


def two_inputs_two_outputs():
    input_1 = Input(shape=(10, 10), name="input_1")
    input_2 = Input(shape=(10, 28), name="input_2")
    hidden1 = Dense(100, activation="relu")(input_2)
    hidden2 = Dense(10, activation="relu")(hidden1)
    concat = Concatenate()([input_1, hidden2])
    output = Dense(1, activation="sigmoid", name="main_output")(concat)
    sub_out = Dense(1, name="sum_output")(hidden2)
    return Model(inputs=[input_1, input_2], outputs=[output, sub_out])


FIRST, SECOND = RNG.normal(size=(12, 10, 10)), RNG.normal(size=(12, 10, 28))
MAIN, SUM = RNG.integers(0, 2, (12, 10, 1)), RNG.normal(size=(12, 10, 1))


@pytest.mark.parametrize(
    "x, y, settings",
    [
        ([FIRST, SECOND], [MAIN, SUM], {"loss": ["binary_crossentropy", "mse"]}),
        ((FIRST, SECOND), (MAIN, SUM), {"loss": ["binary_crossentropy", "mse"], "loss_weights": [1.0, 0.1]}),
        (
            {"input_1": FIRST, "input_2": SECOND},
            {"main_output": MAIN, "sum_output": SUM},
            {"loss": {"main_output": "binary_crossentropy", "sum_output": "mse"}},
        ),
    ],
    ids=["lists", "tuples", "names"],
)
def test_two_inputs_and_two_outputs(x, y, settings):
    model = two_inputs_two_outputs()
    model.compile(optimizer="sgd", **settings)
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert sorted(history) == ["loss", "main_output_loss", "sum_output_loss"]
    predictions = model.predict(x, verbose=0)
    assert isinstance(predictions, list) and [p.shape for p in predictions] == [(12, 10, 1), (12, 10, 1)]


# ---- subclassing ----


class MyModel(Model):
    def __init__(self, units=30, activation="relu", **kwargs):
        super(MyModel, self).__init__(**kwargs)  # noqa: UP008
        self.dense_layer1 = Dense(300, activation=activation)
        self.dense_layer2 = Dense(100, activation=activation)
        self.dense_layer3 = Dense(units, activation=activation)
        self.output_layer = Dense(10, activation="softmax")

    def call(self, inputs):
        x = self.dense_layer1(inputs)
        x = self.dense_layer2(x)
        x = self.dense_layer3(x)
        x = self.output_layer(x)
        return x


def test_the_subclassed_model():
    model = MyModel(units=20)
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    assert not model.built
    x, y = RNG.normal(size=(40, 16)), RNG.integers(0, 10, 40)
    model.fit(x, y, verbose=0)
    assert len(model.layers) == 4 and len(model.evaluate(x, y, verbose=0)) == 2
    assert model.predict(x, verbose=0).shape == (40, 10)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)


# ---- layers, names, weights ----


def test_layers_names_and_weights():
    model = Sequential()
    model.add(Dense(300, activation="relu", input_shape=(784,)))
    model.add(Dense(10, activation="softmax"))
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
    assert model.get_layer("dense_1") is model.layers[1] is model.get_layer(index=1)
    kernel, bias = model.layers[0].get_weights()
    assert kernel.shape == (784, 300) and bias.shape == (300,) and isinstance(kernel, np.ndarray)
    names = [
        layers.Conv2D(1, 1).name, layers.Conv2D(1, 1).name, layers.MaxPooling2D().name, layers.LeakyReLU().name
    ]  # fmt: skip
    assert names == ["conv2d", "conv2d_1", "max_pooling2d", "leaky_re_lu"]


def test_activations_as_strings_and_as_layers():
    x = RNG.normal(size=(3, 4)).astype("float32")
    np.testing.assert_array_equal(layers.Activation("relu")(x), layers.ReLU()(x))
    np.testing.assert_array_equal(layers.Activation("softmax")(x), layers.Softmax()(x))
    np.testing.assert_allclose(layers.Activation("sigmoid")(x), 1 / (1 + np.exp(-x)), rtol=1e-6)
    np.testing.assert_allclose(layers.LeakyReLU()(x), np.where(x > 0, x, 0.3 * x), rtol=1e-6)


def test_weight_decay_on_one_layer():
    """The verbatim line on regularizers: 4,160 parameters, and both penalties join the loss."""
    from minidl import regularizers

    model = Sequential()
    model.add(
        Dense(64, input_dim=64, kernel_regularizer=regularizers.l2(0.01), activity_regularizer=regularizers.l1(0.01))
    )
    assert model.count_params() == 4160
    x = RNG.normal(size=(7, 64)).astype("float32")
    model.compile(loss="mse", optimizer="sgd")
    kernel, y = model.get_weights()[0], model.predict(x, verbose=0)
    expected = (y**2).mean() + 0.01 * (kernel**2).sum() + 0.01 * np.abs(y).sum() / 7
    assert model.evaluate(x, np.zeros((7, 64)), verbose=0) == pytest.approx(expected, rel=1e-5)


# ---- transfer learning on Fashion-MNIST ----

CLASS_NAMES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
POS_CLASS_ID, NEG_CLASS_ID = CLASS_NAMES.index("Pullover"), CLASS_NAMES.index("T-shirt/top")


def split_dataset(X, y):
    y_for_B = (y == POS_CLASS_ID) | (y == NEG_CLASS_ID)
    y_A = y[~y_for_B]
    y_B = (y[y_for_B] == POS_CLASS_ID).astype(np.float32)
    old_class_ids = list(set(range(10)) - set([NEG_CLASS_ID, POS_CLASS_ID]))
    for old_class_id, new_class_id in zip(old_class_ids, range(8)):  # noqa: B905 - as the notes write it
        y_A[y_A == old_class_id] = new_class_id
    return ((X[~y_for_B], y_A), (X[y_for_B], y_B))


@pytest.fixture(scope="module")
def tasks():
    """(training, validation, test) parts of A and of B, from the pictures that minidl carries."""
    (x, y), (x_test, y_test) = fashion_mnist.load_subset()
    parts = (x[:7000], y[:7000]), (x[7000:], y[7000:]), (x_test, y_test)
    return [split_dataset(pictures / 255.0, labels) for pictures, labels in parts]


def model_for_a():
    return keras.Sequential([
        keras.layers.Flatten(input_shape=[28, 28]),
        keras.layers.Dense(100, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Dense(100, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Dense(100, activation="relu", kernel_initializer="he_normal"),
        keras.layers.Dense(8, activation="softmax"),
    ])  # fmt: skip


def test_transfer(tasks):
    ((X_train_A, y_train_A), (X_train_B, y_train_B)), ((X_valid_A, y_valid_A), (X_valid_B, y_valid_B)), last = tasks
    _, (X_test_B, y_test_B) = last
    X_train_B, y_train_B = X_train_B[:200], y_train_B[:200]
    keras.utils.set_random_seed(42)

    model_A = model_for_a()
    assert model_A.built and model_A.count_params() == 784 * 100 + 100 + 2 * 10100 + 808
    model_A.compile(
        loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.SGD(learning_rate=0.05), metrics=["accuracy"]
    )
    history = model_A.fit(X_train_A, y_train_A, epochs=4, validation_data=(X_valid_A, y_valid_A), verbose=0)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.params == {"verbose": 0, "epochs": 4, "steps": -(-len(X_train_A) // 32)}
    assert history.history["val_accuracy"][-1] > 0.8

    model_B_on_A = keras.Sequential(model_A.layers[:-1])
    model_B_on_A.add(keras.layers.Dense(1, activation="sigmoid"))
    for layer in model_B_on_A.layers[:-1]:
        layer.trainable = False
    optimizer = keras.optimizers.SGD(learning_rate=0.01)
    model_B_on_A.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    reused = model_A.get_weights()[:-2]
    model_B_on_A.fit(X_train_B, y_train_B, epochs=4, validation_data=(X_valid_B, y_valid_B), verbose=0)
    for before, after in zip(reused, model_B_on_A.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(before, after)  # frozen: not one bit changed

    for layer in model_B_on_A.layers[:-1]:
        layer.trainable = True
    optimizer = keras.optimizers.SGD(learning_rate=0.01)
    model_B_on_A.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    model_B_on_A.fit(X_train_B, y_train_B, epochs=16, validation_data=(X_valid_B, y_valid_B), verbose=0)
    loss, accuracy = model_B_on_A.evaluate(X_test_B, y_test_B, verbose=0)
    assert accuracy > 0.85 and loss < 0.5
    for before, after in zip(reused, model_A.get_weights()[:-2], strict=True):
        assert not np.array_equal(before, after)  # the layers are shared: training B changed A


def test_the_global_seed_repeats_everything(tasks):
    (X_train_A, y_train_A), _ = tasks[0]

    def run():
        keras.utils.set_random_seed(42)
        model = model_for_a()
        model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
        model.fit(X_train_A[:500], y_train_A[:500], epochs=2, verbose=0)
        return model.get_weights()

    for one, other in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_names_can_be_imported_from_their_modules():
    from minidl import callbacks, datasets, losses, models, optimizers, regularizers, utils

    assert models.Sequential is Sequential and models.Model is Model and keras.Input is Input
    for module, name in (
        (losses, "mse"), (optimizers, "Adam"), (callbacks, "History"), (datasets, "fashion_mnist"),
        (regularizers, "l2"), (utils, "to_categorical"),
    ):  # fmt: skip
        assert hasattr(module, name)
