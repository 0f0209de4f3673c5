"""Pictures as files and arrays, folders of pictures, and other helpers of ``keras.utils``, against Keras."""

import io

import numpy as np
import pytest

import minidl
from minidl.preprocessing import image
from tests.parity.oracle import close, generator, libraries

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

COLORS = generator("colors").uniform(-20, 300, (6, 9, 3)).astype("float32")


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_array_to_img_and_back(channels, scale):
    keras, _ = libraries()
    x = generator(f"picture {channels}").uniform(0, 255, (5, 7, channels)).astype("float32")
    for given in (x, np.zeros_like(x), x.astype("uint8"), x[..., :1] * 100 if channels == 1 else x):
        theirs, ours = keras.utils.array_to_img(given, scale=scale), minidl.utils.array_to_img(given, scale=scale)
        assert (ours.mode, ours.size) == (theirs.mode, theirs.size)
        np.testing.assert_allclose(np.asarray(ours).astype(int), np.asarray(theirs).astype(int), atol=1)
        back = minidl.utils.img_to_array(theirs)
        np.testing.assert_array_equal(back, keras.utils.img_to_array(theirs))
        assert back.dtype == "float32" and back.flags.writeable
    assert minidl.utils.img_to_array(theirs, dtype="uint8").dtype == "uint8"


@pytest.fixture
def file(tmp_path):
    keras, _ = libraries()
    keras.utils.save_img(tmp_path / "picture.png", COLORS)
    return tmp_path / "picture.png"


LOADS = [
    {"color_mode": mode, "target_size": size, "interpolation": interpolation, "keep_aspect_ratio": keep}
    for mode in ("rgb", "rgba", "grayscale")
    for size, interpolation, keep in (
        (None, "nearest", False), ((4, 5), "nearest", False), ((12, 7), "bilinear", False), ((4, 5), "bicubic", True),
        ((9, 3), "lanczos", True), ((3, 3), "box", False), ((6, 4), "hamming", False), ((6, 9), "nearest", True),
    )
]  # fmt: skip


@pytest.mark.parametrize("settings", LOADS, ids=str)
def test_load_img(settings, file):
    keras, _ = libraries()
    theirs = np.asarray(keras.utils.load_img(file, **settings))
    for given in (file, str(file), io.BytesIO(file.read_bytes())):
        np.testing.assert_array_equal(np.asarray(minidl.utils.load_img(given, **settings)), theirs)


@pytest.mark.parametrize("ending", ["png", "bmp", "jpg", "jpeg", "tiff"])
def test_save_img(ending, tmp_path):
    keras, _ = libraries()
    keras.utils.save_img(tmp_path / f"theirs.{ending}", COLORS)
    minidl.utils.save_img(str(tmp_path / f"ours.{ending}"), COLORS)
    found = [np.asarray(image.load_img(tmp_path / f"{name}.{ending}")).astype(int) for name in ("ours", "theirs")]
    assert np.abs(found[0] - found[1]).max() <= (8 if ending.startswith("j") else 1)
    stream = io.BytesIO()
    minidl.utils.save_img(stream, COLORS, file_format="bmp", scale=False)
    assert stream.getvalue()[:2] == b"BM"


def test_transparency_is_dropped_in_jpeg(tmp_path):
    with pytest.warns(UserWarning, match="JPEG has no transparency"):
        minidl.utils.save_img(tmp_path / "x.jpg", np.ones((3, 4, 4)))
    assert image.load_img(tmp_path / "x.jpg").mode == "RGB"


@pytest.mark.parametrize("shape", [(6, 9, 3), (2, 5, 4, 1)])
@pytest.mark.parametrize("size", [(3, 3), (8, 4), [2, 9]])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "bicubic"])
def test_smart_resize(shape, size, interpolation):
    keras, _ = libraries()
    x = generator("resize").normal(size=shape).astype("float32")
    theirs = keras.preprocessing.image.smart_resize(x, size, interpolation)
    ours = image.smart_resize(x, size, interpolation)
    assert type(ours) is np.ndarray
    close(ours, theirs, "resized")
    assert isinstance(image.smart_resize(minidl.Tensor(x), size), minidl.Tensor)


@pytest.mark.parametrize("axis, order", [(-1, 2), (1, 2), (1, 1), (-1, 3)])
def test_normalize(axis, order):
    keras, _ = libraries()
    x = generator("normalize").normal(size=(5, 4)).astype("float32")
    x[2] = 0
    theirs = keras.utils.normalize(x, axis, order)
    close(minidl.utils.normalize(x, axis, order), theirs, "rows")
    close(minidl.utils.normalize(minidl.Tensor(x), axis, order), theirs, "rows of a Tensor")


def test_normalize_along_the_first_axis():  # where Keras fails
    found = minidl.utils.normalize(np.array([[3.0, 0.0], [4.0, 0.0]]), axis=0)
    np.testing.assert_allclose(found, [[0.6, 0.0], [0.8, 0.0]], rtol=1e-15)


SPLITS = [{"left_size": 0.75}, {"right_size": 0.25}, {"left_size": 3}, {"right_size": 4, "left_size": 2},
          {"left_size": 0.3, "right_size": 0.55}]  # fmt: skip


@pytest.mark.parametrize("settings", SPLITS, ids=str)
def test_sizes_of_split_dataset(settings):
    from keras.src.utils.dataset_utils import _rescale_dataset_split_sizes

    for n in (9, 10, 13):
        x, y = np.arange(n), np.arange(n) * 10
        left, right = minidl.utils.split_dataset((x, y), **settings)
        sizes = _rescale_dataset_split_sizes(settings.get("left_size"), settings.get("right_size"), n)
        assert (len(left), len(right)) == sizes
        assert [int(a) for a, _ in left] == list(range(sizes[0]))
        assert [int(b) for _, b in right] == [10 * i for i in range(n - sizes[1], n)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from PIL import Image

    root = tmp_path_factory.mktemp("pictures")
    rng = generator("folder")
    for name, n in (("cats", 7), ("dogs", 4), ("eels", 3)):
        (root / name / "below").mkdir(parents=True)
        for i in range(n):
            place = root / name / ("below" if i == 1 else "") / f"{i}.{('png', 'bmp', 'PNG')[i % 3]}"
            pixels = rng.integers(0, 256, (6 + i, 9 - i, 1 if i == 2 else 3), np.uint8)
            Image.fromarray(pixels[..., 0] if i == 2 else pixels).save(place)
    (root / "cats" / "notes.txt").write_text("no picture")
    (root / ".hidden").mkdir()
    return root


INDEXED = {
    "sorted": {"shuffle": False},
    "mixed": {"seed": 3},
    "training": {"seed": 3, "validation_split": 0.3, "subset": "training"},
    "validation": {"seed": 3, "validation_split": 0.3, "subset": "validation"},
    "validation in order": {"shuffle": False, "validation_split": 0.3, "subset": "validation"},
    "classes": {"seed": 4, "class_names": ["eels", "cats"]},
    "no labels": {"seed": 5, "labels": None},
    "given labels": {"seed": 5, "labels": list(range(14))},
}


@pytest.mark.parametrize("name", INDEXED)
def test_files_of_image_dataset(name, folder, capsys):
    from keras.src.utils import dataset_utils

    settings = INDEXED[name]
    ours = minidl.utils.image_dataset_from_directory(folder, image_size=(4, 5), **settings)
    said = capsys.readouterr().out
    files, labels, names = dataset_utils.index_directory(
        str(folder), settings.get("labels", "inferred"), (".bmp", ".gif", ".jpeg", ".jpg", ".png"),
        settings.get("class_names"), settings.get("shuffle", True), settings.get("seed"),
    )  # fmt: skip
    files, labels = dataset_utils.get_training_or_validation_split(
        files, labels, settings.get("validation_split"), settings.get("subset")
    )
    assert said == capsys.readouterr().out
    assert ours.file_paths == files and ours.class_names == names
    batches = list(ours)
    pictures = np.concatenate([one if labels is None else one[0] for one in batches])
    assert pictures.shape == (len(files), 4, 5, 3) and pictures.dtype == "float32"
    if labels is not None:
        found = np.concatenate([y for _, y in batches])
        assert found.dtype == "int32" and sorted(found) == sorted(labels)


PIXELS = [
    {"image_size": (4, 5)},
    {"image_size": 6, "interpolation": "nearest"},
    {"image_size": (12, 3), "color_mode": "grayscale", "interpolation": "bicubic"},
    {"image_size": (5, 5), "color_mode": "rgba", "crop_to_aspect_ratio": True},
    {"image_size": (5, 9), "pad_to_aspect_ratio": True, "interpolation": "lanczos3"},
]


@pytest.mark.parametrize("settings", PIXELS, ids=str)
def test_pictures_of_image_dataset(settings, folder):
    keras, _ = libraries()
    ours = minidl.utils.image_dataset_from_directory(folder, shuffle=False, batch_size=5, verbose=False, **settings)
    assert len(ours) == 3 and [len(x) for x, _ in ours] == [5, 5, 4]
    size = settings["image_size"]
    for path, picture in zip(ours.file_paths, np.concatenate([x for x, _ in ours]), strict=True):
        pixels = keras.utils.img_to_array(keras.utils.load_img(path, settings.get("color_mode", "rgb")))
        expected = keras.ops.image.resize(
            pixels, (size, size) if isinstance(size, int) else size, settings.get("interpolation", "bilinear"),
            crop_to_aspect_ratio=settings.get("crop_to_aspect_ratio", False),
            pad_to_aspect_ratio=settings.get("pad_to_aspect_ratio", False),
        )  # fmt: skip
        close(picture, expected, path)


def test_kinds_of_labels(folder):
    def labels(**settings):
        found = minidl.preprocessing.image_dataset_from_directory(
            folder, shuffle=False, image_size=2, verbose=False, **settings
        )
        return next(iter(found))[1].numpy()

    np.testing.assert_array_equal(labels(), np.repeat([0, 1, 2], [7, 4, 3]))
    one_hot = labels(label_mode="categorical")
    assert one_hot.dtype == "float32"
    np.testing.assert_array_equal(one_hot, np.eye(3)[np.repeat([0, 1, 2], [7, 4, 3])])
    binary = labels(label_mode="binary", class_names=["dogs", "cats"])
    assert binary.dtype == "float32"
    np.testing.assert_array_equal(binary, np.repeat([[0.0], [1.0]], [4, 7], axis=0))


def test_orders_of_image_dataset(folder):
    def passes(seed):
        made = minidl.utils.image_dataset_from_directory(folder, seed=seed, image_size=2, batch_size=4, verbose=False)
        return [np.concatenate([x for x, _ in made]) for _ in range(2)]

    first, second = passes(1)
    again = passes(1)
    assert (first != second).any()
    np.testing.assert_array_equal([first, second], again)
    assert (passes(2)[0] != first).any()
    for one in (first, second):
        np.testing.assert_array_equal(np.sort(one.sum(axis=(1, 2, 3))), np.sort(first.sum(axis=(1, 2, 3))))


def test_both_subsets_and_single_pictures(folder):
    train, validation = minidl.utils.image_dataset_from_directory(
        folder, seed=1, validation_split=0.3, subset="both", image_size=(3, 2), batch_size=None, verbose=False
    )
    assert (len(train), len(validation)) == (10, 4)
    assert not set(train.file_paths) & set(validation.file_paths)
    picture, label = next(iter(train))
    assert picture.shape == (3, 2, 3) and label.shape == ()
    first = [x.numpy() for x, _ in validation]
    np.testing.assert_array_equal(first, [x.numpy() for x, _ in validation])  # validation keeps its order


BAD = {
    "label_mode must be one of": {"label_mode": "float"},
    "color_mode must be one of": {"color_mode": "bgr"},
    "interpolation must be one of": {"interpolation": "area"},
    "image_size must be two numbers": {"image_size": (1, 2, 3)},
    "validation_split must lie between": {"validation_split": 2.0, "subset": "training", "seed": 1},
    "validation_split and subset go together": {"validation_split": 0.2},
    "subset must be one of": {"validation_split": 0.2, "subset": "test"},
    "needs a seed, or the two subsets": {"validation_split": 0.2, "subset": "training"},
    "label_mode='binary' is for two classes": {"label_mode": "binary"},
    "class_names must be folders": {"class_names": ["birds"]},
    "labels must be 'inferred'": {"labels": 3},
    "labels must hold one number for each of the 14": {"labels": [1, 2]},
    "class_names is for labels='inferred'": {"labels": None, "class_names": ["cats"]},
    "no pictures in": {"validation_split": 0.01, "subset": "validation", "seed": 1},
    "batch_size must be a positive": {"batch_size": 0},
    "data_format must be": {"data_format": "channels_first"},
}


@pytest.mark.parametrize("message", BAD)
def test_errors_of_image_dataset(message, folder):
    with pytest.raises(ValueError, match=message):
        minidl.utils.image_dataset_from_directory(folder, verbose=False, **BAD[message])


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder .*nowhere"):
        minidl.utils.image_dataset_from_directory(tmp_path / "nowhere")


WRONG = {
    "x must be one picture": lambda u: u.array_to_img(np.zeros((2, 3))),
    "x must have 1, 3 or 4 channels": lambda u: u.array_to_img(np.zeros((2, 3, 2))),
    "img must have two or three axes": lambda u: u.img_to_array(np.zeros(3)),
    "color_mode must be one of": lambda u: u.load_img("x.png", "cmyk"),
    "interpolation must be one of": lambda u: u.load_img("x.png", interpolation="cubic"),
    "data_format must be": lambda u: u.img_to_array(np.zeros((2, 3)), "channels_first"),
    "left_size must be a part": lambda u: u.split_dataset(np.arange(5), left_size=7),
    "do not divide 5 elements": lambda u: u.split_dataset(np.arange(5), left_size=3, right_size=3),
    "left_size or right_size must be given": lambda u: u.split_dataset(np.arange(5)),
}


@pytest.mark.parametrize("message", WRONG)
def test_errors(message):
    with pytest.raises(ValueError, match=message):
        WRONG[message](minidl.utils)


def test_load_img_wants_a_path():
    with pytest.raises(TypeError, match="path must be a path or io.BytesIO, not int"):
        minidl.utils.load_img(3)
