"""Folders of pictures so simple that a small network learns them in seconds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COLOURS = {"blue": (30, 30, 220), "green": (20, 200, 40), "red": (220, 30, 30)}


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder NAME/CLASS/N.png of noisy pictures of one colour a class."""

    def make(name: str, count: int = 10, classes: tuple[str, ...] = tuple(COLOURS), size: int = 10) -> Path:
        rng = np.random.default_rng(len(name))
        for label in classes:
            folder = tmp_path / name / label
            folder.mkdir(parents=True)
            for i in range(count):
                noise = rng.integers(-30, 30, (size, size, 3))
                values = np.clip(np.array(COLOURS.get(label, (128, 128, 128))) + noise, 0, 255).astype(np.uint8)
                Image.fromarray(values).save(folder / f"{i}.png")
        return tmp_path / name

    return make
