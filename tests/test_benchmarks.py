"""The benchmarks run and write what they should. No time is asserted here: speed is a matter of ratios, measured."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]


def load(name: str) -> ModuleType:
    """A benchmark's module, without its folder on the path."""
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", ROOT / "benchmarks" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, target: Path, *arguments: str) -> tuple[dict, str]:
    """Run a benchmark; the record it wrote, and what it printed."""
    environment = {**os.environ, "OPENBLAS_CORETYPE": "Haswell"}  # has to be found, and not to be handed on
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *arguments, "--json", str(target)]
    done = subprocess.run(command, env=load("common").child_environment() | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert target.with_suffix(".md").read_text(encoding="utf-8").startswith(done.stdout.rstrip("\n"))
    record = json.loads(target.read_text(encoding="utf-8"))
    assert record["machine"]["found in the environment"]["OPENBLAS_CORETYPE"] == "Haswell"
    assert record["machine"]["cores"] >= 1
    return record, done.stdout


@pytest.mark.oracle
@pytest.mark.parametrize("more", [(), ("--fit",)], ids=["train_on_batch", "fit"])
def test_train_step(tmp_path, more):
    arguments = ("A32", "--rounds", "2", "--scale", "0.05", "--threads", "1", *more)
    record, shown = run("train_step", tmp_path / "steps.json", *arguments)
    one = record["workloads"]["A32"]
    assert all(len(one["seconds"][side]["rounds"]) == 2 for side in ("minidl", "torch"))
    assert all(first > last for first, last in one["loss"].values())
    torch, minidl = (one["seconds"][side]["median"] for side in ("torch", "minidl"))
    assert one["ratio"]["median"] == pytest.approx(torch / minidl)
    assert all(side["BLAS settings"] == {} for side in record["sides"].values())
    assert record["through"] == ("fit" if more else "train_on_batch")
    assert f"**{one['ratio']['median']:.2f}**" in shown
    ElementTree.parse(tmp_path / "steps.svg")


@pytest.mark.oracle
@pytest.mark.slow
def test_train_step_of_pictures(tmp_path):
    record, _ = run("train_step", tmp_path / "steps.json", "C", "--rounds", "1", "--scale", "1", "--threads", "2")
    assert record["workloads"]["C"]["ratio"]["median"] > 0


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["A32", "B", "C"])
def test_both_sides_start_with_as_many_weights(name):
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        workloads = load("workloads")
    finally:
        sys.path.pop(0)
    counts = {"A32": 266_610, "B": 646_260, "C": 1_250_858}  # sum of (inputs + 1) * outputs; C: Keras' own summary
    workload = workloads.WORKLOADS[name]
    assert sum(p.numel() for p in workloads.torch_model(workload).parameters()) == counts[name]
    assert workloads.minidl_model(workload).count_params() == counts[name]


@pytest.mark.oracle
def test_bookkeeping(tmp_path):
    record, _ = run("bookkeeping", tmp_path / "tape.json", "--rounds", "2")
    seconds = {name: one["median"] for name, one in record["seconds"].items()}
    theirs = record["net"]["PyTorch, less PyTorch not recorded"]
    assert theirs == pytest.approx(seconds["PyTorch, recorded"] - seconds["PyTorch, not recorded"])
    ours = seconds["minidl, recorded"] - seconds["NumPy"]
    assert record["ratio"]["less NumPy"] == pytest.approx(ours / theirs)


def test_import_time(tmp_path):
    record, shown = run("import_time", tmp_path / "import.json", "--rounds", "1")
    assert record["ratio"] > 0 and "import minidl" in shown


def test_kernels(tmp_path):
    record, shown = run("kernels", tmp_path / "kernels.json", "pool", "adam", "--rounds", "1", "--batch", "2")
    names = [one["kernel"] for one in record["cases"]]
    assert "max_pool_scatter" in names and "adam" in names and "conv2d" not in names
    assert record["limits"]["flops"] > record["limits"]["bytes"] > 0
    adam = record["cases"][names.index("adam")]
    assert adam["bytes"] == 7 * 4 * 1_250_858  # weights and both moments read and written, gradients read
    assert "max_pool 30x30x32" in shown


def test_every_family_of_kernels_has_a_case(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    families = {case.family() for case in load("kernels").cases(batch=1)}
    assert families == {"activation", "adam", "conv", "loss", "matmul", "norm", "pool", "random", "update"}


def test_an_unknown_workload_is_named():
    command = [sys.executable, str(ROOT / "benchmarks" / "train_step.py"), "Z"]
    done = subprocess.run(command, env=load("common").child_environment(), capture_output=True, text=True)
    assert done.returncode != 0 and "unknown workloads ['Z']; there are A32, A512, B, C" in done.stderr


def test_rounds_take_turns():
    order = []
    found = load("common").interleaved({name: (lambda name=name: order.append(name) or 1.0) for name in "ab"}, 3)
    assert order == ["a", "b", "b", "a", "a", "b"] and found == {"a": [1.0] * 3, "b": [1.0] * 3}


def test_ratios_and_spreads():
    common = load("common")
    assert common.ratio([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])["median"] == 2.0
    assert common.spread([3.0]) == {"median": 3.0, "low": 3.0, "high": 3.0}
    assert [common.time_text(t) for t in (2.5, 0.0123, 4.5e-6, 3e-9)] == ["2.5 s", "12.3 ms", "4.5 us", "3 ns"]
