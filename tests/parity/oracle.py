"""What the parity tests share: the same thing made by Keras and by minidl, and how close two results must be.

A case is a function of the library: ``lambda k: k.layers.Dense(5)`` makes Keras' layer and ours.
"""

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

import minidl

TOLERANCE = 1e-5  # of the largest number


def libraries() -> tuple[Any, Any]:
    """Keras and minidl, both with their counters of names at zero."""
    import keras

    keras.backend.clear_session(free_memory=False)  # a collection of garbage for every case would take minutes
    minidl.utils.clear_session()
    return keras, minidl


def both(make: Callable[[Any], Any]) -> tuple[Any, Any]:
    """What ``make`` makes with Keras and with minidl."""
    keras, ours = libraries()
    return make(keras), make(ours)


def generator(case: str) -> np.random.Generator:
    """Random numbers that belong to a case, whatever runs before it."""
    return np.random.default_rng(zlib.crc32(case.encode()))


def drawn(kind, shape, rng):
    """Random targets or predictions of one kind."""
    if kind == "real":
        return rng.normal(size=shape).astype("float32")
    if kind == "large":
        return (rng.normal(size=shape) * 30).astype("float32")
    if kind == "bits":
        return rng.integers(0, 2, shape).astype("float32")
    if kind == "unit":
        return rng.uniform(0.02, 0.98, shape).astype("float32")
    if kind == "corners":
        return rng.choice([0.0, 1.0, 0.3, 1e-9, 0.9999], shape).astype("float32")
    if kind == "labels":
        return rng.integers(0, 5, shape)
    if kind == "labels from -1":
        return rng.integers(-1, 5, shape)
    if kind == "signs":
        return rng.choice([-1.0, 1.0], shape).astype("float32")
    if kind == "positive":
        return rng.uniform(0, 3, shape).astype("float32")
    if kind == "lengths 1":
        x = rng.normal(size=shape)
        return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype("float32")
    if kind == "words":  # labels from 1 on, padded with 0; the first two are all of the same, and none
        lengths = np.array([shape[1], 0, *rng.integers(1, shape[1] + 1, shape[0] - 2)])
        words = rng.integers(1, 5, shape) * (np.arange(shape[1]) < lengths[:, None])
        words[0] = 3
        return words
    if kind == "one hot":
        return np.eye(shape[-1], dtype="float32")[rng.integers(0, shape[-1], shape[:-1])]
    assert kind == "rows"
    positive = rng.uniform(0.05, 1, shape)
    return (positive / positive.sum(-1, keepdims=True)).astype("float32")


def close(ours: Any, theirs: Any, what: str, tolerance: float = TOLERANCE) -> None:
    """Both have one shape, and differ by at most ``tolerance`` of the largest number of theirs."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, f"{what}: shape {ours.shape}, Keras has {theirs.shape}"
    if theirs.size == 0:
        return
    scale = np.abs(theirs).max()
    error = np.abs(ours.astype(np.float64) - theirs).max()
    assert error <= tolerance * max(scale, 1e-30), f"{what}: error {error:.2e}, where Keras' numbers reach {scale:.2e}"


def copy_weights(theirs: Any, ours: Any, case: str = "weights", scale: float = 0.5) -> None:
    """Give both the same random weights; variances, and what else must be positive, become positive."""
    rng = generator(case)
    values = []
    for weight in theirs.weights:
        drawn = rng.normal(size=tuple(weight.shape)) * scale
        values.append((np.abs(drawn) + 0.5 if "variance" in weight.path else drawn).astype("float32"))
    theirs.set_weights(values)
    ours.set_weights(values)


def same_logs(ours: dict[str, Any], theirs: dict[str, Any], tolerance: float = TOLERANCE) -> None:
    """Two histories (or dictionaries of logs): names, their order, and numbers."""
    assert list(ours) == list(theirs)
    for name in theirs:
        close(ours[name], theirs[name], name, tolerance)
