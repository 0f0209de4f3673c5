"""The benchmarks run, and their records hold what a reader needs; no time is judged here."""

import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from benchmarks import common, compare, cuda_registers, plots, run, scaling
from benchmarks.__main__ import main
from benchmarks.operations import forward_operations, operations
from benchmarks.peers import PEERS, SIDES, cannot, unavailable
from benchmarks.workloads import NOISE, WORKLOADS, initial_weights, shape_after
from tests.benchmarking.running import ROOT, one_step, ran, record_of

DENSE = ("A32", "A512", "B", "A-one")

# ---- the workloads ----


def parameters_of(name):
    workload = WORKLOADS[name]
    nets = [(workload.layers, workload.shape)]
    if workload.kind == "gan":
        nets = [(workload.layers, (NOISE,)), (workload.critic, workload.shape)]
    return sum(one.size for layers, shape in nets for pair in initial_weights(layers, shape) for one in pair)


def test_kernels_and_biases_of_the_workloads_by_hand():
    mlp = 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10
    assert parameters_of("A32") == parameters_of("A512") == parameters_of("A-one") == mlp == 266610
    assert parameters_of("B") == 3072 * 200 + 200 + 200 * 150 + 150 + 150 * 10 + 10
    cifar = 9 * 3 * 32 + 32 + 9 * 32 * 32 + 32 + 9 * 32 * 64 + 64 + 9 * 64 * 64 + 64
    assert parameters_of("C") == cifar + 6 * 6 * 64 * 512 + 512 + 512 * 10 + 10 == 1250858
    assert parameters_of("D") == 9 * (3 * 32 + 32 * 64 + 64 * 64 + 64 * 128) + 128 * 10 + 10
    residual = 9 * (3 * 64 + 2 * 64 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 256 * 256) + 64 * 128 + 128 * 256
    assert parameters_of("E") == residual + 256 * 10 + 10
    generator = 100 * 12544 + 12544 + 25 * 256 * 128 + 16 * 128 * 64 + 16 * 64 * 1 + 1
    assert parameters_of("F") == generator + 16 * 64 + 64 + 16 * 64 * 128 + 128 + 49 * 128 + 1


def test_shapes_after_the_layers():
    def last(layers, shape):
        for layer in layers:
            shape = shape_after(layer, shape)
        return shape

    assert last(WORKLOADS["C"].layers[:8], (32, 32, 3)) == (6, 6, 64)
    assert last(WORKLOADS["E"].layers[:-2], (32, 32, 3)) == (8, 8, 256)
    assert last(WORKLOADS["F"].layers, (100,)) == (28, 28, 1)
    assert all(last(one.layers, one.shape) == (10,) for one in WORKLOADS.values() if one.kind != "gan")


@pytest.mark.oracle
@pytest.mark.parametrize("name", WORKLOADS)
def test_operations_are_those_that_pytorch_counts(name):
    counter = pytest.importorskip("torch.utils.flop_counter")
    from benchmarks import side_torch

    workload = WORKLOADS[name]._replace(batch=2)
    runner = side_torch.prepare(workload)
    with counter.FlopCounterMode(display=False) as counted:
        runner.run(1)
    expected = operations(workload)
    if workload.kind == "gan":  # PyTorch goes to the discriminator's weights in the generator's update, too
        expected += 2 * sum(forward_operations(workload.critic, workload.shape))
    assert counted.get_total_flops() == expected


def test_operations_by_hand():
    assert operations(WORKLOADS["A-one"]) == 2 * (784 * 300 + 300 * 100 + 100 * 10)
    assert operations(WORKLOADS["A32"]) == 32 * 2 * (3 * (784 * 300 + 300 * 100 + 100 * 10) - 784 * 300)


def test_minidl_builds_them_all(monkeypatch):
    monkeypatch.setattr("minidl_kernels.config._choices", {})
    from benchmarks import keras_nets, side_minidl

    for name, workload in WORKLOADS.items():
        runner = side_minidl.prepare(workload._replace(batch=2))
        norms = 2 * sum(width for width in norm_widths(workload))
        assert runner.parameters == parameters_of(name) + norms, name
        assert np.isfinite(runner.run(1)), name
    assert keras_nets.parameters() == 0


def norm_widths(workload):
    """Channels of each batch norm."""

    def of(layers, shape):
        for layer in layers:
            if layer[0] == "residual":
                for way in layer[1:]:
                    yield from of(way, shape)
            elif layer[0] == "norm":
                yield shape[-1]
            shape = shape_after(layer, shape)

    yield from of(workload.layers, (NOISE,) if workload.kind == "gan" else workload.shape)


@pytest.mark.parametrize(
    "workload", ["A-one", *(pytest.param(one, marks=pytest.mark.slow) for one in ("A32", "A512", "B"))]
)
def test_numpy_and_minidl_agree_and_learn(tmp_path, workload):
    found = one_step(tmp_path, workload, ["numpy"])
    assert found["best peer"] == "numpy" and found["ratio to the best peer"]["median"] > 0
    assert found["operations of a step"] == operations(WORKLOADS[workload])
    assert 0 < found["share of the peak"]["minidl"]["median"] < 1 and found["seconds at the peak"]["median"] > 0
    assert found["ratio"] == {}  # PyTorch was not asked for
    assert found["sides"]["numpy"]["loss"][0] == pytest.approx(found["sides"]["minidl"]["loss"][0], rel=1e-4)


# ---- what is refused, peers that are not there, and stopping ----


def test_sides_that_differ_are_refused():
    ours = {"parameters": 10, "loss": 2.0}
    run.assert_same("A32", WORKLOADS["A32"], {"minidl": ours, "torch": {"parameters": 10, "loss": 2.0001}})
    with pytest.raises(RuntimeError, match="torch has 11 parameters, minidl 10"):
        run.assert_same("A32", WORKLOADS["A32"], {"minidl": ours, "torch": {"parameters": 11, "loss": 2.0}})
    with pytest.raises(RuntimeError, match="torch begins with 2.1, minidl with 2"):
        run.assert_same("A32", WORKLOADS["A32"], {"minidl": ours, "torch": {"parameters": 10, "loss": 2.1}})
    run.assert_same("C", WORKLOADS["C"], {"minidl": ours, "torch": {"parameters": 10, "loss": 2.1}})  # has dropout


def test_a_loss_that_does_not_fall_is_refused():
    run.assert_learnt("A32", WORKLOADS["A32"], "torch", 2.0, [1.9, 2.5])
    run.assert_learnt("F", WORKLOADS["F"], "torch", 0.7, [0.9, 0.4])
    run.assert_learnt("C-one", WORKLOADS["C-one"], "torch", 0.1, [0.1])
    for name, later in (("A32", [2.1, 1.9]), ("A32", [float("nan")]), ("F", [2.1, 2.2])):
        with pytest.raises(RuntimeError, match="torch does not learn"):
            run.assert_learnt(name, WORKLOADS[name], "torch", 2.0, later)


def test_a_workload_that_fails_leaves_the_others(tmp_path, monkeypatch, capsys):
    measured = run.measure

    def measure(name, *rest):
        if name == "A-one":
            raise RuntimeError("the sides differ")
        return measured(name, *rest)

    monkeypatch.setattr(run, "measure", measure)
    target = tmp_path / "record.json"
    command = ["run", "A-one", "A32", "--peers", "numpy", "--rounds", "1", "--scale", "0.001", "--threads", "1"]
    assert main([*command, "--json", str(target)]) == 1
    record = json.loads(target.read_text("utf-8"))
    assert set(record["workloads"]) == {"A32"} and record["failed"] == {"A-one": "the sides differ"}
    assert "A-one failed: the sides differ" in capsys.readouterr().out


def test_a_childs_error_and_end_are_raised_here():
    for code, message in (
        ("from benchmarks import common; common.answer_questions(lambda q: {'error': q + '!'})", "well!"),
        ("pass", "ended at 'well'"),
    ):
        child = common.Child("-c", code)
        with pytest.raises(RuntimeError, match=message):
            child.ask("well")
        child.close()
        assert child.process.returncode is not None


def test_a_peer_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(SIDES, "torch", SIDES["torch"]._replace(needs=("no_such_module",)))
    assert unavailable("torch") == "no_such_module not installed; python -m pip install torch"
    monkeypatch.setitem(SIDES, "torch-compile", SIDES["numpy"]._replace(compiler=True))
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "C++" in unavailable("torch-compile")
    assert unavailable("minidl") is None and unavailable("numpy") is None


@pytest.mark.slow
def test_plain_numpy_has_dense_networks_only(tmp_path):
    able = [name for name, one in WORKLOADS.items() if cannot("numpy", one.layers) is None]
    assert able == list(DENSE)
    assert all(cannot(side, WORKLOADS["E"].layers) is None for side in SIDES if side != "numpy")
    found = one_step(tmp_path, "C-one", ["numpy"])
    assert "dense" in found["notes"]["numpy"] and found["best peer"] is None
    assert "C-one, numpy: not available" in (tmp_path / "record.md").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends a signal")
def test_ctrl_c_leaves_what_was_measured(tmp_path):
    target = tmp_path / "record.json"
    command = ["run", "A-one", "B", "--peers", "numpy", "--rounds", "1", "--threads", "1", "--json", str(target)]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", *command, "--scale", "0.01"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )  # fmt: skip
    for line in process.stderr:
        if "B: minidl starts" in line:
            process.send_signal(signal.SIGINT)
            break
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    record = json.loads(target.read_text("utf-8"))
    assert set(record["workloads"]) == {"A-one"} and record["stopped early"]
    assert "stopped before its end" in out


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (["run", "nonsense"], "A32, A512"),
        (["run", "A32", "--peers", "nonsense"], ", ".join(PEERS)),
        (["kernels", "nonsense"], "conv, pool"),
        (["scaling", "nonsense"], "batch, width"),
    ],
)
def test_an_unknown_name_is_refused_with_those_there_are(tmp_path, arguments, known):
    done = ran(*arguments, "--json", tmp_path / "x.json", code=2)
    assert "nonsense" in done.stderr and known in done.stderr and not list(tmp_path.iterdir())


def test_help_names_the_commands(capsys):
    text = ran("--help").stdout
    for command in ("run", "scaling", "kernels", "bookkeeping", "import", "limits"):
        assert f"\n    {command}" in text
        with pytest.raises(SystemExit, match="^0$"):
            main([command, "--help"])
        assert f"usage: python -m benchmarks {command}" in capsys.readouterr().out


# ---- then and now ----


def ratio(median, low, high):
    return {"median": median, "low": low, "high": high}


def test_a_change_is_marked_where_it_is_larger_than_the_spread():
    then = ratio(2.0, 1.9, 2.1)
    assert compare.changed(then, ratio(2.5, 2.3, 2.6)) and compare.changed(then, ratio(1.5, 1.4, 1.6))
    assert not compare.changed(then, ratio(2.05, 2.0, 2.2))  # within the earlier spread
    assert not compare.changed(then, ratio(2.5, 1.9, 3.0))  # the earlier median is within the new one


def test_comparison_with_earlier_records(tmp_path):
    now = {"threads": 2, "workloads": {
        "A32": {"ratio": {"minidl": ratio(3.0, 2.9, 3.1)}, "ratio to the best peer": ratio(1.0, 0.9, 1.1)},
        "B": {"ratio": {"minidl": ratio(1.0, 0.9, 1.1)}, "ratio to the best peer": None},
        "D": {"ratio": {}, "ratio to the best peer": None},
    }}  # fmt: skip
    earlier = {"threads": 1, "workloads": {
        "A32": {"ratio": ratio(2.0, 1.9, 2.1)},  # as records had it before there were several peers
        "B": {"ratio": {"minidl": ratio(2.0, 1.9, 2.1)}},
        "C": {"ratio": {"minidl": ratio(2.0, 1.9, 2.1)}},
    }}  # fmt: skip
    text = compare.text(earlier, now, "earlier.json")
    lines = [line for line in text.splitlines() if line.startswith(("| A32", "| B"))]
    assert lines == [
        "| A32 | PyTorch eager | 2.00 (1.90 to 2.10) | 3.00 (2.90 to 3.10) | 1.50 | **faster** |",
        "| B | PyTorch eager | 2.00 (1.90 to 2.10) | 1.00 (0.90 to 1.10) | 0.50 | **slower** |",
    ]
    assert "C, D" in text and "1 then, 2 now" in text
    for content in ("no json", "[]", '{"cases": []}'):
        (tmp_path / "bad.json").write_text(content)
        done = ran("run", "A32", "--compare", tmp_path / "bad.json", "--json", tmp_path / "x.json", code=2)
        assert "bad.json" in done.stderr


@pytest.mark.slow
def test_compare_from_the_command_line(tmp_path):
    before = {"threads": 1, "workloads": {"A-one": {"ratio": {}, "ratio to the best peer": ratio(1.0, 0.9, 1.1)}}}
    (tmp_path / "earlier.json").write_text(json.dumps(before))
    done = ran(
        *"run A-one --peers numpy --rounds 1 --scale 0.01 --threads 1".split(),
        "--compare", tmp_path / "earlier.json", "--json", tmp_path / "record.json",
    )  # fmt: skip
    assert "| A-one | the best peer | 1.00 (0.90 to 1.10) |" in done.stdout and "earlier.json" in done.stdout


# ---- growth ----


def test_a_fit_finds_the_exponent():
    sizes = [16, 32, 64, 128]
    fit = scaling.fitted(sizes, [3e-6 * n**2 for n in sizes])
    assert fit == pytest.approx({"slope": 2, "factor": 3e-6, "explained": 1})
    noisy = scaling.fitted(sizes, [1.0, 2.0, 5.0, 8.0])
    slope, constant = np.linalg.lstsq(np.c_[np.log(sizes), np.ones(4)], np.log([1, 2, 5, 8]), rcond=None)[0]
    assert noisy["slope"] == pytest.approx(slope) and noisy["factor"] == pytest.approx(np.exp(constant))
    assert 0.9 < noisy["explained"] < 1


@pytest.mark.slow
def test_scaling(tmp_path):
    command = ["scaling", "depth", "threads", "size", "--peers", "numpy", "--points", "2", "--rounds", "1"]
    record = record_of(tmp_path, *command, "--threads", "1")
    depth, threads, size = record["axes"]["depth"], record["axes"]["threads"], record["axes"]["size"]
    assert depth["values"] == [2, 4] and set(depth["fits"]) == {"minidl", "numpy"} and depth["expected"] == 1
    assert depth["parameters"] == [2 * (256 * 256 + 256) + 2570, 4 * (256 * 256 + 256) + 2570]
    assert set(depth["seconds"]["minidl"]) == {"2", "4"}
    assert threads["values"][0] == 1 and set(size["seconds"]) == {"minidl"}  # NumPy has no convolutions
    assert {path.name for path in tmp_path.glob("*.svg")} == {f"record.{name}.svg" for name in record["axes"]}


@pytest.mark.oracle
def test_scaling_beside_pytorch(tmp_path):
    pytest.importorskip("torch")
    record = record_of(tmp_path, "scaling", "batch", "--points", "2", "--rounds", "1", "--threads", "1")
    assert set(record["axes"]["batch"]["fits"]) == {"minidl", "torch"}


# ---- kernels and the rest ----


@pytest.mark.slow
def test_import_time(tmp_path):
    record = record_of(tmp_path, "import", "--rounds", "2")
    assert len(record["seconds"]["minidl"]) == 2 and record["ratio"] > 0 and set(record["versions"]) >= {"numpy"}


@pytest.mark.slow
def test_kernels(tmp_path):
    record = record_of(
        tmp_path, "kernels", "--rounds", "2", "--batch", "2", "--threads", "1", "conv", "pool", "norm", "random", "adam"
    )
    assert record["limits"]["flops"] > 1e8 and record["limits"]["bytes"] > 1e8
    cases = record["cases"]
    assert len(cases) >= 16 and all(case["ratio"]["median"] > 0 and case["operations"] > 0 for case in cases)
    assert {case["kernel"] for case in cases if "winograd" in case["seconds"]} == {
        "conv2d", "conv2d_input_grad", "conv2d_kernel_grad",
    }  # fmt: skip
    picture = (tmp_path / "record.svg").read_text("utf-8")
    assert picture.count("<circle") == len(cases) + 5 and "operations for each byte" in picture


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="children are watched as Linux lets them be")
def test_files_are_spoiled_and_opened(tmp_path):
    pytest.importorskip("yaml")
    target = tmp_path / "record.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz_files", "--count", "50", "--jobs", "1", "--json", str(target)],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads(target.read_text("utf-8"))
    assert record["failures"] == [] and record["count"] == 50
    assert all(set(one["outcomes"]) <= {"opened", "refused"} for one in record["formats"].values())
    assert sum(sum(one["outcomes"].values()) for one in record["formats"].values()) == 50


def test_limits_are_printed():
    text = ran("limits", "--threads", "1").stdout
    assert "GFLOP/s" in text and "GB/s" in text


def test_a_step_is_its_kernels_and_python(tmp_path):
    record = record_of(tmp_path, "step", "A32", "--rounds", "2", "--scale", "0.05", "--threads", "1")
    one = record["workloads"]["A32"]
    # Three products with bias (and ReLU) forward, three towards weights, two towards inputs; one update of all weights.
    calls = {name: found["calls"] for name, found in one["each"].items() if found["seconds"] > 0}
    assert [calls[f"dense {shapes}"] for shapes in ("32x784, 784x300", "32x300, 300x100", "32x100, 100x10")] == [1] * 3
    assert sum(name.startswith("dense_weight_grad") for name in calls) == 3
    assert sum(name.startswith("matmul") for name in calls) == 2 and calls["sgd list of 6, list of 6"] == 1


@pytest.mark.oracle
def test_bookkeeping(tmp_path):
    pytest.importorskip("torch")
    record = record_of(tmp_path, "bookkeeping", "--rounds", "2")
    assert len(record["ratio"]) == 2 and all(value > 0 for value in record["ratio"].values())


def test_places_on_logarithmic_axes():
    text = plots.log_log("a < b", "x", "y", {"one": [(1.0, 10.0, "first"), (100.0, 1000.0, "second")]})
    circles = [one for one in ET.fromstring(text).iter() if one.tag.endswith("circle")]
    (x0, y0), (x1, y1) = [(float(one.get("cx")), float(one.get("cy"))) for one in circles[:2]]
    assert x0 < x1 and y0 > y1  # upwards is smaller in a picture
    middle = plots._Axis([1.0, 100.0], 0, 200)(10.0)
    assert middle == pytest.approx(100) and plots._Axis([1.0, 100.0], 0, 1).ticks() == [1, 2, 5, 10, 20, 50, 100]


@pytest.mark.slow
def test_augmentation_is_measured_and_goes_on(tmp_path, cifar_folder):
    target = tmp_path / "record.json"
    command = [
        sys.executable, "-m", "benchmarks.augmentation", str(cifar_folder), "--pictures", "150", "--json", str(target),
    ]  # fmt: skip
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
def test_learning_is_compared_with_torch_and_goes_on(tmp_path, cifar_folder):
    target = tmp_path / "record.json"
    command = [
        sys.executable, "-m", "benchmarks.learning", str(cifar_folder), "--pictures", "256", "--seeds", "1",
        "--epochs", "2", "--json", str(target),
    ]  # fmt: skip
    for turn in (1, 2):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        record = json.loads(target.read_text("utf-8"))
        trained = [line for line in done.stdout.splitlines() if ", epoch " in line and "loss" in line]
        assert len(trained) == (4 if turn == 1 else 0)  # the second time all is there
    ours, theirs = (record["sides"][side]["0"] for side in ("minidl", "torch"))
    assert ours["loss"][0] == pytest.approx(theirs["loss"][0], rel=0.02)  # the same weights and batches; not the masks
    assert record["verdict"]["difference"] == pytest.approx(ours["accuracy"][-1] - theirs["accuracy"][-1])
    assert target.with_suffix(".svg").read_text("utf-8").startswith("<svg")


def test_the_committed_registers_are_of_the_texts_that_are_there():
    committed = cuda_registers.RESULT.read_text("utf-8")
    assert f"of texts with the hash {cuda_registers.digest()} " in committed, "python -m benchmarks.cuda_registers"
    rows = [line.split("`")[1] for line in committed.splitlines() if line.startswith("| `")]
    programs = cuda_registers.programs()
    assert rows == [f"{one.path.parent.name}/{kernel}" for one in programs for kernel in one.kernels]


@pytest.mark.slow
def test_saving(tmp_path):
    target = tmp_path / "record.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.saving", "--layers", "2", "--width", "300", "--rounds", "2",
         "--folder", str(tmp_path), "--json", str(target)],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads(target.read_text("utf-8"))
    assert set(record["rate"]) == {"m.keras", "m.h5", "m.weights.h5", "m.safetensors"}
    for name, rate in record["rate"].items():
        assert rate["save"]["median"] > 0 and rate["load"]["median"] > 0
        assert set(record["memory"][name]) == {"save", "load"}
