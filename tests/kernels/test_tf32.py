"""Tensor cores: the shim's own by the tables of the PTX ISA, the setting that asks for them, and how exact they are."""

import numpy as np
import pytest

import minidl
import minidl_kernels
from minidl import layers, ops
from minidl_kernels import config
from minidl_kernels.cuda import Program, shim
from tests.kernels import strict
from tests.kernels.cuda_cases import all_cases
from tests.kernels.shim import OURS, disagreement, expected, programs, through_shim
from tests.kernels.tf32 import BOUND, rounded
from tests.shims import needs_compiler

pytestmark = needs_compiler
PRODUCTS = ("conv2d", "conv2d_input_grad", "conv2d_kernel_grad", "matmul", "dense", "dense_weight_grad")
RANDOM = np.random.default_rng(0)
HEAD = 'extern "C" __global__ void f(const float* x, const float* y, float* z) {\nint lane = threadIdx.x;\n'


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Makes a program of the body of one kernel, f(const float* x, const float* y, float* z)."""
    monkeypatch.setattr(Program, "programs", [])

    def make(body):
        (tmp_path / "f.cu").write_text(f'#include "tensor_core.cuh"\n{HEAD}{body}\n}}\n')
        return Program("f.cu", str(tmp_path / "f.cu"))

    return make


@pytest.fixture
def cupy(monkeypatch):
    programs()
    monkeypatch.setattr(config, "_tf32", True)
    yield strict.install(monkeypatch)
    for kernel in minidl_kernels.kernels.values():
        kernel._plans.clear()


# ---- one step ----


def test_numbers_are_rounded_to_ten_bits():
    tenth = 1 + 2.0**-10  # the number after 1
    halves = [1 + 2.0**-11, -1 - 2.0**-11, 1 + 2.0**-11 - 2.0**-23, 1 + 2.0**-11 + 2.0**-23]
    np.testing.assert_array_equal(rounded(np.array(halves, "f4")), np.array([tenth, -tenth, 1, tenth], "f4"))


def test_the_shim_rounds_as_the_formula_says(program):
    bits = RANDOM.integers(0, 2**32, 20000, dtype=np.uint64).astype(np.uint32)
    bits = np.concatenate([bits, bits & 0xFFFFE000 | 0x1000, bits & 0x807FFFFF])  # halves; and those below 2^-126
    x = bits.view("f4")
    x = x[np.isfinite(x) & (np.abs(x) < 3.39e38)]
    z = np.zeros_like(x)
    rounds = program("z[blockIdx.x] = __uint_as_float(to_tf32(x[blockIdx.x]));")
    rounds("f", (x.size,), (1,), x, x, z)
    np.testing.assert_array_equal(z, rounded(x))
    odd = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 3.4028235e38], "f4")
    z = np.zeros_like(odd)
    rounds("f", (odd.size,), (1,), odd, odd, z)
    np.testing.assert_array_equal(z, [np.inf, -np.inf, np.nan, 0, 0, np.inf])
    assert np.signbit(z[4])


def place_a(lane, i):
    """PTX ISA, matrix fragments for mma.m16n8k8, multiplicand A, .tf32: row and column of ai."""
    return lane // 4 + (0 if i in (0, 2) else 8), lane % 4 + (0 if i in (0, 1) else 4)


def place_b(lane, i):
    return lane % 4 + (0 if i == 0 else 4), lane // 4


def place_c(lane, i):
    return lane // 4 + (0 if i < 2 else 8), lane % 4 * 2 + (i & 1)


MULTIPLY = """
unsigned a[4], b[2];
float c[4];
for (int i = 0; i < 4; i++) a[i] = to_tf32(x[lane * 6 + i]), c[i] = z[lane * 4 + i];
for (int i = 0; i < 2; i++) b[i] = to_tf32(x[lane * 6 + 4 + i]);
multiply_add(c, a, b);
for (int i = 0; i < 4; i++) z[lane * 4 + i] = c[i];
"""


@pytest.mark.parametrize("order", shim.ORDERS)
def test_a_step_multiplies_what_the_lanes_hold(program, order):
    for warps in (1, 3):
        lanes = range(32 * warps)
        a, b = RANDOM.standard_normal((warps, 16, 8), np.float32), RANDOM.standard_normal((warps, 8, 8), np.float32)
        c = RANDOM.standard_normal((warps, 16, 8), np.float32)
        held = [[*(a[n // 32][place_a(n % 32, i)] for i in range(4))] for n in lanes]
        held = [[*held[n], *(b[n // 32][place_b(n % 32, i)] for i in range(2))] for n in lanes]
        z = np.array([[c[n // 32][place_c(n % 32, i)] for i in range(4)] for n in lanes], "f4")
        x = np.array(held, "f4")
        with shim.running(order):
            program(MULTIPLY)("f", (1,), (32 * warps,), x, x, z)
        wanted = c + rounded(a).astype("d") @ rounded(b)
        found = np.array([[z[n, i] for i in range(4)] for n in lanes])
        expected = np.array([[wanted[n // 32][place_c(n % 32, i)] for i in range(4)] for n in lanes])
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (MULTIPLY.replace("to_tf32(x[lane * 6 + 4 + i])", "__float_as_uint(x[lane])"), "a factor of .* is not TF32"),
        (f"if (lane < 16) {{ {MULTIPLY} }}", "for lanes of mask ffffffff that do not come"),
    ],
)
def test_mistakes_are_found(program, body, message):
    x, z = RANDOM.standard_normal(32 * 6).astype("f4"), np.zeros(32 * 4, "f4")
    with pytest.raises(shim.ShimError, match=message):
        program(body)("f", (1,), (32,), x, x, z)


# ---- the kernels ----


@pytest.mark.parametrize("name", PRODUCTS)
def test_results_are_within_the_bound_of_tf32(name):
    """Off by at most 2^-10 of the sum of the products' absolute values; and by 1e-3 of the largest result."""
    one = OURS[name]
    for arrays, settings in list(all_cases(name, "float32"))[:4]:
        wanted = expected(one, (arrays, settings))[0]
        found = through_shim(one, "cuda_tf32", (arrays, settings))[0]
        sums = expected(one, (tuple(map(np.abs, arrays)), settings))[0]
        assert (np.abs(found - wanted) <= 2.0**-10 * sums * 1.001 + 1e-6).all()
        assert np.abs(found - wanted).max(initial=0) <= BOUND * max(1.0, np.abs(wanted).max(initial=0))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("part % 2 * 8, k + part / 2 * 4", "part / 2 * 8, k + part % 2 * 4"),
        ("k + part * 4);", "k + part * 2);"),
        ("threadIdx.x % 32 / 4, place = threadIdx.x % 4", "threadIdx.x % 8, place = threadIdx.x % 32 / 8"),
        ("+ column + 2 * place", "+ column + place"),
        ("part / 2 * 8, c =", "part % 2 * 8, c ="),
        ("WARP_ROWS + group;", "WARP_ROWS;"),
        ("= to_tf32(numbers[n]);", "= __float_as_uint(numbers[n]);"),
        ("source.advance(inner, STEP);", "source.advance(inner, STEP + 1);"),
        ("source.advance(inner, DEPTH);", "source.advance(inner, DEPTH - 1);"),
        ("        a.fetch(to);  // beyond the end these are zeros, and nothing is read\n", ""),
    ],
)
def test_a_wrong_index_is_noticed(right, wrong, monkeypatch):
    changed = 0
    for program in programs():
        if right in program.text:
            monkeypatch.setattr(program, "text", program.text.replace(right, wrong))
            changed += 1
    assert changed == 2
    assert disagreement("matmul", "cuda_tf32", "float32") is not None
    assert any(disagreement(name, "cuda_tf32", "float32") is not None for name in PRODUCTS[:3])


def test_what_is_not_finite_stays_so():
    a, b = np.ones((3, 20), "f4"), np.ones((20, 5), "f4")
    a[0, 3], a[1, 19], b[7, 4] = np.nan, np.inf, -np.inf
    found = through_shim(OURS["matmul"], "cuda_tf32", ((a, b), {}))[0]
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(found, a @ b)


@pytest.mark.parametrize("name", PRODUCTS[:3])
def test_nothing_to_add_up_gives_zeros(name):
    for shape, filters in (((2, 3, 3, 0), 4), ((2, 3, 3, 2), 0), ((2, 0, 0, 2), 3)):
        w, g = np.ones((2, 2, shape[3], filters), "f4"), np.ones((*shape[:3], filters), "f4")
        settings = {"strides": (1, 1), "padding": "same"}
        call = {
            "conv2d": ((np.ones(shape, "f4"), w), settings),
            "conv2d_input_grad": ((g, w), {"input_shape": shape, **settings}),
            "conv2d_kernel_grad": ((np.ones(shape, "f4"), g), {"kernel_shape": w.shape, **settings}),
        }[name]
        (found,) = through_shim(OURS[name], "cuda_tf32", call)
        np.testing.assert_array_equal(found, expected(OURS[name], call)[0])


# ---- the setting ----


def test_it_is_off_and_can_be_turned_on():
    assert minidl.config.is_tf32_enabled() is False
    try:
        minidl.config.enable_tf32()
        assert minidl.config.is_tf32_enabled() is True and config.is_tf32_enabled()
    finally:
        minidl.config.enable_tf32(False)
    assert minidl.config.is_tf32_enabled() is False
    with pytest.raises(TypeError, match="on must be True or False, not 'yes'"):
        minidl.config.enable_tf32("yes")


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_setting_chooses_tensor_cores_at_once(name, cupy):
    arrays, settings = next(all_cases(name, "float32"))
    arrays = tuple(strict.given(a) for a in arrays)
    ran = []
    for on in (True, False, True):
        config.enable_tf32(on)
        with minidl_kernels.watch() as seen:
            OURS[name](*arrays, **settings)
        ran.append((seen.calls[0].implementation, strict.launched[-1:] if on else []))
        refused = dict(seen.calls[0].refused)
        assert on or refused["cuda_tf32"] == "TF32 is off: config.enable_tf32() turns it on"
    assert [one == "cuda_tf32" for one, _ in ran] == [True, False, True]
    launched = "column_sum" if name == "dense_weight_grad" else "tf32"
    assert launched in ran[0][1][0]


def test_what_cannot_is_told(cupy, monkeypatch):
    a = strict.given(np.ones((3, 3)))
    with minidl_kernels.watch() as seen:
        OURS["matmul"](a, a)
    assert seen.calls[0].refused[0] == ("cuda_tf32", "computes in float32, not float64")
    b = a.astype("float32")
    old = {0: "90", 1: "75"}
    monkeypatch.setattr(strict.Device, "compute_capability", property(lambda self: old[self.id]))
    with minidl_kernels.watch() as seen:
        OURS["matmul"](b, b)
    reason = "TF32 needs compute capability 8.0, strict:1 has 7.5"
    assert seen.calls[0].refused[0] == ("cuda_tf32", reason) and seen.calls[0].implementation == "array"
    with OURS["matmul"].use("cuda_tf32"), pytest.raises(ValueError, match=reason):
        OURS["matmul"](strict.given(np.ones((4, 4), "f4")), strict.given(np.ones((4, 4), "f4")))
    monkeypatch.setattr(strict.Device, "compute_capability", "80")
    assert OURS["matmul"].get("cuda_tf32").refusal("cupy", (b, b), {}) is None


def test_a_convolution_with_dilation_runs_on_tensor_cores(cupy):
    x, w = RANDOM.standard_normal((1, 9, 8, 1), np.float32), RANDOM.standard_normal((3, 2, 1, 3), np.float32)
    spread = np.zeros((5, 3, 1, 3), "f4")
    spread[::2, ::2] = rounded(w)
    with OURS["conv2d"].use("reference"):
        wanted = OURS["conv2d"](rounded(x), spread, padding="same")
    found = ops.conv(strict.given(x), strict.given(w), padding="same", dilation_rate=2)
    assert "conv_forward_tf32" in strict.launched
    np.testing.assert_allclose(found.array, wanted, atol=1e-5 * np.abs(wanted).max())


def network():
    minidl.utils.set_random_seed(3)
    model = minidl.Sequential([
        layers.Input((6, 6, 2)), layers.Conv2D(3, 3, strides=2, padding="same", activation="relu"), layers.Flatten(),
        layers.Dense(5, activation="relu"), layers.Dense(4, activation="softmax"),
    ])  # fmt: skip
    model.compile(minidl.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return model


def test_a_training_in_tf32_and_its_summary(cupy):
    x, y = RANDOM.standard_normal((8, 6, 6, 2), np.float32), np.arange(8) % 4
    found = {}
    for on in (True, False):
        config.enable_tf32(on)
        with minidl.device("strict:0"):
            model = network()
            losses = model.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0).history["loss"]
        texts = []
        model.summary(print_fn=texts.append, show_kernels=4)
        found[on] = losses, texts[0]
    np.testing.assert_allclose(found[True][0], found[False][0], rtol=2e-3)
    assert found[True][0] != found[False][0]
    for line in ("conv2d: cuda_tf32", "conv2d_kernel_grad: cuda_tf32", "dense: cuda_tf32", "matmul: cuda_tf32"):
        assert line in found[True][1]
    off = "not cuda_tf32: TF32 is off: config.enable_tf32() turns it on"
    assert found[False][1].count(off) >= 2 and "cuda_tf32" not in found[False][1].replace(off, "")
