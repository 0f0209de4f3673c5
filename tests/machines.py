"""The devices that tests run on: one that needs no GPU (tests/kernels/strict.py), and a GPU where CuPy finds one.

A file whose tests run on both has an automatic fixture ``device`` with the parameters ``MACHINES``; its tests ask
``machines.now``. What only the first can tell (what was read, two devices, what CuPy would refuse) is marked
``@machines.simulated_only``. ``pytest -m gpu`` runs the tests on the GPU alone.
"""

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minidl_kernels
from minidl_kernels import devices, graphs
from minidl_kernels.arrays import to_numpy
from tests.kernels import strict
from tests.kernels.shim import programs
from tests.shims import needs_compiler


def missing_gpu() -> str:
    """Why there is no GPU; empty where there is one."""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed"
    import cupy

    return "" if cupy.cuda.is_available() else "CuPy finds no GPU"


needs_gpu = pytest.mark.skipif(bool(missing_gpu()), reason=missing_gpu())
SIMULATED = pytest.param("simulated", marks=needs_compiler)
ON_GPU = pytest.param("gpu", marks=[pytest.mark.gpu, needs_gpu])
MACHINES = [SIMULATED] if missing_gpu() else [SIMULATED, ON_GPU]
CPU = pytest.param("cpu")  # for what is done alike there
simulated_only = pytest.mark.parametrize("device", [SIMULATED], indirect=True)


class Machine:
    """The device of a test.

    Attributes:
        name: for ``minidl.device``.
        simulated: whether it is the one that needs no GPU.
        launches: how many CUDA graphs were launched; on the CPU how many lists of launches.
    """

    def __init__(self, kind: str):
        self.simulated = kind == "simulated"
        self.name = {"simulated": "strict:1", "gpu": "gpu:0", "cpu": "cpu"}[kind]
        self.device = devices.find(self.name)
        self.launches = 0

    def given(self, value: Any) -> Any:
        """Copies on the device, of arrays and lists of them."""
        if isinstance(value, list):
            return [self.given(one) for one in value]
        with devices.scope(self.device):
            return devices.move(value.copy(), self.device) if isinstance(value, np.ndarray) else value

    def holds(self, array: Any) -> bool:
        """Whether an array lies on the device."""
        return devices.device_of(array) == self.device

    def close(self, found: Any, expected: np.ndarray, simulated: float, on_gpu: float) -> None:
        """Assert that values agree, to a part of the largest: a GPU adds in another order than NumPy."""
        sizes = np.abs(expected[np.isfinite(expected)]) if expected.dtype.kind == "f" else np.zeros(0)
        part = simulated if self.simulated else on_gpu
        np.testing.assert_allclose(to_numpy(found), expected, rtol=part, atol=part * max(1.0, sizes.max(initial=0)))


now: Any = None  # the Machine of the test that runs


def started(kind: str, monkeypatch: Any) -> Iterator[Machine]:
    """What the fixture does: the machine, and whole-array operations on the CPU, so that nothing is compiled for it."""
    global now
    monkeypatch.setattr(devices, "_numbers", {})
    if kind != "cpu":
        programs()
        monkeypatch.setitem(minidl_kernels.kernel.__globals__["ORDER"], "numpy", ("array", "reference"))
    for kernel in minidl_kernels.kernels.values():
        kernel._plans.clear()
    if kind == "simulated":
        strict.install(monkeypatch)
    now, launch = Machine(kind), graphs.Graph.launch

    def counted(graph: graphs.Graph) -> None:
        now.launches += isinstance(graph.recorder, graphs.Recorder) == (kind != "cpu")
        launch(graph)

    monkeypatch.setattr(graphs.Graph, "launch", counted)
    yield now
    now = None
    for kernel in minidl_kernels.kernels.values():
        kernel._plans.clear()
