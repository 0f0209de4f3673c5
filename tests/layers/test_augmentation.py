"""Layers on pictures: when they act, how the numbers they draw are spread, and what they refuse."""

import numpy as np
import pytest

import minidl
from minidl import layers

N = 600
SIX_DEVIATIONS = 6 / np.sqrt(N)
PICTURES = np.random.default_rng(0).uniform(0, 255, (N, 4, 5, 1)).astype("float32")

RANDOM = {
    "flip": lambda seed: layers.RandomFlip(seed=seed),
    "rotation": lambda seed: layers.RandomRotation(0.3, seed=seed),
    "translation": lambda seed: layers.RandomTranslation(0.3, 0.3, seed=seed),
    "zoom": lambda seed: layers.RandomZoom(0.3, 0.3, seed=seed),
    "contrast": lambda seed: layers.RandomContrast((0.9, 0.9), seed=seed),
    "brightness": lambda seed: layers.RandomBrightness(0.5, seed=seed),
}


@pytest.mark.parametrize("name", RANDOM)
def test_acts_in_training_only(name):
    layer = RANDOM[name](1)
    np.testing.assert_array_equal(layer(PICTURES, training=False).numpy(), PICTURES)
    assert (layer(PICTURES, training=True).numpy() != PICTURES).any()
    model = minidl.Sequential([minidl.Input((4, 5, 1)), layer])
    np.testing.assert_array_equal(model.predict(PICTURES, verbose=0), PICTURES)
    assert (model(PICTURES, training=True).numpy() != PICTURES).any()


@pytest.mark.parametrize("name", RANDOM)
def test_the_seed_decides(name):
    one, same, other = RANDOM[name](7), RANDOM[name](7), RANDOM[name](8)
    first, again = one(PICTURES).numpy(), one(PICTURES).numpy()
    np.testing.assert_array_equal(same(PICTURES).numpy(), first)
    assert (again != first).any() and (other(PICTURES).numpy() != first).any()


@pytest.mark.parametrize("name", RANDOM)
def test_every_picture_gets_its_own(name):
    same = np.repeat(PICTURES[:1], 50, axis=0)
    changed = RANDOM[name](1)(same).numpy()
    assert len(np.unique(changed.reshape(50, -1), axis=0)) >= (2 if name == "flip" else 40)


@pytest.mark.parametrize("name", [*RANDOM, "crop"])
def test_one_picture(name):
    layer = layers.RandomCrop(2, 3, seed=1) if name == "crop" else RANDOM[name](1)
    assert layer(PICTURES[0]).shape == ((2, 3, 1) if name == "crop" else (4, 5, 1))
    assert layer(PICTURES[0].astype("uint8")).dtype == "float32"


def spread(numbers, low, high):
    """Whether the numbers are spread evenly over [low, high): range, mean and deviation."""
    numbers = np.ravel(numbers)
    assert numbers.size == N and numbers.min() >= low and numbers.max() <= high
    width = high - low
    assert abs(numbers.mean() - (low + high) / 2) < SIX_DEVIATIONS * width / np.sqrt(12)
    assert abs(numbers.std() - width / np.sqrt(12)) < SIX_DEVIATIONS * width


def test_how_parameters_are_spread():
    drawn = layers.RandomFlip(seed=1).get_random_transformation(PICTURES)["flips"]
    assert abs(drawn.mean() - 0.5) < SIX_DEVIATIONS / 2
    spread(layers.RandomRotation((-0.1, 0.3), seed=1).get_random_transformation(PICTURES)["angle"], -36, 108)
    moved = layers.RandomTranslation(0.5, (0.1, 0.2), seed=1).get_random_transformation(PICTURES)["translations"]
    spread(moved[:, 0], 0.5, 1.0)  # 5 columns
    spread(moved[:, 1], -2, 2)  # 4 rows
    assert abs(np.corrcoef(moved.T)[0, 1]) < SIX_DEVIATIONS
    zooms = layers.RandomZoom((0.2, -0.4), 0.5, seed=1).get_random_transformation(PICTURES)
    spread(zooms["height_zoom"], 0.6, 1.2), spread(zooms["width_zoom"], 0.5, 1.5)
    zooms = layers.RandomZoom(0.3, seed=1).get_random_transformation(PICTURES)
    assert zooms["height_zoom"] is zooms["width_zoom"]
    spread(layers.RandomContrast((0.1, 0.4), seed=1).get_random_transformation(PICTURES)["contrast_factor"], 0.9, 1.4)
    spread(layers.RandomContrast(0.4, seed=1).get_random_transformation(PICTURES)["contrast_factor"], 1.0, 1.4)
    bright = layers.RandomBrightness(0.2, value_range=(0, 10), seed=1).get_random_transformation(PICTURES)
    spread(bright["rgb_delta"], -2, 2)


def test_a_crop_is_a_part_of_the_picture():
    layer = layers.RandomCrop(2, 3, seed=1)
    places = set()
    for _ in range(100):
        part = layer(PICTURES[:2]).numpy()
        found = [
            (i, j) for i in range(3) for j in range(3)
            if np.array_equal(PICTURES[:2, i : i + 2, j : j + 3], part)
        ]  # fmt: skip
        assert len(found) == 1
        places.update(found)
    assert len(places) == 9


def test_quarter_and_half_turns():
    square = np.arange(9.0, dtype="float32").reshape(1, 3, 3, 1)
    layer = layers.RandomRotation((0.5, 0.5), interpolation="bilinear")
    np.testing.assert_allclose(layer(square).numpy(), square[:, ::-1, ::-1], atol=1e-5)
    quarter = layers.RandomRotation((0.25, 0.25))(square).numpy()
    np.testing.assert_allclose(quarter[0], np.rot90(square[0]), atol=1e-5)  # a positive angle turns to the left


def test_augmentation_in_a_model_that_trains():
    minidl.utils.set_random_seed(3)
    model = minidl.Sequential(
        [
            layers.Input((4, 5, 1)), layers.RandomFlip(), layers.RandomRotation(0.05), layers.RandomZoom(0.1),
            layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(1),
        ]
    )  # fmt: skip
    model.compile("sgd", "mse")
    y = PICTURES.mean(axis=(1, 2)) / 255
    history = model.fit(PICTURES, y, epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2


def test_normalization_of_a_data_set_whose_iterator_never_ends():
    class Endless:
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return PICTURES[index * 200 : (index + 1) * 200], np.zeros(200)

        def __iter__(self):
            raise AssertionError("one pass is len(data) batches")

    layer = layers.Normalization()
    layer.adapt(Endless())
    np.testing.assert_allclose(layer.mean.numpy().item(), PICTURES.mean(dtype="float64"), rtol=1e-6)
    np.testing.assert_allclose(layer.variance.numpy().item(), PICTURES.var(dtype="float64"), rtol=1e-5)


BAD = {
    "mode must be one of": lambda: layers.RandomFlip("diagonal"),
    "fill_mode must be one of": lambda: layers.RandomRotation(0.1, "mirror"),
    "interpolation must be one of": lambda: layers.RandomZoom(0.1, interpolation="cubic"),
    r"factor must lie in \[-1, 1\], not 1.5": lambda: layers.RandomRotation(1.5),
    r"height_factor must lie in \(-1, 1\], not -1": lambda: layers.RandomZoom(-1),
    "width_factor must be a number or a pair": lambda: layers.RandomTranslation(0.1, (1, 2, 3)),
    r"factor must lie in \[0, 1\], not -0.5": lambda: layers.RandomContrast(-0.5),
    "value_range must be two numbers": lambda: layers.RandomBrightness(0.1, value_range=255),
    "height must be a positive whole number": lambda: layers.Resizing(0, 5),
    "data_format must be 'channels_last'": lambda: layers.CenterCrop(3, 3, data_format="channels_first"),
    "RandomFlip .* takes pictures": lambda: layers.RandomFlip()(np.zeros((2, 3))),
    "mean and variance go together": lambda: layers.Normalization(mean=1.0),
    "mean and variance must have one shape": lambda: layers.Normalization(mean=1.0, variance=[1.0]),
    r"mean has shape \(2, 2\), but axis names 1": lambda: layers.Normalization(
        mean=np.ones((2, 2)), variance=np.ones((2, 2))
    ),
    "axis .3,. is out of range": lambda: layers.Normalization(axis=3)(np.zeros((2, 3))),
    "adapt.. is for layers without": lambda: layers.Normalization(mean=1.0, variance=1.0).adapt(np.ones((2, 2))),
    "adapt.. was given no data": lambda: layers.Normalization().adapt([]),
    "data of shape .3, 4., but the layer was built for": lambda: layers.Normalization().adapt(
        [np.ones((2, 2)), np.ones((3, 4))]
    ),
}  # fmt: skip


@pytest.mark.parametrize("message", BAD)
def test_errors(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()


@pytest.mark.parametrize("data, message", [(3, "not int"), ([[1, 2]], "batches that are arrays, not list")])
def test_adapt_wants_arrays(data, message):
    with pytest.raises(TypeError, match=message):
        layers.Normalization().adapt(data)
