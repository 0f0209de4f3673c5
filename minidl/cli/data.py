"""The pictures a command trains on: float32 in [0, 1], of shape (n, height, width, channels)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .arguments import UsageError

__all__ = ["Data", "fashion_mnist", "fashion_mnist_subset", "folders"]

HELD_OUT = 0.2  # of each class, where there is no folder of test pictures


@dataclass
class Data:
    """Pictures and labels to learn from and to test on; ``name`` and ``class_names`` for people."""

    name: Any  # text, or Words
    class_names: tuple[str, ...]
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """(height, width, channels) of a picture."""
        return self.x_train.shape[1:]


def _scaled(pictures: np.ndarray) -> np.ndarray:
    return np.multiply(pictures, np.float32(1 / 255), dtype=np.float32)


def _fashion(name: Any, splits: Any) -> Data:
    from minidl.datasets.fashion_mnist import CLASS_NAMES

    (x_train, y_train), (x_test, y_test) = splits
    x_train, x_test = _scaled(x_train)[..., None], _scaled(x_test)[..., None]
    return Data(name, CLASS_NAMES, x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64))


def fashion_mnist_subset() -> Data:
    """The 8,000 + 2,000 pictures that minidl carries."""
    from minidl.datasets.fashion_mnist import load_subset
    from minidl.visualize.words import Words

    name = Words("Fashion-MNIST, the subset that minidl carries", "minidl에 들어 있는 Fashion-MNIST의 일부")
    return _fashion(name, load_subset())


def fashion_mnist() -> Data:
    """The whole of Fashion-MNIST, or the subset (with a warning) where it cannot be had."""
    from minidl.datasets.fashion_mnist import load_data

    return _fashion("Fashion-MNIST", load_data())


def folders(directory: str, test: str | None, size: tuple[int, int], seed: int) -> Data:
    """Pictures in ``directory``/CLASS/, resized; tested on those in ``test``, or on a fifth of each class.

    Raises:
        UsageError: a folder that is missing, or does not hold classes of pictures.
    """
    x, y, names = _read("--data", directory, size)
    if len(names) < 2:
        raise UsageError(f"{directory} holds one class only, {names[0]!r}; there must be two folders or more")
    if test is None:
        held = _held_out(y, seed)
        if not held.any():
            raise UsageError(
                f"{directory} has too few pictures to hold some out for the test; give a folder: --test DIR"
            )
        return Data(directory, tuple(names), x[~held], y[~held], x[held], y[held])
    x_test, y_test, test_names = _read("--test", test, size)
    unknown = sorted(set(test_names) - set(names))
    if unknown:
        raise UsageError(f"{test} has classes that {directory} has not: {', '.join(unknown)}")
    places = np.array([names.index(name) for name in test_names])
    return Data(directory, tuple(names), x, y, x_test, places[y_test])


def _read(option: str, directory: str, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    from minidl.datasets import image_folder

    if not Path(directory).is_dir():
        hint = "; for Fashion-MNIST, write --data fashion_mnist" if option == "--data" else ""
        raise UsageError(f"{option}: there is no folder {directory}{hint}")
    try:
        x, y, names = image_folder(directory, size)
    except (OSError, ValueError) as error:
        raise UsageError(str(error)) from error
    return _scaled(x), y, names


def _held_out(y: np.ndarray, seed: int) -> np.ndarray:
    """Which samples are for the test: a fifth of each class, by chance."""
    chance = np.random.default_rng(seed)
    held = np.zeros(len(y), bool)
    for label in np.unique(y):
        places = chance.permutation(np.flatnonzero(y == label))
        held[places[: round(HELD_OUT * len(places))]] = True
    return held
