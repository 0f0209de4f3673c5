"""Every loss against Keras: values, reductions, sample weights, and gradients through predictions."""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, drawn, generator, libraries

pytestmark = pytest.mark.oracle

# name: (class, arguments, kind of targets, kind of predictions)
CASES = {
    "mse": ("MeanSquaredError", {}, ("real", (6, 3)), ("real", (6, 3))),
    "mse sequences": ("MeanSquaredError", {}, ("real", (6, 4, 3)), ("real", (6, 4, 3))),
    "mse (n,) and (n, 1)": ("MeanSquaredError", {}, ("real", (6,)), ("real", (6, 1))),
    "mse (n, 1) and (n,)": ("MeanSquaredError", {}, ("real", (6, 1)), ("real", (6,))),
    "mse (n, t) and (n, t, 1)": ("MeanSquaredError", {}, ("real", (6, 4)), ("real", (6, 4, 1))),
    "mae": ("MeanAbsoluteError", {}, ("real", (6, 3)), ("real", (6, 3))),
    "mae (n,) and (n, 1)": ("MeanAbsoluteError", {}, ("real", (6,)), ("real", (6, 1))),
    "binary": ("BinaryCrossentropy", {}, ("bits", (6, 3)), ("unit", (6, 3))),
    "binary (n,) and (n, 1)": ("BinaryCrossentropy", {}, ("bits", (6,)), ("unit", (6, 1))),
    "binary at the limits": ("BinaryCrossentropy", {}, ("bits", (6, 3)), ("corners", (6, 3))),
    "binary logits": ("BinaryCrossentropy", {"from_logits": True}, ("bits", (6, 3)), ("large", (6, 3))),
    "binary smoothing": ("BinaryCrossentropy", {"label_smoothing": 0.2}, ("bits", (6, 3)), ("unit", (6, 3))),
    "binary smoothing logits": (
        "BinaryCrossentropy", {"label_smoothing": 0.2, "from_logits": True}, ("bits", (6, 3)), ("real", (6, 3)),
    ),
    "categorical": ("CategoricalCrossentropy", {}, ("one hot", (6, 5)), ("rows", (6, 5))),
    "categorical soft": ("CategoricalCrossentropy", {}, ("rows", (6, 5)), ("rows", (6, 5))),
    "categorical not normalised": ("CategoricalCrossentropy", {}, ("one hot", (6, 5)), ("unit", (6, 5))),
    "categorical at the limits": ("CategoricalCrossentropy", {}, ("one hot", (6, 5)), ("one hot", (6, 5))),
    "categorical logits": ("CategoricalCrossentropy", {"from_logits": True}, ("one hot", (6, 5)), ("large", (6, 5))),
    "categorical smoothing": (
        "CategoricalCrossentropy", {"label_smoothing": 0.1}, ("one hot", (6, 5)), ("rows", (6, 5)),
    ),
    "categorical smoothing logits": (
        "CategoricalCrossentropy", {"label_smoothing": 0.1, "from_logits": True}, ("one hot", (6, 5)), ("real", (6, 5)),
    ),
    "categorical sequences": ("CategoricalCrossentropy", {}, ("one hot", (6, 4, 5)), ("rows", (6, 4, 5))),
    "categorical axis": ("CategoricalCrossentropy", {"axis": 1}, ("one hot", (6, 4, 5)), ("unit", (6, 4, 5))),
    "sparse": ("SparseCategoricalCrossentropy", {}, ("labels", (6,)), ("rows", (6, 5))),
    "sparse (n, 1)": ("SparseCategoricalCrossentropy", {}, ("labels", (6, 1)), ("rows", (6, 5))),
    "sparse not normalised": ("SparseCategoricalCrossentropy", {}, ("labels", (6,)), ("unit", (6, 5))),
    "sparse logits": ("SparseCategoricalCrossentropy", {"from_logits": True}, ("labels", (6,)), ("large", (6, 5))),
    "sparse sequences": ("SparseCategoricalCrossentropy", {}, ("labels", (6, 4)), ("rows", (6, 4, 5))),
    "sparse sequences logits": (
        "SparseCategoricalCrossentropy", {"from_logits": True}, ("labels", (6, 4)), ("real", (6, 4, 5)),
    ),
    "sparse ignore": ("SparseCategoricalCrossentropy", {"ignore_class": 2}, ("labels", (6,)), ("rows", (6, 5))),
    "sparse ignore -1": (
        "SparseCategoricalCrossentropy", {"ignore_class": -1}, ("labels from -1", (6,)), ("rows", (6, 5)),
    ),
    "sparse ignore sequences": (
        "SparseCategoricalCrossentropy", {"ignore_class": 2}, ("labels", (6, 4)), ("rows", (6, 4, 5)),
    ),
    "sparse ignore logits": (
        "SparseCategoricalCrossentropy", {"ignore_class": 2, "from_logits": True}, ("labels", (6,)), ("real", (6, 5)),
    ),
}  # fmt: skip
FUNCTIONS = {
    "MeanSquaredError": "mean_squared_error",
    "MeanAbsoluteError": "mean_absolute_error",
    "BinaryCrossentropy": "binary_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
}
REDUCTIONS = ["sum_over_batch_size", "mean_with_sample_weight", "mean", "sum", "none", None]


def data(name):
    _, _, targets, predictions = CASES[name]
    rng = generator(name)
    return drawn(*targets, rng), drawn(*predictions, rng)


def compare(name, weight, reduction):
    """Value and gradient of one case."""
    import jax

    cls, settings, _, _ = CASES[name]
    theirs, ours = both(lambda k: getattr(k.losses, cls)(reduction=reduction, **settings))
    y_true, y_pred = data(name)
    value, pull = jax.vjp(lambda p: theirs(y_true, p, sample_weight=weight), y_pred)
    upstream = generator(name).normal(size=value.shape).astype("float32")
    prediction = minidl.Tensor(y_pred, requires_grad=True)
    our_value = ours(y_true, prediction, sample_weight=weight)
    close(our_value, value, "loss")
    close(minidl.grad(our_value, prediction, upstream), pull(upstream)[0], "gradient")


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name):
    compare(name, None, "sum_over_batch_size")


WEIGHTED = ["mse", "mse (n,) and (n, 1)", "binary", "categorical", "sparse", "sparse (n, 1)", "sparse ignore"]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", WEIGHTED)
def test_reductions_of_weighted_losses(name, reduction):
    compare(name, np.array([0.5, 2, 0, 1, 1.5, 3], "float32"), reduction)


@pytest.mark.parametrize("name", ["mse sequences", "sparse sequences", "sparse ignore sequences"])
def test_weights_for_every_step_of_a_sequence(name):
    compare(name, generator("steps").uniform(0, 2, (6, 4)).astype("float32"), "sum_over_batch_size")


@pytest.mark.parametrize("reduction", ["mean_with_sample_weight", "sum", None])
def test_weights_of_shape_n_1(reduction):
    weight = np.array([[0.5], [2], [0], [1], [1.5], [3]], "float32")
    cls, settings, _, _ = CASES["categorical"]
    theirs, ours = both(lambda k: getattr(k.losses, cls)(reduction=reduction, **settings))
    y_true, y_pred = data("categorical")
    ours, theirs = ours(y_true, y_pred, weight), theirs(y_true, y_pred, weight)
    close(ours, np.reshape(theirs, ours.shape), "loss")  # unreduced, Keras' are (n, 1)


# Keras' function refuses (n,) beside (n, 1), which its class accepts.
@pytest.mark.parametrize("name", [name for name in CASES if name != "binary (n,) and (n, 1)"])
def test_functions(name):
    cls, settings, _, _ = CASES[name]
    keras, _ = libraries()
    y_true, y_pred = data(name)
    theirs = getattr(keras.losses, FUNCTIONS[cls])(y_true, y_pred, **settings)
    close(getattr(minidl.losses, FUNCTIONS[cls])(y_true, y_pred, **settings), theirs, "loss of each sample")


@pytest.mark.parametrize("cls", FUNCTIONS)
def test_names_and_configurations(cls):
    theirs, ours = both(lambda k: getattr(k.losses, cls)())
    assert ours.name == theirs.name and ours.reduction == theirs.reduction
    assert ours.get_config() == theirs.get_config()
    keras, _ = libraries()
    assert keras.losses.deserialize(minidl.losses.serialize(ours)).get_config() == theirs.get_config()
    assert minidl.losses.deserialize(keras.losses.serialize(theirs)).get_config() == ours.get_config()
    for alias in (cls, FUNCTIONS[cls]):
        y_true, y_pred = data(next(name for name, case in CASES.items() if case[0] == cls))
        close(minidl.losses.get(alias)(y_true, y_pred), keras.losses.get(alias)(y_true, y_pred), alias)


@pytest.mark.parametrize("alias", ["mse", "MSE", "mae", "MAE"])
def test_short_names(alias):
    keras, _ = libraries()
    y_true, y_pred = data("mse")
    close(minidl.losses.get(alias)(y_true, y_pred), keras.losses.get(alias)(y_true, y_pred), alias)
