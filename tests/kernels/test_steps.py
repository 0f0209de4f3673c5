"""The steps from three loops to tensor cores: each against the definition, on extents that fill no block."""

import re
from pathlib import Path

import numpy as np
import pytest

import minidl_kernels as kernels
from minidl_kernels.steps import STEPS, counted
from minidl_kernels.steps.__main__ import Measured, as_text, exactly, main, rows_of
from minidl_kernels.steps.step09_winograd import in_numpy
from tests.kernels.tf32 import BOUND
from tests.shims import needs_compiler

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = [step for step in STEPS if not step.convolves and not step.on_gpu]
ON_GPU = [step for step in STEPS if step.on_gpu]
CONVOLUTIONS = [step for step in STEPS if step.convolves]


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape, np.float32)


def title(step):
    return step.place.replace(".", "-")


@pytest.mark.parametrize("step", PRODUCTS, ids=title)
@pytest.mark.parametrize("m, k, n", [(1, 1, 1), (7, 5, 3), (9, 261, 35), (5, 3, 150)])
def test_a_product_is_that_of_the_definition(step, m, k, n):
    a, b = normal(m, k), normal(k, n, seed=1)
    with kernels.matmul.use("reference"):
        expected = kernels.matmul(a, b)
    np.testing.assert_allclose(step.function()(a, b), expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@needs_compiler
@pytest.mark.parametrize("step", ON_GPU, ids=title)
@pytest.mark.parametrize("m, k, n", [(1, 1, 1), (17, 16, 3), (9, 70, 65), (130, 3, 2)])
def test_a_product_of_cuda_is_that_of_numpy(step, m, k, n):
    a, b = normal(m, k), normal(k, n, seed=1)
    expected = a.astype("d") @ b
    tolerance = BOUND if step.number == 14 else 1e-5
    np.testing.assert_allclose(step.function()(a, b), expected, rtol=0, atol=tolerance * np.abs(expected).max())


@needs_compiler
def test_what_cuda_asks_of_memory_is_what_its_squares_and_tiles_say():
    """For 128 x 48 by 48 x 64, which fill all squares and tiles."""
    a, b = normal(128, 48), normal(48, 64, seed=1)
    found = [counted.counted(step, a, b, a.astype("d") @ b) for step in ON_GPU]
    assert [one.multiply_adds for one in found] == [128 * 48 * 64] * 4
    # Every number is used once; 16 times; 64 times; those of a 64 times and those of b 128 times.
    assert [one.loads for one in found] == [2, 2 / 16, 2 / 64, 1 / 64 + 1 / 128]
    # Two numbers a multiply-add; 4 + 4 for 16 of them; and for a warp 2 x 4 and 4 x 2 a thread for 8 steps of 32.
    assert [one.shared_loads for one in found] == [0, 2, 8 / 16, 16 / 256]
    # Two barriers a slab of 16, in 8 x 4 squares, two tiles, one tile.
    assert [one.counts.barriers for one in found] == [0, 6 * 32, 6 * 2, 6]
    assert [one.counts.steps for one in found] == [0, 0, 0, 128 * 48 * 64 // 1024]
    assert {one.counts.stores for one in found} == {128 * 64}
    for one in found:
        assert one.intensity == 2 * one.multiply_adds / (4 * (one.counts.loads + one.counts.stores))
    assert max(one.error for one in found[:3]) < 1e-6 < 1e-5 < found[3].error < BOUND


@pytest.mark.parametrize("step", CONVOLUTIONS, ids=title)
def test_a_convolution_is_that_of_the_definition(step):
    x, w = normal(2, 7, 9, 16), normal(3, 3, 16, 16, seed=1)
    with kernels.conv2d.use("reference"):
        expected = kernels.conv2d(x[:1, :4, :5], w)
    result = step.function()(x, w)
    most = np.abs(expected).max()
    np.testing.assert_allclose(result[:1, :2, :3], expected, rtol=0, atol=(1e-4 if step.number == 10 else 1e-5) * most)
    np.testing.assert_allclose(result, exactly(step, x, w), rtol=0, atol=1e-4 * most)


def test_only_the_steps_before_winograd_take_other_kernels_and_any_channels():
    x, w = normal(2, 8, 11, 3), normal(2, 5, 3, 21, seed=1)
    with kernels.conv2d.use("array"):
        expected = kernels.conv2d(x, w)
    for step in CONVOLUTIONS[:2]:
        np.testing.assert_allclose(step.function()(x, w), expected, atol=1e-4)
    with pytest.raises(ValueError, match="takes kernels of 3x3 with stride 1"):
        CONVOLUTIONS[2].function()(x, w)


@pytest.mark.parametrize("m", [2, 4])
def test_the_formula_of_winograd_is_a_convolution(m):
    x, w = normal(2, 9, 8, 3).astype("f8"), normal(3, 3, 3, 5, seed=1).astype("f8")
    np.testing.assert_allclose(in_numpy(x, w, m), exactly(CONVOLUTIONS[0], x, w), rtol=0, atol=1e-12)


def test_the_command_measures_and_compares(capsys):
    threads = kernels.config.threads()
    assert main(["1", "3", "8", "--size", "20", "--pictures", "1", "--threads", "1", "--seconds", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["1", "3", "8", "8"]
    assert "GFLOP/s on one thread" in lines[-1] and kernels.config.threads() == threads
    speeds = [float(re.search(r" {2,}(\d[\d.]*) {2,}\d", line)[1]) for line in lines[1:5]]
    assert all(speed >= 0 for speed in speeds) and speeds[1] > speeds[0]


def test_the_table_has_speed_share_and_factor_over_the_step_before():
    found = [
        Measured(STEPS[0], 2e6, 2e-5, 4e-8),
        Measured(STEPS[1], 1e9, 0.01, 3e-7),
        Measured(STEPS[7], 5e10, 0.4, 1e-6),
    ]
    rows = rows_of(found)
    assert rows[0][2:6] == ("0.002", "0.00%", "", "4e-08")
    assert rows[1][2:6] == ("1.0", "1%", "500.0", "3e-07")
    assert rows[2][2:6] == ("50", "40%", "", "1e-06")  # another problem than the line before: no factor
    text = as_text(rows, markdown=True).splitlines()
    assert len({line.count("|") for line in text}) == 1
    assert "[step02_compiled.py](minidl_kernels/steps/step02_compiled.py)" in text[3]


@needs_compiler
def test_the_command_counts_what_it_cannot_measure(capsys):
    assert main(["3", "11", "13", "--size", "16", "--seconds", "0", "--threads", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    header = lines.index(next(line for line in lines if "flops a byte" in line))
    assert [line.split()[0] for line in lines[header + 1 : header + 3]] == ["11", "13"]
    assert lines[header + 1].split()[-6:] == [
        "2",
        "0",
        "0.242",
        "0",
        lines[header + 1].split()[-2],
        "step11_cuda_naive.py",
    ]
    assert lines[1].split()[0] == "3" and "no GPU, and no time" in lines[-1]


def test_without_a_compiler_the_steps_of_cuda_say_what_to_install(monkeypatch, capsys):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "")
    assert main(["11", "12", "--size", "16"]) == 1
    assert re.search(r"Steps 11 to 12: no C\+\+ compiler was found", capsys.readouterr().out)


def test_the_readme_has_a_line_for_every_step():
    text = (ROOT / "kernels" / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| (\d+) \| ([^|]+) \|.*\(minidl_kernels/steps/(\w+)\.py\) \|$", text, re.M)
    assert listed == [(str(step.number), step.title, step.place.partition(".")[0]) for step in STEPS]


@pytest.mark.parametrize("wrong", [["15"], ["0"], ["--size", "0"], ["--pictures", "-1"], ["--threads", "0"]])
def test_what_there_is_not_is_named(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        main(wrong)
    assert ended.value.code == 2
    assert "there is no step" in (text := capsys.readouterr().err) or "must be at least 1" in text
