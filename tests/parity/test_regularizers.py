"""Penalties against Keras: values, what joins the loss, what a frozen layer takes away, and one training step."""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, copy_weights, generator, libraries

pytestmark = pytest.mark.oracle

PENALTIES = {
    "l1": lambda k: k.regularizers.L1(0.03),
    "l2": lambda k: k.regularizers.L2(0.02),
    "l1_l2": lambda k: k.regularizers.L1L2(l1=0.01, l2=0.02),
    "l1 alone of both": lambda k: k.regularizers.L1L2(l1=0.01),
    "nothing of both": lambda k: k.regularizers.L1L2(),
    "function l1": lambda k: k.regularizers.l1(0.1),
    "function l2": lambda k: k.regularizers.l2(),
    "function l1_l2": lambda k: k.regularizers.l1_l2(l1=0.1, l2=0.2),
    "name l1": lambda k: k.regularizers.get("l1"),
    "name l2": lambda k: k.regularizers.get("l2"),
    "name L1L2": lambda k: k.regularizers.get("L1L2"),
    "name l1l2": lambda k: k.regularizers.get("l1l2"),
    "l1 of None": lambda k: k.regularizers.L1(None),
    "l2 of None": lambda k: k.regularizers.L2(None),
    "l1_l2 of None": lambda k: k.regularizers.L1L2(l1=None, l2=0.2),
    "orthogonal": lambda k: k.regularizers.OrthogonalRegularizer(),
    "orthogonal columns": lambda k: k.regularizers.OrthogonalRegularizer(factor=0.3, mode="columns"),
    "function orthogonal": lambda k: k.regularizers.orthogonal_regularizer(0.1),
    "name orthogonal": lambda k: k.regularizers.get("orthogonal_regularizer"),
    "name OrthogonalRegularizer": lambda k: k.regularizers.get("OrthogonalRegularizer"),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_values_gradients_and_configurations(name):
    import jax

    keras, _ = libraries()
    theirs, ours = both(PENALTIES[name])
    x = generator(name).normal(size=(3, 4)).astype("float32")
    leaf = minidl.Tensor(x, requires_grad=True)
    penalty = ours(leaf)
    close(penalty, theirs(jax.numpy.asarray(x)), "penalty")
    if name not in ("nothing of both", "name L1L2", "name l1l2"):
        close(minidl.grad(penalty, leaf), jax.grad(lambda a: theirs(a))(x), "gradient")
    assert ours.get_config() == pytest.approx(theirs.get_config())
    assert keras.regularizers.deserialize(minidl.regularizers.serialize(ours)).get_config() == theirs.get_config()
    back = minidl.regularizers.deserialize(keras.regularizers.serialize(theirs))
    assert back.get_config() == pytest.approx(ours.get_config())


WRONG = {
    "negative": lambda k: k.regularizers.L1(-0.1),
    "infinite": lambda k: k.regularizers.L2(float("inf")),
    "not a number": lambda k: k.regularizers.L1L2(l2=float("nan")),
    "text": lambda k: k.regularizers.L2("0.1"),
    "mode": lambda k: k.regularizers.OrthogonalRegularizer(mode="diagonal"),
    "factor": lambda k: k.regularizers.OrthogonalRegularizer(factor=-1.0),
    "vector": lambda k: k.regularizers.OrthogonalRegularizer()(np.ones(3, "float32")),
    "name": lambda k: k.regularizers.get("l3"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    for k in libraries():
        with pytest.raises(ValueError, match=r".{15}"):
            WRONG[name](k)


def dense(**settings):
    return lambda k: k.Sequential([k.layers.Input((7,)), k.layers.Dense(5, **settings), k.layers.Dense(2)])


def pictures(**settings):
    return lambda k: k.Sequential(
        [k.layers.Input((6, 6, 2)), k.layers.Conv2D(3, 3, **settings), k.layers.Flatten(), k.layers.Dense(2)]
    )


def normed(k):
    norm = k.layers.BatchNormalization(gamma_regularizer=k.regularizers.L2(0.1), beta_regularizer="l1")
    return k.Sequential([k.layers.Input((7,)), norm, k.layers.Dense(2)])


def frozen(k):
    model = dense(kernel_regularizer="l2", activity_regularizer="l1")(k)
    model.layers[0].trainable = False
    return model


def frozen_inside(k):
    inner = k.Sequential([k.layers.Input((7,)), k.layers.Dense(4, kernel_regularizer="l2")])
    inner.trainable = False
    return k.Sequential([k.layers.Input((7,)), inner, k.layers.Dense(2, kernel_regularizer="l1")])


def functional_activity(k):
    x = k.layers.Input((7,))
    shared = k.layers.Dense(4, activity_regularizer=k.regularizers.L2(0.1))
    return k.Model(x, k.layers.Dense(2)(k.layers.Add()([shared(x), shared(x)])))


MODELS = {
    "kernel": dense(kernel_regularizer="l2"),
    "kernel l1": dense(kernel_regularizer="l1"),
    "bias": dense(bias_regularizer="l2"),
    "orthogonal kernel": dense(kernel_regularizer="orthogonal_regularizer"),
    "activity": dense(activity_regularizer="l1"),
    "activity l2, after the activation": dense(activity_regularizer="l2", activation="relu"),
    "all three": dense(kernel_regularizer="l1", bias_regularizer="l1", activity_regularizer="l2"),
    "convolution": pictures(kernel_regularizer="l2", bias_regularizer="l2", activity_regularizer="l1"),
    "batch normalisation": normed,
    "frozen": frozen,
    "frozen inside": frozen_inside,
    "shared layer, two calls": functional_activity,
}


# Keras on JAX forgets the penalty of a shared layer's first call in training, though not in a plain call.
@pytest.mark.parametrize("name", [name for name in MODELS if "two calls" not in name])
def test_two_steps_of_training(name):
    """The loss of a batch, the losses of a test batch, and the weights after two steps."""
    theirs, ours = both(MODELS[name])
    copy_weights(theirs, ours, name)
    rng = generator(name)
    x = rng.normal(size=(9, *theirs.input_shape[1:])).astype("float32")
    y = rng.normal(size=(9, 2)).astype("float32")
    for model, k in zip((theirs, ours), libraries(), strict=True):
        model.compile(k.optimizers.SGD(0.05), "mse")
    for _ in range(2):
        close(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), "loss of a training batch")
    close(ours.test_on_batch(x, y), theirs.test_on_batch(x, y), "loss of a test batch")
    for mine, reference in zip(ours.weights, theirs.weights, strict=True):
        close(mine, reference, mine.path)


@pytest.mark.parametrize("name", MODELS)
def test_losses_of_the_model(name):
    theirs, ours = both(MODELS[name])
    copy_weights(theirs, ours, name)
    x = generator(name).normal(size=(9, *theirs.input_shape[1:])).astype("float32")
    theirs(x), ours(x)
    assert len(ours.losses) == len(theirs.losses)
    close(sorted(map(float, ours.losses)), sorted(map(float, theirs.losses)), "losses")
    assert np.isfinite(sum(map(float, ours.losses)))
