import gzip
import hashlib

import numpy as np
import pytest

from minidl.datasets import fashion_mnist
from tests.datasets.helpers import Server, idx


@pytest.fixture
def small_set():
    """A data set of 30 and 20 pictures that has the form of Fashion-MNIST: ((x, y), (x, y))."""
    random = np.random.default_rng(1)
    return tuple(
        (random.integers(0, 256, (n, 28, 28), np.uint8), random.integers(0, 10, n).astype(np.uint8)) for n in (30, 20)
    )


@pytest.fixture
def small_files(small_set):
    """The idx files of ``small_set`` by name, not compressed."""
    return dict(zip(fashion_mnist._SHA256, (idx(array) for split in small_set for array in split), strict=True))


@pytest.fixture
def alone(monkeypatch, tmp_path, small_files):
    """fashion_mnist with an empty cache, no Debian package, no mirror, and ``small_set`` as what was published."""
    for name, content in small_files.items():
        monkeypatch.setitem(fashion_mnist._SHA256, name, hashlib.sha256(content).hexdigest())
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MINIDL_OFFLINE", raising=False)
    monkeypatch.setattr(fashion_mnist, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(fashion_mnist, "_MIRRORS", ())
    return tmp_path / "cache" / "datasets" / "fashion_mnist"


@pytest.fixture
def server(small_files):
    running = Server({f"{name}.gz": gzip.compress(content) for name, content in small_files.items()})
    yield running
    running.close()
