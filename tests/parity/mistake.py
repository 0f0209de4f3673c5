"""What the tables of mistakes share: what one entry says, and small models and data to go wrong with."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

X, Y = np.ones((12, 4), "float32"), np.zeros((12, 1), "float32")
LABELS = np.arange(12) % 3
PICTURES = np.ones((12, 8, 8, 3), "float32")


class Mistake(NamedTuple):
    """One mistake that users make.

    Args:
        make: a function of the library that makes the mistake; it may write to the current folder.
        error: what ours raises, of exactly this type; a kind of warning where ours warns.
        says: a pattern of our message: where the mistake is, what came, and what to write.
        silent: what Keras does where it raises nothing; None where it has no such function at all.
        inherits: whether a subclass of ``error`` will do.
    """

    make: Callable[[Any], Any]
    error: type[Exception]
    says: str
    silent: str | None = ""
    inherits: bool = False


def net(k, last=1, activation=None, loss="mse", **compiled):
    made = k.Sequential([k.layers.Input((4,), name="numbers"), k.layers.Dense(last, activation, name="last")])
    made.compile(compiled.pop("optimizer", "sgd"), loss, **compiled)
    return made


def classifier(k, last=3, loss="sparse_categorical_crossentropy", **compiled):
    return net(k, last, "softmax", loss, **compiled)


def pictures_net(k, *layers):
    """Small pictures, then these layers, then a Dense for three classes."""
    made = k.Sequential([k.layers.Input((8, 8, 3), name="pictures"), *layers, k.layers.Dense(3, "softmax", name="top")])
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made


def two_outputs(k, **compiled):
    x = k.layers.Input((4,), name="numbers")
    made = k.Model(x, [k.layers.Dense(1, name="main")(x), k.layers.Dense(2, name="side")(x)])
    made.compile("sgd", **{"loss": ["mse", "mse"], **compiled})
    return made


def two_inputs(k):
    a, b = k.layers.Input((4,), name="a"), k.layers.Input((4,), name="b")
    made = k.Model([a, b], k.layers.Dense(1)(k.layers.Concatenate()([a, b])))
    made.compile("sgd", "mse")
    return made


def fit(made, x=X, y=Y, **options):
    made.fit(x, y, verbose=0, **options)


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array
