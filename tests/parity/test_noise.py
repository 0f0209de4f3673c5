"""Layers of noise against Keras: moments, seeds, nothing at inference, the gradient, configurations and files."""

import numpy as np
import pytest

import minidl
from tests.parity.layer_checks import check_configuration, check_files, check_values
from tests.parity.oracle import both, close, generator, libraries

pytestmark = pytest.mark.oracle

RANDOM = {
    "spatial 1": (lambda k: k.layers.SpatialDropout1D(0.3, seed=1), (200, 20, 30)),
    "spatial 2": (lambda k: k.layers.SpatialDropout2D(0.6, seed=1), (200, 4, 5, 30)),
    "spatial 3": (lambda k: k.layers.SpatialDropout3D(0.5, seed=1), (200, 2, 3, 2, 30)),
    "alpha": (lambda k: k.layers.AlphaDropout(0.3, seed=1), (300, 400)),
    "alpha rows": (lambda k: k.layers.AlphaDropout(0.2, noise_shape=(None, 1, 30), seed=1), (300, 4, 30)),
    "gaussian dropout": (lambda k: k.layers.GaussianDropout(0.3, seed=1), (300, 400)),
    "gaussian dropout more": (lambda k: k.layers.GaussianDropout(0.8, seed=1), (300, 400)),
    "gaussian noise": (lambda k: k.layers.GaussianNoise(0.7, seed=1), (300, 400)),
}
SMALL = {name: (make, (4, *shape[1:])) for name, (make, shape) in RANDOM.items()}
STILL = {
    "no spatial": (lambda k: k.layers.SpatialDropout2D(0), (3, 4, 5, 2)),
    "no alpha": (lambda k: k.layers.AlphaDropout(0.0), (4, 5)),
    "no gaussian dropout": (lambda k: k.layers.GaussianDropout(0), (4, 5)),
    "no noise": (lambda k: k.layers.GaussianNoise(0.0), (4, 5)),
    "activity": (lambda k: k.layers.ActivityRegularization(l1=0.5, l2=0.25), (4, 5)),
}


@pytest.mark.parametrize("name", SMALL)
def test_nothing_happens_at_inference(name):
    check_values(SMALL[name], name, training=False)
    _, ours = both(SMALL[name][0])
    x = np.ones(SMALL[name][1], "float32")
    np.testing.assert_array_equal(ours(x), x)  # a plain call is inference


@pytest.mark.parametrize("name", STILL)
@pytest.mark.parametrize("training", [False, True])
def test_without_noise(name, training):
    check_values(STILL[name], name, training=training)


@pytest.mark.parametrize("name", RANDOM)
def test_moments(name):
    """The first four moments of the outputs for equal inputs lie as near to Keras' as chance allows."""
    make, shape = RANDOM[name]
    theirs, ours = both(make)
    x = np.full(shape, 0.8, "float32")
    y, reference = ours(x, training=True).numpy().astype("float64"), np.asarray(theirs(x, training=True), "float64")
    assert y.dtype == reference.dtype
    draws = {"spatial": shape[0] * shape[-1], "alpha rows": shape[0] * shape[-1]}
    n = draws.get(name, draws.get(name.split()[0], x.size))
    for power in range(1, 5):
        deviation = (reference**power).std() * np.sqrt(2 / n)
        assert abs((y**power).mean() - (reference**power).mean()) < 5 * deviation, power
    if "gaussian" not in name:
        np.testing.assert_allclose(np.unique(y), np.unique(reference), rtol=1e-6)


def test_alpha_dropout_keeps_mean_and_variance():
    _, ours = both(lambda k: k.layers.AlphaDropout(0.4, seed=2))
    y = ours(generator("alpha").normal(size=(500, 800)).astype("float32"), training=True).numpy()
    assert abs(y.mean()) < 0.01 and abs(y.var() - 1) < 0.01


@pytest.mark.parametrize("name, axes", [("spatial 1", (1,)), ("spatial 2", (1, 2)), ("spatial 3", (1, 2, 3))])
def test_whole_channels_are_dropped(name, axes):
    make, shape = RANDOM[name]
    mask = both(make)[1](np.ones(shape, "float32"), training=True).numpy() != 0
    assert (mask == mask.all(axes, keepdims=True)).all()
    assert len(np.unique(mask.reshape(shape[0], -1), axis=0)) > 1  # not the same for all samples


@pytest.mark.parametrize("name", SMALL)
def test_seeds(name):
    make, shape = SMALL[name]
    x = np.ones(shape, "float32")
    first, second = make(minidl), make(minidl)
    drawn = [layer(x, training=True).numpy() for layer in (first, second, first, second)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    np.testing.assert_array_equal(drawn[2], drawn[3])
    assert not np.array_equal(drawn[0], drawn[2])  # new numbers at every call


@pytest.mark.parametrize("name", SMALL)
def test_the_gradient_is_that_of_the_numbers_drawn(name):
    """All are affine in each element for the numbers drawn, so two outputs for one seed give the slope."""
    make, shape = SMALL[name]
    x = generator(name).normal(size=shape)
    values = [make(minidl)(minidl.Tensor((x + step).astype("float32")), training=True).numpy() for step in (-1, 1)]
    leaf = minidl.Tensor(x.astype("float32"), requires_grad=True)
    upstream = generator(name + " upstream").normal(size=shape).astype("float32")
    gradient = minidl.grad(make(minidl)(leaf, training=True), leaf, upstream)
    np.testing.assert_allclose(gradient, (values[1] - values[0]) / 2 * upstream, atol=2e-5)


@pytest.mark.parametrize("name", [*RANDOM, *STILL])
def test_configurations(name):
    check_configuration(*both({**RANDOM, **STILL}[name][0]))


@pytest.mark.parametrize("name", [*SMALL, *STILL])
def test_files(name, tmp_path):
    check_files({**SMALL, **STILL}[name], name, tmp_path)


def test_activity_regularization_joins_the_loss():
    keras, _ = libraries()
    x = generator("activity").normal(size=(6, 3)).astype("float32")
    theirs, ours = both(lambda k: k.layers.ActivityRegularization(l1=0.5, l2=0.25))
    theirs(x), ours(x)
    close(ours.losses[0], theirs.losses[0], "penalty")


@pytest.mark.parametrize("kind", ["AlphaDropout", "GaussianDropout", "SpatialDropout1D", "GaussianNoise"])
@pytest.mark.parametrize("value", [-0.1, "0.5", None])
def test_sizes_that_are_refused(kind, value):
    with pytest.raises(ValueError, match="rate must be|stddev must be"):
        getattr(minidl.layers, kind)(value)


def test_noise_of_any_size():
    y = minidl.layers.GaussianNoise(15.0, seed=3)(np.zeros((200, 300), "float32"), training=True).numpy()
    assert abs(y.std() - 15) < 0.2
