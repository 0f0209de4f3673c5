"""The data of a gradient check: single numbers, and what is made of them."""

import numpy as np
import pytest

import minidl
from minidl import ops
from minidl.checking import InputResult, Probe


def test_a_probe_compares_with_its_tolerance():
    near = Probe((0, 1), analytic=2.0, numeric=2.5, low=2.5, high=2.5, noise=1e-9, tolerance=0.5)
    assert near.error == 0.5 and near.ok and not near._replace(tolerance=0.4).ok
    assert not near._replace(analytic=float("nan")).ok
    assert str(near).startswith("at (0, 1): analytic 2, numeric 2.5, noise")
    assert "any of [2, 3] at this kink" in str(near._replace(low=2.0, high=3.0))


def test_the_result_of_an_input():
    report = minidl.gradcheck(lambda x: ops.sum(ops.square(x)), [np.array([3.0, -4.0])])
    (found,) = report.inputs
    assert isinstance(found, InputResult) and isinstance(found.elements[0], Probe)
    assert found.name == "x" and found.shape == (2,) and found.kinks == 0
    assert found.slope == pytest.approx(2) and found.cosine == pytest.approx(1) and found.alpha == pytest.approx(1)
    assert found.elements[1].analytic / found.elements[0].analytic == pytest.approx(-4 / 3)
