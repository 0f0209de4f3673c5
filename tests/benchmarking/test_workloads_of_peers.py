"""Every workload on minidl and on its peers: they build the same networks, and do steps."""

import pytest

from benchmarks.peers import unavailable
from benchmarks.workloads import WORKLOADS
from tests.benchmarking.running import one_step, record_of

QUICK = ("A32", "D", "F", "A-one", "C-one")
SOME = [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in WORKLOADS]


@pytest.mark.oracle
@pytest.mark.parametrize("workload", SOME)
def test_every_workload_on_pytorch(tmp_path, workload):
    pytest.importorskip("torch")
    found = one_step(tmp_path, workload, ["torch", "torch-tuned"])
    assert not found["notes"] and set(found["ratio"]) == {"minidl", "torch", "torch-tuned"}
    assert found["ratio"]["torch"]["median"] == 1


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize("workload", ["A32", "C", "E", "F", "C-one"])  # between them, every kind and every layer
def test_workloads_on_keras(tmp_path, workload):
    pytest.importorskip("keras")
    pytest.importorskip("jax")
    assert not one_step(tmp_path, workload, ["keras-jax"])["notes"]


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("workload", ["A32", "C-one"])
def test_workloads_compiled_by_pytorch(tmp_path, workload):
    pytest.importorskip("torch")
    if why := unavailable("torch-compile"):
        pytest.skip(why)
    assert not one_step(tmp_path, workload, ["torch-compile"])["notes"]


@pytest.mark.slow
def test_the_first_step_from_a_cold_cache(tmp_path):
    record = record_of(
        tmp_path, "run", "A32", "--peers", "numpy", "--rounds", "1", "--scale", "0.01", "--threads", "1", "--cold"
    )
    ours = record["workloads"]["A32"]["sides"]["minidl"]
    assert ours["first step, cold"] > 0 and "cold cache" in (tmp_path / "record.md").read_text("utf-8")
