"""fit, evaluate, predict and train_on_batch against Keras, from equal weights and without shuffling."""

import numpy as np
import pytest

from tests.parity.nets import (
    branched,
    branched_from_a_dictionary,
    branched_to_a_dictionary,
    convolutional,
    deferred,
    lists_of_one,
    mlp,
    subclassed,
)
from tests.parity.oracle import both, close, copy_weights, generator, libraries, same_logs

pytestmark = pytest.mark.oracle


# ---- data ----


def reals(rng, n, *shape):
    return rng.normal(size=(n, *shape)).astype("float32")


def classes(rng, n, *shape):
    return rng.integers(0, 4, (n, *shape))


def one_hot(rng, n):
    return np.eye(4, dtype="float32")[rng.integers(0, 4, n)]


def bits(rng, n, *shape):
    return rng.integers(0, 2, (n, *shape)).astype("float32")


def two_inputs(rng, n):
    return [reals(rng, n, 5), reals(rng, n, 3)]


def two_targets(rng, n):
    return [bits(rng, n), reals(rng, n, 2)]


def named(make, *names):
    return lambda rng, n: dict(zip(names, make(rng, n), strict=True))


def of_type(kind, make):
    return lambda rng, n: kind(make(rng, n))


TWO_LOSSES = {"loss": ["binary_crossentropy", "mse"]}
NAMED_LOSSES = {"loss": {"main": "binary_crossentropy", "side": "mse"}}
ALL_NAMED = {**NAMED_LOSSES, "loss_weights": {"main": 1.0, "side": 0.2}, "metrics": {"main": ["acc"], "side": ["mae"]}}

# name: (model, x, y, arguments of compile, arguments of fit)
CASES = {
    "sparse": (
        mlp(4, "softmax"), lambda r, n: reals(r, n, 6), classes,
        {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, {},
    ),
    "sparse (n, 1), adam": (
        mlp(4, "softmax"), lambda r, n: reals(r, n, 6), lambda r, n: classes(r, n, 1),
        {"loss": "sparse_categorical_crossentropy", "metrics": ["acc"], "optimizer": "adam"}, {"validation": "data"},
    ),
    "logits of an object": (
        mlp(4), lambda r, n: reals(r, n, 6), classes,
        {"loss": lambda k: k.losses.SparseCategoricalCrossentropy(from_logits=True), "metrics": ["accuracy"]}, {},
    ),
    "categorical, smoothed": (
        mlp(4, "softmax"), lambda r, n: reals(r, n, 6), one_hot,
        {"loss": lambda k: k.losses.CategoricalCrossentropy(label_smoothing=0.1), "metrics": ["accuracy", "mse"]},
        {"validation": "split"},
    ),
    "binary (n,)": (
        mlp(1, "sigmoid"), lambda r, n: reals(r, n, 6), bits,
        {"loss": "binary_crossentropy", "metrics": ["accuracy"]}, {"validation": "split"},
    ),
    "binary (n, 3)": (
        mlp(3, "sigmoid"), lambda r, n: reals(r, n, 6), lambda r, n: bits(r, n, 3),
        {"loss": "bce", "metrics": ["binary_accuracy"]}, {},
    ),
    "regression": (
        mlp(1), lambda r, n: reals(r, n, 6), reals, {"loss": "mse", "metrics": ["mae", "mse"]}, {"validation": "data"},
    ),
    "regression by objects": (
        mlp(2), lambda r, n: reals(r, n, 6), lambda r, n: reals(r, n, 2),
        {
            "loss": lambda k: k.losses.MeanAbsoluteError(),
            "metrics": lambda k: [k.metrics.MeanSquaredError(name="squares"), k.metrics.MeanAbsoluteError()],
        }, {},
    ),
    "a loss weight": (
        mlp(2), lambda r, n: reals(r, n, 6), lambda r, n: reals(r, n, 2), {"loss": "mse", "loss_weights": 0.3}, {},
    ),
    "sample weights": (
        mlp(1), lambda r, n: reals(r, n, 6), reals,
        {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mse"]},
        {"weights": lambda r, n: r.uniform(0, 2, n), "validation": "weighted"},
    ),
    "a metric with and without weights": (
        mlp(1), lambda r, n: reals(r, n, 6), reals,
        {"loss": "mse", "metrics": ["mae", "mse"], "weighted_metrics": ["mae", "mae"]},
        {"weights": lambda r, n: r.uniform(0, 2, n)},
    ),
    "sample weights and a split": (
        mlp(4, "softmax"), lambda r, n: reals(r, n, 6), classes,
        {"loss": "sparse_categorical_crossentropy", "weighted_metrics": ["accuracy"]},
        {"weights": lambda r, n: r.uniform(0, 2, n), "validation": "split"},
    ),
    "sequences": (
        mlp(4, "softmax", (3, 6)), lambda r, n: reals(r, n, 3, 6), lambda r, n: classes(r, n, 3),
        {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, {},
    ),
    "one batch an epoch": (
        mlp(1), lambda r, n: reals(r, n, 6), reals, {"loss": "mse"}, {"batch_size": 100},
    ),
    "lists of numbers": (
        mlp(1, inputs=(1,)), lambda r, n: np.arange(n) / n, lambda r, n: np.arange(n) / n, {"loss": "mse"}, {},
    ),
    "bytes and integers": (
        deferred, lambda r, n: r.integers(0, 3, (n, 4, 3)).astype("uint8"), classes,
        {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}, {"build": (1, 4, 3)},
    ),
    "validation now and then": (
        mlp(1), lambda r, n: reals(r, n, 6), reals, {"loss": "mse"}, {"validation": "data", "validation_freq": 2},
    ),
    "from the second epoch": (mlp(1), lambda r, n: reals(r, n, 6), reals, {"loss": "mse"}, {"initial_epoch": 1}),
    "subclassed": (
        subclassed, lambda r, n: reals(r, n, 6), reals, {"loss": "mse", "metrics": ["mae"]}, {"build": (1, 6)},
    ),
    "convolutional": (
        convolutional, lambda r, n: reals(r, n, 8, 8, 2), classes,
        {
            "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"],
            "optimizer": lambda k: k.optimizers.SGD(0.02, momentum=0.9),
        }, {"validation": "data"},
    ),
    "two of both: lists": (branched, two_inputs, two_targets, TWO_LOSSES, {"validation": "data"}),
    "two of both: tuples": (
        branched, of_type(tuple, two_inputs), of_type(tuple, two_targets),
        {**TWO_LOSSES, "loss_weights": [1.0, 0.2]}, {},
    ),
    "two of both: dictionaries": (
        branched, named(two_inputs, "first", "second"), named(two_targets, "main", "side"), ALL_NAMED,
        {"validation": "data"},
    ),
    "two of both: lists of metrics": (
        branched, two_inputs, two_targets, {**TWO_LOSSES, "metrics": [["accuracy"], ["mae", "mse"]]},
        {"validation": "split"},
    ),
    "two of both: one loss": (branched, two_inputs, lambda r, n: [reals(r, n), reals(r, n, 2)], {"loss": "mse"}, {}),
    "two of both: weighted": (
        branched, two_inputs, two_targets,
        {**TWO_LOSSES, "metrics": [["acc"], []], "weighted_metrics": [["acc"], ["mae"]]},
        {"weights": lambda r, n: r.uniform(0, 2, n)},
    ),
    "two of both: a weight for each": (
        branched, two_inputs, two_targets, {**TWO_LOSSES, "weighted_metrics": [["acc"], ["mae"]]},
        {"weights": lambda r, n: [r.uniform(0, 2, n), r.uniform(0, 2, n)]},
    ),
    "lists of one": (lists_of_one, lambda r, n: reals(r, n, 6), reals, {"loss": "mse"}, {}),
    "lists of one, given as lists": (
        lists_of_one, lambda r, n: [reals(r, n, 6)], lambda r, n: [reals(r, n)],
        {"loss": ["mse"], "metrics": [["mae"]]}, {},
    ),
    "a dictionary of outputs": (
        branched_to_a_dictionary, two_inputs, named(two_targets, "main", "side"), ALL_NAMED, {"validation": "data"},
    ),
    "a dictionary of inputs": (
        branched_from_a_dictionary, named(two_inputs, "first", "second"), two_targets, TWO_LOSSES, {},
    ),
}  # fmt: skip
SHORT_LAST_BATCH = {"sparse", "sample weights", "convolutional", "two of both: dictionaries"}


def prepared(name):
    """Both models with equal weights, compiled, and the training data, validation data and arguments of fit."""
    make, make_x, make_y, compiled, options = CASES[name]
    options = dict(options)
    theirs, ours = both(make)
    shape = options.pop("build", None)
    if shape is not None:
        x = np.zeros(shape, "float32")
        theirs(x), ours(x)
    copy_weights(theirs, ours, name)
    for model, k in zip((theirs, ours), libraries(), strict=True):
        settings = {"optimizer": lambda k: k.optimizers.SGD(0.1), **compiled}
        model.compile(**{key: value(k) if callable(value) else value for key, value in settings.items()})
    rng = generator(name)
    make_weights = options.pop("weights", lambda r, n: None)
    many, few = (43, 13) if name in SHORT_LAST_BATCH else (40, 10)
    train = {"x": make_x(rng, many), "y": make_y(rng, many), "sample_weight": make_weights(rng, many)}
    held_out = make_x(rng, few), make_y(rng, few), make_weights(rng, few)
    validation = options.pop("validation", None)
    if validation == "split":
        options["validation_split"] = 0.25
    elif validation is not None:
        options["validation_data"] = held_out[: 3 if validation == "weighted" else 2]
    fit = {**train, "batch_size": 10, "epochs": 3, "shuffle": False, "verbose": 0, **options}
    return theirs, ours, fit, held_out


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "convolutional")) for name in CASES]
)
def test_fit_evaluate_predict(name):
    theirs, ours, fit, (x, y, weights) = prepared(name)
    history = theirs.fit(**fit)
    mine = ours.fit(**fit)
    assert mine.epoch == history.epoch
    assert mine.params == history.params
    same_logs(mine.history, history.history, 2e-5)
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        close(one, other, one.path, 2e-5)

    arguments = {"x": x, "y": y, "sample_weight": weights, "batch_size": 10, "verbose": 0}
    same_logs(ours.evaluate(**arguments, return_dict=True), theirs.evaluate(**arguments, return_dict=True), 2e-5)
    if name != "a metric with and without weights":  # of two of a name, Keras lists the first twice
        close(ours.evaluate(**arguments), theirs.evaluate(**arguments), "evaluate", 2e-5)

    expected, found = theirs.predict(x, batch_size=10, verbose=0), ours.predict(x, batch_size=10, verbose=0)
    assert type(found) is type(expected)
    for key in expected if isinstance(expected, dict) else range(len(expected)) if isinstance(expected, list) else ():
        close(found[key], expected[key], f"prediction {key}", 2e-5)
    if not isinstance(expected, (dict, list)):
        close(found, expected, "prediction", 2e-5)


@pytest.mark.parametrize("name", [
    "sparse", "regression", "sample weights", "convolutional", "two of both: lists", "two of both: dictionaries",
    "two of both: lists of metrics", "a dictionary of outputs",
])  # fmt: skip
def test_batches(name):
    theirs, ours, _, (x, y, weights) = prepared(name)
    for _ in range(3):
        expected = theirs.train_on_batch(x, y, sample_weight=weights)
        close(ours.train_on_batch(x, y, sample_weight=weights), expected, "train_on_batch")
    expected = theirs.train_on_batch(x, y, sample_weight=weights, return_dict=True)
    same_logs(ours.train_on_batch(x, y, sample_weight=weights, return_dict=True), expected)
    expected = theirs.test_on_batch(x, y, sample_weight=weights)
    close(ours.test_on_batch(x, y, sample_weight=weights), expected, "test_on_batch")
    assert len(np.ravel(expected)) == len(np.ravel(ours.test_on_batch(x, y, sample_weight=weights)))
