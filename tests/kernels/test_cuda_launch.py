"""Kernels called with arrays of another library choose CUDA, allocate there, and launch with the right arguments."""

import numpy as np
import pytest

from minidl_kernels.cuda import Program
from tests.kernels import strict
from tests.kernels.cases import CASES
from tests.kernels.shim import OURS, expected, flat, programs
from tests.shims import needs_compiler

pytestmark = needs_compiler

ON_CUBLAS = {"matmul", "dense", "dense_weight_grad"}  # by default


@pytest.fixture
def cupy(monkeypatch):
    programs()
    return strict.install(monkeypatch)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_call_runs_on_the_device(name, cupy):
    one = OURS[name]
    for arrays, settings in CASES[name]("float32"):
        others = tuple(strict.given(a) for a in arrays)
        before = len(strict.launched)
        if name in ON_CUBLAS:
            with one.use("cuda"):
                found = one(*others, **settings)
        else:
            found = one(*others, **settings)
        results = flat(others if found is None else found)
        wanted = expected(one, (arrays, settings))
        assert len(strict.launched) > before or sum(y.size for y in wanted) == 0
        for y, e in zip(results, wanted, strict=True):
            assert type(y) is strict.ndarray and y.dtype == e.dtype and y.shape == e.shape
            np.testing.assert_allclose(y.array, e, rtol=2e-5, atol=2e-5 * np.abs(e).max(initial=1))


def test_all_weights_of_a_model_are_one_launch(cupy):
    ws = [np.ones(n, "float32") for n in (3, 300, 1, 0, 5000)]
    gs = [np.full_like(w, 2) for w in ws]
    device = strict.given(ws)
    OURS["sgd"](device, strict.given(gs), learning_rate=0.25)
    assert strict.launched == ["sgd_step"]
    assert all((w.array == 0.5).all() for w in device)
    many = strict.given([np.ones(2, "float32")] * 130)
    OURS["sgd"](many, many[:1] * 130, learning_rate=0.0)
    assert strict.launched == ["sgd_step"] * 4  # 64, 64 and 2


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_a_relu_behind_a_batch_norm_is_no_launch_of_its_own(slope, cupy):
    x, channel = strict.given(np.ones((4, 3), "float32")), strict.given(np.ones(3, "float32"))
    settings = {"epsilon": 1e-3, "negative_slope": slope}
    y, *moments = OURS["batch_norm_relu"](x, channel, channel, **settings)
    assert strict.launched == ["column_sum", "square_sums", "normalize"]
    OURS["batch_norm_relu_grad"](x, y, x, channel, *moments, **settings)
    assert strict.launched[3:] == ["gradient_sums", "input_gradient"]


def test_gradients_of_other_strides_are_copied_and_weights_are_not(cupy):
    w, g = strict.given(np.zeros((3, 4), "float32")), strict.given(np.arange(12, dtype="float32").reshape(4, 3))
    OURS["sgd"]([w], [strict.ndarray(g.array.T)], learning_rate=1.0)
    np.testing.assert_array_equal(w.array, -g.array.T)


def test_one_compiled_module_for_each_dtype(cupy):
    relu = OURS["relu"]
    for dtype in ("float32", "float64", "float32"):
        relu(strict.given(np.array([-1, 2], dtype)))
    (program,) = (p for p in Program.programs if p.path.name == "activation.cu")
    assert list(program._modules) == [(0, "float"), (0, "double")]


@pytest.mark.parametrize("implementation", ["cuda", "cuda_tf32"])
def test_a_stack_deeper_than_a_grid_is_several_launches(implementation, cupy, monkeypatch):
    monkeypatch.setattr("minidl_kernels.cuda.program.MOST_DEEP", 4)
    a, b = (np.arange(36.0, dtype="float32").reshape(3, 3, *shape) % 5 for shape in ((2, 2), (1, 4)))
    a[:, 1] = 7
    for left, right, others in ((a, b[0, 0].reshape(2, 2), {}), (a, b.reshape(3, 3, 2, 2), {"transpose_a": True})):
        with OURS["matmul"].use(implementation):
            found = OURS["matmul"](strict.given(left), strict.given(right), **others)
        np.testing.assert_array_equal(found.array, (left.swapaxes(-1, -2) if others else left) @ right)
        assert len(strict.launched) == 3  # 4, 4 and 1 of the nine
        strict.launched.clear()


def test_products_stay_with_cublas(cupy):
    a = strict.given(np.ones((2, 2), "float32"))
    assert OURS["matmul"]._choose((a, a), {"transpose_a": False, "transpose_b": False}, None)[0].name == "array"
    assert OURS["conv2d"].get("cuda").refusal("cupy", (a,), {}) is None
