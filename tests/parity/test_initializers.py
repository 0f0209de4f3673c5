"""Initializers against Keras: limits, moments, fans, configurations. The numbers themselves are drawn differently."""

import numpy as np
import pytest

import minidl
from tests.parity.oracle import both, close, libraries

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


CONSTANT = [
    ("Zeros", {}), ("Ones", {}), ("Constant", {"value": 0.25}), ("Identity", {}),
    ("STFT", {"side": "imag", "window": None}), ("STFT", {"scaling": "spectrum", "periodic": True}),
]  # fmt: skip
AXES = {"input_axes": [0, 1], "output_axes": [2]}


@pytest.mark.parametrize("name, settings", [
    *CASES, *CONSTANT, ("Orthogonal", {"gain": 2.0}), ("Orthogonal", {"seed": 5}), ("HeNormal", AXES),
    ("VarianceScaling", {**AXES, "mode": "fan_out"}),
])  # fmt: skip
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
    "Zeros", "HeNormal", "GlorotUniform", "TruncatedNormal", "zero", "one", "identity",
    "IdentityInitializer", "orthogonal", "Orthogonal", "OrthogonalInitializer", "stft", "STFT", "STFTInitializer",
])  # fmt: skip
def test_names(name):
    keras, _ = libraries()
    theirs, ours = keras.initializers.get(name), minidl.initializers.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    for shape in ((4, 6), (3, 2, 4)):
        try:
            expected = theirs(shape)
        except ValueError:  # not for every number of axes
            with pytest.raises(ValueError, match="axes|shape"):
                ours(shape)
            continue
        assert np.asarray(ours(shape)).shape == np.asarray(expected).shape
    known = {key: value for key, value in theirs.get_config().items() if key in ours.get_config()}
    assert ours.get_config() == known


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5), (1, 3)])
@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_identity(shape, gain):
    theirs, ours = both(lambda k: k.initializers.Identity(gain))
    close(ours(shape), theirs(shape), "values")
    assert ours(shape, "float64").dtype == np.float64
    keras, _ = libraries()
    close(keras.initializers.deserialize(minidl.initializers.serialize(ours))(shape), theirs(shape), "values")


@pytest.mark.parametrize("settings", [
    {}, {"side": "imag"}, {"window": None}, {"scaling": "spectrum"}, {"scaling": None, "periodic": True},
    {"window": "hamming", "side": "imag", "periodic": True}, {"window": np.linspace(0.1, 1, 16)},
])  # fmt: skip
def test_stft(settings):
    theirs, ours = both(lambda k: k.initializers.STFT(**settings))
    close(ours((16, 1, 9)), theirs((16, 1, 9)), "values")
    close(ours((16, 3, 33)), theirs((16, 3, 33)), "values")


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (25, 25), (3, 3, 4, 20), (2, 2, 40)])
def test_orthogonal_matrices(shape):
    """The products of rows (or columns) are gain^2 on the diagonal and 0 beside it, here as in Keras."""
    for made in both(lambda k: k.initializers.Orthogonal(gain=1.5, seed=7)):
        matrix = np.asarray(made(shape), "float64").reshape(-1, shape[-1])
        few = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
        np.testing.assert_allclose(few @ few.T, 1.5**2 * np.eye(len(few)), atol=1e-5)


def test_orthogonal_matrices_are_spread_evenly():
    """Each of 2,000 first entries of a 3 x 3 matrix is spread evenly over [-1, 1] (Archimedes), and signs are fair."""
    theirs, ours = both(lambda k: k.initializers.Orthogonal(seed=k.random.SeedGenerator(1)))
    entries = np.array([ours((3, 3)) for _ in range(2000)])
    same_distribution(entries[:, 0, 0], np.linspace(-1, 1, 2000))
    assert abs(np.sign(np.linalg.det(entries)).mean()) < 0.1
    reference = np.array([theirs((3, 3)) for _ in range(200)])
    assert abs(entries[:, 0, 0].std() - reference[:, 0, 0].std()) < 0.15


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_a_seed_generator_gives_new_values(name):
    for made in both(lambda k: getattr(k.initializers, name)(seed=k.random.SeedGenerator(3))):
        assert (np.asarray(made((8, 9))) != np.asarray(made((8, 9)))).any()
    keras, _ = libraries()
    theirs, ours = both(lambda k: getattr(k.initializers, name)(seed=k.random.SeedGenerator(3, name="mine")))
    back = minidl.initializers.deserialize(keras.initializers.serialize(theirs))
    assert back.seed.get_config() == ours.seed.get_config() == theirs.seed.get_config()
    np.testing.assert_array_equal(back((4, 5)), ours((4, 5)))
    assert keras.initializers.deserialize(minidl.initializers.serialize(ours)).seed.name == "mine"


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_fans_of_chosen_axes(mode):
    theirs, ours = both(lambda k: k.initializers.VarianceScaling(2.0, mode, "uniform", seed=1, **AXES))
    same_distribution(ours((40, 5, 300)), theirs((40, 5, 300)))
    assert minidl.initializers.compute_fans((40, 5, 300), (0, 1), (2,)) == (200, 300)


@pytest.mark.parametrize("kind", [np.asarray, lambda x: minidl.ops.convert_to_tensor(x)])
def test_an_array_is_an_initializer(kind):
    values = np.arange(6.0).reshape(2, 3)
    made = minidl.initializers.get(kind(values))
    keras, _ = libraries()
    close(made((2, 3)), keras.initializers.get(values)((2, 3)), "values")
    assert made((2, 3)).dtype == np.float32 and made((2, 3), "float64").dtype == np.float64
    for get in (minidl.initializers.get, keras.initializers.get):
        with pytest.raises(ValueError, match="shape"):
            get(values)((3, 2))


def test_clone():
    for made in both(lambda k: k.initializers.RandomUniform(0.1, 0.2, seed=9)):
        twin = made.clone()
        assert twin is not made and twin.get_config() == made.get_config()
        np.testing.assert_array_equal(np.asarray(twin((3, 3))), np.asarray(made((3, 3))))


WRONG = {
    "seed": lambda k: k.initializers.HeNormal(seed="abc"),
    "side": lambda k: k.initializers.STFT(side="left"),
    "scaling": lambda k: k.initializers.STFT(scaling="loud"),
    "window": lambda k: k.initializers.STFT(window="curtain"),
    "window length": lambda k: k.initializers.STFT(window=np.ones(3))((4, 1, 3)),
    "scale": lambda k: k.initializers.VarianceScaling(scale=0.0),
    "mode": lambda k: k.initializers.VarianceScaling(mode="fan"),
    "distribution": lambda k: k.initializers.VarianceScaling(distribution="gamma"),
    "identity": lambda k: k.initializers.Identity()((2, 2, 2)),
    "orthogonal": lambda k: k.initializers.Orthogonal()((4,)),
    "name": lambda k: k.initializers.get("he_normale"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    for k in libraries():
        with pytest.raises((ValueError, TypeError)) as caught:
            WRONG[name](k)
    assert caught.type is ValueError and 20 < len(str(caught.value)) < 500


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
