"""MNIST: 70,000 grey pictures of handwritten digits, 28 by 28 (LeCun, Cortes, Burges; CC BY-SA 3.0)."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np

from .archive import archive

__all__ = ["load_data"]

Split = tuple[np.ndarray, np.ndarray]

_NAME = "mnist.npz"
_URLS = (f"https://storage.googleapis.com/tensorflow/tf-keras-datasets/{_NAME}",)
_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path: str | os.PathLike[str] = _NAME) -> tuple[Split, Split]:
    """The whole data set: ``(x_train, y_train), (x_test, y_test)``, as in Keras.

    Args:
        path: a file ``mnist.npz`` of one's own; "mnist.npz": that of the cache, which is fetched once (11 MB).

    Returns:
        uint8 pictures (60000, 28, 28) with values 0 to 255 and uint8 labels (60000,); the same of 10,000 for the test.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it is not in the cache, and cannot be fetched.
        ValueError: the file holds something else.
    """
    own = Path(path)
    if os.fspath(path) == _NAME and not own.is_file():
        return _parsed(archive("MNIST", _NAME, _URLS, _SHA256, 11, "mnist"), _NAME)
    if not own.is_file():
        raise FileNotFoundError(f"path: there is no file {own}")
    return _parsed(own.read_bytes(), str(own))


def _parsed(content: bytes, name: str) -> tuple[Split, Split]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {key: file[key] for key in ("x_train", "y_train", "x_test", "y_test")}
    except (OSError, ValueError, KeyError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{name} is not mnist.npz, with x_train, y_train, x_test and y_test: {error}") from error
    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if x.dtype != np.uint8 or x.shape[1:] != (28, 28) or y.shape != x.shape[:1]:
            raise ValueError(f"{name}: x_{part} is {x.dtype} {x.shape} and y_{part} {y.shape}; expected (n, 28, 28)")
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
