"""The kernels on a GPU, on the same cases as in the shim; and their whole-array forms on a device."""

import numpy as np
import pytest

from minidl_kernels import devices
from minidl_kernels.arrays import to_numpy
from tests import machines
from tests.kernels.cuda_cases import all_cases
from tests.kernels.shim import OURS, all_implementations, expected_of, flat

ARRAY = [
    (name, "array", dtype)
    for name, one in OURS.items()
    if "array" in one.available() and "cupy" in one.get("array").on
    for dtype in ("float32", "float64")
]
ON = {"simulated": ARRAY, "gpu": [*all_implementations(), *ARRAY]}  # test_cuda_shim.py has the others


@pytest.fixture
def device(request, monkeypatch):
    yield from machines.started(request.param, monkeypatch)


@pytest.mark.parametrize(
    ("device", "name", "implementation", "dtype"),
    [
        pytest.param(machine.values[0], *one, marks=machine.marks)
        for machine in machines.MACHINES
        for one in ON[machine.values[0]]
    ],
    indirect=["device"],
)
def test_agrees_with_the_reference(device, name, implementation, dtype):
    one, compared = OURS[name], 0
    for arrays, settings in all_cases(name, dtype):
        if isinstance(arrays[0], list) and not arrays[0]:
            continue  # no array that could be on a device
        given = tuple(device.given(a) for a in arrays)
        with devices.scope(device.device), one.use(implementation):
            try:
                found = one(*given, **settings)
            except ValueError as error:
                assert "it refuses" in str(error)
                continue
            again = found if found is None else one(*given, **settings)
        results = [to_numpy(y) for y in flat(given if found is None else found)]
        for y, e in zip(results, expected_of(one, implementation, (arrays, settings)), strict=True):
            finite = np.abs(e[np.isfinite(e)]) if e.dtype.kind == "f" else e[:0]
            tolerance = 2e-5 if e.dtype == "float32" else 1e-12
            np.testing.assert_allclose(y, e, rtol=tolerance, atol=tolerance * max(1.0, finite.max(initial=0)))
        if again is not None and implementation != "array":  # the same bits at every call
            assert [y.tobytes() for y in results] == [to_numpy(y).tobytes() for y in flat(again)]
        compared += 1
    assert compared
