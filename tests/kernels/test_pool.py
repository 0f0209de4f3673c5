"""Pooling: every implementation against the definition, ties, NaN, padding, and gradients by differences."""

import itertools

import numpy as np
import pytest

from minidl_kernels import config
from minidl_kernels.pool import average_pool, average_pool_grad, max_pool, max_pool_gather, max_pool_scatter

KERNELS = (max_pool, max_pool_scatter, max_pool_gather, average_pool, average_pool_grad)
CASES = [
    # x, pool_size, strides: no two sizes equal; equal ones; one of everything; overlapping; gapped; rests
    ((2, 5, 7, 3), (2, 3), (2, 1)),
    ((2, 4, 4, 16), (2, 2), (2, 2)),
    ((1, 1, 1, 1), (1, 1), (1, 1)),
    ((3, 6, 5, 1), (3, 2), (1, 2)),
    ((1, 7, 8, 9), (3, 3), (2, 2)),
    ((1, 8, 7, 2), (2, 1), (3, 4)),
    ((2, 5, 5, 33), (2, 2), (2, 2)),
    ((1, 3, 4, 8), (3, 4), (1, 1)),
    ((0, 4, 4, 2), (2, 2), (2, 2)),
    ((2, 4, 4, 0), (2, 2), (2, 2)),
]


def normal(*shape, dtype="float32", seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def tied(*shape, dtype="float32"):
    """Small whole numbers and zeros: most windows have several maxima."""
    return np.random.default_rng(shape).integers(-1, 2, shape).astype(dtype)


def all_five(implementation, x, pool_size, strides, padding):
    settings = {"pool_size": pool_size, "strides": strides, "padding": padding}
    with (
        max_pool.use(implementation), max_pool_scatter.use(implementation), max_pool_gather.use(implementation),
        average_pool.use(implementation), average_pool_grad.use(implementation),
    ):  # fmt: skip
        y = max_pool(x, **settings)
        g = normal(*y.shape, dtype=x.dtype, seed=1)
        return (
            y,
            max_pool_scatter(g, x, **settings),
            max_pool_gather(normal(*x.shape, dtype=x.dtype, seed=2), x, **settings),
            average_pool(x, **settings),
            average_pool_grad(g, input_shape=x.shape, **settings),
        )


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("implementation", "dtype"), [("array", "float32"), ("array", "float64"), ("cpu", "float32")])
def test_every_implementation_agrees_with_the_definition(implementation, dtype, padding):
    for (shape, pool_size, strides), make in itertools.product(CASES, (normal, tied)):
        x = make(*shape, dtype=dtype)
        actual = all_five(implementation, x, pool_size, strides, padding)
        expected = all_five("reference", x, pool_size, strides, padding)
        for kernel, a, e in zip(KERNELS, actual, expected, strict=True):
            message = f"{kernel.name} {shape} {pool_size} {strides}"
            assert a.dtype == dtype
            np.testing.assert_allclose(a, e, rtol=0, atol=8 * np.finfo(dtype).eps, err_msg=message)


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_the_first_maximum_wins(implementation):
    x = np.array([[1, 5, 5], [5, 0, 5], [0, 0, 0]], "f").reshape(1, 3, 3, 1)
    settings = {"pool_size": (2, 2), "strides": (1, 1)}
    g = np.array([[1, 2], [4, 8]], "f").reshape(1, 2, 2, 1)
    with max_pool_scatter.use(implementation):
        dx = max_pool_scatter(g, x, **settings)
    assert dx[0, :, :, 0].tolist() == [[0, 3, 0], [4, 0, 8], [0, 0, 0]]


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
@pytest.mark.parametrize("size", [2, 3])
def test_nan_wins_and_the_first_of_them(implementation, size):
    x, position = normal(1, size, size, 20), np.arange(size * size, dtype="f").reshape(1, size, size, 1)
    x[0, 0, 1, 3:], x[0, 1, 1, 1:9] = np.nan, np.nan
    settings = {"pool_size": (size, size), "strides": (1, 1), "padding": "valid"}
    with max_pool.use(implementation), max_pool_gather.use(implementation), max_pool_scatter.use(implementation):
        y = max_pool(x, **settings)[0, 0, 0]
        winner = max_pool_gather(np.repeat(position, 20, axis=3), x, **settings)[0, 0, 0]
        dx = max_pool_scatter(np.full((1, 1, 1, 20), np.inf, "f"), x, **settings)
    assert np.isnan(y[1:]).all() and y[0] == x[..., 0].max()
    assert (winner[3:] == 1).all() and (winner[1:3] == size + 1).all()
    assert (np.isinf(dx).sum((0, 1, 2)) == 1).all() and not np.isnan(dx).any()


@pytest.mark.parametrize("implementation", ["reference", "array", "cpu"])
def test_padding_never_wins_over_minus_infinity(implementation):
    x, settings = np.full((1, 3, 3, 2), -np.inf, "f"), {"pool_size": (3, 3), "strides": (2, 2), "padding": "same"}
    g = np.arange(1.0, 9.0, dtype="f").reshape(1, 2, 2, 2)
    with max_pool.use(implementation), max_pool_scatter.use(implementation), max_pool_gather.use(implementation):
        assert (max_pool(x, **settings) == -np.inf).all()
        dx = max_pool_scatter(g, x, **settings)
        assert dx.sum() == g.sum()
        assert dx[0, :, :, 0].tolist() == [[1, 3, 0], [5, 7, 0], [0, 0, 0]]
        np.testing.assert_array_equal(max_pool_gather(dx, x, **settings), g)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_average_pool_counts_real_cells_only(padding):
    for implementation in ("reference", "array", "cpu"):
        with average_pool.use(implementation):
            y = average_pool(np.ones((1, 5, 4, 3), "f"), pool_size=(3, 3), strides=(2, 2), padding=padding)
        np.testing.assert_allclose(y, 1, rtol=1e-6)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_gradients_against_differences(padding):
    """Of sum(u * pool(x)) along a random direction v, in float64."""
    h = 1e-6
    for shape, pool_size, strides in CASES[:7]:
        settings = {"pool_size": pool_size, "strides": strides, "padding": padding}
        x, v = normal(*shape, dtype="float64"), normal(*shape, dtype="float64", seed=1)
        with max_pool.use("reference"), average_pool.use("reference"):
            u = normal(*max_pool(x, **settings).shape, dtype="float64", seed=2)
            slopes = [
                float((u * (pool(x + h * v, **settings) - pool(x - h * v, **settings))).sum()) / (2 * h)
                for pool in (max_pool, average_pool)
            ]
            picked = (max_pool(x + h * v, **settings) - max_pool(x - h * v, **settings)) / (2 * h)
        gradients = max_pool_scatter(u, x, **settings), average_pool_grad(u, input_shape=shape, **settings)
        for slope, gradient in zip(slopes, gradients, strict=True):
            assert float((gradient * v).sum()) == pytest.approx(slope, rel=1e-6, abs=1e-7)
        np.testing.assert_allclose(max_pool_gather(v, x, **settings), picked, atol=1e-7)


@pytest.mark.parametrize("pictures", [1, 7, 64])
@pytest.mark.parametrize(("pool_size", "strides"), [((2, 2), (2, 2)), ((3, 3), (2, 2)), ((3, 3), (4, 4))])
def test_cpu_with_many_tasks_and_threads(pictures, pool_size, strides):
    before, x = config.threads(), tied(pictures, 65, 34, 32)
    results = []
    try:
        for threads in (1, 2):
            config.set_threads(threads)
            results.append(all_five("cpu", x, pool_size, strides, "same"))
    finally:
        config.set_threads(before)
    expected = all_five("array", x, pool_size, strides, "same")
    for kernel, one, two, e in zip(KERNELS, *results, expected, strict=True):
        assert (one == two).all(), kernel.name
        np.testing.assert_allclose(one, e, rtol=0, atol=2e-6, err_msg=kernel.name)


@pytest.mark.parametrize("implementation", ["array", "cpu"])
def test_strided_arguments_and_outputs(implementation):
    x = tied(2, 9, 8, 6)[:, ::2, :, ::2]
    settings = {"pool_size": (2, 2), "strides": (1, 2), "padding": "same"}
    out = np.full((2, 5, 4, 6), 7, "f")[..., ::2]
    with max_pool.use(implementation), max_pool_scatter.use(implementation):
        assert max_pool(x, **settings, out=out) is out
        dx = max_pool_scatter(out, x, **settings)
    with max_pool.use("reference"), max_pool_scatter.use("reference"):
        np.testing.assert_array_equal(out, max_pool(x, **settings))
        np.testing.assert_array_equal(dx, max_pool_scatter(out, x, **settings))


X = np.zeros((2, 4, 5, 3), "f")
TWO = {"pool_size": (2, 2), "strides": (2, 2)}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: max_pool(X[0], **TWO), ValueError, r"max_pool: x has shape \(4, 5, 3\); expected \(N, H, W, C\)"),
        (lambda: max_pool(X, pool_size=(5, 2), strides=(1, 1)), ValueError, "5x2 does not fit into a picture of 4x5"),
        (lambda: max_pool(X, pool_size=2, strides=(1, 1)), ValueError, "pool_size must be a tuple of two"),
        (lambda: average_pool(X, pool_size=(2, 2), strides=(0, 1)), ValueError, r"strides .* not \(0, 1\)"),
        (lambda: average_pool(X, **TWO, padding="full"), ValueError, "'full'"),
        (lambda: max_pool_scatter(X, X, **TWO), ValueError, r"g has shape .*expected \(2, 2, 2, 3\)"),
        (lambda: max_pool_gather(X[:1], X, **TWO), ValueError, r"v has shape .*expected \(2, 4, 5, 3\)"),
        (lambda: average_pool_grad(X, input_shape=(2, 4, 5, 3), **TWO), ValueError, r"expected \(2, 2, 2, 3\)"),
        (lambda: average_pool_grad(X, input_shape=(4, 5), **TWO), ValueError, "input_shape has shape"),
        (lambda: max_pool(X.astype("float16"), **TWO), TypeError, "float16"),
        (lambda: max_pool(X, **TWO, out=np.empty((2, 2, 2, 4), "f")), ValueError, "out has shape"),
    ],
)
def test_errors_say_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.oracle
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_like_keras(keras, padding):
    for shape, pool_size, strides in CASES[:7]:
        x, settings = normal(*shape), {"pool_size": pool_size, "strides": strides, "padding": padding}
        for pool, theirs in ((max_pool, keras.ops.max_pool), (average_pool, keras.ops.average_pool)):
            expected = np.asarray(theirs(x, **settings, data_format="channels_last"))
            np.testing.assert_allclose(pool(x, **settings), expected, rtol=1e-6, atol=1e-6)
