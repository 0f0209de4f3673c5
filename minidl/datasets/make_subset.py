"""Make the embedded subset of Fashion-MNIST from the original files.

    python -m minidl.datasets.make_subset /usr/share/datasets/fashion-mnist

The sheet is a picture of 100 by 100 pictures that any viewer opens. Each class fills ten rows: eight of pictures to
train on, two of pictures to test on; so the place of a picture says its label.
"""

import argparse
from pathlib import Path

import numpy as np

from .fashion_mnist import _EMBEDDED, CLASS_NAMES, load_data

__all__ = ["make_sheet"]


def make_sheet(folder: Path) -> np.ndarray:
    """The sheet (2800, 2800) uint8, from the four idx files in ``folder``."""
    (x_train, y_train), (x_test, y_test) = load_data(folder)
    rows = []
    for label in range(len(CLASS_NAMES)):
        rows += [x_train[y_train == label][:800], x_test[y_test == label][:200]]
    return np.concatenate(rows).reshape(100, 100, 28, 28).swapaxes(1, 2).reshape(2800, 2800)


def main() -> None:
    """Make the file."""
    from PIL import Image

    parser = argparse.ArgumentParser(description="Make the embedded subset of Fashion-MNIST.")
    parser.add_argument("folder", type=Path, help="the folder with the four original idx files")
    sheet = Image.fromarray(make_sheet(parser.parse_args().folder))
    sheet.save(_EMBEDDED, optimize=True)
    print(f"{_EMBEDDED}: {_EMBEDDED.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
