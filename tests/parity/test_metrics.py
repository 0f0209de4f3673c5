"""Metrics against Keras: over several batches, with sample weights, by class and by name."""

import numpy as np
import pytest

import minidl
from minidl.metrics import accuracy_for
from tests.parity.oracle import both, close, drawn, generator, libraries

pytestmark = pytest.mark.oracle

# name: (class, arguments, kind of targets, kind of predictions)
CASES = {
    "accuracy": ("Accuracy", {}, ("labels", (6,)), ("labels", (6,))),
    "accuracy (n, 1)": ("Accuracy", {}, ("labels", (6, 1)), ("labels", (6,))),
    "accuracy of rows": ("Accuracy", {}, ("bits", (6, 3)), ("bits", (6, 3))),
    "binary": ("BinaryAccuracy", {}, ("bits", (6, 3)), ("unit", (6, 3))),
    "binary (n,) and (n, 1)": ("BinaryAccuracy", {}, ("bits", (6,)), ("unit", (6, 1))),
    "binary (n, 1) and (n,)": ("BinaryAccuracy", {}, ("bits", (6, 1)), ("unit", (6,))),
    "binary (n,)": ("BinaryAccuracy", {}, ("bits", (6,)), ("unit", (6,))),
    "binary threshold": ("BinaryAccuracy", {"threshold": 0.3}, ("bits", (6, 3)), ("corners", (6, 3))),
    "binary sequences": ("BinaryAccuracy", {}, ("bits", (6, 4, 3)), ("unit", (6, 4, 3))),
    "categorical": ("CategoricalAccuracy", {}, ("one hot", (6, 3)), ("rows", (6, 3))),
    "categorical sequences": ("CategoricalAccuracy", {}, ("one hot", (6, 4, 3)), ("rows", (6, 4, 3))),
    "sparse": ("SparseCategoricalAccuracy", {}, ("labels", (6,)), ("rows", (6, 5))),
    "sparse (n, 1)": ("SparseCategoricalAccuracy", {}, ("labels", (6, 1)), ("rows", (6, 5))),
    "sparse sequences": ("SparseCategoricalAccuracy", {}, ("labels", (6, 4)), ("rows", (6, 4, 5))),
    "mse": ("MeanSquaredError", {}, ("real", (6, 3)), ("real", (6, 3))),
    "mse (n,) and (n, 1)": ("MeanSquaredError", {}, ("real", (6,)), ("real", (6, 1))),
    "mae": ("MeanAbsoluteError", {}, ("real", (6, 3)), ("real", (6, 3))),
    "mae sequences": ("MeanAbsoluteError", {}, ("real", (6, 4, 3)), ("real", (6, 4, 3))),
}
WEIGHTS = {"none": None, "(n,)": (6,), "(n, 1)": (6, 1)}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", CASES)
def test_three_batches(name, weights):
    cls, settings, targets, predictions = CASES[name]
    theirs, ours = both(lambda k: getattr(k.metrics, cls)(**settings))
    assert ours.name == theirs.name
    rng = generator(name)
    for _ in range(3):
        y_true, y_pred = drawn(*targets, rng), drawn(*predictions, rng)
        weight = None if WEIGHTS[weights] is None else rng.uniform(0, 2, WEIGHTS[weights]).astype("float32")
        if weights == "(n, 1)" and "sequences" in name:
            weight = weight[:, 0]
        theirs.update_state(y_true, y_pred, sample_weight=weight)
        ours.update_state(y_true, y_pred, sample_weight=weight)
        close(ours.result(), theirs.result(), "result so far")
    ours.reset_state(), theirs.reset_state()
    assert float(ours.result()) == float(theirs.result()) == 0.0


@pytest.mark.parametrize("cls", ["Mean", "Sum"])
@pytest.mark.parametrize("shape, weight", [((), ()), ((6,), (6,)), ((6, 3), (6,)), ((6, 3), (6, 3)), ((6,), None)])
def test_mean_and_sum(cls, shape, weight):
    theirs, ours = both(lambda k: getattr(k.metrics, cls)())
    rng = generator(cls)
    for _ in range(3):
        values = rng.normal(size=shape).astype("float32")
        weights = None if weight is None else np.asarray(rng.uniform(0, 2, weight), "float32")
        theirs.update_state(values, sample_weight=weights)
        ours.update_state(values, sample_weight=weights)
        close(ours.result(), theirs.result(), "result so far")


@pytest.mark.parametrize("cls", sorted({case[0] for case in CASES.values()} | {"Mean", "Sum"}))
def test_names_and_configurations(cls):
    keras, _ = libraries()
    theirs, ours = both(lambda k: getattr(k.metrics, cls)())
    back = minidl.metrics.deserialize(keras.metrics.serialize(theirs))
    there = keras.metrics.deserialize(minidl.metrics.serialize(ours))
    assert type(back) is type(ours) and back.name == ours.name == theirs.name
    assert there.get_config() == theirs.get_config()


@pytest.mark.parametrize("alias", [
    "mse", "MSE", "mean_squared_error", "mae", "MAE", "mean_absolute_error", "binary_accuracy", "categorical_accuracy",
    "sparse_categorical_accuracy", "MeanSquaredError", "BinaryAccuracy", "accuracy", "Accuracy",
])  # fmt: skip
def test_aliases(alias):
    keras, _ = libraries()
    theirs, ours = keras.metrics.get(alias), minidl.metrics.get(alias)
    assert type(ours).__name__ in (type(theirs).__name__, "MeanMetricWrapper")


@pytest.mark.parametrize("target, output", [
    ((6,), (6, 1)), ((6, 1), (6, 1)), ((6,), (6, 5)), ((6, 1), (6, 5)), ((6, 5), (6, 5)), ((6, 4), (6, 4, 5)),
    ((6, 4, 1), (6, 4, 5)), ((6, 4, 5), (6, 4, 5)),
])  # fmt: skip
def test_accuracy_is_resolved_as_in_keras(target, output):
    libraries()
    from keras.src.trainers.compile_utils import get_metric

    theirs = get_metric("accuracy", np.zeros(target), np.zeros(output))
    assert accuracy_for(target, output).__name__ == type(theirs).__name__
