"""fit, evaluate and predict against Keras on everything that makes batches: generators, PyDatasets, loaders, steps."""

import numpy as np
import pytest

from tests.parity.nets import branched, mlp
from tests.parity.oracle import both, close, copy_weights, generator, libraries, same_logs

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:.*ran out of data")]

RNG = np.random.default_rng(5)
N = 30
X = RNG.normal(size=(N, 6)).astype("float32")
LABELS = RNG.integers(0, 4, N)
ONE_HOT = np.eye(4, dtype="float32")[LABELS]
WEIGHTS = RNG.uniform(0, 2, N).astype("float32")
TWO_X = [RNG.normal(size=(N, 5)).astype("float32"), RNG.normal(size=(N, 3)).astype("float32")]
TWO_Y = [RNG.integers(0, 2, (N, 1)).astype("float32"), RNG.normal(size=(N, 2)).astype("float32")]
FACTORS = {0: 0.5, 1: 2.0, 3: 0.25}


def batches(*parts, size=8, wrap=tuple):
    """One pass; a last batch that is short."""
    for start in range(0, N, size):
        yield wrap(cut(part, slice(start, start + size)) for part in parts)


def cut(part, rows):
    if isinstance(part, dict):
        return {key: cut(one, rows) for key, one in part.items()}
    return type(part)(cut(one, rows) for one in part) if isinstance(part, (list, tuple)) else part[rows]


def endless(*parts, size=8):
    while True:
        yield from batches(*parts, size=size)


def dataset(k, *parts, size=8, order=None, end=True, **options):
    class Batches(k.utils.PyDataset):
        def __len__(self):
            return -(-N // size)

        def __getitem__(self, index):
            index = index if order is None else order[index]
            return tuple(cut(part, slice(index * size, (index + 1) * size)) for part in parts)

    class Endless(Batches):
        num_batches = None

        def __getitem__(self, index):
            return super().__getitem__(index % 4)

    return (Batches if end else Endless)(**options)


def loader(*parts, **options):
    data = pytest.importorskip("torch.utils.data")
    import torch

    return data.DataLoader(data.TensorDataset(*map(torch.from_numpy, parts)), **{"batch_size": 8, **options})


SPARSE = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}
CATEGORICAL = {"loss": "categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": ["mse"]}
TWO = {"loss": ["binary_crossentropy", "mse"], "metrics": [["accuracy"], ["mae"]]}
CLASSES, BRANCHED = mlp(4, "softmax"), branched

# name: (model, arguments of compile, what gives the arguments of fit)
CASES = {
    "endless generator": (CLASSES, SPARSE, lambda k: {"x": endless(X, LABELS), "steps_per_epoch": 4}),
    "an epoch goes on": (CLASSES, SPARSE, lambda k: {"x": endless(X, LABELS), "steps_per_epoch": 3}),
    "generator of weights": (CLASSES, SPARSE, lambda k: {"x": endless(X, LABELS, WEIGHTS), "steps_per_epoch": 4}),
    "one pass": (CLASSES, SPARSE, lambda k: {"x": batches(X, LABELS), "epochs": 1}),
    "one pass, cut short": (CLASSES, SPARSE, lambda k: {"x": batches(X, LABELS), "steps_per_epoch": 2, "epochs": 2}),
    "generator of float64": (
        CLASSES, SPARSE, lambda k: {"x": endless(X.astype("float64"), LABELS.astype("uint8")), "steps_per_epoch": 4},
    ),
    "generator of lists": (BRANCHED, TWO, lambda k: {"x": endless(tuple(TWO_X), tuple(TWO_Y)), "steps_per_epoch": 4}),
    "generator by name": (
        BRANCHED, {"loss": {"main": "binary_crossentropy", "side": "mse"}, "loss_weights": {"main": 1.0, "side": 0.3}},
        lambda k: {
            "x": endless({"first": TWO_X[0], "second": TWO_X[1]}, {"main": TWO_Y[0], "side": TWO_Y[1]}),
            "steps_per_epoch": 4,
        },
    ),
    "validation by a generator": (
        CLASSES, SPARSE,
        # one epoch: in each later one, Keras begins with the generator's first two batches again
        lambda k: {"x": X, "y": LABELS, "validation_data": endless(X, LABELS), "validation_steps": 4, "epochs": 1},
    ),
    "validation by a dataset": (
        CLASSES, SPARSE, lambda k: {"x": X, "y": LABELS, "validation_data": dataset(k, X, LABELS, WEIGHTS)},
    ),
    "validation steps of arrays": (
        CLASSES, SPARSE,
        lambda k: {
            "x": X, "y": LABELS, "validation_data": (X[:21], LABELS[:21], WEIGHTS[:21]), "validation_batch_size": 7,
            "validation_steps": 3,
        },
    ),
    "validation as a list": (CLASSES, SPARSE, lambda k: {"x": X, "y": LABELS, "validation_data": [X[:9], LABELS[:9]]}),
    "validation in smaller batches": (
        CLASSES, {**SPARSE, "loss": "sparse_categorical_crossentropy"},
        lambda k: {"x": X, "y": LABELS, "validation_data": (X, LABELS), "validation_batch_size": 4},
    ),
    "validation after some epochs": (
        CLASSES, SPARSE, lambda k: {"x": X, "y": LABELS, "validation_data": (X, LABELS), "validation_freq": [1, 3]},
    ),
    "dataset": (CLASSES, SPARSE, lambda k: {"x": dataset(k, X, LABELS)}),
    "dataset with weights": (CLASSES, SPARSE, lambda k: {"x": dataset(k, X, LABELS, WEIGHTS)}),
    "dataset with classes": (
        CLASSES, SPARSE, lambda k: {"x": dataset(k, X, LABELS), "class_weight": FACTORS},
    ),
    "dataset in threads": (
        CLASSES, SPARSE, lambda k: {"x": dataset(k, X, LABELS, workers=3, max_queue_size=2)},
    ),
    "dataset in steps": (CLASSES, SPARSE, lambda k: {"x": dataset(k, X, LABELS), "steps_per_epoch": 2}),
    "endless dataset": (CLASSES, SPARSE, lambda k: {"x": dataset(k, X, LABELS, end=False), "steps_per_epoch": 3}),
    "loader": (CLASSES, SPARSE, lambda k: {"x": loader(X, LABELS)}),
    "loader that drops the rest": (CLASSES, SPARSE, lambda k: {"x": loader(X, LABELS, drop_last=True)}),
    "class weights": (CLASSES, SPARSE, lambda k: {"x": X, "y": LABELS, "class_weight": FACTORS}),
    "class weights, a column": (CLASSES, SPARSE, lambda k: {"x": X, "y": LABELS[:, None], "class_weight": FACTORS}),
    "class weights, one-hot": (CLASSES, CATEGORICAL, lambda k: {"x": X, "y": ONE_HOT, "class_weight": FACTORS}),
    "class weights, binary": (
        mlp(1, "sigmoid"), {"loss": "binary_crossentropy", "metrics": ["acc"]},
        lambda k: {"x": X, "y": (LABELS > 1).astype("float32"), "class_weight": {0: 0.3, 1: 3}},
    ),
    "class weights and a split": (
        CLASSES, SPARSE, lambda k: {"x": X, "y": LABELS, "class_weight": FACTORS, "validation_split": 0.3},
    ),
    "steps of arrays": (CLASSES, SPARSE, lambda k: {"x": X, "y": LABELS, "steps_per_epoch": 5, "batch_size": None}),
    "fewer steps than batches": (CLASSES, SPARSE, lambda k: {"x": X, "y": LABELS, "steps_per_epoch": 2}),
    "more steps than batches": (CLASSES, SPARSE, lambda k: {"x": X, "y": LABELS, "steps_per_epoch": 7}),
    "weights for each output": (
        BRANCHED, TWO, lambda k: {"x": TWO_X, "y": TWO_Y, "sample_weight": [WEIGHTS, WEIGHTS[::-1].copy()]},
    ),
    "weights for each output by name": (
        BRANCHED, {"loss": {"main": "bce", "side": "mse"}, "weighted_metrics": {"side": ["mae"], "main": "accuracy"}},
        lambda k: {
            "x": TWO_X, "y": tuple(TWO_Y), "sample_weight": (WEIGHTS, WEIGHTS[::-1].copy()),
        },
    ),
}  # fmt: skip


def prepared(make, compiled, name):
    theirs, ours = both(make)
    copy_weights(theirs, ours, name)
    for model, k in zip((theirs, ours), libraries(), strict=True):
        model.compile(k.optimizers.SGD(0.1), **compiled)
    return theirs, ours


@pytest.mark.parametrize("name", CASES)
def test_fit(name):
    make, compiled, data = CASES[name]
    theirs, ours = prepared(make, compiled, name)
    options = {"epochs": 3, "shuffle": False, "verbose": 0}
    histories = []
    for model, k in zip((theirs, ours), libraries(), strict=True):
        given = data(k)
        if name == "dataset in threads":  # Keras loses batches when it builds a model from a dataset in threads
            model.test_on_batch(X, LABELS)
        if isinstance(given["x"], (np.ndarray, list)):
            given = {"batch_size": 8, **given}
        histories.append(model.fit(**{**options, **given}))
    expected, found = histories
    assert found.epoch == expected.epoch
    same_logs(found.history, expected.history, 2e-5)
    assert found.params["steps"] == expected.params["steps"]
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        close(one, other, one.path, 2e-5)


def test_a_generator_of_validation_data_goes_on():
    _, k = libraries()
    model = CLASSES(k)
    model.compile(k.optimizers.SGD(0.1), **SPARSE)
    start = model.get_weights()
    steps = model.fit(
        X, LABELS, batch_size=8, epochs=3, shuffle=False, verbose=0, validation_data=endless(X, LABELS),
        validation_steps=4,
    )  # fmt: skip
    model.set_weights(start)
    arrays = model.fit(
        X, LABELS, batch_size=8, epochs=3, shuffle=False, verbose=0, validation_data=(X, LABELS)
    )  # fmt: skip
    same_logs(steps.history, arrays.history)


SOURCES = {
    "endless generator": lambda k: ({"x": endless(X, LABELS, WEIGHTS), "steps": 3}),
    "one pass": lambda k: ({"x": batches(X, LABELS, WEIGHTS)}),
    "dataset": lambda k: ({"x": dataset(k, X, LABELS, WEIGHTS)}),
    "dataset in threads": lambda k: ({"x": dataset(k, X, LABELS, WEIGHTS, workers=2)}),
    "dataset in steps": lambda k: ({"x": dataset(k, X, LABELS, WEIGHTS), "steps": 2}),
    "loader": lambda k: ({"x": loader(X, LABELS, WEIGHTS)}),
    "arrays in steps": lambda k: ({"x": X, "y": LABELS, "sample_weight": WEIGHTS, "steps": 2, "batch_size": 7}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_evaluate_and_predict(name):
    theirs, ours = prepared(CLASSES, SPARSE, name)
    logs, lists, outputs = [], [], []
    for model, k in zip((theirs, ours), libraries(), strict=True):
        logs.append(model.evaluate(**SOURCES[name](k), verbose=0, return_dict=True))
        lists.append(model.evaluate(**SOURCES[name](k), verbose=0))
        given = SOURCES[name](k)
        given = {key: value for key, value in given.items() if key not in ("y", "sample_weight")}
        outputs.append(model.predict(**given, verbose=0))
    same_logs(logs[1], logs[0], 2e-5)
    assert len(lists[1]) == 3  # of the two metrics called "accuracy", Keras lists the first twice
    close(lists[1][:2], lists[0][:2], "evaluate", 2e-5)
    close(outputs[1], outputs[0], "predict", 2e-5)


@pytest.mark.parametrize("y", [LABELS, LABELS[:, None], ONE_HOT], ids=["labels", "a column", "one-hot"])
def test_class_weights_of_single_batches(y):
    compiled = CATEGORICAL if y is ONE_HOT else SPARSE
    theirs, ours = prepared(CLASSES, compiled, "on batch")
    for _ in range(3):
        expected = theirs.train_on_batch(X, y, class_weight=FACTORS, return_dict=True)
        same_logs(ours.train_on_batch(X, y, class_weight=FACTORS, return_dict=True), expected, 2e-5)
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        close(one, other, one.path, 2e-5)


@pytest.mark.parametrize("kind", ["hook", "order"])
def test_what_a_dataset_is_told(kind):
    """on_epoch_end after each epoch (Keras calls it once more, before the first)."""
    for k in libraries():
        told = []

        class Told(k.utils.PyDataset):
            def __len__(self):
                return 2

            def __getitem__(self, index):
                told.append(index)  # noqa: B023
                return X[:4], LABELS[:4]

            def on_epoch_begin(self):
                told.append("begin")  # noqa: B023

            def on_epoch_end(self):
                told.append("end")  # noqa: B023

        model = CLASSES(k)
        model.compile(k.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        model.train_on_batch(X, LABELS)
        model.fit(Told(), epochs=2, verbose=0, shuffle=False)
        epoch = ["begin", 0, 1, "end"]
        calls = [one for one in told if one in ("begin", "end")] if kind == "hook" else told
        wanted = [one for one in epoch * 2 if kind == "order" or one in ("begin", "end")]
        assert calls[-len(wanted) :] == wanted


def test_the_seeded_order_of_a_dataset_is_new_in_every_epoch():
    _, k = libraries()
    seen = []

    class Numbered(k.utils.Sequence):
        def __init__(self):
            """No call of super().__init__()."""

        def __len__(self):
            return 16

        def __getitem__(self, index):
            seen.append(index)
            return X[:2], LABELS[:2]

    model = CLASSES(k)
    model.compile(k.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    rounds = []
    for _ in range(2):
        k.utils.set_random_seed(generator("order").integers(100).item())
        seen.clear()
        model.fit(Numbered(), epochs=2, verbose=0)
        rounds.append(list(seen))
    assert rounds[0] == rounds[1]
    assert rounds[0][:16] != rounds[0][16:] != list(range(16))
    assert sorted(rounds[0][:16]) == sorted(rounds[0][16:]) == list(range(16))
