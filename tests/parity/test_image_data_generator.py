"""ImageDataGenerator, its iterators and the transformations against Keras' own, with equal random numbers."""

import os

import numpy as np
import pytest

from minidl.preprocessing import image
from tests.parity.oracle import close, generator

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

COLORS = generator("colors").uniform(0, 255, (7, 9, 8, 3)).astype("float32")
GREY = generator("grey").normal(size=(5, 6, 7, 1)).astype("float32")
LABELS = np.array([0, 1, 2, 0, 1, 2, 0])


@pytest.fixture(scope="module")
def keras_image():
    return pytest.importorskip("keras.src.legacy.preprocessing.image")


def plus_one(x):
    return x + 1


SETTINGS = {
    "nothing": {},
    "rotation": {"rotation_range": 40},
    "shift parts": {"width_shift_range": 0.2, "height_shift_range": 0.3},
    "shift pixels": {"width_shift_range": 3, "height_shift_range": 2.5},
    "shift list": {"width_shift_range": [1, 2, -3], "height_shift_range": [0.1, 0.4]},
    "shear": {"shear_range": 25.0},
    "zoom": {"zoom_range": 0.4},
    "zoom pair": {"zoom_range": [0.5, 1.2]},
    "channel shift": {"channel_shift_range": 50.0},
    "flips": {"horizontal_flip": True, "vertical_flip": True},
    "brightness": {"brightness_range": (0.4, 1.6)},
    "rescale": {"rescale": 1 / 255},
    "function": {"preprocessing_function": plus_one, "rescale": 0.5},
    "samplewise": {"samplewise_center": True, "samplewise_std_normalization": True},
    "constant": {"rotation_range": 90, "fill_mode": "constant", "cval": 7.0},
    "reflect": {"rotation_range": 90, "width_shift_range": 0.6, "fill_mode": "reflect"},
    "wrap": {"rotation_range": 90, "height_shift_range": 0.6, "fill_mode": "wrap"},
    "order 0": {"rotation_range": 30, "interpolation_order": 0},
    "order 3": {"rotation_range": 30, "interpolation_order": 3},
    "float64": {"rotation_range": 30, "dtype": "float64"},
    "all": {
        "rotation_range": 40, "width_shift_range": 0.2, "height_shift_range": 0.2, "shear_range": 0.2,
        "zoom_range": 0.2, "horizontal_flip": True, "fill_mode": "nearest", "rescale": 1 / 255,
        "channel_shift_range": 10.0, "brightness_range": [0.5, 1.5], "vertical_flip": True,
    },
}  # fmt: skip
FITTED = {
    "featurewise center": {"featurewise_center": True},
    "featurewise both": {"featurewise_center": True, "featurewise_std_normalization": True, "rescale": 0.1},
    "whitening": {"featurewise_center": True, "zca_whitening": True, "zca_epsilon": 0.01},
}


def both(keras_image, **settings):
    return keras_image.ImageDataGenerator(**settings), image.ImageDataGenerator(**settings)


@pytest.mark.parametrize("data", ["colors", "grey"])
@pytest.mark.parametrize("name", SETTINGS)
def test_transform_and_standardize(name, data, keras_image):
    theirs, ours = both(keras_image, **SETTINGS[name])
    for number, x in enumerate(COLORS if data == "colors" else GREY):
        expected, found = theirs.get_random_transform(x.shape, seed=number), ours.get_random_transform(x.shape, number)
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert found[key] == value and isinstance(found[key], type(value)), key
        close(ours.apply_transform(x, found), theirs.apply_transform(x, expected), "transformed")
        close(ours.random_transform(x, seed=number), theirs.random_transform(x, seed=number), "random transform")
        close(ours.standardize(x.copy()), theirs.standardize(x.copy()), "standardized")


@pytest.mark.parametrize("settings", [{}, {"augment": True, "rounds": 2, "seed": 3}])
@pytest.mark.parametrize("name", FITTED)
def test_fit(name, settings, keras_image):
    theirs, ours = both(keras_image, **FITTED[name], rotation_range=20)
    theirs.fit(COLORS, **settings), ours.fit(COLORS, **settings)
    close(ours.mean, theirs.mean, "mean")
    if theirs.std is not None:
        close(ours.std, theirs.std, "deviation")
    tolerance = 1e-5 if name != "whitening" else 1e-3  # the small singular values are rounding errors of float32
    close(ours.standardize(COLORS[0].copy()), theirs.standardize(COLORS[0].copy()), "standardized", tolerance)
    close(ours.standardize(COLORS.copy()), theirs.standardize(COLORS.copy()), "standardized batch", tolerance)


FLOWS = {
    "plain": {"y": LABELS, "batch_size": 3, "seed": 1},
    "in order": {"y": LABELS, "batch_size": 3, "shuffle": False, "seed": 1},
    "no targets": {"batch_size": 4, "seed": 2},
    "weights": {"y": LABELS, "sample_weight": np.arange(7.0), "batch_size": 7, "seed": 3},
    "without a seed": {"y": LABELS, "batch_size": 2},
    "training": {"y": LABELS, "batch_size": 2, "subset": "training", "seed": 4, "ignore_class_split": True},
    "validation": {"y": LABELS, "batch_size": 2, "subset": "validation", "seed": 4, "ignore_class_split": True},
}


def assert_same_batches(ours, theirs):
    if not isinstance(theirs, (tuple, list)):
        assert ours.dtype == theirs.dtype
        return close(ours, theirs, "batch")
    assert type(ours) is type(theirs) and len(ours) == len(theirs)
    for mine, reference in zip(ours, theirs, strict=True):
        assert_same_batches(mine, reference)


@pytest.mark.parametrize("name", FLOWS)
def test_flow(name, keras_image):
    theirs, ours = both(keras_image, **SETTINGS["all"], validation_split=0.3)
    results = []
    for made in (ours, theirs):
        np.random.seed(11)
        batches = made.flow(COLORS, **FLOWS[name])
        found = [next(batches) for _ in range(2 * len(batches) + 1)]  # it begins anew
        found += [batches[i] for i in range(len(batches))]
        batches.on_epoch_end()
        found += [batches[len(batches) - 1]]
        batches.reset()
        results.append((len(batches), [*found, next(batches)]))
    assert results[0][0] == results[1][0]
    for mine, reference in zip(results[0][1], results[1][1], strict=True):
        assert_same_batches(mine, reference)


def test_flow_with_other_inputs(keras_image):
    theirs, ours = both(keras_image, horizontal_flip=True)
    other = [np.arange(7), np.arange(14).reshape(7, 2)]
    for given in ((COLORS, other), [COLORS, other[1]]):
        assert_same_batches(next(ours.flow(given, LABELS, seed=1)), next(theirs.flow(given, LABELS, seed=1)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes of pictures of several sizes, formats and modes, some in folders below."""
    from PIL import Image

    root = tmp_path_factory.mktemp("pictures")
    rng = generator("folder")
    for name, n in (("cats", 5), ("dogs", 4)):
        (root / name / "below").mkdir(parents=True)
        for i in range(n):
            place = root / name / ("below" if i == 1 else "") / f"{i}.{('png', 'bmp', 'PNG')[i % 3]}"
            channels = 1 if i == 2 else 3
            pixels = rng.integers(0, 256, (6 + i, 9 - i, channels), np.uint8)
            Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(place)
    (root / "cats" / "notes.txt").write_text("no picture")
    return root


DIRECTORIES = {
    "plain": {"target_size": (5, 6), "batch_size": 4, "seed": 1},
    "in order": {"target_size": (5, 6), "batch_size": 4, "shuffle": False, "class_mode": "sparse", "seed": 1},
    "binary": {"target_size": (5, 6), "batch_size": 3, "class_mode": "binary", "seed": 1, "interpolation": "bilinear"},
    "input": {"target_size": (8, 4), "class_mode": "input", "color_mode": "grayscale", "seed": 1},
    "none": {"target_size": (8, 4), "class_mode": None, "color_mode": "rgba", "seed": 1},
    "classes": {"target_size": (5, 6), "classes": ["dogs", "cats"], "seed": 2},
    "one class": {"target_size": (5, 6), "classes": ["dogs"], "seed": 2},
    "training": {"target_size": (5, 6), "subset": "training", "seed": 2},
    "validation": {"target_size": (5, 6), "subset": "validation", "seed": 2},
    "aspect": {"target_size": (6, 3), "keep_aspect_ratio": True, "interpolation": "lanczos", "seed": 2},
}


@pytest.mark.parametrize("name", DIRECTORIES)
def test_flow_from_directory(name, folder, keras_image, capsys):
    theirs, ours = both(keras_image, rescale=1 / 255, rotation_range=20, validation_split=0.4)
    mine = ours.flow_from_directory(folder, **DIRECTORIES[name])
    said = capsys.readouterr().out
    reference = theirs.flow_from_directory(str(folder), **DIRECTORIES[name])
    assert said == capsys.readouterr().out
    assert (mine.samples, mine.num_classes, mine.class_indices, mine.filenames) == (
        reference.samples, reference.num_classes, reference.class_indices, reference.filenames
    )  # fmt: skip
    assert mine.filepaths == reference.filepaths and mine.image_shape == reference.image_shape
    assert mine.classes.dtype == reference.classes.dtype
    np.testing.assert_array_equal(mine.classes, reference.classes)
    np.testing.assert_array_equal(mine.labels, reference.labels)
    assert len(mine) == len(reference)
    for _ in range(len(mine) + 1):
        assert_same_batches(next(mine), next(reference))


def test_pictures_are_saved_as_keras_does(keras_image, tmp_path):
    for made, name in zip(both(keras_image, rotation_range=40), ("theirs", "ours"), strict=True):
        (tmp_path / name).mkdir()
        batches = made.flow(
            COLORS, batch_size=4, seed=5, save_to_dir=str(tmp_path / name), save_prefix="p", save_format="png"
        )
        next(batches), next(batches)
    names = sorted(os.listdir(tmp_path / "theirs"))
    assert len(names) == 7 and names == sorted(os.listdir(tmp_path / "ours"))
    for name in names:
        saved = [np.asarray(image.load_img(tmp_path / one / name)).astype(int) for one in ("theirs", "ours")]
        assert np.abs(saved[0] - saved[1]).max() <= 1  # a number just at a whole one is cut off either way


RANDOM = {
    "random_rotation": {"rg": 50, "row_axis": 0, "col_axis": 1, "channel_axis": 2},
    "random_shift": {"wrg": 0.3, "hrg": 0.4, "row_axis": 0, "col_axis": 1, "channel_axis": 2, "fill_mode": "wrap"},
    "random_shear": {"intensity": 30, "row_axis": 0, "col_axis": 1, "channel_axis": 2, "cval": 2.0},
    "random_zoom": {"zoom_range": (0.5, 1.5), "row_axis": 0, "col_axis": 1, "channel_axis": 2},
    "random_channel_shift": {"intensity_range": 30, "channel_axis": 2},
    "random_brightness": {"brightness_range": (0.5, 1.5)},
}


@pytest.mark.parametrize("name", RANDOM)
def test_random_functions(name, keras_image):
    results = []
    for module in (image, keras_image):
        np.random.seed(4)
        results.append(getattr(module, name)(COLORS[0], **RANDOM[name]))
    close(*results, name)


AFFINE = {
    "channels first": {"theta": 20, "tx": 1},
    "columns first": {"theta": 20, "row_axis": 2, "col_axis": 1, "channel_axis": 0, "tx": 2, "zx": 0.5},
    "all": {"theta": 9, "tx": 1, "ty": -2, "shear": 12, "zx": 0.8, "zy": 1.3, "fill_mode": "mirror"},
    "nothing": {},
}


@pytest.mark.parametrize("name", AFFINE)
def test_affine_transform(name, keras_image):
    x = np.moveaxis(COLORS[0], -1, 0)
    close(image.apply_affine_transform(x, **AFFINE[name]), keras_image.apply_affine_transform(x, **AFFINE[name]), name)


@pytest.mark.parametrize("scale", [False, True])
def test_shifts_of_colours(scale, keras_image):
    for x in (COLORS[0], GREY[0], COLORS[0] * 4 - 100):
        close(
            image.apply_brightness_shift(x, 1.3, scale), keras_image.apply_brightness_shift(x, 1.3, scale), "brightness"
        )
        close(image.apply_channel_shift(x, -20.0, 2), keras_image.apply_channel_shift(x, -20.0, 2), "channels")
        close(image.flip_axis(x, 1), keras_image.flip_axis(x, 1), "flip")


OVERRIDES = [
    {"zca_whitening": True, "featurewise_std_normalization": True},
    {"featurewise_std_normalization": True},
    {"samplewise_std_normalization": True},
]


@pytest.mark.parametrize("settings", OVERRIDES)
def test_settings_that_need_others(settings, keras_image):
    with pytest.warns(UserWarning):
        theirs = keras_image.ImageDataGenerator(**settings)
    with pytest.warns(UserWarning, match="ImageDataGenerator: .* sets .* to") as told:
        ours = image.ImageDataGenerator(**settings)
    assert told[0].filename == __file__
    for name in ("featurewise_center", "samplewise_center", "featurewise_std_normalization"):
        assert getattr(ours, name) == getattr(theirs, name)


def test_not_fitted():
    with pytest.warns(UserWarning, match="featurewise_center has no effect before fit"):
        np.testing.assert_array_equal(
            image.ImageDataGenerator(featurewise_center=True).standardize(GREY[0].copy()), GREY[0]
        )


BAD = {
    "data_format must be": lambda g: image.ImageDataGenerator(data_format="channels_first"),
    "validation_split must lie between": lambda g: image.ImageDataGenerator(validation_split=1.5),
    "fill_mode must be one of": lambda g: image.ImageDataGenerator(fill_mode="edge"),
    "zoom_range must be two numbers": lambda g: image.ImageDataGenerator(zoom_range=(1, 2, 3)),
    "brightness_range must be two numbers": lambda g: image.ImageDataGenerator(brightness_range=0.5),
    "fit.. takes pictures": lambda g: g.fit(COLORS[0]),
    "x must be pictures": lambda g: g.flow(COLORS[0]),
    "x holds 7 pictures, but y has length 3": lambda g: g.flow(COLORS, LABELS[:3]),
    "sample_weight has length 2": lambda g: g.flow(COLORS, LABELS, sample_weight=[1, 2]),
    "subset must be one of": lambda g: g.flow(COLORS, subset="test"),
    "have other classes than the rest": lambda g: g.flow(COLORS, LABELS, subset="training"),
    "batch_size must be a positive": lambda g: g.flow(COLORS, batch_size=0),
    "batch 3 was asked for, but there are 3": lambda g: g.flow(COLORS, batch_size=3)[3],
    "class_mode must be one of": lambda g: g.flow_from_directory(".", class_mode="other"),
    "color_mode must be one of": lambda g: g.flow_from_directory(".", color_mode="cmyk"),
    "x must be one picture of three axes": lambda g: image.apply_affine_transform(COLORS, 5),
    "row_axis, col_axis and channel_axis": lambda g: image.apply_affine_transform(COLORS[0], channel_axis=1),
}  # fmt: skip


@pytest.mark.parametrize("message", BAD)
def test_errors(message):
    with pytest.raises(ValueError, match=message):
        BAD[message](image.ImageDataGenerator(validation_split=0.2))


def test_height_shift_range_moves_columns_as_in_keras(keras_image):
    x = np.arange(12.0).reshape(3, 4, 1)
    for made in both(keras_image, height_shift_range=[1], fill_mode="constant"):
        moved = made.apply_transform(x, {"tx": 1})
        np.testing.assert_array_equal(moved[:, :-1], x[:, 1:])
