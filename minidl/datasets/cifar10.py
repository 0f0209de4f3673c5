"""CIFAR-10: 60,000 colour pictures, 32 by 32, in ten classes (Krizhevsky 2009, "Learning multiple layers")."""

import io
import os
import pickle
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from .archive import archive

__all__ = ["CLASS_NAMES", "load_data"]

Split = tuple[np.ndarray, np.ndarray]

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_NAME = "cifar-10-python.tar.gz"
_URLS = (f"https://www.cs.toronto.edu/~kriz/{_NAME}",)
_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
_TRAIN, _TEST = tuple(f"data_batch_{i}" for i in range(1, 6)), "test_batch"
_FOLDER = "cifar-10-batches-py"


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """The whole data set: ``(x_train, y_train), (x_test, y_test)``, as in Keras.

    Args:
        path: an archive ``cifar-10-python.tar.gz`` of one's own, or the folder that it unpacks to; default: that of the
            cache, which is fetched once (170 MB).

    Returns:
        uint8 pictures (50000, 32, 32, 3) with values 0 to 255 and uint8 labels (50000, 1), indices into
        ``CLASS_NAMES``; the same of 10,000 for the test.

    Raises:
        FileNotFoundError: there is no such file, or one is missing in the folder.
        OSError: it is not in the cache, and cannot be fetched.
        ValueError: a file holds something else.
    """
    if path is None:
        batches = _of_archive(archive("CIFAR-10", _NAME, _URLS, _SHA256, 170, "cifar10"), _NAME)
    elif Path(path).is_dir():
        batches = _of_folder(Path(path))
    elif Path(path).is_file():
        batches = _of_archive(Path(path).read_bytes(), os.fspath(path))
    else:
        raise FileNotFoundError(f"path: there is no file or folder {path}")
    parts = [_batch(batches[name], name) for name in (*_TRAIN, _TEST)]
    x, y = (np.concatenate(arrays) for arrays in zip(*parts[:-1], strict=True))
    return (x, y), parts[-1]


def _of_archive(content: bytes, name: str) -> dict[str, bytes]:
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
            for batch in (*_TRAIN, _TEST):
                member = tar.extractfile(f"{_FOLDER}/{batch}")
                if member is None:
                    raise KeyError(f"{_FOLDER}/{batch} is no file")
                found[batch] = member.read()
    except (tarfile.TarError, OSError, EOFError, KeyError, zlib.error) as error:
        raise ValueError(f"{name} is not the archive {_NAME}: {error}") from error
    return found


def _of_folder(folder: Path) -> dict[str, bytes]:
    inside = folder / _FOLDER if (folder / _FOLDER).is_dir() else folder
    missing = [name for name in (*_TRAIN, _TEST) if not (inside / name).is_file()]
    if missing:
        raise FileNotFoundError(f"path: {inside} holds no {', '.join(missing)}")
    return {name: (inside / name).read_bytes() for name in (*_TRAIN, _TEST)}


class _ArraysOnly(pickle.Unpickler):
    """Reads arrays of NumPy; refuses everything else, because a pickle can run any code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np._core.multiarray._reconstruct  # type: ignore[attr-defined]
        if (module, name) == ("_codecs", "encode"):
            import codecs

            return codecs.encode
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which a data set has no need of")


def _batch(content: bytes, name: str) -> Split:
    try:
        found = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
        x, labels = found[b"data"], found[b"labels"]
        x, y = np.asarray(x), np.asarray(labels, np.int64)
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ValueError(f"{name} is no batch of CIFAR-10: {error}") from error
    if x.dtype != np.uint8 or x.shape[1:] != (3072,) or y.shape != x.shape[:1]:
        raise ValueError(f"{name}: data is {x.dtype} {x.shape} and labels {y.shape}; expected uint8 (n, 3072) and (n,)")
    if y.size and (y.min() < 0 or y.max() >= len(CLASS_NAMES)):
        raise ValueError(f"{name}: labels {y.min()} to {y.max()}; expected 0 to {len(CLASS_NAMES) - 1}")
    pictures = x.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # each colour is a plane in the file
    return np.ascontiguousarray(pictures), y.astype(np.uint8)[:, None]
