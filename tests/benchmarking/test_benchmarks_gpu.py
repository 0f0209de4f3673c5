"""`python -m benchmarks run --device gpu`, without a GPU: refused, or run on the device of the tests."""

import argparse
import json
import re
import sys
from contextlib import nullcontext

import numpy as np
import pytest

import minidl_kernels
from benchmarks import common, gpu, peers, report, run, serve
from benchmarks.__main__ import main
from benchmarks.arguments import UsageError
from benchmarks.workloads import WORKLOADS, Workload, batches, initial_weights, with_batch
from tests.kernels import strict, strict_graphs
from tests.kernels.shim import programs
from tests.shims import needs_compiler

DEVICE = "strict:1"


@pytest.fixture
def device(monkeypatch):
    programs()
    for kernel in minidl_kernels.kernels.values():
        monkeypatch.setitem(minidl_kernels.kernel.__globals__["ORDER"], "numpy", ("array", "reference"))
        kernel._plans.clear()
    monkeypatch.setattr(strict_graphs.Graph, "launches", 0)
    yield strict.install(monkeypatch)
    for kernel in minidl_kernels.kernels.values():
        kernel._plans.clear()


def narrow(layers, by):
    """The same layers with fewer channels."""
    found = []
    for kind, *settings in layers:
        if kind in ("conv", "transposed", "dense") and settings[0] > by and settings[-1] != "softmax":
            settings[0] //= by
        elif kind == "reshape":
            settings[2] //= by
        found.append((kind, *settings))
    return tuple(found)


def small(name) -> Workload:
    """A workload that a processor can do as if it were a GPU."""
    one = WORKLOADS[name]
    shape = {"A32": (20,), "C": (12, 12, 3), "D": (8, 8, 3), "F": (28, 28, 1)}[name]
    layers, critic = (narrow(several, 16 if name == "F" else 4) for several in (one.layers, one.critic))
    return one._replace(shape=shape, batch=3, layers=layers, critic=critic)


def test_batches_of_another_size():
    texts = {name: with_batch(one, 7).text for name, one in WORKLOADS.items()}
    assert texts["A32"] == "MLP 784-300-100-10, SGD, batch 7" and texts["C-batch"] == "CIFAR CNN, outputs of 7"
    assert texts["C-one"] == "CIFAR CNN, output of 7" and all(text.endswith(" 7") for text in texts.values())
    one = WORKLOADS["C"]
    assert with_batch(one, None) is one and with_batch(one, 128) is one
    assert with_batch(one, 1024)[3:] == one._replace(batch=1024, goal=None, goal_of_all=None, goal_on_gpu=None)[3:]
    assert [x.shape for x, _ in batches(with_batch(one, 3))] == [(3, 32, 32, 3)] * 8


# ---- what is refused, and what the words mean ----


def test_names_of_devices():
    assert [gpu.device(text) for text in ("cpu", "gpu", "gpu:0", "gpu:12")] == ["cpu", "gpu:0", "gpu:0", "gpu:12"]
    for wrong in ("", "cuda", "gpu:", "gpu:-1", "cpu:0", "gpu:1 "):
        with pytest.raises(argparse.ArgumentTypeError, match='expected "cpu", "gpu" or "gpu:N"'):
            gpu.device(wrong)


@pytest.mark.parametrize(
    "words, says",
    [
        (["--device", "gpu"], "--device gpu:0: a GPU is used through CuPy, which is not installed.*pip install"),
        (["--device", "gpu:1", "--tf32"], "--device gpu:1: .*pip install"),
        (["--tf32"], "--tf32 is a setting of GPUs; add --device gpu"),
    ],
)
def test_without_a_gpu_nothing_is_started(words, says, monkeypatch, tmp_path, capsys):
    def no_child(*arguments, **settings):
        raise AssertionError("a process was started")

    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(common, "Child", no_child)
    assert main(["run", "A32", *words, "--json", str(tmp_path / "x.json")]) == 2
    said = capsys.readouterr()
    assert not said.out and len(said.err.splitlines()) == 1 and not list(tmp_path.iterdir())
    assert re.search(says, said.err)


def test_records_of_two_devices_are_not_compared(tmp_path, capsys):
    earlier = tmp_path / "gpu.json"
    earlier.write_text('{"device": "gpu:0", "workloads": {}}')
    assert main(["run", "A32", "--compare", str(earlier), "--json", str(tmp_path / "x.json")]) == 2
    assert "gpu.json: this was measured on gpu:0, not on cpu" in capsys.readouterr().err


def test_peers_that_have_no_place_on_a_gpu(monkeypatch):
    assert peers.unavailable("numpy", "gpu:0") == "computes on the processor only"
    assert peers.unavailable("numpy") is None and peers.unavailable("minidl", "gpu:0") is None
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name.startswith("jax_cuda") else name)
    assert "this build of jax finds no GPU" in peers.unavailable("keras-jax", "gpu:0")
    assert peers.unavailable("keras-jax") is None
    assert peers.environment("keras-jax", 2)["JAX_PLATFORMS"] == "cpu"
    assert peers.environment("keras-jax", 2, "gpu:0")["JAX_PLATFORMS"] == "cuda"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert peers.unavailable("keras-jax", "gpu:0") is None


@pytest.mark.oracle
def test_a_torch_without_cuda_is_left_out(torch, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "this build of torch finds no GPU" in peers.unavailable("torch-tuned", "gpu:0")
    assert peers.unavailable("torch-tuned") is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert peers.unavailable("torch-tuned", "gpu:0") is None


@pytest.mark.oracle
def test_pytorchs_settings_on_a_gpu(torch, monkeypatch):
    from benchmarks import side_torch

    monkeypatch.setattr(torch.backends.cuda, "matmul", argparse.Namespace())
    monkeypatch.setattr(torch.backends, "cudnn", argparse.Namespace(version=lambda: 91000))
    monkeypatch.setattr(side_torch, "_device", side_torch._device)
    monkeypatch.setattr(torch.cuda, "device", lambda device: nullcontext())
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"the name of {device}")
    for tf32 in (True, False):
        with side_torch.using("gpu:1", tf32):
            described = side_torch.describe()
            assert described["tf32"] == {"matmul": tf32, "cudnn": tf32}
            assert described["device"] == "the name of cuda:1" and described["cuDNN"] == 91000


@pytest.mark.oracle
def test_pytorchs_steps_are_recorded_once(torch, monkeypatch):
    from benchmarks.side_torch import Recorded

    done = []
    waits = argparse.Namespace(wait_stream=lambda other: done.append("wait"))
    monkeypatch.setattr(torch.cuda, "Stream", lambda: waits)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: waits)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext(done.append("aside")))
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: nullcontext(done.append("record")))
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: argparse.Namespace(replay=lambda: done.append("launch")))
    seen = []

    def step(x):
        seen.append(x)
        return len(seen)

    recorded = Recorded(step, [torch.zeros(2)])
    results = [recorded(torch.full((2,), float(i))) for i in range(6)]
    assert results == [1, 2, 3, 4, 4, 4] and all(one is recorded.places[0] for one in seen)
    assert done == ["wait", "aside", "wait"] * 3 + ["record", "launch", "launch", "launch"]
    assert recorded.places[0].tolist() == [5.0, 5.0]  # the batch of the last launch


# ---- minidl's side on a device ----


@needs_compiler
@pytest.mark.parametrize("name", ["A32", "C", "D", "F"])
def test_minidl_takes_the_same_steps_as_on_the_processor(name, device):
    losses = {}
    for where in ("cpu", DEVICE):
        with serve.answering("minidl", 1, where, False) as answer:
            made = answer({"ask": "prepare", "workload": small(name)._asdict()})
            assert "error" not in made, made
            losses[where] = [made["loss"], *(answer({"ask": "steps", "steps": n})["loss"] for n in (1, 2))]
            memory = answer({"ask": "memory"})["MiB"]
            assert ("of the GPU" in memory) == (where != "cpu")
    np.testing.assert_allclose(losses[DEVICE], losses["cpu"], rtol=1e-4)
    assert strict_graphs.Graph.launches > 0


@needs_compiler
def test_minidl_answers_as_on_the_processor(device):
    outputs = []
    for where in ("cpu", DEVICE):
        with serve.answering("minidl", 1, where, False) as answer:
            made = answer({"ask": "prepare", "workload": WORKLOADS["A-one"]._asdict()})
            assert "error" not in made, made
            outputs.append([made["loss"], answer({"ask": "steps", "steps": 2})["loss"]])
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=1e-4)


@needs_compiler
def test_a_round_reads_as_often_whatever_its_length(device):
    with serve.answering("minidl", 1, DEVICE, False) as answer:
        answer({"ask": "prepare", "workload": small("A32")._asdict()})
        answer({"ask": "steps", "steps": 4})
        counted = []
        for steps in (3, 9):
            del strict.reads[:], strict.sends[:]
            answer({"ask": "steps", "steps": steps})
            counted.append(len(strict.reads))
            assert max(strict.sends, default=0) <= 3  # numbers; the batches are there
    assert counted[0] == counted[1] <= 4


@needs_compiler
def test_a_whole_run_and_its_report(device, monkeypatch, tmp_path):
    class Here:
        """In place of a process."""

        def __init__(self, *words, environment):
            assert words[:3] == ("-m", "benchmarks.serve", "minidl") and "--tf32" in words
            self.block = serve.answering("minidl", 1, words[words.index("--device") + 1], True)
            self.answer = self.block.__enter__()

        def ask(self, question):
            found = self.answer(json.loads(json.dumps(question)))
            assert "error" not in found, found
            return json.loads(json.dumps(found))

        def close(self):
            self.block.__exit__(None, None, None)

    monkeypatch.setattr(common, "Child", Here)
    monkeypatch.setattr(common, "PAUSE", 0)
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setitem(run.WORKLOADS, "A32", small("A32"))
    monkeypatch.setattr(run, "names_of", lambda asked, known, what: list(asked))
    options = argparse.Namespace(
        workloads=["A32"], compare=None, peers=["numpy"], device=DEVICE, tf32=True, threads=1, rounds=2, scale=0.01,
        json=None, cold=False, batch=None,
    )  # fmt: skip
    assert run.run(options) == 0
    record = json.loads((tmp_path / "strict.json").read_text("utf-8"))
    assert record["device"] == DEVICE and record["tf32"] is True and record["gpu"]["name"] == "strict"
    assert record["left out"] == {"numpy": "computes on the processor only"}
    side = record["sides"]["minidl"]
    assert side["device"] == DEVICE and side["tf32"] is True and side["CUDA"] == "13.0" and side["CuPy"] == "14"
    found = record["workloads"]["A32"]
    assert found["goal"] is None and found["sides"]["minidl"]["MiB"]["of the GPU"] > 0
    text = (tmp_path / "strict.md").read_text("utf-8")
    assert f"Time of a step on {DEVICE} (strict, TF32 on), 1 threads" in text
    assert "| memory of the GPU |" in text and "GPU: strict, driver unknown" in text
    assert report.text(record) in text


@needs_compiler
def test_the_setting_of_tf32_holds_in_the_block_only(device):
    from minidl_kernels import config

    for tf32 in (True, False):
        with serve.answering("minidl", 1, DEVICE, tf32):
            assert config.is_tf32_enabled() is tf32
        assert not config.is_tf32_enabled()


def test_a_device_that_is_there_is_not_refused(monkeypatch):
    monkeypatch.setattr("minidl_kernels.devices.find", lambda name: None)
    gpu.check("gpu:3", True)
    with pytest.raises(UsageError, match="add --device gpu"):
        gpu.check("cpu", True)


def test_the_driver_is_asked_of_nvidia_smi(monkeypatch):
    monkeypatch.setattr("subprocess.run", lambda *a, **k: argparse.Namespace(stdout="570.86.15\n570.86.15\n"))
    assert gpu.driver() == "570.86.15"

    def missing(*arguments, **settings):
        raise FileNotFoundError("nvidia-smi")

    monkeypatch.setattr("subprocess.run", missing)
    assert gpu.driver() == "unknown"


def test_narrow_nets_are_whole():
    for name in ("A32", "C", "D", "F"):
        one = small(name)
        first = (100,) if name == "F" else one.shape
        assert all(kernel.size for kernel, *_ in initial_weights(one.layers, first))
