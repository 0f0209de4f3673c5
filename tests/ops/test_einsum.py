"""What einsum refuses, and symbolic operands."""

import numpy as np
import pytest

import minidl
from minidl import ops

X = np.ones((2, 3), "float32")


@pytest.mark.parametrize(
    "subscripts, operands, message",
    [
        ("ij,jk->ik", [X], "names 2 operands, but there are 1"),
        ("ij,jk->ik", [X, X], r"'j' .* stands for extents \[2, 3\]"),
        ("ijk->ik", [X], r"'ijk' .* does not fit an operand of shape \(2, 3\)"),
        ("i->i", [X], "does not fit"),
        ("ij->ik", [X], "each letter of the result"),
        ("ij->ii", [X], "each letter of the result"),
        ("i1->i", [X], "something else than letters"),
        ("...->", [X], r"loses the axes behind '...'"),
        ("...,...->...", [X, np.ones((2, 2))], "stands for extents"),
    ],
)
def test_subscripts_that_do_not_fit(subscripts, operands, message):
    with pytest.raises(ValueError, match=message):
        ops.einsum(subscripts, *operands)


def test_other_arguments():
    np.testing.assert_array_equal(ops.einsum("ij,kj->ik", X, X, optimize="greedy"), np.full((2, 2), 3.0))
    with pytest.raises(TypeError, match="unknown arguments: out"):
        ops.einsum("ij->ji", X, out=X)
    with pytest.raises(TypeError, match="subscripts must be a text"):
        ops.einsum(X, X)


def test_symbolic_operands():
    x = minidl.Input((3, 4))
    y = ops.einsum("bij,bkj->bik", x, x)
    assert y.shape == (None, 3, 3)
    values = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    np.testing.assert_allclose(minidl.Model(x, y)(values), values @ values.transpose(0, 2, 1), rtol=1e-5)
