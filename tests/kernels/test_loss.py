"""Softmax and cross-entropy: every implementation against the definition, extreme logits, gradients by differences."""

import numpy as np
import pytest

from minidl_kernels import config
from minidl_kernels.loss import (
    log_softmax,
    log_softmax_grad,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_grad,
    softmax_grad,
)

PAIRS = [(softmax, softmax_grad), (log_softmax, log_softmax_grad)]
SHAPES = [(1,), (5,), (0, 4), (3, 0), (1, 1), (7, 10), (2, 3, 17), (4, 33), (3, 64)]
IMPLEMENTATIONS = ["reference", "array", "cpu"]


def normal(*shape, dtype="float32", seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def reference(kernel, *arrays):
    with kernel.use("reference"):
        return kernel(*(a.astype("float64") if a.dtype.kind == "f" else a for a in arrays))


def assert_close(actual, expected, ulps=16):
    eps = np.finfo(actual.dtype).eps
    np.testing.assert_allclose(actual, expected, rtol=ulps * eps, atol=ulps * eps)


@pytest.mark.parametrize(("implementation", "dtype"), [("array", "float32"), ("array", "float64"), ("cpu", "float32")])
def test_every_implementation_agrees_with_the_definition(implementation, dtype):
    for shape in SHAPES:
        x, g = normal(*shape, dtype=dtype) * 3, normal(*shape, dtype=dtype, seed=1)
        for forward, gradient in PAIRS:
            y = reference(forward, x).astype(dtype)
            with forward.use(implementation), gradient.use(implementation):
                assert_close(forward(x), reference(forward, x))
                assert_close(gradient(g, y), reference(gradient, g, y), 64)
        if len(shape) == 2 and shape != (3, 0):
            labels = np.random.default_rng(0).integers(0, shape[1], shape[0])
            with softmax_cross_entropy.use(implementation), softmax_cross_entropy_grad.use(implementation):
                loss, probabilities = softmax_cross_entropy(x, labels)
                expected = reference(softmax_cross_entropy, x, labels)
                assert_close(loss, expected[0])
                assert_close(probabilities, expected[1])
                upstream = normal(shape[0], dtype=dtype)
                for kind in ("int8", "uint8", "int32", "uint64"):
                    dx = softmax_cross_entropy_grad(upstream, probabilities, labels.astype(kind))
                    assert_close(dx, reference(softmax_cross_entropy_grad, upstream, probabilities, labels))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_extreme_logits(implementation):
    inf, nan = np.inf, np.nan
    x = np.array([[1e3, -1e3, 0], [-1e3, -1e3, -1e3], [-inf, 1, 1], [-inf, -inf, 3], [88, 0, -88]], "f")
    bad = np.array([[nan, 1, 2], [1, nan, -inf], [-inf, -inf, -inf], [inf, 1, 2], [inf, inf, -inf]], "f")
    with softmax.use(implementation), log_softmax.use(implementation), softmax_cross_entropy.use(implementation):
        with np.errstate(divide="raise", over="raise", invalid="raise"):
            p = softmax(x)
            logs = log_softmax(x)
            losses, _ = softmax_cross_entropy(x, np.array([1, 0, 2, 0, 2]))
        half, third = 0.5, 1 / 3
        np.testing.assert_allclose(p[:4], [[1, 0, 0], [third] * 3, [0, half, half], [0, 0, 1]], rtol=1e-6)
        expected = [[0, -2e3, -1e3], [-np.log(3)] * 3, [-inf, np.log(half), np.log(half)]]
        np.testing.assert_allclose(logs[:3], expected, rtol=1e-6)
        np.testing.assert_allclose(losses, [2e3, np.log(3), np.log(2), inf, 176], rtol=1e-6)
        assert np.isnan(softmax(bad)).all() and np.isnan(log_softmax(bad)).all()
        assert np.isnan(softmax_cross_entropy(bad, np.zeros(5, int))[0]).all()


@pytest.mark.parametrize("implementation", ["reference", "array"])
@pytest.mark.parametrize(("forward", "gradient"), PAIRS, ids=lambda k: k.name)
def test_gradients_against_differences(forward, gradient, implementation):
    h = 1e-6
    x, v, u = (normal(4, 7, dtype="float64", seed=s) for s in range(3))
    with forward.use("reference"), gradient.use(implementation):
        slope = float((u * (forward(x + h * v) - forward(x - h * v))).sum()) / (2 * h)
        assert float((gradient(u, forward(x)) * v).sum()) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("implementation", ["reference", "array"])
def test_gradient_of_the_cross_entropy_against_differences(implementation):
    h, labels = 1e-6, np.array([0, 6, 3, 3])
    x, v, u = normal(4, 7, dtype="float64"), normal(4, 7, dtype="float64", seed=1), normal(4, dtype="float64")
    with softmax_cross_entropy.use("reference"), softmax_cross_entropy_grad.use(implementation):
        up, down = (softmax_cross_entropy(x + step * v, labels)[0] for step in (h, -h))
        slope = float((u * (up - down)).sum()) / (2 * h)
        _, probabilities = softmax_cross_entropy(x, labels)
        gradient = softmax_cross_entropy_grad(u, probabilities, labels)
    assert float((gradient * v).sum()) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("shape", [(6553, 10), (6554, 10), (3, 30_000), (1001, 101)])
def test_cpu_at_the_borders_of_its_tasks(shape):
    x, g = normal(*shape), normal(*shape, seed=1)
    labels = np.random.default_rng(0).integers(0, shape[1], shape[0])
    with softmax.use("array"), softmax_grad.use("array"), softmax_cross_entropy.use("array"):
        p = softmax(x)
        expected = p, softmax_grad(g, p), *softmax_cross_entropy(x, labels)
    with softmax.use("cpu"), softmax_grad.use("cpu"), softmax_cross_entropy.use("cpu"):
        actual = softmax(x), softmax_grad(g, p), *softmax_cross_entropy(x, labels)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("implementation", ["array", "cpu"])
def test_strided_arguments_and_outputs(implementation):
    x, g, labels = normal(8, 14)[::2, ::2], normal(8, 14, seed=1)[::2, ::2], np.arange(8)[::2]
    out = (np.empty(8, "f")[::2], np.empty((4, 14), "f")[:, ::2])
    with softmax_cross_entropy.use(implementation), softmax_grad.use(implementation), softmax.use(implementation):
        assert softmax_cross_entropy(x, labels, out=out) is out
        assert_close(out[0], reference(softmax_cross_entropy, x, labels)[0])
        assert_close(out[1], reference(softmax, x))
        assert_close(softmax_grad(g, out[1]), reference(softmax_grad, g, out[1]))
        target = np.empty((7, 4), "f").T
        assert_close(softmax(x, out=target), reference(softmax, x))


def test_the_same_bits_on_any_number_of_threads():
    before, results = config.threads(), []
    x, labels = normal(1000, 130), np.random.default_rng(0).integers(0, 130, 1000)
    try:
        for threads in (1, 2):
            config.set_threads(threads)
            with softmax.use("cpu"), log_softmax.use("cpu"), softmax_cross_entropy.use("cpu"):
                results.append([softmax(x), log_softmax(x), *softmax_cross_entropy(x, labels)])
    finally:
        config.set_threads(before)
    assert all((one == two).all() for one, two in zip(*results, strict=True))


X = np.zeros((3, 4), "f")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: softmax(np.float32(1)), ValueError, "softmax: x is a single number"),
        (lambda: softmax_grad(X, X[:2]), ValueError, r"g has shape \(3, 4\), y has \(2, 4\)"),
        (lambda: softmax_cross_entropy(X[0], np.zeros(4, int)), ValueError, r"logits has shape \(4,\)"),
        (
            lambda: softmax_cross_entropy(X, np.zeros((3, 1), int)),
            ValueError,
            r"labels has shape \(3, 1\); expected \(3,",
        ),
        (lambda: softmax_cross_entropy(X, np.zeros(3)), TypeError, "whole numbers, not dtype float64"),
        (lambda: softmax_cross_entropy(X, [0, 1, 2]), TypeError, "not list"),
        (lambda: softmax_cross_entropy(X, np.array([0, 4, 1])), ValueError, "label of row 1 is 4; expected 0 to 3"),
        (lambda: softmax_cross_entropy(X, np.array([0, 1, -1])), ValueError, "label of row 2 is -1"),
        (lambda: softmax_cross_entropy_grad(X[0], X, np.zeros(3, int)), ValueError, r"g has shape \(4,\)"),
        (lambda: softmax_cross_entropy_grad(X[:, 0], X, np.array([0, 9, 1])), ValueError, "label of row 1 is 9"),
        (lambda: softmax(X.astype("float16")), TypeError, "float16"),
        (lambda: softmax(X, out=np.empty((4, 3), "f")), ValueError, "out has shape"),
    ],
)
def test_errors_say_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()
