"""Fashion-MNIST: where it comes from, what comes out, and what is said when a file is wrong."""

import gzip
import os

import numpy as np
import pytest

from minidl.datasets import fashion_mnist
from minidl.datasets.make_subset import make_sheet

DEBIAN = fashion_mnist._DEBIAN
needs_debian = pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")


def write(folder, files, packed=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


def assert_same(data, expected):
    for split, expected_split in zip(data, expected, strict=True):
        for array, expected_array in zip(split, expected_split, strict=True):
            assert type(array) is np.ndarray and array.dtype == np.uint8 and array.flags.writeable
            np.testing.assert_array_equal(array, expected_array)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_path(alone, tmp_path, small_files, small_set, packed, kind):
    folder = write(tmp_path / "mine", small_files, packed)
    assert_same(fashion_mnist.load_data(kind(folder)), small_set)


def test_path_beats_everything(alone, tmp_path, small_files, small_set):
    write(alone, {name: b"damaged" for name in small_files})
    assert_same(fashion_mnist.load_data(write(tmp_path / "mine", small_files)), small_set)


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder .*nowhere"):
        fashion_mnist.load_data(tmp_path / "nowhere")


def test_missing_file_is_named(tmp_path, small_files):
    folder = write(tmp_path / "mine", small_files)
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match="no t10k-images-idx3-ubyte or .*expected the four files train-images"):
        fashion_mnist.load_data(folder)


@pytest.mark.parametrize(
    ("name", "with_content_of", "message"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", r"train-images.*shape \(30,\); expected \(n, 28, 28\)"),
        ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte", r"train-labels.*shape \(20,\); expected \(30,\)"),
    ],
)
def test_swapped_files(tmp_path, small_files, name, with_content_of, message):
    small_files[name] = small_files[with_content_of]
    with pytest.raises(ValueError, match=message):
        fashion_mnist.load_data(write(tmp_path / "mine", small_files))


def test_label_out_of_range(tmp_path, small_files):
    small_files["t10k-labels-idx1-ubyte"] = small_files["t10k-labels-idx1-ubyte"][:-1] + b"\x0a"
    with pytest.raises(ValueError, match="t10k-labels.*label 10; expected 0 to 9"):
        fashion_mnist.load_data(write(tmp_path / "mine", small_files))


def test_truncated_file_is_named(tmp_path, small_files):
    folder = write(tmp_path / "mine", small_files)
    file = folder / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz is not a whole gzip file"):
        fashion_mnist.load_data(folder)


def test_cache_comes_before_debian(alone, monkeypatch, tmp_path, small_files, small_set):
    write(alone, small_files)
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", write(tmp_path / "debian", {name: b"" for name in small_files}))
    assert_same(fashion_mnist.load_data(), small_set)


def test_debian_comes_before_a_download(alone, monkeypatch, tmp_path, server, small_files, small_set):
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", write(tmp_path / "debian", small_files))
    monkeypatch.setattr(fashion_mnist, "_MIRRORS", (server.address,))
    assert_same(fashion_mnist.load_data(), small_set)
    assert not server.asked and not alone.exists()


def test_download_is_done_once(alone, monkeypatch, server, small_set):
    monkeypatch.setattr(fashion_mnist, "_MIRRORS", (server.address,))
    assert_same(fashion_mnist.load_data(), small_set)
    assert_same(fashion_mnist.load_data(), small_set)
    assert set(server.asked.values()) == {1} and len(server.asked) == 4
    assert sorted(os.listdir(alone)) == sorted(server.files)


def test_damaged_cache_is_fetched_again(alone, monkeypatch, server, small_files, small_set, caplog):
    write(alone, small_files)
    (alone / "train-labels-idx1-ubyte.gz").write_bytes(b"half a fi")
    monkeypatch.setattr(fashion_mnist, "_MIRRORS", (server.address,))
    assert_same(fashion_mnist.load_data(), small_set)
    assert server.asked == {"train-labels-idx1-ubyte.gz": 1}  # the three others were whole
    assert "removed a damaged file from the cache" in caplog.text
    assert_same(fashion_mnist.load_data(), small_set)


def test_cached_file_with_other_content_is_not_used(alone, small_files):
    content = small_files["train-labels-idx1-ubyte"]
    write(alone, small_files | {"train-labels-idx1-ubyte": content[:-1] + b"\0"})
    with pytest.warns(UserWarning, match="subset"):
        fashion_mnist.load_data()


@pytest.mark.parametrize("fault", ["truncated", "missing"])
def test_failed_download_gives_the_subset_with_a_warning(alone, monkeypatch, server, fault):
    server.faults["t10k-labels-idx1-ubyte.gz"] = fault  # the last of the four
    monkeypatch.setattr(fashion_mnist, "_MIRRORS", (server.address,))
    with pytest.warns(
        UserWarning, match=r"8,000 .* 2,000 .*t10k-labels-idx1-ubyte\.gz.*To get it.*path=FOLDER"
    ) as seen:
        data = fashion_mnist.load_data()
    assert seen[0].filename == __file__  # it points at the caller's line
    assert data[0][0].shape == (8000, 28, 28)
    assert sorted(os.listdir(alone)) == sorted(set(server.files) - {"t10k-labels-idx1-ubyte.gz"})


def test_offline_asks_nobody(alone, monkeypatch, server):
    monkeypatch.setattr(fashion_mnist, "_MIRRORS", (server.address,))
    monkeypatch.setenv("MINIDL_OFFLINE", "1")
    with pytest.warns(UserWarning, match="MINIDL_OFFLINE is set"):
        fashion_mnist.load_data()
    assert not server.asked


def test_subset_form():
    splits = fashion_mnist.load_subset()
    for (x, y), n in zip(splits, (8000, 2000), strict=True):
        assert x.shape == (n, 28, 28) and y.shape == (n,)
        assert x.dtype == y.dtype == np.uint8 and x.flags.writeable and y.flags.writeable
        np.testing.assert_array_equal(np.bincount(y), np.full(10, n // 10))
        # Mixed: any tenth of it holds every class, about equally often (hypergeometric, six standard deviations).
        for part in np.array_split(y, 10):
            expected = len(part) / 10
            assert np.abs(np.bincount(part, minlength=10) - expected).max() < 6 * np.sqrt(expected)
    assert_same(fashion_mnist.load_subset(), splits)
    assert len(fashion_mnist.CLASS_NAMES) == 10 and fashion_mnist.CLASS_NAMES.index("Pullover") == 2


@needs_debian
def test_debian_files_are_what_was_published(alone, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", DEBIAN)
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert (x_train.shape, y_train.shape) == ((60000, 28, 28), (60000,))
    assert (x_test.shape, y_test.shape) == ((10000, 28, 28), (10000,))
    np.testing.assert_array_equal(np.bincount(y_train), np.full(10, 6000))
    np.testing.assert_array_equal(np.bincount(y_test), np.full(10, 1000))
    # The mean and deviation that are commonly used to normalise Fashion-MNIST.
    np.testing.assert_allclose([x_train.mean() / 255, x_train.std() / 255], [0.2860, 0.3530], atol=5e-5)


@needs_debian
def test_subset_can_be_made_again():
    pillow = pytest.importorskip("PIL.Image")
    with pillow.open(fashion_mnist._EMBEDDED) as sheet:
        np.testing.assert_array_equal(make_sheet(DEBIAN), np.asarray(sheet))


@needs_debian
def test_subset_labels_are_those_of_the_original():
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data(DEBIAN)
    for (x, y), (x_subset, y_subset) in zip(
        ((x_train, y_train), (x_test, y_test)), fashion_mnist.load_subset(), strict=True
    ):
        label_of = {picture.tobytes(): label for picture, label in zip(x[::-1], y[::-1], strict=True)}
        found = [label_of[picture.tobytes()] for picture in x_subset]
        assert np.mean(np.array(found) == y_subset) > 0.999  # a few pictures stand twice with two labels


@needs_debian
def test_download_of_the_real_files(monkeypatch, tmp_path, server):
    server.files = {file.name: file.read_bytes() for file in DEBIAN.iterdir()}
    expected = fashion_mnist.load_data(DEBIAN)
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path))
    monkeypatch.delenv("MINIDL_OFFLINE", raising=False)
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", tmp_path / "none")
    monkeypatch.setattr(fashion_mnist, "_MIRRORS", (server.address,))
    assert_same(fashion_mnist.load_data(), expected)
    assert sum(server.asked.values()) == 4
