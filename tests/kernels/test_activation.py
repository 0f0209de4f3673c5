"""Activations: every implementation against the definition, at the edges of float32, and gradients by differences."""

import numpy as np
import pytest

from minidl_kernels import config
from minidl_kernels.activation import (
    bias_relu,
    leaky_relu,
    leaky_relu_grad,
    relu,
    relu_bias_grad,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    tanh,
    tanh_grad,
)

FORWARD = [relu, sigmoid, tanh]
GRADIENTS = [(relu, relu_grad), (sigmoid, sigmoid_grad), (tanh, tanh_grad)]
SHAPES = [(), (0,), (1,), (3, 0, 2), (5, 7), (2, 3, 4, 5), (31,), (33,), (100, 3)]
EDGES = [0.0, -0.0, 1e-30, -1e-30, 0.5, -0.5, 20.0, -20.0, 88.5, -88.5, 1e3, -1e3, np.inf, -np.inf, np.nan]


def normal(*shape, dtype="float32", seed=0):
    return np.asarray(np.random.default_rng([seed, *shape]).standard_normal(shape)).astype(dtype)


def reference(kernel, *arrays):
    with kernel.use("reference"):
        return kernel(*(a.astype("float64") for a in arrays))


def assert_close(actual, expected, ulps=4, atol=1e-37):
    np.testing.assert_allclose(actual, expected, rtol=ulps * np.finfo(actual.dtype).eps, atol=atol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_every_implementation_agrees_with_the_definition(implementation, dtype):
    if implementation == "cpu" and dtype == "float64":
        pytest.skip("computes in float32")
    for shape in SHAPES:
        x, g = normal(*shape, dtype=dtype), normal(*shape, dtype=dtype, seed=1)
        for forward, gradient in GRADIENTS:
            y = reference(forward, x).astype(dtype)
            with forward.use(implementation), gradient.use(implementation):
                assert_close(forward(x), reference(forward, x))
                # 1 - y^2 cancels digits where y is close to 1
                assert_close(gradient(g, y), reference(gradient, g, y), atol=8 * np.finfo(dtype).eps)
        if shape:
            b = normal(shape[-1], dtype=dtype, seed=2)
            with bias_relu.use(implementation):
                np.testing.assert_allclose(bias_relu(x, b), np.maximum(x + b, 0), rtol=0, atol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
@pytest.mark.parametrize("kernel", FORWARD, ids=lambda k: k.name)
def test_edges_of_the_number_range(kernel, implementation):
    x = np.array(EDGES, "float32")
    with kernel.use(implementation), np.errstate(all="raise", under="ignore"):
        y = kernel(x)
    expected = {"relu": lambda v: max(v, 0.0), "sigmoid": lambda v: 1 / (1 + np.exp(-v)), "tanh": np.tanh}[kernel.name]
    with np.errstate(over="ignore"):
        assert_close(y[:-1], np.array([expected(v) for v in x[:-1].astype("float64")]))
    assert np.isnan(y[-1])


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_relu_grad_takes_no_gradient_where_the_output_is_zero(implementation):
    g, y = np.array([np.inf, np.nan, 3, -2], "f"), np.array([0, 0, 0, 5], "f")
    with relu_grad.use(implementation):
        assert relu_grad(g, y).tolist() == [0, 0, 0, -2]


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_leaky_relu_at_its_edges_and_borders_of_tasks(implementation):
    x, g = np.array([2.0, 0.0, -0.0, -4.0, np.nan, -np.inf], "f"), np.array([1, 2, 3, 8, 4, np.inf], "f")
    with leaky_relu.use(implementation), leaky_relu_grad.use(implementation):
        np.testing.assert_array_equal(leaky_relu(x, negative_slope=0.25), [2, 0, 0, -1, np.nan, -np.inf])
        np.testing.assert_array_equal(leaky_relu_grad(g, x, negative_slope=0.25), [1, 2, 3, 2, 1, np.inf])
        if implementation != "reference":
            x, g = normal(100_003), normal(100_003, seed=1)
            assert_close(leaky_relu(x, negative_slope=0.1), np.where(x >= 0, x, np.float32(0.1) * x))
            assert_close(leaky_relu_grad(g, x, negative_slope=0.1), np.where(x >= 0, g, np.float32(0.1) * g))
    with pytest.raises(ValueError, match=r"g has shape \(2,\), x has \(3,\)"):
        leaky_relu_grad(g[:2], x[:3], negative_slope=0.1)


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_bias_relu_keeps_nan(implementation):
    x = np.array([[np.nan, -1.0], [2.0, -3.0]], "f")
    with bias_relu.use(implementation):
        np.testing.assert_array_equal(bias_relu(x, np.array([1, 2], "f")), [[np.nan, 1], [3, 0]])


def test_cpu_polynomials_are_within_a_few_units_in_the_last_place():
    x = np.concatenate([np.linspace(-87, 88, 300_001), np.linspace(-1, 1, 100_001), 10.0 ** -np.arange(0, 30, 0.1)])
    x = np.concatenate([x, -x[x > 0]]).astype("float32")
    for kernel, exact, ulps in [(sigmoid, lambda v: 1 / (1 + np.exp(-v)), 3), (tanh, np.tanh, 4)]:
        with kernel.use("cpu"):
            y = kernel(x)
        expected = exact(x.astype("float64"))
        error = np.abs(y - expected) / np.spacing(np.maximum(np.abs(expected), 1e-37).astype("float32"))
        # Subnormal results are not aimed at: sigmoid of less than -87 is 0.
        assert error[np.abs(expected) > 2e-38].max() < ulps, kernel.name


@pytest.mark.parametrize(("forward", "gradient"), GRADIENTS, ids=lambda k: k.name)
@pytest.mark.parametrize("implementation", ["reference", "array"])
def test_gradients_are_the_slopes(forward, gradient, implementation):
    x, g, h = normal(50, dtype="float64"), normal(50, dtype="float64", seed=1), 1e-6
    x[np.abs(x) < 2 * h] = 0.3  # relu has no slope at 0
    with gradient.use(implementation), forward.use("reference"):
        slope = (forward(x + h) - forward(x - h)) / (2 * h)
        np.testing.assert_allclose(gradient(g, forward(x)), g * slope, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("size", [65535, 65536, 65537, 100_003])
def test_cpu_at_the_borders_of_its_tasks(size):
    x, g = normal(size), normal(size, seed=1)
    for forward, gradient in GRADIENTS:
        with forward.use("array"), gradient.use("array"):
            y = forward(x)
            dx = gradient(g, y)
        with forward.use("cpu"), gradient.use("cpu"):
            assert_close(forward(x), y, 8)
            np.testing.assert_allclose(gradient(g, y), dx, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_strided_arguments_and_outputs(implementation):
    x, g = normal(8, 10)[::2, ::3], normal(8, 10, seed=1)[::2, ::3]
    for forward, gradient in GRADIENTS:
        out = normal(8, 10, seed=2)[::2, ::3]
        with forward.use(implementation), gradient.use(implementation):
            assert forward(x, out=out) is out
            assert_close(out, reference(forward, x))
            assert_close(gradient(g, out), reference(gradient, g, out), atol=1e-6)
    with bias_relu.use(implementation):
        np.testing.assert_allclose(bias_relu(x, g[0]), np.maximum(x + g[0], 0), atol=1e-6)


@pytest.mark.parametrize("shape", [(300, 40, 8), (5, 7, 9, 33), (1000, 64), (8, 1), (63, 1100), (0, 3)])
def test_the_gradient_of_a_bias_before_a_relu(shape):
    g, y = normal(*shape), np.maximum(normal(*shape, seed=1), 0)
    expected = np.where(y > 0, g.astype("d"), 0)
    sums = expected.sum(axis=tuple(range(len(shape) - 1)))
    for implementation in ("array", "cpu"):
        with relu_bias_grad.use(implementation):
            found, total = relu_bias_grad(g, y)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_allclose(total, sums, rtol=0, atol=2e-6 * max(1, np.abs(sums).max(initial=0)))


def test_the_same_bits_on_any_number_of_threads():
    before, results = config.threads(), []
    x, g, b = normal(150, 1001), normal(150, 1001, seed=1), normal(1001, seed=2)
    try:
        for threads in (1, 2):
            config.set_threads(threads)
            with relu.use("cpu"), sigmoid.use("cpu"), tanh.use("cpu"), tanh_grad.use("cpu"), bias_relu.use("cpu"):
                results.append([relu(x), sigmoid(x), tanh(x), tanh_grad(g, x), bias_relu(x, b)])
            with relu_bias_grad.use("cpu"):
                results[-1] += relu_bias_grad(g, x)
    finally:
        config.set_threads(before)
    assert all((one == two).all() for one, two in zip(*results, strict=True))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: relu_bias_grad(normal(3, 2), normal(2, 3)), ValueError, r"relu_bias_grad: g has shape \(3, 2\)"),
        (lambda: relu_bias_grad(np.float32(1), np.float32(1)), ValueError, "g is a single number"),
        (lambda: relu_grad(normal(3), normal(4)), ValueError, r"relu_grad: g has shape \(3,\), y has \(4,\)"),
        (lambda: sigmoid_grad(normal(3), normal(3, 1)), ValueError, "sigmoid_grad"),
        (lambda: tanh_grad(normal(3), normal(3, 1)), ValueError, "tanh_grad"),
        (lambda: bias_relu(normal(2, 3), normal(2)), ValueError, r"\(2, 3\), b has \(2,\)"),
        (lambda: bias_relu(np.float32(2), normal(1)), ValueError, "bias_relu"),
        (lambda: relu(normal(3, dtype="float16")), TypeError, "float16"),
        (lambda: sigmoid(normal(3), out=np.empty(4, "f")), ValueError, r"out has shape \(4,\)"),
    ],
)
def test_errors_say_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_integers_are_cast():
    assert relu(np.array([-1, 2])).dtype == np.float32


def test_cpu_refuses_float64_and_the_default_falls_through():
    x = normal(20_000, dtype="float64")
    with relu.use("cpu"), pytest.raises(ValueError, match="computes in float32, not float64"):
        relu(x)
    np.testing.assert_array_equal(relu(x), np.maximum(x, 0))


def test_a_single_number_of_numpy_is_an_array_without_axes():
    assert relu(np.float32(-2)) == 0 and relu(np.float32(1.5)) == 1.5
    assert tanh_grad(np.asarray(2, "f"), np.float32(0.5)) == 1.5
