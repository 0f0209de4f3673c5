"""Losses, metrics and targets of several outputs against Keras: the names in the logs, their order, and the numbers."""

import numpy as np
import pytest

from tests.parity.oracle import both, close, copy_weights, libraries, same_logs

pytestmark = pytest.mark.oracle

RNG = np.random.default_rng(12)
N = 20
X = RNG.normal(size=(N, 3)).astype("float32")
A, B = RNG.integers(0, 2, (N, 1)).astype("float32"), RNG.normal(size=(N, 2)).astype("float32")
W = RNG.uniform(0, 2, (2, N)).astype("float32")
NAMED = {"a": A, "b": B}


def subclassed(kind):
    def make(k):
        class Net(k.Model):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.one = k.layers.Dense(1, activation="sigmoid", name="one")
                self.two = k.layers.Dense(2, name="two")

            def call(self, inputs):
                one, two = self.one(inputs), self.two(inputs)
                return {"a": one, "b": two} if kind is dict else kind((one, two))

        return Net()

    return make


def functional(kind):
    def make(k):
        x = k.Input((3,))
        a, b = k.layers.Dense(1, activation="sigmoid", name="a")(x), k.layers.Dense(2, name="b")(x)
        return k.Model(x, {"b": b, "a": a} if kind is dict else kind((a, b)))

    return make


def single(k):
    return k.Sequential([k.Input((3,)), k.layers.Dense(2, name="out")])


def probabilities(k):
    return k.Sequential([k.Input((3,)), k.layers.Dense(2, activation="softmax", name="out")])


def own_loss(y_true, y_pred):
    return (y_true - y_pred) ** 2


LISTS, TUPLES, DICTS = functional(list), functional(tuple), functional(dict)
SUB_LISTS, SUB_TUPLES, SUB_DICTS = subclassed(list), subclassed(tuple), subclassed(dict)
LABELS = RNG.integers(0, 2, N)

# name: (model, arguments of compile, y, sample_weight)
CASES = {
    "names of losses": (SUB_LISTS, {"loss": ["bce", "mse"], "metrics": [["mse"], ["mae"]]}, [A, B], None),
    "names of losses, tuples": (SUB_TUPLES, {"loss": ["bce", "mae"]}, (A, B), None),
    "names of objects": (
        SUB_LISTS, lambda k: {"loss": [k.losses.BinaryCrossentropy(name="first"), own_loss]}, [A, B], None,
    ),
    "no names, weights": (
        SUB_LISTS, {"loss": ["bce", "mse"], "loss_weights": [2.0, 0.1], "weighted_metrics": [["acc"], ["mse"]]}, [A, B],
        [W[0], W[1]],
    ),
    "keys": (
        SUB_DICTS, {"loss": {"a": "bce", "b": "mse"}, "metrics": {"a": "accuracy", "b": ["mse", "mae"]}}, NAMED, None,
    ),
    "keys, one loss": (SUB_DICTS, {"loss": "mse", "metrics": {"b": ["mae"]}}, NAMED, None),
    "keys, loss for one": (SUB_DICTS, {"loss": {"b": "mse"}}, NAMED, None),
    "keys, weights": (
        SUB_DICTS, {"loss": {"a": "bce", "b": "mse"}, "loss_weights": {"a": 1.0, "b": 0.5}}, NAMED,
        {"a": W[0], "b": W[1]},
    ),
    "functional keys": (
        DICTS, {"loss": {"a": "bce", "b": "mse"}, "metrics": {"a": ["acc"]}, "loss_weights": {"b": 0.5, "a": 2.0}},
        NAMED, None,
    ),
    "functional keys, lists": (DICTS, {"loss": ["bce", "mse"]}, [A, B], None),
    "lists": (LISTS, {"loss": ["bce", "mse"], "loss_weights": [1.0, 0.3]}, [A, B], None),
    "tuples": (TUPLES, {"loss": ("bce", "mse"), "metrics": (["acc"], [])}, (A, B), None),
    "tuples, given lists": (TUPLES, {"loss": ["bce", "mse"]}, [A, B], None),
    "names": (LISTS, {"loss": {"b": "mse", "a": "bce"}, "loss_weights": {"b": 0.3, "a": 2.0}}, NAMED, None),
    "names, lists of targets": (LISTS, {"loss": {"a": "bce", "b": "mse"}, "metrics": {"b": "mae"}}, [A, B], None),
    "weights as a list": (LISTS, {"loss": {"a": "bce", "b": "mse"}, "loss_weights": [2.0, 0.3]}, NAMED, None),
    "no loss for one": (LISTS, {"loss": ["bce", None]}, [A, B], None),
    "no loss and no targets for one": (LISTS, {"loss": [None, "mse"]}, [B], None),
    "no loss for one, an array": (LISTS, {"loss": ["bce", None]}, A, None),
    "no loss for one, names": (LISTS, {"loss": {"a": "bce", "b": None}}, [A, B], None),
    "metrics twice": (
        LISTS, {"loss": "mse", "metrics": [["mse", "mse"], ["mae"]], "weighted_metrics": [["mse"], []]}, [A, B], None,
    ),
    "weights once": (
        LISTS, {"loss": ["bce", "mse"], "weighted_metrics": [["acc"], ["mse"]]}, [A, B], W[0],
    ),
    "weights of each": (
        LISTS, {"loss": ["bce", "mse"], "weighted_metrics": [["acc"], ["mse"]]}, [A, B], [W[0], W[1]],
    ),
    "crossentropy of each": (LISTS, {"loss": ["crossentropy", "mse"]}, [A, B], None),
    "one: list of a loss": (single, {"loss": ["mse"], "loss_weights": [0.5]}, B, None),
    "one: metrics by name": (single, {"loss": "mse", "metrics": {"out": ["mae", "mse"]}}, B, None),
    "one: ce of labels": (probabilities, {"loss": "ce", "metrics": ["acc"]}, LABELS, None),
    "one: crossentropy of rows": (
        probabilities, {"loss": "crossentropy"}, np.eye(2, dtype="float32")[LABELS], None,
    ),
    "one: metrics nested": (single, {"loss": "mse", "metrics": [["mae"]]}, B, None),
    "one: own function": (single, {"loss": own_loss, "metrics": [own_loss]}, B, None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_names_and_numbers(name):
    make, compiled, y, weights = CASES[name]
    theirs, ours = both(make)
    theirs(X), ours(X)
    copy_weights(theirs, ours, name)
    histories, logs, lists = [], [], []
    for model, k in zip((theirs, ours), libraries(), strict=True):
        model.compile(k.optimizers.SGD(0.05), **(compiled(k) if callable(compiled) else compiled))
        given = {"x": X, "y": y, "sample_weight": weights, "batch_size": 8, "verbose": 0}
        histories.append(model.fit(**given, epochs=2, shuffle=False).history)
        logs.append(model.evaluate(**given, return_dict=True))
        lists.append(model.evaluate(**given))
    same_logs(histories[1], histories[0], 2e-5)
    same_logs(logs[1], logs[0], 2e-5)
    close(lists[1], lists[0], "evaluate", 2e-5)
    if np.ndim(lists[1]):
        assert lists[1] == [logs[1][key] for key in ours.metrics_names]
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        close(one, other, one.path, 2e-5)
