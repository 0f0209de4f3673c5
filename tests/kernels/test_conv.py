"""Convolution and its gradients: every implementation against the definition; at block borders against each other."""

import itertools

import numpy as np
import pytest

from minidl_kernels import config
from minidl_kernels.conv import conv2d, conv2d_input_grad, conv2d_kernel_grad
from minidl_kernels.conv.across import across_pays
from minidl_kernels.conv.across_gradient import sums_across_pay
from minidl_kernels.conv.geometry import output_size, same_padding
from minidl_kernels.conv.phases import forward_axis
from minidl_kernels.microkernel import LANES, TALL
from tests.kernels.convolutions import (
    all_three,
    assert_adjoint,
    assert_close,
    assert_same,
    assert_same_bits_on_any_number_of_threads,
    normal,
)

PAIR = 2 * LANES  # small pictures take whole pairs of vectors of filters
FAMILY = (conv2d, conv2d_input_grad, conv2d_kernel_grad)

SMALL = [
    # x, w, strides: no two sizes equal; then equal ones; one of everything; strides larger than the kernel
    ((2, 5, 6, 3), (2, 3, 3, 4), (1, 1)),
    ((3, 3, 3, 3), (3, 3, 3, 3), (1, 1)),
    ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1)),
    ((1, 7, 5, 1), (3, 2, 1, 1), (2, 1)),
    ((2, 7, 8, 2), (1, 1, 2, 3), (2, 2)),
    ((1, 8, 7, 2), (1, 2, 2, 3), (3, 3)),
    ((1, 9, 8, 2), (4, 5, 2, 3), (2, 3)),
    ((1, 6, 6, 2), (6, 6, 2, 5), (1, 1)),
    ((0, 4, 4, 2), (2, 2, 2, 3), (1, 1)),
    ((1, 4, 4, 2), (2, 2, 2, 0), (1, 1)),
]


@pytest.mark.parametrize("implementation", ["array", "cpu"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_against_the_definition(implementation, padding, dtype):
    if implementation == "cpu" and dtype == "float64":
        pytest.skip("computes in float32")
    for shape, kernel, strides in SMALL:
        assert_same(FAMILY, implementation, "reference", shape, kernel, strides, padding, dtype)


def test_the_definition_by_einsum():
    x, w = normal(2, 6, 7, 3), normal(2, 3, 3, 5, seed=1)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype("d"), (2, 3), axis=(1, 2))[:, ::2, ::1]
    with conv2d.use("reference"):
        assert_close(conv2d(x, w, strides=(2, 1)), np.einsum("nijcab,abcf->nijf", windows, w.astype("d")), 18)


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_gradients_are_adjoint_to_the_forward_pass(implementation, padding):
    assert_adjoint(FAMILY, implementation, padding)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("channels", [2, 13])  # the input gradient has two ways, for few channels and for many
def test_every_kernel_size_and_stride_on_the_cpu(padding, channels):
    for k, s, n in itertools.product((1, 2, 3, 4, 5, 7), (1, 2, 3, 4, 8), (7, 8, 9)):
        assert_same(FAMILY, "cpu", "array", (1, n, 8, channels), (k, 3, channels, 3), (s, 2), padding)
        assert_same(FAMILY, "cpu", "array", (1, 8, n, channels), (2, k, channels, 3), (3, s), padding)
    assert_same(FAMILY, "cpu", "array", (2, 40, 37, channels), (5, 4, channels, 3), (2, 3), padding)


@pytest.mark.parametrize("filters", [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48])
def test_borders_of_the_tile_on_the_cpu(filters):
    for width, channels in [(5, 3), (6, 16), (13, 5), (14, 8), (29, 17)]:
        padding = "valid" if width % 2 else "same"
        assert_same(FAMILY, "cpu", "array", (2, 4, width, channels), (3, 3, channels, filters), (1, 1), padding)


def test_pictures_larger_than_the_buffers_of_the_cpu():
    assert_same(FAMILY, "cpu", "array", (3, 60, 50, 16), (3, 3, 16, 20), (1, 1), "same")
    assert_same(FAMILY, "cpu", "array", (2, 51, 40, 24), (5, 5, 24, 16), (2, 2), "same")
    assert_same(FAMILY, "cpu", "array", (1, 5, 300, 64), (3, 3, 64, 17), (1, 1), "same")
    assert_same(FAMILY, "cpu", "array", (19, 4, 4, 96), (3, 3, 96, 100), (1, 1), "same")


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kernel, strides", [((5, 5), (1, 1)), ((4, 4), (2, 2)), ((3, 2), (1, 3)), ((2, 6), (3, 1))])
def test_small_pictures_are_convolved_across_pictures(kernel, strides, padding):
    channels, filters = 2 * PAIR, 3 * PAIR
    for n, height, width in ((TALL, 7, 7), (2 * TALL + 3, 6, 8), (5 * TALL + 1, 8, 6)):
        x, w = (n, height, width, channels), (*kernel, channels, filters)
        assert across_pays(x, filters, [(forward_axis(0, 3, k, 1), forward_axis(0, 3, k, 1)) for k in kernel])
        assert_same(FAMILY, "cpu", "array", x, w, strides, padding)
    assert sums_across_pay((n, 3, 3, filters), w)


def test_across_pictures_where_strides_skip_pixels_and_windows_lie_in_the_padding():
    channels, n = 4 * PAIR, 3 * TALL  # and what is not whole pairs of vectors goes the other way
    for size, kernel, strides in ((7, (2, 1), (4, 3)), (8, (1, 3), (4, 5)), (2, (7, 7), (1, 1)), (1, (3, 3), (1, 1))):
        assert_same(FAMILY, "cpu", "array", (n, size, size, channels), (*kernel, channels, 32), strides, "same")
        assert_same(FAMILY, "cpu", "array", (n, size, size, channels), (*kernel, channels, 33), strides, "same")


@pytest.mark.parametrize("implementation", ["array", "cpu", "winograd", "winograd_4x4"])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_bias_and_relu_are_added_on_every_way(implementation, activation):
    vector, odd = 2 * LANES, 3 * LANES  # Winograd takes whole vectors of channels and of filters
    wide = [((2, 7, 9, vector), (3, 3, vector, odd), (1, 1)), ((1, 4, 4, odd), (3, 3, odd, vector), (1, 1))]
    others = [
        ((2, 6, 5, 3), (3, 2, 3, 5), (2, 1)),
        ((2, 9, 9, 4), (3, 3, 4, 33), (1, 1)),
        ((2, 5, 5, 40), (3, 3, 40, 17), (1, 1)),  # several blocks of k: the bias comes once, ReLU after the last
        ((3, 5, 4, 7), (1, 1, 7, 9), (1, 1)),
        ((2 * TALL + 1, 6, 6, 2 * PAIR), (5, 5, 2 * PAIR, PAIR), (2, 2)),  # across pictures
        ((3 * TALL, 1, 1, 4 * PAIR), (3, 3, 4 * PAIR, PAIR), (1, 1)),
        ((3 * TALL, 8, 8, 4 * PAIR), (2, 1, 4 * PAIR, PAIR), (4, 3)),
        ((2, 3, 3, 0), (2, 2, 0, 3), (1, 1)),  # nothing to multiply: the bias alone
    ]
    for (shape, kernel, strides), padding in itertools.product(wide + others, ("valid", "same")):
        if implementation.startswith("winograd") and (shape, kernel, strides) not in wide:
            continue
        if padding == "valid" and kernel[0] > shape[1]:
            continue
        x, w, b = normal(*shape), normal(*kernel, seed=1), normal(kernel[3], seed=2)
        with conv2d.use("array"):
            expected = conv2d(x.astype("d"), w.astype("d"), strides=strides, padding=padding) + b
        expected = np.maximum(expected, 0) if activation else expected
        with conv2d.use(implementation):
            found = conv2d(x, w, b, strides=strides, padding=padding, activation=activation)
        limit = WINOGRAD.get(implementation, 2e-6) * max(1, np.abs(expected).max(initial=0))
        assert np.abs(found - expected).max(initial=0) <= limit


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu", "winograd"])
def test_relu_behind_a_convolution_keeps_nan(implementation):
    x, w, b = np.ones((1, 4, 4, 16), "f"), np.full((3, 3, 16, 16), -1, "f"), np.zeros(16, "f")
    x[0, 0, 0, 0], b[3] = np.nan, 200
    with conv2d.use(implementation):
        y = conv2d(x, w, b, activation="relu")
    assert np.isnan(y[0, 0, 0]).all() and y[0, 1, 1, 3] == 200 - 9 * 16
    assert not np.delete(y[0, 1, 1], 3).any()


# The largest relative error that Winograd's sums may have; F(4x4) multiplies by up to 8 and divides by up to 24.
WINOGRAD = {"winograd": 4e-6, "winograd_4x4": 4e-5}


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("implementation", WINOGRAD)
def test_tiles_of_winograd_at_every_border(implementation, padding):
    for height, width in itertools.product((3, 4, 5, 6, 7, 8, 9, 10), (3, 6, 11)):
        for channels, filters in ((16, 32), (48, 16)):
            x, w = normal(2, height, width, channels), normal(3, 3, channels, filters, seed=1)
            expected = all_three(FAMILY, "array", x.astype("d"), w.astype("d"), (1, 1), padding)
            for a, e in zip(all_three(FAMILY, implementation, x, w, (1, 1), padding), expected, strict=True):
                assert a.shape == e.shape and np.abs(a - e).max() <= WINOGRAD[implementation] * np.abs(e).max()


@pytest.mark.parametrize("implementation", WINOGRAD)
@pytest.mark.parametrize("shape, filters", [((3, 40, 37, 32), 64), ((17, 15, 15, 64), 32), ((1, 12, 12, 256), 128)])
def test_error_of_winograd_is_the_one_that_is_stated(implementation, shape, filters):
    x, w = normal(*shape), normal(3, 3, shape[3], filters, seed=1)
    expected = all_three(FAMILY, "array", x.astype("d"), w.astype("d"), (1, 1), "same")
    for a, e in zip(all_three(FAMILY, implementation, x, w, (1, 1), "same"), expected, strict=True):
        assert np.abs(a - e).max() <= WINOGRAD[implementation] / 2 * np.abs(e).max()


def test_winograd_is_the_default_where_it_pays_and_refuses_what_it_cannot():
    before = conv2d.refusals.copy()
    wide, taps = normal(2, 20, 20, 32), normal(3, 3, 32, 32, seed=1)
    chosen = conv2d(wide, taps, padding="same")
    with conv2d.use("winograd"):
        assert (conv2d(wide, taps, padding="same") == chosen).all()
        with pytest.raises(ValueError, match="it refuses: takes kernels of 3x3 with stride 1"):
            conv2d(wide, normal(2, 2, 32, 32))
        with pytest.raises(ValueError, match="it refuses: takes channels and filters in multiples of"):
            conv2d(normal(1, 5, 5, 3), normal(3, 3, 3, 16))
    conv2d(normal(1, 5, 5, 32), taps)
    assert (conv2d.refusals - before)["winograd", "would not pay"] == 1


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_strided_arguments_and_out(implementation):
    x = normal(2, 5, 12, 8)[:, :, ::2, ::2]
    w = normal(3, 6, 2, 8, seed=1)[:, ::2, :, ::2].transpose(0, 1, 3, 2)  # (3, 3, 4, 2)
    expected = all_three(FAMILY, "array", x.astype("d"), w.astype("d"), (1, 1), "same")
    for a, e in zip(all_three(FAMILY, implementation, x, w, (1, 1), "same"), expected, strict=True):
        assert_close(a, e, 60)
    with conv2d.use(implementation):
        for out in (np.full((2, 5, 6, 2), 9, "f"), np.full((2, 5, 6, 4), 9, "f")[..., ::2]):
            assert conv2d(x, w, padding="same", out=out) is out
            assert_close(out, expected[0], 36)


@pytest.mark.parametrize("shape", [(3, 20, 18, 8), (40, 6, 6, 8)])
def test_the_same_bits_on_any_number_of_threads(shape):
    assert_same_bits_on_any_number_of_threads(FAMILY, "cpu", normal(*shape), normal(3, 3, 8, 33, seed=1))
    small = normal(3 * TALL, 6, 6, 2 * PAIR), normal(3, 3, 2 * PAIR, 3 * PAIR, seed=1)
    assert_same_bits_on_any_number_of_threads(FAMILY, "cpu", *small)
    wide = normal(*shape[:3], 16), normal(3, 3, 16, 32, seed=1)
    assert_same_bits_on_any_number_of_threads(FAMILY, "winograd", *wide)


@pytest.mark.parametrize("implementation", ["cpu", "winograd"])
def test_the_same_bits_with_bias_and_relu(implementation):
    x, w, b = normal(5, 20, 18, 16), normal(3, 3, 16, 48, seed=1), normal(48, seed=2)
    before, found = config.threads(), []
    try:
        for threads in (1, 2):
            config.set_threads(threads)
            with conv2d.use(implementation):
                found.append(conv2d(x, w, b, padding="same", activation="relu"))
    finally:
        config.set_threads(before)
    assert (found[0] == found[1]).all() and found[0].min() == 0


def test_error_of_float32_on_a_real_layer():
    x, w = normal(4, 16, 16, 64), normal(3, 3, 64, 64, seed=1)
    exact = all_three(FAMILY, "array", x.astype("d"), w.astype("d"), (1, 1), "same")
    for actual, expected in zip(all_three(FAMILY, "cpu", x, w, (1, 1), "same"), exact, strict=True):
        assert np.linalg.norm(actual - expected) / np.linalg.norm(expected) < 1e-6


def test_empty_batch_has_a_kernel_gradient_of_zeros():
    for implementation in ("reference", "array", "cpu"):
        with conv2d_kernel_grad.use(implementation):
            dw = conv2d_kernel_grad(normal(0, 4, 4, 2), normal(0, 3, 3, 5), kernel_shape=(2, 2, 2, 5))
        assert dw.shape == (2, 2, 2, 5)
        assert not dw.any()


def test_geometry_is_that_of_keras():
    # total = max((ceil(n / s) - 1) s + k - n, 0), the odd cell after (keras/src/backend/common/backend_utils.py)
    assert same_padding(5, 2, 1) == (0, 1)
    assert same_padding(5, 3, 1) == (1, 1)
    assert same_padding(6, 3, 2) == (0, 1)
    assert same_padding(7, 3, 2) == (1, 1)
    assert same_padding(4, 1, 3) == (0, 0)
    assert [output_size(n, 3, 2, "same") for n in (1, 2, 5, 6)] == [1, 1, 3, 3]
    assert [output_size(n, 3, 2, "valid") for n in (3, 4, 5, 6)] == [1, 1, 2, 2]
    with pytest.raises(ValueError, match="a window of 4 does not fit into 3 cells"):
        output_size(3, 4, 1, "valid")
    with pytest.raises(ValueError, match="'full'"):
        output_size(3, 2, 1, "full")


X, W, G = normal(2, 5, 6, 3), normal(2, 3, 3, 4), normal(2, 4, 4, 4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: conv2d(X, normal(6, 2, 3, 4)), ValueError, "kernel of 6x2 does not fit into a picture of 5x6"),
        (lambda: conv2d(X, normal(2, 2, 4, 4)), ValueError, "has 3 channels, w of shape .* is for 4"),
        (lambda: conv2d(X[0], W), ValueError, r"x has shape \(5, 6, 3\); expected \(N, H, W, C\)"),
        (lambda: conv2d(X, W[0]), ValueError, r"expected \(kh, kw, C, F\)"),
        (lambda: conv2d(X, W, padding="full"), ValueError, "'full'"),
        (lambda: conv2d(X, W, W[0, 0, 0, :3]), ValueError, r"b has shape \(3,\); expected \(4,\)"),
        (lambda: conv2d(X, W, activation="tanh"), ValueError, "None or \"relu\", not 'tanh'"),
        (lambda: conv2d(X, W, strides=(0, 1)), ValueError, r"not \(0, 1\)"),
        (lambda: conv2d(X, W, strides=2), ValueError, "tuple of two"),
        (lambda: conv2d(X.astype("float16"), W), TypeError, "float16"),
        (lambda: conv2d_input_grad(G[:, :3], W, input_shape=X.shape), ValueError, r"expected \(2, 4, 4, 4\)"),
        (lambda: conv2d_input_grad(G, W, input_shape=(2, 5, 6, 2)), ValueError, "2 channels"),
        (lambda: conv2d_input_grad(G, W, input_shape=(2, 1, 6, 3)), ValueError, "does not fit"),
        (lambda: conv2d_kernel_grad(X, G[:, :3], kernel_shape=W.shape), ValueError, r"expected \(2, 4, 4, 4\)"),
        (lambda: conv2d_kernel_grad(X, G, kernel_shape=(2, 3, 5, 4)), ValueError, "is for 5"),
        (lambda: conv2d_kernel_grad(X, G, kernel_shape=(2, 3, 4)), ValueError, "kernel_shape has shape"),
    ],
)
def test_errors_say_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()
