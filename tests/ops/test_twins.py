"""Every fused op against its composed twin: values, gradients, and gradients of gradients."""

import numpy as np
import pytest

from minidl import ops
from minidl.engine import Tensor, grad
from tests.ops.cases import CASES, TWINS
from tests.ops.checker import differentiated, flat


def test_the_fused_ops_are_known():
    fused = {
        "batch_norm",
        "batch_norm_relu",
        "bias_relu",
        "conv_bias",
        "dense",
        "probability_cross_entropy",
        "softmax_cross_entropy",
    }
    assert set(TWINS.values()) == fused


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-11), ("float32", 2e-4)])
@pytest.mark.parametrize("composed, fused", TWINS.items())
def test_twins_are_equal(composed, fused, dtype, tolerance):
    for case in CASES[fused]:
        names = differentiated(case)
        found = []
        for name in (composed, fused):
            xs = [Tensor(case.arguments[n].astype(dtype), requires_grad=True) for n in names]
            y = flat(getattr(ops, name)(**{**case.arguments, **dict(zip(names, xs, strict=True))}))[0]
            rng = np.random.default_rng(5)
            upstream = Tensor(rng.normal(size=y.shape).astype(dtype), requires_grad=True)
            first = grad(y, xs, upstream=upstream, create_graph=True)
            dot = sum(ops.sum(g * rng.normal(size=g.shape).astype(dtype)) for g in first)
            second = grad(dot, [*xs, upstream])
            found.append([y, *first, *(Tensor(np.zeros(1)) if g is None else g for g in second)])
        for a, b in zip(*found, strict=True):
            size = max(1.0, np.abs(a.numpy()).max(initial=0))
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=tolerance, atol=tolerance * size)
