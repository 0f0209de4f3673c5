"""The benchmarks run, and their records hold what a reader needs; no time is judged here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def record_of(tmp_path, script, *arguments):
    """What a benchmark writes, after a check of the table and that it is the one on the screen."""
    target = tmp_path / "record.json"
    environment = {**os.environ, "OPENBLAS_L2_SIZE": "524288"}  # children start without it, and the record says so
    done = subprocess.run(
        [sys.executable, f"benchmarks/{script}", *arguments, "--rounds", "2", "--json", str(target)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert target.with_suffix(".md").read_text("utf-8").startswith(done.stdout.strip()[:200])
    record = json.loads(target.read_text("utf-8"))
    machine = record["machine"]
    assert machine["processor"] and machine["cores"] >= 1 and "found in the environment" in machine
    return record


def test_import_time(tmp_path):
    record = record_of(tmp_path, "import_time.py")
    assert len(record["seconds"]["minidl"]) == 2 and record["ratio"] > 0 and set(record["versions"]) >= {"numpy"}


def test_kernels(tmp_path):
    record = record_of(tmp_path, "kernels.py", "--batch", "2", "pool", "norm", "random", "adam")
    assert record["limits"]["flops"] > 1e8 and record["limits"]["bytes"] > 1e8
    assert len(record["cases"]) >= 6 and all(case["ratio"]["median"] > 0 for case in record["cases"])


def test_an_unknown_family_or_workload_is_refused(tmp_path):
    for script in ("kernels.py", "train_step.py"):
        command = [sys.executable, f"benchmarks/{script}", "nonsense", "--json", str(tmp_path / "x.json")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode != 0 and "nonsense" in done.stderr and not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="children are watched as Linux lets them be")
def test_files_are_spoiled_and_opened(tmp_path):
    pytest.importorskip("yaml")
    target = tmp_path / "record.json"
    done = subprocess.run(
        [sys.executable, "benchmarks/fuzz_files.py", "--count", "45", "--jobs", "1", "--json", str(target)],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads(target.read_text("utf-8"))
    assert record["failures"] == [] and record["count"] == 45
    assert all(set(one["outcomes"]) <= {"opened", "refused"} for one in record["formats"].values())
    assert sum(sum(one["outcomes"].values()) for one in record["formats"].values()) == 45


def test_limits_are_printed():
    done = subprocess.run([sys.executable, "benchmarks/limits.py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "GFLOP/s" in done.stdout and "GB/s" in done.stdout


def test_augmentation_is_measured_and_goes_on(tmp_path, cifar_folder):
    target = tmp_path / "record.json"
    command = [
        sys.executable,
        "benchmarks/augmentation.py",
        str(cifar_folder),
        "--pictures",
        "150",
        "--json",
        str(target),
    ]
    for turn in (1, 2):
        done = subprocess.run([*command, "--epochs", "2"], cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        record = json.loads(target.read_text("utf-8"))
        assert record["pictures"] == 150 and record["tested"] == 1000
        assert [len(side["val_accuracy"]) for side in record["sides"].values()] == [2, 2]
        trained = [line for line in done.stdout.splitlines() if line.startswith("Epoch ")]
        assert len(trained) == (4 if turn == 1 else 0)  # the second time all is there
    gain = record["sides"]["flip, shift"]["val_accuracy"][-1] - record["sides"]["none"]["val_accuracy"][-1]
    assert f"gains {100 * gain:.1f} points" in target.with_suffix(".md").read_text("utf-8")
    assert target.with_suffix(".svg").read_text("utf-8").startswith("<svg")


@pytest.mark.oracle
@pytest.mark.parametrize("through", [[], ["--fit"]])
def test_train_step(tmp_path, through):
    pytest.importorskip("torch")
    record = record_of(tmp_path, "train_step.py", "A32", "B", "--scale", "0.05", *through)
    assert set(record["workloads"]) == {"A32", "B"} and record["through"] in ("fit", "train_on_batch")
    for one in record["workloads"].values():
        for first, last in one["loss"].values():
            assert last < first
        assert one["ratio"]["median"] > 0
    assert all(not side["BLAS settings"] for side in record["sides"].values())


@pytest.mark.oracle
def test_bookkeeping(tmp_path):
    pytest.importorskip("torch")
    record = record_of(tmp_path, "bookkeeping.py")
    assert len(record["ratio"]) == 2 and all(value > 0 for value in record["ratio"].values())


def test_saving(tmp_path):
    record = record_of(tmp_path, "saving.py", "--layers", "2", "--width", "300", "--folder", str(tmp_path))
    assert set(record["rate"]) == {"m.keras", "m.h5", "m.weights.h5", "m.safetensors"}
    for name, rate in record["rate"].items():
        assert (
            rate["save"]["median"] > 0
            and rate["load"]["median"] > 0
            and set(record["memory"][name]) == {"save", "load"}
        )
