"""Work that is recorded and launched: numbers, variables, what is refused; on streams as strict as CUDA's."""

import inspect

import numpy as np
import pytest

from minidl import Variable, ops
from minidl_kernels import devices, graphs
from minidl_kernels.arrays import to_numpy
from tests.kernels import cupy_names, strict, strict_graphs
from tests.kernels.shim import OURS, programs
from tests.shims import needs_compiler

pytestmark = needs_compiler


@pytest.fixture(autouse=True)
def xp(monkeypatch):
    programs()
    return strict.install(monkeypatch)


@pytest.fixture
def recorder(xp):
    made = graphs.Recorder(xp)
    with made.aside():
        xp.zeros(1, "float32")  # memory is there
    return made


def test_a_launch_computes_with_what_is_there(xp, recorder):
    x, out = xp.asarray(np.array([1.0, 2.0], "float32")), xp.zeros(2, "float32")

    def work():
        doubled = x * 2
        out[...] = doubled + 1
        return doubled

    graph, doubled = recorder.record(work, "float32")
    assert out.get().tolist() == [0, 0]
    for value in (1, 5):
        x[...] = value
        graph.launch()
        assert out.get().tolist() == [2 * value + 1] * 2 and doubled.get().tolist() == [2 * value] * 2


def test_kernels_are_launched_again(xp, recorder):
    w, g = xp.asarray(np.ones(3, "float32")), xp.asarray(np.full(3, 2.0, "float32"))
    rates = iter([0.5, 0.25])
    with recorder.aside():
        OURS["sgd"]([w], [g], learning_rate=0.0)

    def work():
        OURS["sgd"]([w], [OURS["relu"](g)], learning_rate=graphs.number(lambda: next(rates)))

    graph, _ = recorder.record(work, "float32")
    assert w.get().tolist() == [1, 1, 1]
    graph.launch()
    assert w.get().tolist() == [0, 0, 0]
    graph.launch()
    assert w.get().tolist() == [-0.5, -0.5, -0.5]


def test_numbers_follow_from_each_other_and_are_rounded_once(xp, recorder):
    state = {"rate": 1 / 3}
    assert graphs.number(lambda: 2.0) == 2.0 and graphs.number(lambda x: x + 1, 2.0) == 3.0

    def work():
        rate = graphs.number(lambda: state["rate"])
        squared = graphs.number(lambda rate: rate * rate, rate)
        return xp.concatenate([rate.reshape(1), squared.reshape(1)])

    graph, found = recorder.record(work, "float32")
    for state["rate"] in (1 / 3, 0.1):
        graph.launch()
        assert found.get().tolist() == [np.float32(state["rate"]), np.float32(state["rate"] ** 2)]


def test_too_many_numbers_are_refused(recorder):
    with pytest.raises(graphs.Refused, match="more than 64 numbers"):
        recorder.record(lambda: [graphs.number(lambda: 1.0) for _ in range(65)], "float32")


def test_variables_are_found_where_they_were(xp, recorder):
    with devices.scope(devices.Device(strict.arrays.foreign[strict.ndarray], 0)):
        total, step = Variable(np.zeros(2, "float32")), Variable(np.ones(2, "float32"))
        before = total.data
        with recorder.aside():
            total.assign(ops.add(total, step))
        place, version = total.data, total.version

        graph, _ = recorder.record(lambda: total.assign(ops.add(total, step)), "float32")
        assert total.data is place and total.version == version and total.numpy().tolist() == [1, 1]
        graph.launch()
        graph.launch()
        assert total.data is place and total.version == version + 2 and total.numpy().tolist() == [3, 3]
        total.assign(np.array([10, 20], "float32"))
        step.assign(np.array([1, 2], "float32"))
        graph.launch()
        assert total.data is place and total.numpy().tolist() == [11, 22]
    assert before.get().tolist() == [0, 0]


def refused_work(xp):
    x, on_cpu = xp.asarray(np.ones(3, "float32")), np.ones(3, "float32")
    there = devices.device_of(x)
    return {
        "reads": (lambda: to_numpy(x), graphs.Refused, "reads values"),
        "float": (lambda: float(x.sum()), strict_graphs.CudaError, "StreamCaptureUnsupported"),
        "branch": (lambda: x.sum() > 0 and 1, None, ""),
        "sends": (lambda: devices.move(on_cpu, there), graphs.Refused, r"brings along an array of shape \(3,\)"),
        "asarray": (lambda: xp.asarray(on_cpu), strict_graphs.CudaError, "StreamCaptureUnsupported"),
        "list": (lambda: x[[0, 1]], strict_graphs.CudaError, "list of places"),
        "waits": (lambda: xp.cuda.get_current_stream().synchronize(), strict_graphs.CudaError, "Unsupported"),
        "cublas": (lambda: x @ x, NotImplementedError, "cuBLAS"),
        "mask": (lambda: x[x > 0], RuntimeError, "capturing"),
    }


@pytest.mark.parametrize("name", ["reads", "float", "sends", "asarray", "list", "waits", "cublas", "mask"])
def test_what_cannot_be_recorded_raises_and_leaves_everything_as_it_was(name, xp, recorder):
    work, error, says = refused_work(xp)[name]
    kept = Variable(np.ones(2, "float32"))
    kept.data = xp.asarray(np.ones(2, "float32"))
    before = kept.data, kept.version

    def changing():
        kept.assign(kept.data * 2)
        return work()

    with pytest.raises(error, match=says):
        recorder.record(changing, "float32")
    assert (kept.data, kept.version) == before and kept.numpy().tolist() == [1, 1]
    assert not graphs.recording() and not recorder.stream.is_capturing()
    graph, y = recorder.record(lambda: kept.data + 1, "float32")  # the stream can be used again
    graph.launch()
    assert y.get().tolist() == [2, 2]


def test_lists_of_pointers_are_not_sent(xp, recorder):
    xs = [xp.asarray(np.full(1, i, "float32")) for i in range(20)]
    with pytest.raises(graphs.Refused, match="CuPy sends an array"):
        recorder.record(lambda: xp.concatenate(xs), "float32")
    graph, y = recorder.record(lambda: ops.concatenate(xs), "float32")
    graph.launch()
    assert y.get().tolist() == list(range(20))


def test_a_variable_of_the_cpu_is_refused(xp, recorder):
    counted = Variable(np.zeros(1, "float32"))
    with pytest.raises(graphs.Refused, match="'variable' is counted on the CPU"):
        recorder.record(lambda: counted.assign(np.ones(1, "float32")), "float32")
    assert counted.numpy().tolist() == [0] and counted.version == 0


def test_memory_that_is_not_there_is_refused(xp):
    x = xp.asarray(np.ones(3, "float32"))
    stream = xp.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        with pytest.raises(strict_graphs.CudaError, match="cudaMalloc"):
            x * 2
        with pytest.raises(strict_graphs.CudaError, match="Invalidated"):
            stream.end_capture()


def test_another_stream_must_be_waited_for(xp, recorder):
    with recorder.stream, pytest.raises(AssertionError, match="not waited for"):
        xp.asarray(np.ones(3, "float32")) + 1
        with xp.cuda.Stream(non_blocking=True):
            xp.zeros(3)


def test_results_are_rubbish_until_the_launch(xp, recorder):
    x = xp.asarray(np.ones(3, "float32"))
    graph, y = recorder.record(lambda: x * 2, "float32")
    assert (y.get() != 2).all()
    graph.launch()
    assert (y.get() == 2).all()


def test_streams_graphs_and_memory_have_the_names_of_cupy():
    names = cupy_names.names()
    for owner in (strict_graphs.Stream, strict_graphs.Graph, strict_graphs.MemoryPool):
        methods = {name: value for name, value in vars(owner).items() if inspect.isfunction(value) and name[0] != "_"}
        assert methods
        for name, method in methods.items():
            known = names[f"cuda.{owner.__name__}.{name}"]
            ours = inspect.signature(method).parameters
            assert known.startswith("(") and set(list(ours)[1:]) == set(cupy_names.read(known[1:]).parameters), name
    assert {f"cuda.{name}" for name in vars(strict_graphs.cuda)} <= set(names)
