"""``minidl.random``: what is drawn has the moments that mathematics gives the distribution, and a seed repeats it."""

import numpy as np
import pytest

from minidl import random

N = 40_000

# (draw, mean, variance): of N numbers, so the mean is off by a few sqrt(variance / N).
DISTRIBUTIONS = {
    "uniform": (lambda seed: random.uniform((N,), 1.0, 4.0, seed=seed), 2.5, 9 / 12),
    "normal": (lambda seed: random.normal((N,), 3.0, 2.0, seed=seed), 3.0, 4.0),
    # Cut off at two sigma: the variance is 1 - 4 phi(2) / (2 Phi(2) - 1).
    "truncated_normal": (lambda seed: random.truncated_normal((N,), seed=seed), 0.0, 0.7737413),
    "randint": (lambda seed: random.randint((N,), 2, 7, seed=seed), 4.0, 2.0),
    "gamma": (lambda seed: random.gamma((N,), 3.0, seed=seed), 3.0, 3.0),
    "gamma below 1": (lambda seed: random.gamma((N,), 0.5, seed=seed), 0.5, 0.5),
    "beta": (lambda seed: random.beta((N,), 2.0, 3.0, seed=seed), 0.4, 6 / (25 * 6)),
    "binomial": (lambda seed: random.binomial((N,), 10, 0.3, seed=seed), 3.0, 2.1),
    "categorical": (lambda seed: random.categorical(np.log([[0.2, 0.5, 0.3]]), N, seed=seed), 1.1, 1.7 - 1.1**2),
    "dropout": (lambda seed: random.dropout(np.ones(N, "float32"), 0.25, seed=seed), 1.0, 4 / 3 - 1),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_moments(name):
    draw, mean, variance = DISTRIBUTIONS[name]
    x = np.asarray(draw(7), "float64").ravel()
    assert x.size == N
    assert abs(x.mean() - mean) < 5 * (variance / N) ** 0.5
    assert x.var() == pytest.approx(variance, rel=0.06)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_seed_repeats(name):
    draw = DISTRIBUTIONS[name][0]
    assert np.array_equal(draw(7), draw(7)) and not np.array_equal(draw(7), draw(8))
    stream = random.SeedGenerator(7)
    assert not np.array_equal(draw(stream), draw(stream))


@pytest.mark.oracle
@pytest.mark.parametrize(
    "name, arguments",
    [
        ("beta", ((2, 3), 2.0, 3.0)), ("gamma", ((2, 3), np.ones((1, 3)))), ("binomial", ((4,), 5, 0.5)),
        ("categorical", (np.zeros((2, 5), "float32"), 7)), ("uniform", ((2, 3),)), ("normal", ((3,),)),
        ("truncated_normal", ((3, 1),)), ("randint", ((3,), 0, 9)), ("shuffle", (np.arange(5),)),
    ],
)  # fmt: skip
def test_shapes_and_dtypes_are_those_of_keras(keras, name, arguments):
    ours, theirs = getattr(random, name)(*arguments, seed=1), getattr(keras.random, name)(*arguments, seed=1)
    assert (ours.shape, str(ours.dtype).replace("64", "32")) == (theirs.shape, str(theirs.dtype))


def test_parameters_broadcast():
    x = random.gamma((N, 2), np.array([1.0, 9.0]), seed=1).numpy()
    assert x.mean(0) == pytest.approx([1, 9], rel=0.05)
    x = random.categorical(np.array([[0.0, 50.0], [50.0, 0.0]]), 4, seed=1).numpy()
    assert x.tolist() == [[1] * 4, [0] * 4] and x.dtype == np.int32


def test_shuffle_keeps_the_entries():
    x = random.shuffle(np.arange(10), seed=3).numpy()
    assert sorted(x.tolist()) == list(range(10)) and x.tolist() != list(range(10))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: random.gamma((2,), 0.0), "alpha must be positive"),
        (lambda: random.beta((2,), 1.0, -1.0), "beta must be positive"),
        (lambda: random.binomial((2,), -1, 0.5), "counts must be at least 0"),
        (lambda: random.binomial((2,), 3, 1.5), "probabilities must be at most 1"),
        (lambda: random.categorical(np.zeros(3), 2), "two axes"),
        (lambda: random.normal((2,), seed=-1), "seed must be"),
    ],
)
def test_wrong_parameters(call, message):
    with pytest.raises(ValueError, match=message):
        call()
