"""Initializers against Keras: limits, moments, fans, configurations. The numbers themselves are drawn differently."""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, libraries

pytestmark = pytest.mark.oracle

RANDOM = {
    "RandomNormal": {"mean": 0.3, "stddev": 0.2},
    "TruncatedNormal": {"mean": 0.3, "stddev": 0.2},
    "RandomUniform": {"minval": -0.2, "maxval": 0.7},
    "GlorotUniform": {},
    "GlorotNormal": {},
    "HeUniform": {},
    "HeNormal": {},
    "LecunUniform": {},
    "LecunNormal": {},
}
SCALED = [
    {"scale": 2.0, "mode": mode, "distribution": distribution}
    for mode in ("fan_in", "fan_out", "fan_avg")
    for distribution in ("truncated_normal", "untruncated_normal", "uniform")
]
CASES = [(name, settings) for name, settings in RANDOM.items()] + [("VarianceScaling", s) for s in SCALED]
SHAPES = [(700, 300), (5, 3, 100, 200)]


def same_distribution(ours, theirs):
    """Equal means, deviations, quantiles and limits, as far as so many numbers tell them."""
    ours, theirs = np.sort(np.asarray(ours, "float64"), axis=None), np.sort(np.asarray(theirs, "float64"), axis=None)
    n, deviation = ours.size, theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 7 * deviation / np.sqrt(n)
    assert abs(ours.std() / deviation - 1) < 7 / np.sqrt(n)
    # The statistic of Kolmogorov and Smirnov for two samples; above 2.2 once in 8,000 times for equal distributions.
    places = np.linspace(theirs[0], theirs[-1], 1000)
    distance = np.abs(np.searchsorted(ours, places) - np.searchsorted(theirs, places)).max() / n
    assert distance * np.sqrt(n / 2) < 2.2


@pytest.mark.parametrize("shape", SHAPES, ids=["dense", "conv"])
@pytest.mark.parametrize(
    "name, settings", CASES, ids=[f"{n} {' '.join(map(str, s.values()))}".strip() for n, s in CASES]
)
def test_distributions(name, settings, shape):
    theirs, ours = both(lambda k: getattr(k.initializers, name)(**settings, seed=4))
    drawn, reference = np.asarray(ours(shape)), np.asarray(theirs(shape))
    assert drawn.dtype == reference.dtype == np.float32 and drawn.shape == shape
    same_distribution(drawn, reference)
    limited = "uniform" in str(settings).lower() or "Uniform" in name
    if limited or "untruncated" not in str(settings) and name != "RandomNormal":
        # Cut off at the same place: nothing beyond, and something close to it.
        assert abs(drawn.max() - reference.max()) < 0.03 * (reference.max() - reference.min())
        assert abs(drawn.min() - reference.min()) < 0.03 * (reference.max() - reference.min())


@pytest.mark.parametrize("shape", [(4, 6), (3, 3, 4, 6), (5,), (), (2, 4, 6), (1, 1, 1, 1)])
def test_fans(shape):
    libraries()
    from keras.src.initializers.random_initializers import compute_fans

    assert minidl.initializers.compute_fans(shape) == compute_fans(shape)


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_one_object_gives_the_same_values_twice(name):
    for made in both(lambda k: getattr(k.initializers, name)()):
        np.testing.assert_array_equal(np.asarray(made((8, 9))), np.asarray(made((8, 9))))
    one, other = getattr(minidl.initializers, name)(), getattr(minidl.initializers, name)()
    assert (np.asarray(one((8, 9))) != np.asarray(other((8, 9)))).any()
    one, other = getattr(minidl.initializers, name)(seed=3), getattr(minidl.initializers, name)(seed=3)
    np.testing.assert_array_equal(one((8, 9)), other((8, 9)))


@pytest.mark.parametrize("name, settings", [*CASES, ("Zeros", {}), ("Ones", {}), ("Constant", {"value": 0.25})])
def test_configurations(name, settings):
    keras, _ = libraries()
    theirs, ours = both(lambda k: getattr(k.initializers, name)(**settings))
    there = keras.initializers.deserialize(minidl.initializers.serialize(ours))
    back = minidl.initializers.deserialize(keras.initializers.serialize(theirs))
    assert there.get_config() == theirs.get_config()
    assert type(back) is type(ours) and back.get_config() == ours.get_config()


@pytest.mark.parametrize("name", [
    "zeros", "ones", "normal", "random_normal", "uniform", "random_uniform", "truncated_normal",
    "variance_scaling", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
    "Zeros", "HeNormal", "GlorotUniform", "TruncatedNormal",
])  # fmt: skip
def test_names(name):
    keras, _ = libraries()
    theirs, ours = keras.initializers.get(name), minidl.initializers.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    known = {key: value for key, value in theirs.get_config().items() if key in ours.get_config()}
    assert ours.get_config() == known


def test_weights_of_layers_start_as_in_keras():
    """He's normal: deviation sqrt(2 / fan_in); Glorot's uniform within sqrt(6 / (fan_in + fan_out)), the default."""
    for k in libraries():
        dense = k.layers.Dense(300, kernel_initializer="he_normal")
        dense.build((None, 784))
        kernel, bias = (np.asarray(w) for w in dense.weights)
        assert abs(kernel.std() / np.sqrt(2 / 784) - 1) < 0.01 and not bias.any()
        conv = k.layers.Conv2D(64, 3)
        conv.build((None, 32, 32, 16))
        limit = np.sqrt(6 / (9 * 16 + 9 * 64))
        assert 0.99 * limit < np.abs(np.asarray(conv.kernel)).max() <= limit
