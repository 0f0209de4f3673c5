"""Depthwise convolution and its gradients: every implementation against the definition, adjointness, bits, errors."""

import itertools

import numpy as np
import pytest

from minidl_kernels.conv import conv2d
from minidl_kernels.depthwise import depthwise_conv2d, depthwise_conv2d_input_grad, depthwise_conv2d_kernel_grad
from tests.kernels.convolutions import (
    all_three,
    assert_adjoint,
    assert_close,
    assert_same,
    assert_same_bits_on_any_number_of_threads,
    normal,
)

FAMILY = (depthwise_conv2d, depthwise_conv2d_input_grad, depthwise_conv2d_kernel_grad)


SMALL = [
    ((2, 5, 6, 3), (2, 3, 3, 2), (1, 1)),
    ((3, 3, 3, 3), (3, 3, 3, 3), (1, 1)),
    ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1)),
    ((2, 7, 8, 2), (1, 1, 2, 1), (2, 2)),
    ((1, 8, 7, 2), (1, 2, 2, 3), (3, 3)),
    ((1, 9, 8, 2), (4, 5, 2, 1), (2, 3)),
    ((0, 4, 4, 2), (2, 2, 2, 3), (1, 1)),
    ((2, 4, 4, 2), (2, 2, 2, 0), (1, 1)),
]


@pytest.mark.parametrize("implementation", ["array", "cpu"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_against_the_definition(implementation, padding, dtype):
    if implementation == "cpu" and dtype == "float64":
        pytest.skip("computes in float32")
    for shape, kernel, strides in SMALL:
        assert_same(FAMILY, implementation, "reference", shape, kernel, strides, padding, dtype)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_definition_is_a_convolution_of_each_channel_alone(padding):
    x, w = normal(2, 6, 7, 3), normal(2, 3, 3, 2, seed=1)
    settings = {"strides": (2, 1), "padding": padding}
    with depthwise_conv2d.use("reference"), conv2d.use("reference"):
        alone = [conv2d(x[..., c : c + 1], w[:, :, c : c + 1], **settings) for c in range(3)]
        np.testing.assert_array_equal(depthwise_conv2d(x, w, **settings), np.concatenate(alone, axis=-1))


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_the_gradients_are_adjoint_to_the_forward_pass(implementation, padding):
    assert_adjoint(FAMILY, implementation, padding)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_every_kernel_size_and_stride_on_the_cpu(padding):
    for k, s, n in itertools.product((1, 2, 3, 5, 7), (1, 2, 3, 8), (7, 8, 9)):
        assert_same(FAMILY, "cpu", "array", (1, n, 8, 5), (k, 3, 5, 1), (s, 2), padding)
        assert_same(FAMILY, "cpu", "array", (1, 8, n, 5), (2, k, 5, 2), (3, s), padding)
    assert_same(FAMILY, "cpu", "array", (3, 30, 27, 40), (3, 3, 40, 1), (1, 1), padding)


def test_strided_arguments():
    x, w = normal(2, 5, 12, 8)[:, :, ::2, ::2], normal(3, 6, 2, 4, seed=1)[:, ::2].transpose(0, 1, 3, 2)
    expected = all_three(FAMILY, "array", x.astype("d"), w.astype("d"), (1, 1), "same")
    for implementation in ("reference", "array", "cpu"):
        for a, e in zip(all_three(FAMILY, implementation, x, w, (1, 1), "same"), expected, strict=True):
            assert_close(a, e, 60)


def test_the_same_bits_on_any_number_of_threads():
    assert_same_bits_on_any_number_of_threads(FAMILY, "cpu", normal(6, 20, 18, 16), normal(3, 3, 16, 1, seed=1))


X, W, G = normal(2, 5, 6, 3), normal(2, 3, 3, 2), normal(2, 4, 4, 6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: depthwise_conv2d(X, normal(6, 2, 3, 1)), "window of 6 does not fit into 5 cells.*kernel is 6x2"),
        (lambda: depthwise_conv2d(X, normal(2, 2, 4, 1)), r"kernel of shape \(2, 2, 4, 1\)"),
        (lambda: depthwise_conv2d(X[0], W), r"pictures of shape \(5, 6, 3\)"),
        (lambda: depthwise_conv2d(X, W, padding="full"), "'full'"),
        (lambda: depthwise_conv2d(X, W, strides=2), "tuple of two"),
        (lambda: depthwise_conv2d_input_grad(G[:, :3], W, input_shape=X.shape), r"expected \(2, 4, 4, 6\)"),
        (lambda: depthwise_conv2d_kernel_grad(X, G[:, :3], kernel_shape=W.shape), r"expected \(2, 4, 4, 6\)"),
    ],
)
def test_errors_say_what_came(call, message):
    with pytest.raises(ValueError, match=message):
        call()
