"""Constraints against Keras: values, configurations, names, and weights after steps of training."""

import json

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, copy_weights, generator, libraries

pytestmark = pytest.mark.oracle

CASES = {
    "max": lambda k: k.constraints.MaxNorm(),
    "max of 1": lambda k: k.constraints.MaxNorm(1.0),
    "max along axis 1": lambda k: k.constraints.MaxNorm(max_value=0.7, axis=1),
    "max of filters": lambda k: k.constraints.MaxNorm(1.5, axis=[0, 1, 2]),
    "max by function": lambda k: k.constraints.max_norm(1.0),
    "not negative": lambda k: k.constraints.NonNeg(),
    "unit": lambda k: k.constraints.UnitNorm(),
    "unit of filters": lambda k: k.constraints.UnitNorm(axis=[0, 1, 2]),
    "between": lambda k: k.constraints.MinMaxNorm(),
    "between 1.5 and 2": lambda k: k.constraints.MinMaxNorm(1.5, 2.0),
    "part of the way": lambda k: k.constraints.MinMaxNorm(min_value=1.5, max_value=2.0, rate=0.3, axis=-1),
    **{f"name {name}": lambda k, name=name: k.constraints.get(name) for name in (
        "max_norm", "MaxNorm", "non_neg", "NonNeg", "unit_norm", "UnitNorm", "min_max_norm", "MinMaxNorm", "Constraint",
    )},
}  # fmt: skip


def weights(name):
    shape = (3, 3, 2, 4) if "filters" in name else (7, 5)
    w = generator(name).normal(size=shape).astype("float32")
    w[..., 0] = 0.0  # of length 0
    return w


@pytest.mark.parametrize("name", CASES)
def test_values_and_configurations(name):
    keras, _ = libraries()
    theirs, ours = both(CASES[name])
    w = weights(name)
    if isinstance(getattr(theirs, "axis", None), list):
        theirs.axis = tuple(theirs.axis)  # a list is what JSON makes of it; JAX wants a tuple
    expected = theirs(w)
    close(ours(w), expected, "values")
    close(ours(minidl.Variable(w)), expected, "values")
    assert list(ours.get_config()) == list(theirs.get_config())
    written = json.loads(json.dumps(minidl.constraints.serialize(ours)))
    assert written == json.loads(json.dumps(keras.constraints.serialize(theirs)))
    close(minidl.constraints.deserialize(written)(w), expected, "values")


def dense(k, **settings):
    return k.Sequential([k.layers.Input((7,)), k.layers.Dense(5, **settings), k.layers.Dense(2)])


def pictures(k):
    filters = k.constraints.MaxNorm(0.5, axis=(0, 1, 2))
    conv = k.layers.Conv2D(3, 3, kernel_constraint=filters, bias_constraint="non_neg")
    return k.Sequential([k.layers.Input((6, 6, 2)), conv, k.layers.Flatten(), k.layers.Dense(2)])


def normed(k):
    norm = k.layers.BatchNormalization(gamma_constraint="non_neg", beta_constraint=k.constraints.MaxNorm(0.1))
    return k.Sequential([k.layers.Input((7,)), norm, k.layers.Dense(2)])


MODELS = {
    "max": lambda k: dense(k, kernel_constraint=k.constraints.MaxNorm(1.0)),
    "unit": lambda k: dense(k, kernel_constraint="unit_norm", bias_constraint="non_neg"),
    "not negative": lambda k: dense(k, kernel_constraint=k.constraints.NonNeg()),
    "between": lambda k: dense(k, kernel_constraint=k.constraints.MinMaxNorm(0.5, 1.0, rate=0.5)),
    "a function": lambda k: dense(k, kernel_constraint=lambda w: k.ops.maximum(w, 0.1)),
    "convolution": pictures,
    "batch normalisation": normed,
}


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("name", MODELS)
def test_weights_after_training(name, optimizer):
    theirs, ours = both(MODELS[name])
    copy_weights(theirs, ours, name)
    rng = generator(name)
    x = rng.normal(size=(9, *theirs.input_shape[1:])).astype("float32")
    y = rng.normal(size=(9, 2)).astype("float32")
    for model, k in zip((theirs, ours), libraries(), strict=True):
        model.compile(getattr(k.optimizers, optimizer)(0.01), "mse")
    for _ in range(2):
        close(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), "loss")
    for mine, reference in zip(ours.weights, theirs.weights, strict=True):
        close(mine, reference, mine.path)


def test_a_frozen_weight_is_left_alone():
    for k in libraries():
        model = dense(k, kernel_constraint="unit_norm")
        model.layers[0].trainable = False
        model.compile("sgd", "mse")
        before = np.asarray(model.layers[0].kernel).copy()
        model.train_on_batch(np.ones((4, 7), "float32"), np.ones((4, 2), "float32"))
        np.testing.assert_array_equal(np.asarray(model.layers[0].kernel).copy(), before)


def test_errors():
    with pytest.raises(ValueError, match="unknown constraint 'max_nrom'.*did you mean 'max_norm'"):
        minidl.constraints.get("max_nrom")
    with pytest.raises(TypeError, match="a constraint is a name"):
        minidl.constraints.get(3)
