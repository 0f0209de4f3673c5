"""``ops.numpy``, ``ops.nn`` and ``ops.linalg``: the same functions under the names that imports of Keras use."""

import numpy as np
import pytest

from minidl import ops
from minidl.ops import linalg, nn
from minidl.ops import numpy as knp

ROOT3 = 3**0.5


@pytest.mark.parametrize("module", [knp, nn, linalg])
def test_names_are_those_of_ops(module):
    assert module.__all__ and [name for name in module.__all__ if getattr(module, name) is not getattr(ops, name)] == []


def test_values():
    assert nn.relu(np.array([-1.0, 2.0])).tolist() == [0, 2]
    assert linalg.det(np.array([[2.0, 1.0], [1.0, 2.0]])) == pytest.approx(3)
    assert knp.sum(np.arange(4)) == 6
    assert linalg.norm(np.ones(3)) == pytest.approx(ROOT3)
