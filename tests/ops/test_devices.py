"""Every case of every op on a device that is not the processor's: the values and gradients that it has with NumPy."""

import numpy as np
import pytest

from minidl.engine import Tensor
from minidl.engine.walk import gradients
from minidl_kernels.arrays import to_numpy
from tests.kernels import strict
from tests.kernels.shim import programs
from tests.ops.cases import CASES
from tests.ops.checker import differentiable, differentiated, flat
from tests.ops.constants import CONSTANT
from tests.ops.test_registry import function_named
from tests.shims import needs_compiler

pytestmark = needs_compiler


@pytest.fixture(autouse=True)
def device(monkeypatch):
    programs()
    return strict.install(monkeypatch)


def on(device, value, live):
    """Arrays as Tensors on a device (None: NumPy's); floats that are ``live`` want gradients."""
    if isinstance(value, list):
        return [on(device, one, live) for one in value]
    if not isinstance(value, np.ndarray):
        return value
    array = value if device is None else strict.ndarray(value.copy(), device)
    return Tensor(array, requires_grad=live and value.dtype.kind == "f")


def outcome(function, case, names, device):
    """The outputs of a call and the gradients of the first ones, with the same upstream gradient everywhere."""
    with strict.Device(device or 0):
        given = {name: on(device, value, name in names) for name, value in case.arguments.items()}
        found = flat(function(**given))
        live = [y for y in differentiable(function, found) if isinstance(y, Tensor) and y.live()]
        leaves = [one for name in names for one in flat(given[name]) if isinstance(one, Tensor)]
        upstreams = [np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype) for y in live]
        return found, gradients(live, upstreams, leaves, False) if live and leaves else []


def agree(function, case, names, device=1):
    with np.errstate(all="ignore"):
        expected = outcome(function, case, names, None)
    strict.reads.clear()
    found = outcome(function, case, names, device)
    for ys, es in zip(found, expected, strict=True):
        for y, e in zip(ys, es, strict=True):
            assert (y is None) == (e is None)
            if e is not None and isinstance(e, Tensor):
                assert type(y.data) is strict.ndarray and y.data.device.id == device
                assert y.dtype == e.dtype and y.shape == e.shape
                np.testing.assert_allclose(to_numpy(y.data), e.data, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", sorted(CASES))
def test_op(name):
    for case in CASES[name]:
        agree(case.call or function_named(name), case, differentiated(case))


@pytest.mark.parametrize("name", sorted(CONSTANT))
def test_constant_op(name):
    for case in CONSTANT[name]:
        agree(function_named(name), case, [])
