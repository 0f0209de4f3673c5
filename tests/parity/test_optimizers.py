"""Optimizers against Keras: 20 steps of a small net from equal weights, their variables and configurations."""

import warnings

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, copy_weights, generator, libraries

pytestmark = pytest.mark.oracle

# Keras computes 1 - beta_2 ** t in float32, with 1e-5 of noise at first where beta_2 is 0.999; hence some smaller ones.
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
    "adam amsgrad": lambda k: k.optimizers.Adam(0.05, beta_2=0.9, amsgrad=True),
    "adamw": lambda k: k.optimizers.AdamW(0.02, weight_decay=0.3),
    "adamw default": lambda k: k.optimizers.AdamW(),
    "adamw amsgrad": lambda k: k.optimizers.AdamW(0.02, weight_decay=0.3, amsgrad=True),
    "rmsprop": lambda k: k.optimizers.RMSprop(),
    "rmsprop by name": lambda k: "rmsprop",
    "rmsprop centered": lambda k: k.optimizers.RMSprop(0.01, centered=True),
    "rmsprop momentum": lambda k: k.optimizers.RMSprop(0.01, rho=0.8, momentum=0.7),
    "rmsprop all": lambda k: k.optimizers.RMSprop(0.01, rho=0.5, momentum=0.7, epsilon=1e-3, centered=True),
    "adagrad": lambda k: k.optimizers.Adagrad(),
    "adagrad fast": lambda k: k.optimizers.Adagrad(0.1, initial_accumulator_value=0.5, epsilon=1e-2),
    "adagrad by name": lambda k: "adagrad",
    "adadelta": lambda k: k.optimizers.Adadelta(),
    "adadelta fast": lambda k: k.optimizers.Adadelta(1.0, rho=0.9, epsilon=1e-4),
    "adamax": lambda k: k.optimizers.Adamax(),
    "adamax fast": lambda k: k.optimizers.Adamax(0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-3),
    "nadam": lambda k: k.optimizers.Nadam(),
    "nadam fast": lambda k: k.optimizers.Nadam(0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-3),
    "lion": lambda k: k.optimizers.Lion(),
    "lion fast": lambda k: k.optimizers.Lion(0.02, beta_1=0.5, beta_2=0.8, weight_decay=0.1),
    "ftrl": lambda k: k.optimizers.Ftrl(),
    "ftrl fast": lambda k: k.optimizers.Ftrl(
        0.2,
        -0.4,
        0.3,
        l1_regularization_strength=0.02,
        l2_regularization_strength=0.1,
        l2_shrinkage_regularization_strength=0.05,
        beta=0.2,
    ),
    "lamb": lambda k: k.optimizers.Lamb(),
    "lamb fast": lambda k: k.optimizers.Lamb(0.02, beta_1=0.8, beta_2=0.9, epsilon=1e-3, weight_decay=0.1),
    "adafactor": lambda k: k.optimizers.Adafactor(),
    "adafactor fast": lambda k: k.optimizers.Adafactor(
        0.3, beta_2_decay=-0.5, epsilon_1=1e-4, epsilon_2=0.3, clip_threshold=0.7, relative_step=False
    ),
    "clipnorm": lambda k: k.optimizers.SGD(0.1, clipnorm=0.2),
    "clipnorm with adam": lambda k: k.optimizers.Adam(0.01, clipnorm=0.1),
    "global_clipnorm": lambda k: k.optimizers.SGD(0.1, momentum=0.5, global_clipnorm=0.3),
    "global_clipnorm out of reach": lambda k: k.optimizers.SGD(0.1, global_clipnorm=100.0),
    "clipvalue": lambda k: k.optimizers.RMSprop(0.01, clipvalue=0.02),
    "weight_decay": lambda k: k.optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.05),
    "weight_decay and clipping": lambda k: k.optimizers.Nadam(0.01, weight_decay=0.1, clipnorm=0.1),
    "use_ema": lambda k: k.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8),
    "ema_overwrite_frequency": lambda k: k.optimizers.Adam(
        0.02, beta_2=0.9, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=3
    ),
    "gradient_accumulation_steps": lambda k: k.optimizers.Adam(0.05, gradient_accumulation_steps=3),
    "accumulation, clipping, decay": lambda k: k.optimizers.SGD(
        0.1, momentum=0.5, gradient_accumulation_steps=2, global_clipnorm=0.3, weight_decay=0.1
    ),
    "accumulation and averages": lambda k: k.optimizers.Nadam(
        0.05, gradient_accumulation_steps=4, use_ema=True, ema_momentum=0.6, ema_overwrite_frequency=2
    ),
    "loss_scale_factor": lambda k: k.optimizers.Adagrad(0.1, loss_scale_factor=64.0, clipnorm=0.5),
    "schedule": lambda k: k.optimizers.SGD(k.optimizers.schedules.ExponentialDecay(0.2, 5, 0.5), momentum=0.9),
    "schedule with adam": lambda k: k.optimizers.Adam(k.optimizers.schedules.CosineDecay(0.05, 15, 0.1)),
    "schedule with decay": lambda k: k.optimizers.AdamW(
        k.optimizers.schedules.PiecewiseConstantDecay([3, 11], [0.03, 0.01, 0.02]), beta_2=0.9, weight_decay=0.5
    ),
    "schedule and accumulation": lambda k: k.optimizers.RMSprop(
        k.optimizers.schedules.InverseTimeDecay(0.1, 4, 0.5), gradient_accumulation_steps=3
    ),
    "a function": lambda k: k.optimizers.Adam(rate_now),
}


def rate_now():
    return 0.02


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
    same_config(ours.get_config(), theirs.get_config())
    own = {"rate_now": rate_now}
    there = keras.saving.deserialize_keras_object(minidl.optimizers.serialize(ours), custom_objects=own)
    back = minidl.optimizers.deserialize(keras.optimizers.serialize(theirs), custom_objects=own)
    same_config(there.get_config(), theirs.get_config())
    assert type(back) is type(ours)
    same_config(back.get_config(), ours.get_config())


def same_config(one, other):
    """Equal keys and values; a schedule is a configuration inside, and of a function the name counts."""
    assert one.keys() == other.keys()
    for key, value in other.items():
        if isinstance(value, dict) and "registered_name" in value:
            assert one[key]["class_name"] == value["class_name"]
            assert one[key]["config"] == value["config"] or value["class_name"] == "function"
        else:
            assert one[key] == pytest.approx(value), key


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


def test_averages_when_fit_ends_and_in_files(tmp_path):
    """(Keras on JAX cannot go on training then: weights and averages share their memory there.)"""
    theirs, ours = both(small_net)
    copy_weights(theirs, ours)
    rng = generator("averages")
    x, y = rng.normal(size=(24, 4)).astype("float32"), rng.normal(size=(24, 3)).astype("float32")
    for model, k in zip((theirs, ours), libraries(), strict=True):
        model.compile(k.optimizers.RMSprop(0.01, momentum=0.5, use_ema=True, ema_momentum=0.9), "mse")
        model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0)
    for mine, reference in zip(ours.weights, theirs.weights, strict=True):
        close(mine, reference, mine.path)
    theirs.save(tmp_path / "theirs.keras")
    again = minidl.saving.load_model(tmp_path / "theirs.keras")
    for mine, opened, reference in zip(
        ours.optimizer.variables, again.optimizer.variables, theirs.optimizer.variables, strict=True
    ):
        close(mine, reference, mine.name, 3e-5)
        close(opened, reference, opened.name, 0.0)


def test_gradients_that_are_missing():
    """A weight without a gradient stays as it is: no momentum, no decay; its average is taken all the same."""
    starts = np.array([1.0, -2.0], "float32"), np.array([[0.5]], "float32"), np.array(3.0, "float32")
    theirs, ours = both(
        lambda k: k.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.1, use_ema=True, gradient_accumulation_steps=2)
    )
    keras, _ = libraries()
    there, here = [keras.Variable(a) for a in starts], [minidl.Variable(a) for a in starts]
    rng = generator("missing")
    for step in range(6):
        gradients = [rng.normal(size=a.shape).astype("float32") for a in starts]
        if step >= 4:
            gradients[1] = None
        for optimizer, variables in ((theirs, there), (ours, here)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                optimizer.apply(gradients, variables)
    for mine, reference in zip([*here, *ours.variables], [*there, *theirs.variables], strict=True):
        close(mine, reference, mine.name)


def test_weights_that_do_not_decay():
    theirs, ours = both(small_net)
    copy_weights(theirs, ours)
    rng = generator("excluded")
    x, y = rng.normal(size=(8, 4)).astype("float32"), rng.normal(size=(8, 3)).astype("float32")
    for model, k in zip((theirs, ours), libraries(), strict=True):
        optimizer = k.optimizers.AdamW(0.01, weight_decay=2.0)
        optimizer.exclude_from_weight_decay(var_list=[model.layers[0].kernel], var_names=["bias"])
        model.compile(optimizer, "mse")
        for _ in range(5):
            model.train_on_batch(x, y)
    for mine, reference in zip(ours.weights, theirs.weights, strict=True):
        close(mine, reference, mine.path)
