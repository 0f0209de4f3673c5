"""Fashion-MNIST: 70,000 grey pictures of clothes, 28 by 28, in ten classes (https://arxiv.org/abs/1708.07747)."""

import logging
import os
import warnings
from pathlib import Path

import numpy as np

from minidl_kernels.config import cache_folder

from .idx import parse_idx, read_bytes

__all__ = ["CLASS_NAMES", "load_data", "load_subset"]

Split = tuple[np.ndarray, np.ndarray]

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

_SHA256 = {  # of the idx files without gzip
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
_MIRRORS = (
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
)
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist
_EMBEDDED = Path(__file__).parent / "embedded" / "fashion_mnist.png"

_log = logging.getLogger("minidl")


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """The whole data set: ``(x_train, y_train), (x_test, y_test)``, as in Keras.

    It comes from the first of these that has it: ``path``; the cache; Debian's package ``dataset-fashion-mnist``; the
    published addresses (30 MB, once, into the cache; not with ``MINIDL_OFFLINE=1``); the subset that minidl carries,
    with a warning.

    Args:
        path: a folder with the four idx files, with or without ``.gz``; nothing else is tried then.

    Returns:
        uint8 pictures (60000, 28, 28) with values 0 to 255 and uint8 labels (60000,), indices into ``CLASS_NAMES``;
        the same of 10,000 for the test. (8,000 and 2,000 from the subset.)

    Raises:
        FileNotFoundError: a file is missing in ``path``.
        ValueError: a file in ``path`` is not what its name says.
    """
    if path is not None:
        return _read_folder(Path(path))
    cache = cache_folder() / "datasets" / "fashion_mnist"
    if (data := _cached(cache)) is not None:
        return data
    if all((_DEBIAN / f"{name}.gz").is_file() for name in _SHA256):
        return _read_folder(_DEBIAN)
    reason = "MINIDL_OFFLINE is set"
    if os.environ.get("MINIDL_OFFLINE", "0") in ("", "0"):
        try:
            _download(cache)
            if (data := _cached(cache)) is not None:
                return data
        except OSError as error:
            reason = str(error)
    warnings.warn(
        "this is the subset of Fashion-MNIST that minidl carries: 8,000 pictures to train on and 2,000 to test on, of "
        f"60,000 and 10,000. The full set was not downloaded ({reason}). To get it, call load_data() with a network; "
        "or install Debian's package dataset-fashion-mnist; or put the four .gz files from "
        "https://github.com/zalandoresearch/fashion-mnist in a folder and call load_data(path=FOLDER)",
        stacklevel=2,
    )
    return load_subset()


def load_subset() -> tuple[Split, Split]:
    """The 10,000 pictures that minidl carries: 8,000 to train on, 2,000 to test on, each class equally often.

    They are the first 800 of each class of the original training set and the first 200 of each class of the original
    test set, in a mixed order that is always the same.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: uint8 of shapes (8000, 28, 28), (8000,), (2000, 28, 28), (2000,).
    """
    from PIL import Image

    with Image.open(_EMBEDDED) as sheet:
        pictures = _from_sheet(np.asarray(sheet))
    return _mixed(pictures[:, :800]), _mixed(pictures[:, 800:])


def _from_sheet(sheet: np.ndarray) -> np.ndarray:
    """The sheet (2800, 2800) cut into pictures (10 classes, 1000, 28, 28): each class fills ten rows of a hundred."""
    return sheet.reshape(100, 28, 100, 28).swapaxes(1, 2).reshape(10, 1000, 28, 28)


def _mixed(pictures: np.ndarray) -> Split:
    """Pictures (classes, n, 28, 28) as one row of pictures in a fixed random order, with their labels."""
    classes, n = pictures.shape[:2]
    # RandomState, because NumPy promises that its numbers stay the same; default_rng's may change.
    order = np.random.RandomState(0).permutation(classes * n)
    return pictures.reshape(-1, 28, 28)[order], np.repeat(np.arange(classes, dtype=np.uint8), n)[order]


def _read_folder(folder: Path) -> tuple[Split, Split]:
    if not folder.is_dir():
        raise FileNotFoundError(f"path: there is no folder {folder}")
    files = []
    for name in _SHA256:
        found = [file for file in (folder / name, folder / f"{name}.gz") if file.is_file()]
        if not found:
            raise FileNotFoundError(
                f"path: no {name} or {name}.gz in {folder}; expected the four files {', '.join(_SHA256)}"
            )
        files.append(found[0])
    return _as_splits([read_bytes(file) for file in files], [str(file) for file in files])


def _as_splits(contents: list[bytes], names: list[str]) -> tuple[Split, Split]:
    x_train, y_train, x_test, y_test = map(parse_idx, contents, names)
    _check_split(x_train, y_train, names[0], names[1])
    _check_split(x_test, y_test, names[2], names[3])
    return (x_train, y_train), (x_test, y_test)


def _check_split(x: np.ndarray, y: np.ndarray, pictures: str, labels: str) -> None:
    if x.shape[1:] != (28, 28):
        raise ValueError(f"{pictures}: shape {x.shape}; expected (n, 28, 28)")
    if y.shape != x.shape[:1]:
        raise ValueError(f"{labels}: shape {y.shape}; expected {x.shape[:1]}, one label for each picture")
    if y.size and y.max() >= len(CLASS_NAMES):
        raise ValueError(f"{labels}: label {y.max()}; expected 0 to {len(CLASS_NAMES) - 1}")


def _cached(folder: Path) -> tuple[Split, Split] | None:
    """The data set from the cache, if it is there whole."""
    contents = []
    for name, sha256 in _SHA256.items():
        content = _intact(folder / f"{name}.gz", sha256)
        if content is None:
            return None
        contents.append(content)
    return _as_splits(contents, list(_SHA256))


def _intact(file: Path, sha256: str) -> bytes | None:
    """The content of a file of the cache; a damaged file (a full or failing disk) is removed and reported."""
    from .download import check

    if not file.is_file():
        return None
    try:
        content = read_bytes(file)
        check(content, sha256, str(file))
    except ValueError as error:
        _log.warning("minidl: removed a damaged file from the cache: %s", error)
        file.unlink()
        return None
    return content


def _download(folder: Path) -> None:
    from .download import fetch

    _log.warning("minidl: downloading Fashion-MNIST (30 MB), once, to %s", folder)
    for name, sha256 in _SHA256.items():
        if _intact(folder / f"{name}.gz", sha256) is None:
            fetch([f"{mirror}/{name}.gz" for mirror in _MIRRORS], folder / f"{name}.gz", sha256)
