"""Networks that others trained, and how they are frozen or tuned; parts of networks. Rows 38, 111, 112, 113."""

import numpy as np
import pytest
from PIL import Image

import minidl as keras
from minidl import applications, layers, utils


def moved(before, after):
    return [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


def test_38_layers_dropped_replaced_added(pictures):
    """pop() takes the last layer away; pictures of another size are brought to that of the model."""
    _, _, (x, _) = pictures
    model = keras.Sequential(
        [layers.Flatten(input_shape=[28, 28]), layers.Dense(20, "relu"), layers.Dense(10, "softmax")]
    )
    hidden = model.layers[1].get_weights()
    gone = model.pop()
    assert type(gone) is layers.Dense and gone.units == 10 and model.output_shape == (None, 20)
    model.add(layers.Dense(5, activation="softmax", name="new_top"))
    assert model.predict(x[:4], verbose=0).shape == (4, 5)
    assert not any(moved(hidden, model.layers[1].get_weights()))

    larger = np.kron(x[:3, :, :, None], np.ones((1, 2, 2, 1))) * 255
    adapted = keras.Sequential([
        layers.Input((56, 56, 1)), layers.Resizing(28, 28, interpolation="nearest"), layers.Rescaling(1 / 255),
        layers.Reshape([28, 28]), model,
    ])  # fmt: skip
    np.testing.assert_allclose(adapted.predict(larger, verbose=0), model.predict(x[:3], verbose=0), rtol=1e-5)


# From the papers: without the top, and the kernels of the first layers.
NETS = {
    "VGG16": (14_714_688, "block1_conv1", (3, 3, 3, 64)),
    "VGG19": (20_024_384, "block1_conv1", (3, 3, 3, 64)),
    "ResNet50": (23_587_712, "conv1_conv", (7, 7, 3, 64)),
    "InceptionV3": (21_802_784, "conv2d", (3, 3, 3, 32)),
}


@pytest.mark.parametrize("name", NETS)
def test_111_networks(name):
    parameters, first, kernel = NETS[name]
    model = getattr(applications, name)(weights=None, include_top=False, input_shape=(96, 96, 3), pooling="avg")
    assert model.count_params() == parameters and tuple(model.get_layer(first).kernel.shape) == kernel
    assert model.output_shape == (None, 512 if name.startswith("VGG") else 2048)


def test_112_pictures_in_folders(cifar_folder):
    data = utils.image_dataset_from_directory(cifar_folder / "train", image_size=(32, 32), batch_size=50, seed=0)
    names = sorted(path.name for path in (cifar_folder / "train").iterdir())
    assert data.class_names == names and len(names) == 10 and len(data) == 20
    x, y = next(iter(data))
    assert x.shape == (50, 32, 32, 3) and y.shape == (50,) and np.asarray(x).max() > 200 and np.asarray(y).max() <= 9


def no_picture(file):
    file.write_bytes(b"no picture")


def cut_off(file):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)).save(file)
    file.write_bytes(file.read_bytes()[:-400])


@pytest.mark.parametrize("damage", [no_picture, cut_off])
@pytest.mark.parametrize("name", ["2.jpg", "2.png"])
def test_112_a_broken_picture_is_named(damage, name, tmp_path):
    for bird in ("robin", "wren"):
        (tmp_path / bird).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / bird / "1.png")
    damage(tmp_path / "wren" / name)
    data = utils.image_dataset_from_directory(tmp_path, image_size=(8, 8), shuffle=False)
    with pytest.raises(OSError, match=rf"{name} is no picture, or it is damaged"):
        list(data)


@pytest.fixture
def base_and_data(cifar_folder):
    """A base that learned to tell ships from trucks, and two other classes of pictures, one batch of 200."""
    x, y = classes(cifar_folder, ("ship", "truck"))
    base_model = keras.Sequential([
        layers.Input((32, 32, 3)), layers.Conv2D(8, 3, activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(), layers.Conv2D(16, 3, activation="relu"), layers.GlobalAveragePooling2D(),
    ])  # fmt: skip
    trained = keras.Sequential([base_model, layers.Dense(1, activation="sigmoid")])
    trained.compile(loss="binary_crossentropy", optimizer="adam")
    trained.fit(x, y, epochs=10, verbose=0)
    return base_model, classes(cifar_folder, ("airplane", "frog"))


def classes(folder, names):
    data = utils.image_dataset_from_directory(
        folder / "train",
        class_names=list(names),
        label_mode="binary",
        image_size=(32, 32),
        batch_size=200,
        shuffle=False,
    )
    x, y = next(iter(data))
    return np.asarray(x) / 255, np.asarray(y)


def test_113_frozen_base(base_and_data):
    """base_model.trainable = False reaches every layer inside; batch normalisation keeps its statistics then."""
    base_model, (x, y) = base_and_data
    base_model.trainable = False
    assert not base_model.trainable_weights and len(base_model.non_trainable_weights) == 8
    assert not any(layer.trainable for layer in base_model.layers)
    model = keras.Sequential([base_model, layers.Dense(1, activation="sigmoid")])
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(learning_rate=0.02), metrics=["accuracy"])
    before = base_model.get_weights()
    history = model.fit(x, y, epochs=25, verbose=0).history
    assert len(model.trainable_weights) == 2 and not any(moved(before, base_model.get_weights()))
    assert history["accuracy"][-1] > 0.65 and history["loss"][-1] < history["loss"][0]


def test_113_fine_tuning(base_and_data):
    """All layers at a low rate: every weight of the base moves, and moves little."""
    base_model, (x, y) = base_and_data
    model = keras.Sequential([base_model, layers.Dense(1, activation="sigmoid")])
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(learning_rate=0.005), metrics=["accuracy"])
    before = base_model.get_weights()
    history = model.fit(x, y, epochs=5, verbose=0).history
    after = base_model.get_weights()
    assert all(moved(before, after)) and history["loss"][-1] < history["loss"][0]
    assert np.abs(after[0] - before[0]).max() < 0.1 * np.abs(before[0]).max()
