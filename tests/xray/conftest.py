"""Small nets, and a browser that drives a page of them and answers in JSON."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minidl import config, layers, models

from .driving import Seen, drive_page


@pytest.fixture
def drive(chromium: str, tmp_path: Path) -> Callable[..., Seen]:
    """``drive_page`` in the folder of the test."""
    return functools.partial(drive_page, chromium, tmp_path)


def small_net(dtype: str = "float64", optimizer: Any = "adam") -> models.Sequential:
    """Every kind of layer that the page computes itself."""
    config.set_global_seed(3)
    net = models.Sequential(
        [
            layers.Input((7, 6, 2), dtype=dtype),
            layers.Conv2D(
                3,
                3,
                strides=(1, 2),
                padding="same",
                activation="relu",
                kernel_regularizer="l2",
                dtype=dtype,
                name="first",
            ),
            layers.BatchNormalization(dtype=dtype),
            layers.MaxPooling2D((2, 2), strides=1, dtype=dtype),
            layers.Conv2D(2, 2, activation="sigmoid", dtype=dtype),
            layers.AveragePooling2D((2, 1), padding="same", dtype=dtype),
            layers.Flatten(dtype=dtype),
            layers.Dense(6, activation="relu", kernel_regularizer="l1", dtype=dtype, name="hidden"),
            layers.Dropout(0.3, seed=5, dtype=dtype),
            layers.Dense(5, activation="tanh", dtype=dtype),
            layers.Dense(4, activation="softmax", dtype=dtype),
        ]
    )
    net.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def batch(n: int = 2, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    """Pictures for it, and labels."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 7, 6, 2)).astype(dtype), np.arange(n) % 4
