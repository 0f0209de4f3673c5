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
    "average_pool_grad", "batch_normalization", "broadcast_to", "getitem", "glu", "repeat", "reshape", "scatter_add",
    "split", "squeeze", "take", "take_along_axis",
}  # fmt: skip


def run(function, case, name, shape):
    x = case.arguments[name]
    symbolic = KerasTensor(shape, x.dtype)
    graph = Function(symbolic, function(**{**case.arguments, name: symbolic}))
    for output, expected in zip(flat(graph([Tensor(x)])), flat(function(**case.arguments)), strict=True):
        np.testing.assert_allclose(output.numpy(), expected, rtol=1e-12, atol=1e-13)
    for output, expected in zip(graph.outputs, flat(function(**case.arguments)), strict=True):
        assert all(a in (None, b) for a, b in zip(output.shape, np.shape(expected), strict=True))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # shapes are found by runs on zeros
def test_symbolic(name):
    for case in CASES[name]:
        function = case.call or (registered[name] if name in registered else getattr(ops, name))
        arrays = [key for key, value in case.arguments.items() if isinstance(value, np.ndarray)]
        if not arrays or case.arguments[arrays[0]].dtype != "float64" or not case.arguments[arrays[0]].ndim:
            continue
        shape = case.arguments[arrays[0]].shape
        run(function, case, arrays[0], shape)
        if len(arrays) == 1 and name not in FIXED:
            run(function, case, arrays[0], (None, *shape[1:]))
