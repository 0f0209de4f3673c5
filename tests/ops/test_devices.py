"""Every case of every op on a device that is not the processor's: the values and gradients that it has with NumPy."""

import numpy as np
import pytest

from minidl.engine import Tensor
from minidl.engine.walk import gradients
from minidl_kernels import devices
from tests import machines
from tests.ops.cases import CASES
from tests.ops.checker import differentiable, differentiated, flat
from tests.ops.constants import CONSTANT
from tests.ops.test_registry import function_named


@pytest.fixture(autouse=True, params=machines.MACHINES)
def device(request, monkeypatch):
    yield from machines.started(request.param, monkeypatch)


def on(where, value, live):
    """Arrays as Tensors on a device; floats that are ``live`` want gradients."""
    if isinstance(value, list):
        return [on(where, one, live) for one in value]
    if not isinstance(value, np.ndarray):
        return value
    return Tensor(devices.move(value.copy(), where), requires_grad=live and value.dtype.kind == "f")


def outcome(function, case, names, where):
    """The outputs of a call and the gradients of the first ones, with the same upstream gradient everywhere."""
    with devices.scope(where):
        given = {name: on(where, value, name in names) for name, value in case.arguments.items()}
    library = where.library
    with np.errstate(all="ignore") if library is None else library.namespace.cuda.Device(where.number):
        found = flat(function(**given))
        live = [y for y in differentiable(function, found) if isinstance(y, Tensor) and y.live()]
        leaves = [one for name in names for one in flat(given[name]) if isinstance(one, Tensor)]
        upstreams = [np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype) for y in live]
        return found, gradients(live, upstreams, leaves, False) if live and leaves else []


def agree(function, case, names):
    expected = outcome(function, case, names, devices.CPU)
    found = outcome(function, case, names, machines.now.device)
    for ys, es in zip(found, expected, strict=True):
        for y, e in zip(ys, es, strict=True):
            assert (y is None) == (e is None)
            if e is not None and isinstance(e, Tensor):
                assert machines.now.holds(y.data) and y.dtype == e.dtype and y.shape == e.shape
                machines.now.close(y.data, e.data, 1e-10, 1e-5 if e.dtype == "float32" else 1e-9)


@pytest.mark.parametrize("name", sorted(CASES))
def test_op(name):
    for case in CASES[name]:
        agree(case.call or function_named(name), case, differentiated(case))


@pytest.mark.parametrize("name", sorted(CONSTANT))
def test_constant_op(name):
    for case in CONSTANT[name]:
        agree(function_named(name), case, [])
