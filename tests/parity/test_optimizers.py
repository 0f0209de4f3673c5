"""Optimizers against Keras: 20 steps of a small net from equal weights, their variables and configurations."""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, copy_weights, generator, libraries

pytestmark = pytest.mark.oracle

CASES = {
    "sgd": lambda k: k.optimizers.SGD(),
    "sgd fast": lambda k: k.optimizers.SGD(learning_rate=0.1),
    "sgd momentum": lambda k: k.optimizers.SGD(0.03, momentum=0.9),
    "sgd nesterov": lambda k: k.optimizers.SGD(0.03, momentum=0.9, nesterov=True),
    "sgd nesterov without momentum": lambda k: k.optimizers.SGD(0.03, nesterov=True),
    "sgd momentum 1": lambda k: k.optimizers.SGD(0.01, momentum=1.0),
    "sgd by name": lambda k: "sgd",
    "adam": lambda k: k.optimizers.Adam(),
    "adam fast": lambda k: k.optimizers.Adam(learning_rate=0.05),
    "adam betas": lambda k: k.optimizers.Adam(0.01, beta_1=0.5, beta_2=0.9),
    "adam epsilon": lambda k: k.optimizers.Adam(0.01, epsilon=0.1),
    "adam by name": lambda k: "adam",
    "adam by class name": lambda k: "Adam",
}


def small_net(k):
    layers = [k.layers.Input((4,)), k.layers.Dense(6, activation="tanh"), k.layers.Dense(3)]
    return k.Sequential(layers)


@pytest.mark.parametrize("name", CASES)
def test_twenty_steps(name):
    theirs, ours = both(small_net)
    copy_weights(theirs, ours)
    for model, k in zip((theirs, ours), libraries(), strict=True):
        model.compile(CASES[name](k), "mse")
    rng = generator(name)
    for step in range(20):
        x, y = rng.normal(size=(8, 4)).astype("float32"), rng.normal(size=(8, 3)).astype("float32")
        close(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), f"loss of step {step}", 3e-5)
    for mine, reference in zip(ours.weights, theirs.weights, strict=True):
        close(mine, reference, mine.path)
    for mine, other in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        assert other.name.endswith(mine.name)  # Keras has "sequential_" in front of the weight's name
        close(mine, other, mine.name, 3e-5)


@pytest.mark.parametrize("name", [name for name in CASES if "name" not in name])
def test_configurations(name):
    keras, _ = libraries()
    theirs, ours = both(CASES[name])
    assert ours.name == theirs.name
    libraries()  # the copies are counted like the first
    shared = {key: value for key, value in theirs.get_config().items() if key in ours.get_config()}
    assert ours.get_config() == pytest.approx(shared)
    there = keras.optimizers.deserialize(minidl.optimizers.serialize(ours))
    back = minidl.optimizers.deserialize(keras.optimizers.serialize(theirs))
    assert there.get_config() == pytest.approx(theirs.get_config())
    assert type(back) is type(ours) and back.get_config() == pytest.approx(ours.get_config())


def test_a_learning_rate_changed_in_between():
    """Momentum holds the old learning rate inside: changing it leaves the slots as they are."""
    theirs, ours = both(small_net)
    copy_weights(theirs, ours)
    rng = generator("rates")
    for model, k in zip((theirs, ours), libraries(), strict=True):
        model.compile(k.optimizers.SGD(0.05, momentum=0.9), "mse")
    for rate in (0.05, 0.05, 0.01, 0.01, 0.1):
        x, y = rng.normal(size=(8, 4)).astype("float32"), rng.normal(size=(8, 3)).astype("float32")
        for model in (theirs, ours):
            model.optimizer.learning_rate = rate
            model.train_on_batch(x, y)
    for mine, reference in zip(ours.weights, theirs.weights, strict=True):
        close(mine, reference, mine.path)
    assert float(ours.optimizer.learning_rate) == pytest.approx(0.1)


def test_apply_gradients_and_iterations():
    theirs, ours = both(lambda k: k.optimizers.SGD(0.5))
    start, gradient = np.array([1.0, -2.0], "float32"), np.array([0.5, 3.0], "float32")
    keras, _ = libraries()
    there, here = keras.Variable(start), minidl.Variable(start)
    theirs.apply_gradients([(gradient, there)])
    ours.apply_gradients([(gradient, here)])
    close(here, there, "after one step")
    theirs.apply([gradient])
    ours.apply([gradient])
    close(here, there, "after two steps")
    assert int(ours.iterations) == int(theirs.iterations.value) == 2
