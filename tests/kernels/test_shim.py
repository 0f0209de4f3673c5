"""The GPU made of one processor: what it gives to a kernel, and each mistake that it finds."""

import re

import numpy as np
import pytest

from minidl_kernels.cuda import Program, blocks, shim
from minidl_kernels.cuda.__main__ import main
from minidl_kernels.cuda.counts import Counts, counting
from tests.shims import needs_compiler

pytestmark = needs_compiler


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Makes a program of the body of one kernel, f(const real* x, real* y, int n)."""
    monkeypatch.setattr(Program, "programs", [])

    def make(body, before=""):
        path = tmp_path / "f.cu"
        path.write_text(f'{before}\nextern "C" __global__ void f(const real* x, real* y, int n) {{\n{body}\n}}\n')
        return Program(path.name, str(path))

    return make


def run(one, n=8, grid=1, block=8, order="forward", dtype="float32", given=None):
    x = np.arange(1, n + 1).astype(dtype) if given is None else given
    y = np.full(n, -1, dtype)
    with shim.running(order):
        one("f", (grid,), block if isinstance(block, tuple) else (block,), x, y, n)
    return y


@pytest.mark.parametrize("order", shim.ORDERS)
def test_threads_know_where_they_are(program, order):
    one = program("int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) y[i] = 100 * i + gridDim.x;")
    np.testing.assert_array_equal(run(one, 10, grid=3, block=4, order=order), 100 * np.arange(10) + 3)
    one = program("int i = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x; y[i] = i;")
    np.testing.assert_array_equal(run(one, 24, block=(2, 3, 4), order=order), np.arange(24))


@pytest.mark.parametrize("order", shim.ORDERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shared_memory_and_barriers(program, order, dtype):
    write, read = "s[threadIdx.x] = x[threadIdx.x];", "y[threadIdx.x] = s[n - 1 - threadIdx.x];"
    one = program(f"__shared__ real s[64]; {write} __syncthreads(); {read}")
    np.testing.assert_array_equal(run(one, 64, block=64, order=order, dtype=dtype), np.arange(64, 0, -1))


@pytest.mark.parametrize("order", shim.ORDERS)
def test_shuffles_stay_in_their_warp(program, order):
    x = np.arange(64.0, dtype="float32")
    down = program("y[threadIdx.x] = __shfl_down_sync(0xffffffffu, x[threadIdx.x], 3);")
    lane = np.arange(64) % 32
    np.testing.assert_array_equal(run(down, 64, block=64, order=order, given=x), np.where(lane < 29, x + 3, x))
    across = program("y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, x[threadIdx.x], 16);")
    np.testing.assert_array_equal(run(across, 64, block=64, order=order, given=x), x.reshape(2, 2, 16)[:, ::-1].ravel())
    first = program("__syncwarp(); y[threadIdx.x] = __shfl_sync(0xffffffffu, x[threadIdx.x], 5);")
    np.testing.assert_array_equal(run(first, 64, block=64, order=order, given=x), np.repeat([5, 37], 32))
    # Lanes of a mask only; the others go their way.
    some = program("y[threadIdx.x] = threadIdx.x < 4 ? __shfl_xor_sync(0xfu, x[threadIdx.x], 1) : 0;")
    np.testing.assert_array_equal(run(some, 8, order=order), [2, 1, 4, 3, 0, 0, 0, 0])


def test_atomics_and_functions(program):
    one = program("atomicAdd(&y[0], x[threadIdx.x]);")
    assert run(one)[0] == 36 - 1
    one = program("y[threadIdx.x] = rsqrt(x[threadIdx.x]) + max(fmaf(2.0f, 3.0f, 1.0f), 0.0f) + min(threadIdx.x, 2u);")
    np.testing.assert_allclose(run(one), np.arange(1, 9) ** -0.5 + 7 + np.minimum(np.arange(8), 2), rtol=1e-6)
    one = program("y[threadIdx.x] = __umulhi(0x80000000u, threadIdx.x);")
    np.testing.assert_array_equal(run(one), np.arange(8) // 2)


@pytest.mark.parametrize(
    ("body", "order", "message"),
    [
        ("y[threadIdx.x + 1] = 0;", "forward", r"thread \(7, 0, 0\) of block .*element 8 of argument 1, which has 8"),
        ("y[0] = x[threadIdx.x == 3 ? n : 0];", "forward", r"thread \(3, 0, 0\).*element 8 of argument 0"),
        ("y[(int)threadIdx.x - 1] = 0;", "reverse", r"thread \(0, 0, 0\).*element -1 of argument 1"),
        ("y[-1] = 0;", "forward", "argument 1 was written outside of its 8 elements"),
        ("y[n] = 0;", "reverse", "argument 1 was written outside of its 8 elements"),
        ("((real*)x)[0] = 5;", "forward", "argument 0 is read-only, and was written"),
        ("__shared__ real s[4][8]; s[0][threadIdx.x + 1] = 0;", "forward", "index 8 outside of its array"),
        ("__shared__ real s[7]; s[threadIdx.x] = 0;", "reverse", r"thread \(7, 0, 0\).*index 7 outside of its array"),
        ("if (threadIdx.x < 5) return; __syncthreads();", "forward", r"thread \(5, .*thread \(0, 0, 0\) has returned"),
        ("if (threadIdx.x < 5) __syncthreads();\nelse __syncthreads();", "mixed", "waits at .* waits in line"),
        ("y[0] = __shfl_down_sync(0xffffffffu, x[0], 1);", "forward", "lanes of mask ffffffff that do not come"),
        ("if (threadIdx.x < 4) y[0] = __shfl_xor_sync(0xfu, x[0], 4);", "forward", "lane 4, which mask 0000000f"),
        ("y[0] = __shfl_xor_sync(0xfu, x[0], 1);", "forward", "mask 0000000f leaves out the lane itself"),
        ("y[0] = undefined;", "forward", "does not compile:\n.*undefined"),
    ],
)  # fmt: skip
def test_mistakes_are_found(program, body, order, message):
    x = np.arange(8, dtype="float32")
    x.flags.writeable = False
    with pytest.raises(shim.ShimError, match=re.compile(message, re.DOTALL)):
        run(program(body), order=order, given=x)
    assert run(program("y[threadIdx.x] = x[threadIdx.x];"), order=order)[7] == 8  # and the next launch is a new one


def test_a_missing_barrier_gives_results_that_depend_on_the_order(program):
    body = "__shared__ real s[8]; s[threadIdx.x] = x[threadIdx.x]; y[threadIdx.x] = s[7 - threadIdx.x];"
    found = [run(program(body), order=order) for order in shim.ORDERS]
    assert np.isnan(found[0][:4]).all() and np.isnan(found[1][4:]).all()  # what nobody has written yet is NaN
    assert not np.isnan(found[0][4:]).any() and not np.isnan(found[1][:4]).any()


def test_shared_memory_of_a_block_is_not_that_of_the_block_before(program):
    one = program("__shared__ real s; y[blockIdx.x] = s; s = 1;")
    assert np.isnan(run(one, 4, grid=4, block=1)).all()


def test_arguments_must_fit(program):
    one = program("y[0] = n;")
    x = np.ones(2, "float32")
    with pytest.raises(shim.ShimError, match=r"const real\* x, real\* y, int n\) have \[8, 8, 4\] bytes.*\[8, 8, 8\]"):
        one("f", (1,), (1,), x, x, np.int64(2))
    with pytest.raises(shim.ShimError, match=r"have \[8, 8, 4\] bytes.*have \[8, 8\]"):
        one("f", (1,), (1,), x, x)
    with pytest.raises(OverflowError):
        one("f", (1,), (1,), x, x, 2**31)
    with pytest.raises(shim.ShimError, match="no kernel 'g'; there are: f"):
        one("g", (1,), (1,), x, x, 2)
    with pytest.raises(shim.ShimError, match="no GPU runs"):
        one("f", (1,), (1025,), x, x, 2)
    with pytest.raises(ValueError, match="order must be one of"), shim.running("backward"):
        pass


def test_nothing_runs_on_an_empty_grid(program):
    y = run(program("this is no kernel"), 0, grid=blocks(0, 8))
    assert y.shape == (0,) and blocks(1, 8) == blocks(8, 8) == 1 and blocks(9, 8) == 2


def test_without_a_compiler_the_error_says_what_to_install(monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(shim.ShimError, match=r"no C\+\+ compiler was found.*apt install g\+\+"):
        shim.compiler()
    monkeypatch.setenv("CXX", "ccache g++-13")
    assert shim.compiler() == ["ccache", "g++-13"]
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(shim.ShimError, match="on Linux only, not on win32"):
        shim.compiler()


def test_channels_of_arrays_too_long_for_32_bits(program):
    body = "y[threadIdx.x] = channel_of((1ll << 30) * (1 + threadIdx.x) + 5, 7);"
    wanted = [(2**30 * (1 + i) + 5) % 7 for i in range(8)]  # from 4 on beyond 32 bits
    np.testing.assert_array_equal(run(program(body, '#include "channel.cuh"')), wanted)


def test_accesses_are_counted(program):
    body = (
        "__shared__ real s[8]; s[threadIdx.x] = x[threadIdx.x] + x[0];\n__syncthreads();\n"
        "if (threadIdx.x < 3) y[threadIdx.x] = s[7 - threadIdx.x];"
    )
    plain = run(program(body), 8, grid=2)
    for dtype, size in (("float32", 4), ("float64", 8)):
        with counting() as launches:
            np.testing.assert_array_equal(run(program(body), 8, grid=2, dtype=dtype), plain)
            run(program(body), 8, grid=1, dtype=dtype)
        each = Counts(16, 3, 19 * size, 3, 8, 1, 0)  # a block
        assert launches == [Counts(*(2 * one for one in each)), each]
    assert run(program(body), 8, grid=2)[0] == plain[0] and len(launches) == 2


def test_compiled_texts_are_kept(program, tmp_path, monkeypatch):
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path / "cache"))
    body = "y[threadIdx.x] = 41 + x[0];"
    assert run(program(body))[0] == 42
    (kept,) = (tmp_path / "cache" / "shim").iterdir()
    assert kept.suffix == ".so"
    assert run(program(body), order="reverse")[0] == 42
    assert run(program(body.replace("41", "40")))[0] == 41
    assert len(list((tmp_path / "cache" / "shim").iterdir())) == 2


def test_the_steps_of_the_product_run_from_the_command_line(capsys):
    assert main(["--size", "17", "16", "18"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        [step, order, "right,"] for step in ("naive", "tiled", "blocked", "tensor") for order in shim.ORDERS
    ]
    for step in ("tiled", "blocked", "tensor"):
        for barrier in ("1", "2"):
            assert main([step, "--without-barrier", barrier, "--size", "20", "40", "20"]) == 1
            assert "results are wrong" in capsys.readouterr().out
