"""A report made of plain arrays."""

import numpy as np
import pytest

from minidl import visualize
from tests.browser import browse  # noqa: F401


@pytest.fixture
def report() -> visualize.Report:
    """A report in which every part is present; 40 grey pictures of four classes, one with a name full of markup."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 4
    scores = rng.gumbel(size=(40, 4)) + 2.0 * np.eye(4)[labels]
    probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    maps = rng.normal(size=(6, 6, 5)).clip(0)
    maps[..., 2] = 0
    return visualize.Report(
        title="A report <of> tests",
        subtitle="Noise & nothing else.",
        class_names=("cat", "dog", "<b>bird</b>", 'a "long" name of a class that goes on'),
        pictures=rng.integers(0, 256, (40, 8, 8), np.uint8),
        labels=labels,
        probabilities=probabilities,
        history={
            "loss": [1.0, 0.5, 0.3],
            "val_loss": [1.1, 0.7, 0.6],
            "accuracy": [0.3, 0.6, 0.8],
            "val_accuracy": [0.4, 0.5, 0.6],
        },
        facts={"test accuracy": "60%", "parameters": "1,234"},
        kernels=rng.normal(size=(3, 3, 1, 5)),
        sample=1,
        maps={"conv2d": maps, "max_pooling2d": maps[::2, ::2]},
        where={"Grad-CAM": maps[..., 0], "occlusion": rng.normal(size=(8, 8))},
        layers=[("conv2d", "Conv2D", "6 × 6 × 5", 50), ("dense", "Dense", "4", 724)],
        check=visualize.Check(True, "All agree.", [("conv2d/kernel", 3e-9, True)]),
        settings={"optimizer": "adam", "epochs": 3},
        versions={"minidl": "0.0"},
    )
