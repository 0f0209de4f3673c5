"""`minidl bench kernels`: every kernel has a call to measure, and the table and the record say what they should."""

import json

import numpy as np
import pytest

import minidl_kernels
from minidl.cli import bench, kernel_cases, main
from minidl_kernels import config

OURS = {name for name, one in minidl_kernels.kernels.items() if one.__module__.startswith("minidl_kernels.")}


def test_every_kernel_has_a_call():
    for size in ("small", "layer"):
        cases = kernel_cases.one_of_each(size)
        assert set(cases) == OURS
        assert all(case.kernel.name == name for name, case in cases.items())
    assert set(kernel_cases.OPERATIONS) == {name for name, case in cases.items() if not case.flops}


WITHOUT_NUMBA = {"elementwise", "elementwise_grad"}  # on a processor their steps run one by one


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_implementation_computes_the_same_on_it(name):
    case = kernel_cases.one_of_each("small")[name]
    if case.in_place:
        return  # tests/kernels compare these
    found = []
    for implementation in bench.IMPLEMENTATIONS:
        if implementation in case.kernel.available():
            with case.kernel.use(implementation):
                y = case.kernel(*case.arrays, **case.settings)
            found.append(y if isinstance(y, tuple) else (y,))
    assert len(found) >= (2 if name in WITHOUT_NUMBA else 3)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_operations_and_bytes_by_hand():
    cases = kernel_cases.one_of_each("small")
    conv = cases["conv2d"]  # 8x8 pictures, 16 channels to 16, 3x3
    assert conv.operations() == 2 * 8 * 8 * 16 * 9 * 16 and conv.bytes() == 4 * (2 * 8 * 8 * 16 + 9 * 16 * 16)
    assert cases["relu"].operations() == 8 * 8 * 16 and cases["relu"].bytes() == 2 * 4 * 8 * 8 * 16
    assert cases["adam"].operations() == 11 * 1000
    assert cases["adam"].bytes() == 4 * 1000 * 7  # w, m, v read and written, g read
    assert cases["sgd"].bytes() == 4 * 1000 * 3


def test_the_table_and_the_record(capsys, tmp_path):
    before = config.threads()
    assert main(["bench", "kernels", "relu", "conv2d", "--threads", "1", "--json", str(tmp_path / "k.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "kernel", "shape", "reference", "array", "cpu", "winograd", "times", "reached", "limit",
    ]  # fmt: skip
    assert lines[2].startswith("relu ") and lines[3].startswith("conv2d ") and "1 threads" in lines[-1]
    record = json.loads((tmp_path / "k.json").read_text("utf-8"))
    assert set(record["kernels"]["conv2d"]["seconds"]) == {"reference", "array", "cpu", "winograd"}
    relu = record["kernels"]["relu"]
    assert set(relu["seconds"]) == {"reference", "array", "cpu"} and relu["measured in"] == "bytes"
    assert relu["times"] == pytest.approx(max(relu["seconds"].values()) / min(relu["seconds"].values()))
    assert relu["share of the limit"] == pytest.approx(relu["a second"] / record["limits"]["bytes"])
    assert record["limits"]["flops"] > 1e8 and record["threads"] == 1 and config.threads() == before


def test_a_layers_size_leaves_the_plain_loops_out(capsys):
    assert main(["bench", "kernels", "softmax", "--size", "layer"]) == 0
    assert "reference" not in capsys.readouterr().out


def test_an_unknown_kernel_is_refused_with_those_there_are(capsys):
    assert main(["bench", "kernels", "conv3d"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("minidl: error: unknown kernels: conv3d; there are adam, add, average_pool")
    assert len(error.splitlines()) == 1


def test_help(capsys):
    with pytest.raises(SystemExit):
        main(["bench", "kernels", "--help"])
    out = capsys.readouterr().out
    assert "examples:" in out and "--size" in out and max(map(len, out.splitlines())) <= 105
