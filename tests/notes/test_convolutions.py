"""What a convolutional network sees, and how it is kept from learning by heart. Rows 101 to 110."""

import numpy as np
import pytest

import minidl as keras
from minidl import Model, Sequential, layers, regularizers
from minidl.layers import Conv2D, Dense
from minidl.preprocessing.image import ImageDataGenerator
from minidl.visualize import kernel_tiles, map_tiles
from tests.notes.listings import weight_decay

RNG = np.random.default_rng(11)


def cnn():
    return Sequential([
        Conv2D(6, 3, activation="relu", input_shape=(28, 28, 1)),
        layers.MaxPooling2D(),
        layers.Flatten(),
        Dense(10, activation="softmax"),
    ])  # fmt: skip


def test_101_kernels():
    kernels = cnn().layers[0].get_weights()[0]
    assert type(kernels) is np.ndarray and kernels.shape == (3, 3, 1, 6)
    assert len(kernel_tiles(kernels)) == 6


def test_102_feature_maps(pictures):
    """The outputs of inner layers of a Sequential, as a model of their own."""
    x = pictures[0][0][:2, :, :, None].astype("float32")
    model = cnn()
    both = Model(inputs=model.inputs, outputs=[layer.output for layer in model.layers[:2]])
    maps, pooled = both.predict(x, verbose=0)
    assert maps.shape == (2, 26, 26, 6) and pooled.shape == (2, 13, 13, 6)
    kernels, biases = model.layers[0].get_weights()
    expected = sum(x[:, i : i + 26, j : j + 26] * kernels[i, j] for i in range(3) for j in range(3)) + biases
    np.testing.assert_allclose(maps, np.maximum(expected, 0), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(pooled, maps.reshape(2, 13, 2, 13, 2, 6).max(axis=(2, 4)))
    one = Model(inputs=model.inputs, outputs=model.layers[0].output)
    np.testing.assert_array_equal(one.predict(x, verbose=0), maps)
    assert len(map_tiles(maps[0])) == 6


def turned(x, layer):
    """What a model of the layer makes of x in training, and in predict."""
    model = Sequential([layers.Input(x.shape[1:]), layer])
    return model(x, training=True).numpy(), model.predict(x, verbose=0)


# Made in the test, where the seed is set: a flip leaves 8 pictures as they are once in 256 times.
@pytest.mark.parametrize(
    "make, settings",
    [
        (layers.RandomFlip, {}), (layers.RandomRotation, {"factor": 0.2}), (layers.RandomContrast, {"factor": 0.5}),
        (layers.RandomTranslation, {"height_factor": 0.2, "width_factor": 0.2}),
        (layers.RandomBrightness, {"factor": 0.3, "value_range": (0, 1)}), (layers.RandomZoom, {"height_factor": 0.3}),
    ],
    ids=lambda one: one.__name__ if isinstance(one, type) else "",
)  # fmt: skip
def test_103_augmentation_is_off_at_inference(make, settings):
    x = RNG.random((8, 12, 12, 3), "float32")
    in_training, otherwise = turned(x, make(**settings))
    np.testing.assert_array_equal(otherwise, x)
    assert in_training.shape == x.shape and len({row.tobytes() for row in in_training}) == 8
    assert not np.array_equal(in_training, x)


def test_103_flips():
    x = RNG.random((40, 6, 6, 1), "float32")
    flipped, _ = turned(x, layers.RandomFlip("horizontal"))
    mirrored = [np.array_equal(one, other[:, ::-1]) for one, other in zip(flipped, x, strict=True)]
    assert all(m or np.array_equal(one, other) for m, one, other in zip(mirrored, flipped, x, strict=True))
    assert 8 < sum(mirrored) < 32


def test_103_online(pictures):
    """ImageDataGenerator makes new pictures in every pass, labels stay with them, and fit takes it."""
    (x, y), _, _ = pictures
    x, y = x[:256, :, :, None], y[:256]
    generator = ImageDataGenerator(
        rotation_range=20, width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True
    )
    first, second = (next(generator.flow(x, y, batch_size=32, shuffle=False, seed=seed)) for seed in (1, 2))
    np.testing.assert_array_equal(first[1], y[:32])
    assert first[0].shape == (32, 28, 28, 1) and not np.allclose(first[0], second[0])
    model = cnn()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    history = model.fit(generator.flow(x, y, batch_size=32), epochs=4, verbose=0)
    assert history.params["steps"] == 8 and history.history["loss"][-1] < history.history["loss"][0]


def test_103_offline(pictures, tmp_path):
    """Made all at once and kept on the disk."""
    x = pictures[0][0][:20, :, :, None] * 255
    (tmp_path / "made").mkdir()
    flow = ImageDataGenerator(horizontal_flip=True).flow(x, batch_size=20, save_to_dir=str(tmp_path / "made"), seed=0)
    made = next(flow)
    files = list((tmp_path / "made").iterdir())
    assert len(files) == 20
    shapes = {keras.utils.img_to_array(keras.utils.load_img(file, color_mode="grayscale")).shape for file in files}
    assert shapes == {(28, 28, 1)} and made.shape == x.shape


def test_104_dropout():
    """Of each sample others; what stays is raised, so that the sum stays; nothing at inference."""
    x = np.ones((50, 400), "float32")
    dropped, otherwise = turned(x, layers.Dropout(0.3))
    np.testing.assert_array_equal(otherwise, x)
    np.testing.assert_allclose(np.unique(dropped), [0, 1 / 0.7], rtol=1e-6)
    assert (dropped == 0).mean() == pytest.approx(0.3, abs=0.02) and dropped.mean() == pytest.approx(1, abs=0.03)
    assert len({row.tobytes() for row in dropped}) == 50


def test_105_weight_decay():
    """MSE + lambda times the sum of the squares, without a half; and it makes weights smaller."""
    x = RNG.normal(size=(40, 8)).astype("float32")
    y = (x[:, :1] + 0.1 * RNG.normal(size=(40, 1))).astype("float32")
    lengths = []
    for strength in (0.0, 0.1):
        model = Sequential([Dense(1, input_shape=(8,), kernel_regularizer=regularizers.l2(strength))])
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=0.05))
        w = model.get_weights()[0]
        expected = np.mean((model.predict(x, verbose=0) - y) ** 2) + strength * np.sum(w**2)
        assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)
        model.fit(x, y, epochs=60, verbose=0)
        lengths.append(float(np.sum(model.get_weights()[0] ** 2)))
    # the least of sum (w - 1)^2 + 0.1 w^2 lies at w = 1 / 1.1
    assert lengths[0] == pytest.approx(1, abs=0.15) and lengths[1] < 0.93 * lengths[0]


@pytest.mark.parametrize("kind", [Dense, Conv2D])
def test_106_107_three_arguments(kind):
    shape = (6,) if kind is Dense else (5, 5, 2)
    three = {
        "kernel_regularizer": regularizers.l2(0.1), "bias_regularizer": regularizers.l1(0.2),
        "activity_regularizer": regularizers.L1L2(0.01, 0.02),
    }  # fmt: skip
    layer = kind(3, **three) if kind is Dense else kind(3, 2, **three)
    model = Sequential([layers.Input(shape), layer])
    layer.set_weights([layer.get_weights()[0], np.array([0.5, -1.0, 0.0], "float32")])
    x = RNG.normal(size=(4, *shape)).astype("float32")
    y = model.predict(x, verbose=0)
    model.compile(loss="mse", optimizer="sgd")
    kernel, bias = layer.get_weights()
    expected = 0.1 * np.sum(kernel**2) + 0.2 * np.abs(bias).sum()
    expected += (0.01 * np.abs(y).sum() + 0.02 * np.sum(y**2)) / 4  # by sample
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_108_the_line_of_the_notes():
    model = weight_decay()
    assert model.count_params() == 4160
    x = RNG.normal(size=(7, 64)).astype("float32")
    model.compile(loss="mse", optimizer="sgd")
    kernel, y = model.get_weights()[0], model.predict(x, verbose=0)
    expected = (y**2).mean() + 0.01 * (kernel**2).sum() + 0.01 * np.abs(y).sum() / 7
    assert model.evaluate(x, np.zeros((7, 64)), verbose=0) == pytest.approx(expected, rel=1e-5)


def test_109_batch_normalization():
    x = (5 + 3 * RNG.normal(size=(200, 4))).astype("float32")
    layer = layers.BatchNormalization()
    y = layer(x, training=True).numpy()
    np.testing.assert_allclose(y, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), rtol=1e-4, atol=1e-5)
    _, _, mean, variance = layer.get_weights()
    np.testing.assert_allclose(mean, 0.01 * x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(variance, 0.99 + 0.01 * x.var(0), rtol=1e-5)


def small(hidden=16, dropout=0.0, l2=0.0):
    model = Sequential([
        layers.Flatten(input_shape=[28, 28]), Dense(hidden, "relu", kernel_regularizer=regularizers.l2(l2)),
        layers.Dropout(dropout), Dense(10, "softmax"),
    ])  # fmt: skip
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def test_109_ensemble(pictures):
    """The average of five networks errs less than the five do on the average."""
    (x, y), _, (x_test, y_test) = pictures
    models = [small() for _ in range(5)]
    for model in models:
        model.fit(x[:1000], y[:1000], epochs=4, verbose=0)
    inputs = layers.Input((28, 28))
    ensemble = Model(inputs, layers.Average()([model(inputs) for model in models]))
    ensemble.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    single = np.array([model.evaluate(x_test, y_test, verbose=0) for model in models])
    loss, accuracy = ensemble.evaluate(x_test, y_test, verbose=0)
    shares = np.mean([model.predict(x_test, verbose=0) for model in models], axis=0)
    np.testing.assert_allclose(ensemble.predict(x_test, verbose=0), shares, rtol=1e-4, atol=1e-6)
    assert loss < single[:, 0].mean() and accuracy > single[:, 1].mean()


def test_110_cross_validation_and_ablation(pictures):
    """Each part is held out once, with a new model; then what is left out one by one is compared by those scores."""
    (x, y), _, _ = pictures
    x, y = x[:600], y[:600]
    parts = np.array_split(np.random.default_rng(0).permutation(600), 3)
    first = small()
    start = first.get_weights()

    def score(**settings):
        scores = []
        for held_out in parts:
            rest = np.setdiff1d(np.arange(600), held_out)
            model = small(**settings)
            assert len(rest) == 400 and (settings or not np.array_equal(model.get_weights()[0], start[0]))
            model.fit(x[rest], y[rest], epochs=6, verbose=0)
            scores.append(model.evaluate(x[held_out], y[held_out], verbose=0)[1])
        return np.mean(scores)

    whole, few_units, much_dropout = score(hidden=32), score(hidden=2), score(hidden=32, dropout=0.95)
    assert whole > 0.65 and whole > few_units + 0.1 and whole > much_dropout + 0.1
