"""MNIST and CIFAR-10: small archives of the published form, from files, folders, the cache and a local server."""

import hashlib
import io
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest

from minidl.datasets import cifar10, mnist
from tests.datasets.helpers import Server

RNG = np.random.default_rng(5)
DIGITS = {
    "x_train": RNG.integers(0, 256, (6, 28, 28), np.uint8), "y_train": RNG.integers(0, 10, 6).astype(np.uint8),
    "x_test": RNG.integers(0, 256, (3, 28, 28), np.uint8), "y_test": RNG.integers(0, 10, 3).astype(np.uint8),
}  # fmt: skip
BATCHES = [(RNG.integers(0, 256, (4, 3072), np.uint8), RNG.integers(0, 10, 4).tolist()) for _ in range(6)]


def npz(**arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def of_python_2(pixels, labels):
    """A batch as the published ones are: a pickle of protocol 2, written by Python 2."""
    number = lambda n: b"J" + struct.pack("<i", n)  # noqa: E731
    text = lambda s: b"U" + bytes([len(s)]) + s  # noqa: E731
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + number(0) + b"\x85" + text(b"b") + b"\x87R"
    shape = number(pixels.shape[0]) + number(pixels.shape[1]) + b"\x86"
    kind = b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R"
    kind += b"(" + number(3) + text(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
    data = pixels.tobytes()
    state = b"(" + number(1) + shape + kind + b"\x89" + b"T" + struct.pack("<i", len(data)) + data + b"tb"
    listed = b"](" + b"".join(map(number, labels)) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + state + text(b"labels") + listed + b"u."


def cifar_files(**replaced):
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    files = {name: of_python_2(*batch) for name, batch in zip(names, BATCHES, strict=True)}
    return {**files, "batches.meta": b"names of the classes", **replaced}


def tar(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


PUBLISHED = {mnist: npz(**DIGITS), cifar10: tar(cifar_files())}


def is_right(module, data):
    (x, y), (x_test, y_test) = data
    if module is mnist:
        for found, name in ((x, "x_train"), (y, "y_train"), (x_test, "x_test"), (y_test, "y_test")):
            np.testing.assert_array_equal(found, DIGITS[name])
            assert found.dtype == np.uint8
        return
    assert x.shape == (20, 32, 32, 3) and y.shape == (20, 1) and x_test.shape == (4, 32, 32, 3)
    assert {a.dtype for a in (x, y, x_test, y_test)} == {np.dtype("uint8")} and x.flags.c_contiguous
    for i, (pixels, labels) in enumerate(BATCHES):
        pictures, numbers = (x_test, y_test) if i == 5 else (x[4 * i : 4 * i + 4], y[4 * i : 4 * i + 4])
        assert numbers.ravel().tolist() == labels
        for n in range(4):
            for channel in range(3):
                plane = pixels[n, 1024 * channel : 1024 * (channel + 1)]
                np.testing.assert_array_equal(pictures[n, :, :, channel].ravel(), plane)


both = pytest.mark.parametrize("module", [mnist, cifar10], ids=["mnist", "cifar10"])


@pytest.fixture
def published(monkeypatch, tmp_path):
    """Each data set with an empty cache, and a server that holds the small archive under the published name."""
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MINIDL_OFFLINE", raising=False)
    monkeypatch.chdir(tmp_path)
    server = Server({module._NAME: content for module, content in PUBLISHED.items()})
    for module, content in PUBLISHED.items():
        monkeypatch.setattr(module, "_SHA256", hashlib.sha256(content).hexdigest())
        monkeypatch.setattr(module, "_URLS", (f"{server.address}/{module._NAME}",))
    yield server
    server.close()


def cached(tmp_path, module):
    return tmp_path / "cache" / "datasets" / module.__name__.rpartition(".")[2] / module._NAME


@both
def test_download_is_done_once(module, published, tmp_path):
    is_right(module, module.load_data())
    is_right(module, module.load_data())
    assert published.asked == {module._NAME: 1}
    assert cached(tmp_path, module).read_bytes() == PUBLISHED[module]


@both
def test_damaged_cache_is_fetched_again(module, published, tmp_path, caplog):
    file = cached(tmp_path, module)
    file.parent.mkdir(parents=True)
    file.write_bytes(PUBLISHED[module][:-9])
    is_right(module, module.load_data())
    assert "removed a damaged file from the cache" in caplog.text and published.asked[module._NAME] == 1


@both
@pytest.mark.parametrize("fault, message", [("truncated", "IncompleteRead"), ("missing", "HTTP Error 404")])
def test_failed_download_leaves_nothing_and_says_what_to_do(module, published, tmp_path, fault, message):
    published.faults[module._NAME] = fault
    with pytest.raises(OSError, match=f"is not there. Put {module._NAME} from .* in .*{message}"):
        module.load_data()
    folder = cached(tmp_path, module).parent
    assert not folder.exists() or os.listdir(folder) == []


@both
def test_other_content_is_refused(module, published):
    published.files[module._NAME] = PUBLISHED[module] + b"\0"
    with pytest.raises(OSError, match="other content than published"):
        module.load_data()


@both
def test_offline_asks_nobody(module, published, monkeypatch):
    monkeypatch.setenv("MINIDL_OFFLINE", "1")
    with pytest.raises(OSError, match="MINIDL_OFFLINE is set"):
        module.load_data()
    assert not published.asked


@both
@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_a_file_of_ones_own(module, published, tmp_path, kind):
    file = tmp_path / "mine.archive"
    file.write_bytes(PUBLISHED[module])
    is_right(module, module.load_data(kind(file)))
    with pytest.raises(FileNotFoundError, match="there is no file .*nowhere"):
        module.load_data(kind(tmp_path / "nowhere"))
    assert not published.asked


def test_a_folder_of_cifar10(published, tmp_path):
    inside = tmp_path / "unpacked" / "cifar-10-batches-py"
    inside.mkdir(parents=True)
    for name, content in cifar_files().items():
        (inside / name).write_bytes(content)
    is_right(cifar10, cifar10.load_data(inside))
    is_right(cifar10, cifar10.load_data(inside.parent))
    (inside / "data_batch_3").unlink()
    with pytest.raises(FileNotFoundError, match="holds no data_batch_3"):
        cifar10.load_data(inside)


class Harmful:
    def __reduce__(self):
        return os.system, ("echo harm",)


PIXELS, LABELS = BATCHES[0]
WRONG = {
    "it asks for (posix|nt).system": pickle.dumps(Harmful()),
    "data_batch_2 is no batch": of_python_2(PIXELS, LABELS)[:-1000],
    "is no batch of CIFAR-10: b'labels'": pickle.dumps({b"data": PIXELS}),
    r"expected uint8 \(n, 3072\)": of_python_2(PIXELS[:, :1000], LABELS),
    r"labels \(3,\)": of_python_2(PIXELS, LABELS[:3]),
    "labels .* to 11; expected 0 to 9": of_python_2(PIXELS, [1, 2, 11, 3]),
}


@pytest.mark.parametrize("message", WRONG)
def test_wrong_batches(message, tmp_path, capfd):
    (tmp_path / "x.tar.gz").write_bytes(tar(cifar_files(data_batch_2=WRONG[message])))
    with pytest.raises(ValueError, match=message):
        cifar10.load_data(tmp_path / "x.tar.gz")
    assert "harm" not in capfd.readouterr().out


@pytest.mark.parametrize("content", [b"", b"no archive", tar({"data_batch_1": b""}), PUBLISHED[cifar10][:-2000]])
def test_wrong_archives(content, tmp_path):
    (tmp_path / "x.tar.gz").write_bytes(content)
    with pytest.raises(ValueError, match="x.tar.gz is not the archive"):
        cifar10.load_data(tmp_path / "x.tar.gz")


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is not mnist.npz"),
        (b"no archive", "is not mnist.npz"),
        (PUBLISHED[mnist][:-100], "is not mnist.npz"),
        (npz(x_train=DIGITS["x_train"]), "is not mnist.npz.*y_train"),
        (npz(**{**DIGITS, "x_test": DIGITS["x_test"] / 2}), "x_test is float64"),
        (npz(**{**DIGITS, "y_train": DIGITS["y_test"]}), r"y_train \(3,\)"),
        (npz(**{**DIGITS, "y_train": np.array([{}] * 6)}), "is not mnist.npz"),
    ],
)
def test_wrong_digits(content, message, tmp_path):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        mnist.load_data(tmp_path / "x.npz")


def test_names_of_classes():
    assert len(cifar10.CLASS_NAMES) == 10 and cifar10.CLASS_NAMES.index("frog") == 6
    assert cifar10._SHA256.startswith("6d958be0") and mnist._SHA256.startswith("731c5ac6")


@pytest.mark.oracle
@both
def test_hashes_are_those_of_keras(module):
    keras_module = pytest.importorskip(f"keras.src.datasets.{module.__name__.rpartition('.')[2]}")
    source = open(keras_module.__file__, encoding="utf-8").read()
    assert module._SHA256 in source and module._NAME in source
