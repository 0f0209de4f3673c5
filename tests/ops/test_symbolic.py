"""Ops and functions of ``minidl.ops`` on symbolic tensors: the graph, run on data, gives what the direct call gives."""

import numpy as np
import pytest

from minidl import ops
from minidl.engine import Tensor
from minidl.engine.op import registered
from minidl.graph import Function, KerasTensor
from tests.ops.cases import CASES
from tests.ops.checker import flat

# Settings of these cases fix the extent of the first axis.
FIXED = {
    "average_pool_grad", "batch_normalization", "broadcast_to", "getitem", "repeat", "reshape", "scatter_add", "split",
    "squeeze", "take", "take_along_axis", "vsplit", "hsplit", "glu",
}  # fmt: skip

# Shapes are found by runs on zeros, which have no inverse.
REGULAR = {"inv", "solve", "solve_triangular", "logdet", "cholesky", "cholesky_factor"}


def assert_same_with_a_symbolic_input(function, case, name, shape):
    x = case.arguments[name]
    symbolic = KerasTensor(shape, x.dtype)
    graph = Function(symbolic, function(**{**case.arguments, name: symbolic}))
    for output, expected in zip(flat(graph([Tensor(x)])), flat(function(**case.arguments)), strict=True):
        np.testing.assert_allclose(np.asarray(output), expected, rtol=1e-12, atol=1e-13)
    for output, expected in zip(graph.outputs, flat(function(**case.arguments)), strict=True):
        assert all(a in (None, b) for a, b in zip(output.shape, np.shape(expected), strict=True))


@pytest.mark.parametrize("name", [name for name in CASES if name not in REGULAR])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # shapes are found by runs on zeros
def test_symbolic(name):
    for case in CASES[name]:
        function = case.call or (registered[name] if name in registered else getattr(ops, name))
        arrays = [key for key, value in case.arguments.items() if isinstance(value, np.ndarray)]
        if not arrays or case.arguments[arrays[0]].dtype != "float64" or not case.arguments[arrays[0]].ndim:
            continue
        shape = case.arguments[arrays[0]].shape
        assert_same_with_a_symbolic_input(function, case, arrays[0], shape)
        if len(arrays) == 1 and name not in FIXED:
            assert_same_with_a_symbolic_input(function, case, arrays[0], (None, *shape[1:]))
