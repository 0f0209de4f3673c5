"""Reductions over several axes, given as a tuple or as a list."""

import numpy as np
import pytest

from minidl import GradientTape, Variable, ops

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "var", "std", "logsumexp", "count_nonzero"])
def test_a_list_of_axes(name):
    of_a_list, of_a_tuple = getattr(ops, name)(X, axis=[0, 2]), getattr(ops, name)(X, axis=(0, 2))
    assert np.shape(of_a_list) == (3,)
    np.testing.assert_array_equal(of_a_list, of_a_tuple)


def test_truths_over_a_list_of_axes():
    np.testing.assert_array_equal(ops.all(X > -9, axis=[1, 2]), [True, True])
    np.testing.assert_array_equal(ops.any(X > 9, axis=[1, 2]), [False, False])


def test_the_gradient_over_a_list_of_axes():
    x = Variable(X)
    with GradientTape() as tape:
        norm = ops.sum(ops.sqrt(ops.sum(ops.square(x), axis=[1, 2])))
    expected = X / np.sqrt((X**2).sum((1, 2), keepdims=True))
    np.testing.assert_allclose(tape.gradient(norm, x).numpy(), expected, rtol=1e-5)
