"""The networks for CIFAR-10 and their parts. Rows 42 to 50, 52, 53."""

import numpy as np
import pytest

import minidl as keras
from minidl import layers, losses, optimizers
from tests.notes.listings import cifar_cnn, cifar_mlp, cifar_mlp_in_a_row

RNG = np.random.default_rng(1)
COLOURED = RNG.random((6, 32, 32, 3), "float32")


def test_42_43_44_47_two_ways():
    functional, row = cifar_mlp(), cifar_mlp_in_a_row()
    assert functional.input.shape == (None, 32, 32, 3)  # no batch size was given
    assert functional.get_layer("flatten").output.shape == (None, 3072)
    assert [layer.count_params() for layer in functional.layers] == [0, 0, 614_600, 30_150, 1_510]
    assert [layer.count_params() for layer in row.layers] == [0, 614_600, 30_150, 1_510]
    row.set_weights(functional.get_weights())
    np.testing.assert_array_equal(row.predict(COLOURED, verbose=0), functional.predict(COLOURED, verbose=0))


def test_46_47_summary(capsys):
    cifar_mlp().summary()
    printed = capsys.readouterr().out
    for words in (
        "Layer (type)", "Output Shape", "Param #", "(None, 32, 32, 3)", "(None, 3072)", "(None, 200)", "614,600",
        "30,150", "1,510", "Total params: 646,260", "Trainable params: 646,260", "Non-trainable params: 0",
    ):  # fmt: skip
        assert words in printed, words


def test_45_activations():
    x = np.array([[-2.0, 0.0, 1.0, 3.0]], "float32")
    exponentials = np.exp(x)
    by_definition = {
        "relu": [[0, 0, 1, 3]],
        "leaky_relu": [[-0.4, 0, 1, 3]],  # the string has the slope 0.2, the layer 0.3
        "sigmoid": 1 / (1 + np.exp(-x)),
        "softmax": exponentials / exponentials.sum(),
    }
    for name, expected in by_definition.items():
        for layer in (layers.Activation(name), layers.Dense(4, name, kernel_initializer="identity")):
            np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-6, atol=1e-7)
    for layer, name in ((layers.ReLU(), "relu"), (layers.Softmax(), "softmax")):
        np.testing.assert_allclose(layer(x).numpy(), by_definition[name], rtol=1e-6)
    np.testing.assert_allclose(layers.LeakyReLU()(x).numpy(), [[-0.6, 0, 1, 3]], rtol=1e-6)


T, P = np.array([[1.0, 4.0], [-2.0, 5.0]], "float32"), np.array([[2.0, 3.0], [-1.0, 7.0]], "float32")
ONE_HOT, SHARES = np.array([[1.0, 0.0], [0.0, 1.0]], "float32"), np.array([[0.75, 0.25], [0.5, 0.5]], "float32")


@pytest.mark.parametrize(
    "string, kind, t, p, expected",
    [
        ("mse", losses.MeanSquaredError, T, P, (1 + 1 + 1 + 4) / 4),
        ("mape", losses.MeanAbsolutePercentageError, T, P, 100 * (1 + 1 / 4 + 1 / 2 + 2 / 5) / 4),
        (  # not in Keras; from 0 to 200 %
            "smape", losses.SymmetricMeanAbsolutePercentageError, T, P, 200 * (1 / 3 + 1 / 7 + 1 / 3 + 2 / 12) / 4,
        ),
        ("categorical_crossentropy", losses.CategoricalCrossentropy, ONE_HOT, SHARES, -np.log(0.75 * 0.5) / 2),
        (
            "binary_crossentropy", losses.BinaryCrossentropy, ONE_HOT, SHARES,
            -(2 * np.log(0.75) + 2 * np.log(0.5)) / 4,
        ),
    ],
)  # fmt: skip
def test_48_losses(string, kind, t, p, expected):
    for loss in (string, kind()):
        model = keras.Sequential([keras.Input((2,)), layers.Identity()])
        model.compile(loss=loss)
        assert model.evaluate(p, t, verbose=0) == pytest.approx(expected, rel=1e-5)


W = np.array([[1.0], [-0.5]], "float32")
G = np.array([[2.0], [-1.0]])  # the gradient of sum(2w0 - w1) / 1 for one sample (2, -1)


@pytest.mark.parametrize(
    "string, kind, step",
    [
        ("sgd", optimizers.SGD, 0.01 * G),
        ("adam", optimizers.Adam, 0.001 * np.sign(G)),  # m / sqrt(v) is the sign in the first step
        ("adagrad", optimizers.Adagrad, 0.001 * G / np.sqrt(0.1 + G**2)),
        ("rmsprop", optimizers.RMSprop, 0.001 * G / np.sqrt(0.1 * G**2)),
    ],
)
def test_49_optimizers(string, kind, step):
    for optimizer in (string, kind()):
        assert first_weights(optimizer, 1)[0] == pytest.approx(W - step, rel=1e-5)


def test_49_momentum():
    """Two equal gradients: the second step is larger by the momentum's share of the first."""
    after = first_weights(optimizers.SGD(0.1, momentum=0.9), 2)
    np.testing.assert_allclose(after, [W - 0.1 * G, W - 0.1 * G - 0.19 * G], rtol=1e-5)


def first_weights(optimizer, steps):
    layer = layers.Dense(1, use_bias=False)
    model = keras.Sequential([keras.Input((2,)), layer])
    layer.set_weights([W])
    model.compile(optimizer=optimizer, loss=lambda t, p: p - t)  # a constant gradient
    after = []
    for _ in range(steps):
        model.train_on_batch(np.array([[2.0, -1.0]], "float32"), np.zeros((1, 1), "float32"))
        after.append(layer.get_weights()[0].copy())
    return after


def test_50_mlp_and_cnn(cifar_folder):
    """200 real pictures of two classes, 32 a batch, shuffled: both networks learn them; the notes' figures need all."""
    x, y = two_classes(cifar_folder / "train")
    for model in (cifar_mlp(), cifar_cnn()):
        model.compile(
            loss="categorical_crossentropy", optimizer=optimizers.Adam(learning_rate=0.0005), metrics=["accuracy"]
        )
        history = model.fit(x, keras.utils.to_categorical(y, 10), batch_size=32, epochs=10, shuffle=True, verbose=0)
        assert history.history["loss"][-1] < 0.6 * history.history["loss"][0]
        assert history.history["accuracy"][-1] > 0.75 and history.params["steps"] == -(-len(x) // 32)


def two_classes(folder, names=("airplane", "frog")):
    x, y = [], []
    for label, name in enumerate(names):
        for file in sorted((folder / name).iterdir()):
            x.append(keras.utils.img_to_array(keras.utils.load_img(file)) / 255.0)
            y.append(label)
    return np.array(x), np.array(y)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_50_cifar_10_whole(full_cifar_folder):
    """All 50,000 pictures: the MLP stays near 0.5, after 4 epochs as after 10 (the CNN of the command line: 0.68)."""
    names = sorted(path.name for path in (full_cifar_folder / "train").iterdir())
    x_train, y_train = two_classes(full_cifar_folder / "train", names)
    x_test, y_test = two_classes(full_cifar_folder / "test", names)
    assert len(x_train) == 50000 and len(x_test) == 10000
    model = cifar_mlp()
    model.compile(
        loss="categorical_crossentropy", optimizer=optimizers.Adam(learning_rate=0.0005), metrics=["accuracy"]
    )
    model.fit(x_train, keras.utils.to_categorical(y_train, 10), batch_size=32, epochs=4, verbose=0)
    assert 0.4 < model.evaluate(x_test, keras.utils.to_categorical(y_test, 10), verbose=0)[1] < 0.56


@pytest.mark.parametrize("n, k, s", [(28, 3, 1), (28, 3, 2), (7, 2, 2), (10, 5, 3), (32, 4, 4)])
def test_52_strides_padding_pooling(n, k, s):
    x = np.zeros((1, n, n, 2), "float32")
    for padding, size in (("same", -(-n // s)), ("valid", (n - k) // s + 1)):
        for layer in (layers.Conv2D(3, k, s, padding), layers.MaxPooling2D(k, s, padding)):
            assert layer(x).shape[1:3] == (size, size) == layer.compute_output_shape(x.shape)[1:3]


def test_52_zero_padding_and_max_pooling():
    x = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    assert layers.MaxPooling2D()(x).numpy()[0, :, :, 0].tolist() == [[5, 7], [13, 15]]
    padded = layers.ZeroPadding2D(1)(x).numpy()
    assert padded.shape == (1, 6, 6, 1) and padded.sum() == x.sum() and not padded[0, 0].any()
    conv = layers.Conv2D(1, 3, padding="same", kernel_initializer="ones")
    assert conv(x).numpy()[0, 0, 0, 0] == 0 + 1 + 4 + 5  # what lies outside counts as zero


def test_53_stack_of_convolutions():
    model = cifar_cnn()
    counts = [layer.count_params() for layer in model.layers if layer.count_params()]
    assert counts == [896, 128, 9248, 128, 18496, 256, 36928, 256, 524416, 512, 1290]
    assert model.count_params() == 592_554 and sum(w.size for w in model.get_weights()) == 592_554
    assert sum(int(np.prod(w.shape)) for w in model.non_trainable_weights) == 2 * (32 + 32 + 64 + 64 + 128)
    assert model.output_shape == (None, 10)
