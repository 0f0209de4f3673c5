"""Batch norm: every implementation against the definition, hard numbers, and gradients by differences."""

import numpy as np
import pytest

from minidl_kernels import config
from minidl_kernels.norm import batch_norm, batch_norm_grad, batch_norm_relu, batch_norm_relu_grad, scale_shift

SHAPES = [(1, 1), (5,), (1, 4), (2, 1), (7, 3), (2, 3, 4, 5), (33, 17), (40, 8), (67, 1)]


def normal(*shape, dtype="float32", seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def all_of(implementation, x, dtype=None, epsilon=1e-3):
    """(y, mean, variance, dx, dgamma, dbeta, scaled) of one implementation, computed in ``dtype``."""
    x = x.astype(dtype or x.dtype)
    g, gamma, beta = (normal(*s, dtype=x.dtype, seed=i) for i, s in enumerate((x.shape, x.shape[-1:], x.shape[-1:]), 1))
    with batch_norm.use(implementation), batch_norm_grad.use(implementation), scale_shift.use(implementation):
        forward = batch_norm(x, gamma, beta, epsilon=epsilon)
        gradients = batch_norm_grad(g, x, gamma, *forward[1:], epsilon=epsilon)
        return *forward, *gradients, scale_shift(x, gamma, beta)


def assert_close(actual, expected, terms):
    """Equal up to the rounding of sums of so many terms."""
    names = ("y", "mean", "variance", "dx", "dgamma", "dbeta", "scaled")
    for name, a, e in zip(names, actual, expected, strict=True):
        assert a.shape == e.shape
        scale = max(1.0, float(np.abs(e).max(initial=0.0)))
        atol = 8 * np.finfo(a.dtype).eps * max(terms, 4) ** 0.5 * scale
        np.testing.assert_allclose(a, e, rtol=0, atol=atol, err_msg=name)


@pytest.mark.parametrize(("implementation", "dtype"), [("array", "float32"), ("array", "float64"), ("cpu", "float32")])
def test_every_implementation_agrees_with_the_definition(implementation, dtype):
    for shape in SHAPES:
        x = normal(*shape)
        actual = all_of(implementation, x, dtype)
        assert all(a.dtype == dtype for a in actual)
        assert_close(actual, all_of("reference", x, "float64" if dtype == "float64" else "float32"), x.size)


@pytest.mark.parametrize("implementation", ["array", "cpu"])
@pytest.mark.parametrize("shape", [(4096, 32), (70_000, 1), (1000, 100), (129, 513), (65_539, 2)])
def test_many_rows(implementation, shape):
    x = normal(*shape)
    expected = all_of("array", x, "float64")
    for actual, e in zip(all_of(implementation, x), expected, strict=True):
        # The gradient sums run over rows of changing sign: their rounding is that of the sum of sizes.
        np.testing.assert_allclose(actual, e, rtol=2e-5, atol=2e-6 * max(1.0, float(np.abs(e).max())))


@pytest.mark.parametrize("implementation", ["array", "cpu"])
@pytest.mark.parametrize("rows", [10, 20_000])
def test_a_mean_that_is_large_against_the_spread(implementation, rows):
    x = (normal(rows, 16) * 0.5 + 1000).astype("float32")
    x[0] = 900  # an outlier where a shifted sum would look for its shift
    with batch_norm.use(implementation):
        y, mean, variance = batch_norm(x, np.ones(16, "f"), np.zeros(16, "f"), epsilon=0.0)
    exact = x.astype("float64")
    np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-7)
    np.testing.assert_allclose(variance, exact.var(0), rtol=2e-6)
    # mean is rounded to float32, of which a unit in the last place is 6e-5 here
    np.testing.assert_allclose(y, (exact - exact.mean(0)) / exact.std(0), atol=1e-4)


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_a_constant_channel_and_an_empty_batch(implementation):
    with batch_norm.use(implementation), batch_norm_grad.use(implementation), scale_shift.use(implementation):
        gamma, beta = np.array([2, 3], "f"), np.array([5, 7], "f")
        y, mean, variance = batch_norm(np.full((6, 2), 4, "f"), gamma, beta, epsilon=1e-3)
        assert (y == beta).all() and (mean == 4).all() and (variance == 0).all()
        for empty in (np.empty((0, 2), "f"), np.empty((3, 0, 2), "f")):
            y, mean, variance = batch_norm(empty, gamma, beta, epsilon=1e-3)
            assert y.shape == empty.shape and not mean.any() and not variance.any()
            dx, dgamma, dbeta = batch_norm_grad(empty, empty, gamma, mean, variance, epsilon=1e-3)
            assert dx.shape == empty.shape and not dgamma.any() and not dbeta.any()
            assert scale_shift(empty, gamma, beta).shape == empty.shape


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_nan_stays_in_its_channel(implementation):
    x = normal(40, 20)
    x[7, 3] = np.nan
    for result in all_of(implementation, x)[:6]:
        bad = np.isnan(result).reshape(-1, 20).any(0)
        assert not bad[np.arange(20) != 3].any()
    assert np.isnan(all_of(implementation, x)[0][:, 3]).all()


@pytest.mark.parametrize("implementation", ["reference", "array"])
def test_gradients_against_differences(implementation):
    """Of sum(u * y) along random directions, in float64: the statistics are functions of x."""
    h, epsilon = 1e-6, 1e-2
    for shape in [(6, 3), (2, 3, 2, 4)]:
        x, v, u = (normal(*shape, dtype="float64", seed=s) for s in range(3))
        gamma, beta, direction = (normal(shape[-1], dtype="float64", seed=s) for s in range(3))
        with batch_norm.use("reference"):
            _, mean, variance = batch_norm(x, gamma, beta, epsilon=epsilon)

            def value(x, gamma, beta):
                return float((u * batch_norm(x, gamma, beta, epsilon=epsilon)[0]).sum())  # noqa: B023

            slopes = [
                (value(x + h * v, gamma, beta) - value(x - h * v, gamma, beta)) / (2 * h),
                (value(x, gamma + h * direction, beta) - value(x, gamma - h * direction, beta)) / (2 * h),
                (value(x, gamma, beta + h * direction) - value(x, gamma, beta - h * direction)) / (2 * h),
            ]
        with batch_norm_grad.use(implementation):
            gradients = batch_norm_grad(u, x, gamma, mean, variance, epsilon=epsilon)
        for slope, gradient, along in zip(slopes, gradients, (v, direction, direction), strict=True):
            assert float((gradient * along).sum()) == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("implementation", ["array", "cpu"])
def test_strided_arguments_and_outputs(implementation):
    x = normal(12, 9, 8)[::2, :, ::2]
    assert_close(all_of(implementation, x), all_of("reference", x.copy()), x.size)
    gamma, beta = normal(8)[::2], normal(8, seed=1)[::2]
    out = (normal(6, 9, 8)[..., ::2], normal(8)[::2], normal(8)[::2])
    with batch_norm.use(implementation):
        assert batch_norm(x, gamma, beta, epsilon=1e-3, out=out) is out
    with batch_norm.use("reference"):
        for a, e in zip(out, batch_norm(x, gamma, beta, epsilon=1e-3), strict=True):
            np.testing.assert_allclose(a, e, atol=2e-6)


@pytest.mark.parametrize("slope", [0.0, 0.3])
@pytest.mark.parametrize("implementation", ["array", "cpu"])
def test_with_a_relu_behind_it_is_two_steps_in_one(implementation, slope):
    """Also with an infinite gradient where ReLU lets none through, and on any number of threads."""
    x, g, gamma, beta = normal(3001, 70), normal(3001, 70, seed=1), normal(70), normal(70, seed=1)
    settings = {"epsilon": 1e-3, "negative_slope": slope}
    before = config.threads()
    with batch_norm.use(implementation), batch_norm_grad.use(implementation):
        plain, mean, variance = batch_norm(x, gamma, beta, epsilon=1e-3)
        expected = np.where(plain > 0, plain, np.float32(slope) * plain)
        if slope == 0:
            g[np.unravel_index(plain.argmin(), plain.shape)] = np.inf
        came = np.where(plain > 0, g, np.float32(slope) * g if slope else np.float32(0))
        gradients = batch_norm_grad(came, x, gamma, mean, variance, epsilon=1e-3)
    try:
        for threads in (1, 2):
            config.set_threads(threads)
            with batch_norm_relu.use(implementation), batch_norm_relu_grad.use(implementation):
                y, *statistics = batch_norm_relu(x, gamma, beta, **settings)
                np.testing.assert_array_equal(y, expected)
                np.testing.assert_array_equal(statistics, [mean, variance])
                found = batch_norm_relu_grad(g, y, x, gamma, mean, variance, **settings)
            for a, e in zip(found, gradients, strict=True):
                np.testing.assert_array_equal(a, e)
    finally:
        config.set_threads(before)
    with pytest.raises(ValueError, match="negative_slope must be at least 0, not -1.0"):
        batch_norm_relu(x, gamma, beta, epsilon=1e-3, negative_slope=-1.0)
    with pytest.raises(ValueError, match=r"y has shape \(3, 70\), x has \(3001, 70\)"):
        batch_norm_relu_grad(g, y[:3], x, gamma, mean, variance, **settings)


def test_the_same_bits_on_any_number_of_threads():
    before, results, x = config.threads(), [], normal(3000, 70)
    try:
        for threads in (1, 2):
            config.set_threads(threads)
            results.append(all_of("cpu", x))
    finally:
        config.set_threads(before)
    assert all((one == two).all() for one, two in zip(*results, strict=True))


A, C = np.zeros((4, 3), "f"), np.zeros(3, "f")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: batch_norm(A, C[:2], C, epsilon=1e-3), ValueError, r"gamma has shape \(2,\); expected \(3,\)"),
        (lambda: batch_norm(A, C, C[:2], epsilon=1e-3), ValueError, r"beta has shape \(2,\)"),
        (lambda: batch_norm(A, C, C, epsilon=-1.0), ValueError, "epsilon must be at least 0, not -1.0"),
        (lambda: batch_norm(np.float32(1), C, C, epsilon=1e-3), ValueError, "single number"),
        (lambda: batch_norm_grad(A[:2], A, C, C, C, epsilon=1e-3), ValueError, r"g has shape \(2, 3\), x has \(4, 3\)"),
        (lambda: batch_norm_grad(A, A, C, C, A, epsilon=1e-3), ValueError, "variance has shape"),
        (lambda: scale_shift(A, C, A), ValueError, "shift has shape"),
        (lambda: batch_norm(A.astype("float16"), C, C, epsilon=1e-3), TypeError, "float16"),
        (lambda: scale_shift(A, C, C, out=np.empty(3, "f")), ValueError, "out has shape"),
    ],
)
def test_errors_say_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()
