"""Pictures in folders: what is read, in what order, and what is said of a folder or a file that is wrong."""

import time
import warnings

import numpy as np
import pytest
from PIL import Image

from minidl.data.images import image_folder
from minidl_kernels import config


def picture(seed, height=6, width=8, channels=3):
    values = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    return values[..., 0] if channels == 1 else values


def save(file, values, **options):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(file, **options)


@pytest.fixture
def pets(tmp_path):
    """Two classes, made in an order that is not theirs: 3 cats, 2 dogs (one in a folder further in)."""
    save(tmp_path / "dog" / "b.png", picture(3))
    save(tmp_path / "dog" / "a" / "c.PNG", picture(4))
    for i in (2, 0, 1):
        save(tmp_path / "cat" / f"{i}.png", picture(i))
    return tmp_path


def test_values_labels_and_order(pets):
    x, y, class_names = image_folder(pets, (6, 8))
    assert x.dtype == np.uint8 and y.dtype == np.int64 and class_names == ["cat", "dog"]
    np.testing.assert_array_equal(y, [0, 0, 0, 1, 1])
    np.testing.assert_array_equal(x, [picture(i) for i in (0, 1, 2, 4, 3)])  # dog/a/c.PNG sorts before dog/b.png


def test_path_may_be_text(pets):
    assert image_folder(str(pets), [6, 8])[0].shape == (5, 6, 8, 3)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("grey.png", picture(0, channels=1), np.repeat(picture(0, channels=1)[..., None], 3, -1)),
        ("alpha.png", picture(0, channels=4), picture(0, channels=4)[..., :3]),
        ("grey_alpha.png", picture(0, channels=2), np.repeat(picture(0, channels=2)[..., :1], 3, -1)),
        ("rgb.bmp", picture(0), picture(0)),
        ("rgb.tif", picture(0), picture(0)),
    ],
)
def test_kinds_of_pictures_become_rgb(tmp_path, name, values, expected):
    save(tmp_path / "only" / name, values)
    np.testing.assert_array_equal(image_folder(tmp_path, (6, 8))[0], expected[None])


def test_palette_with_transparency_becomes_rgb_without_a_warning(tmp_path):
    colours = Image.fromarray(picture(0, channels=4)).quantize(256)
    (tmp_path / "only").mkdir()
    colours.save(tmp_path / "only" / "palette.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x, _, _ = image_folder(tmp_path, (6, 8))
    np.testing.assert_array_equal(x[0], np.asarray(colours.convert("RGBA"))[..., :3])


def test_jpeg_is_close_to_what_was_saved(tmp_path):
    smooth = np.broadcast_to(np.linspace(0, 255, 32)[:, None, None], (32, 32, 3)).astype(np.uint8)
    save(tmp_path / "only" / "a.jpg", smooth, quality=95)
    x, _, _ = image_folder(tmp_path, (32, 32))
    assert np.abs(x[0].astype(int) - smooth).max() <= 4


def test_other_size_is_resized_as_height_and_width(tmp_path):
    left_dark = np.zeros((20, 40, 3), np.uint8)
    left_dark[:, 20:] = 200
    save(tmp_path / "only" / "a.png", left_dark)
    x, _, _ = image_folder(tmp_path, (10, 30))
    assert x.shape == (1, 10, 30, 3)
    assert (x[0, :, :13] == 0).all() and (x[0, :, 17:] == 200).all()


@pytest.mark.oracle
@pytest.mark.parametrize("size", [(12, 20), (3, 3), (6, 4), (9, 5)])
def test_resizing_is_that_of_keras_with_antialias(tmp_path, keras, size):
    values = picture(7, 6, 8)
    save(tmp_path / "only" / "a.png", values)
    x, _, _ = image_folder(tmp_path, size)
    expected = keras.ops.image.resize(values.astype("float32"), size, interpolation="bilinear", antialias=True)
    # Pillow rounds after each of its two passes: half a level twice.
    assert np.abs(x[0] - np.asarray(expected)).max() <= 1.01


def test_results_do_not_depend_on_threads(tmp_path, monkeypatch):
    for i in range(40):
        save(tmp_path / "ab"[i % 2] / f"{i:02}.png", picture(i, 60, 60))  # large enough to be spread over threads
    monkeypatch.setattr(config, "_threads", 1)
    one = image_folder(tmp_path, (20, 20))
    monkeypatch.setattr(config, "_threads", 4)
    four = image_folder(tmp_path, (20, 20))
    np.testing.assert_array_equal(one[0], four[0])
    np.testing.assert_array_equal(one[1], four[1])


def test_other_files_are_skipped_with_one_warning(pets):
    (pets / "cat" / "notes.txt").write_text("a")
    (pets / "README.md").write_text("b")
    (pets / ".hidden").mkdir()
    (pets / "dog" / ".DS_Store").write_text("c")
    with pytest.warns(UserWarning) as seen:
        x, _, class_names = image_folder(pets, (6, 8))
    assert len(seen) == 1 and seen[0].filename == __file__
    message = str(seen[0].message)
    assert "skipped 2 files" in message and "notes.txt" in message and "README.md" in message
    assert "DS_Store" not in message and class_names == ["cat", "dog"] and len(x) == 5


def test_a_long_list_of_skipped_files_is_cut(pets):
    for i in range(25):
        (pets / "cat" / f"{i:02}.txt").write_text("a")
    with pytest.warns(UserWarning, match=r"skipped 25 files.*09\.txt and 15 more"):
        image_folder(pets, (6, 8))


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"not a picture"])
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_broken_picture_is_named(pets, monkeypatch, threads, damage, suffix):
    monkeypatch.setattr(config, "_threads", threads)
    file = pets / "cat" / f"broken.{suffix}"
    save(file, picture(0, 40, 40))
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match=rf"cannot read the picture .*broken\.{suffix}"):
        image_folder(pets, (6, 8))


def test_sixteen_bits_a_channel_are_refused(pets):
    save(pets / "cat" / "deep.png", np.full((4, 4), 40000, np.uint16))
    with pytest.raises(ValueError, match=r"deep\.png: its mode is 'I;16'; only 8 bits"):
        image_folder(pets, (6, 8))


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*nowhere"):
        image_folder(tmp_path / "nowhere", (6, 8))


def test_no_classes(tmp_path):
    save(tmp_path / "loose.png", picture(0))
    with pytest.raises(ValueError, match="holds no folders; expected DIRECTORY/CLASS/PICTURE"):
        image_folder(tmp_path, (6, 8))


def test_empty_class(pets):
    (pets / "fish").mkdir()
    with pytest.raises(ValueError, match="class 'fish' has no pictures .*; expected DIRECTORY/CLASS/PICTURE"):
        image_folder(pets, (6, 8))


@pytest.mark.parametrize("size", [32, (32,), (32, 32, 3), None])
def test_image_size_of_wrong_form(pets, size):
    with pytest.raises(TypeError, match=r"image_size must be \(height, width\)"):
        image_folder(pets, size)


@pytest.mark.parametrize("size", [(0, 8), (6, -1), (6.5, 8), ("6", "8")])
def test_image_size_of_wrong_values(pets, size):
    with pytest.raises(ValueError, match="image_size must be two positive whole numbers"):
        image_folder(pets, size)


def test_cifar_folder(cifar_folder):
    x, y, class_names = image_folder(cifar_folder / "test", (32, 32))
    assert x.shape == (1000, 32, 32, 3)
    np.testing.assert_array_equal(y, np.repeat(np.arange(10), 100))
    assert class_names == "airplane automobile bird cat deer dog frog horse ship truck".split()
    # The channel means of CIFAR-10, 0.491, 0.482 and 0.447 of 255, within what a thousand pictures and JPEG leave open.
    np.testing.assert_allclose(x.mean((0, 1, 2)), [125, 123, 114], atol=6)


@pytest.mark.slow
def test_all_of_cifar_in_reasonable_time(full_cifar_folder):
    start = time.perf_counter()
    x, _, _ = image_folder(full_cifar_folder / "train", (32, 32))
    assert x.shape == (50000, 32, 32, 3)
    assert time.perf_counter() - start < 60  # about 10 s on two slow cores
