"""Matrix products: every implementation against the definition, on shapes around every border of the blocks."""

import importlib
import os

import numpy as np
import pytest

from minidl_kernels import config
from minidl_kernels.cuda.shim import _Guarded
from minidl_kernels.matmul import column_sum, dense, matmul

cpu_of_matmul = importlib.import_module("minidl_kernels.matmul.cpu")

BORDERS = [1, 2, 3, 5, 6, 7, 12, 13, 14, 15, 16, 17, 31, 32, 33]
IMPLEMENTATIONS = ["reference", "array", "cpu"]


def normal(*shape, dtype="float32", seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def assert_close(actual, expected, terms):
    """Equal up to the rounding of a sum of so many terms in the dtype of ``actual``."""
    assert actual.shape == expected.shape
    tolerance = 4 * np.finfo(actual.dtype).eps * max(terms, 4) ** 0.5
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_matmul(implementation, transpose_a, transpose_b, dtype):
    if implementation == "cpu" and dtype == "float64":
        pytest.skip("computes in float32")
    for m, k, n in [(1, 1, 1), (2, 3, 5), (7, 4, 17), (16, 16, 16)]:
        a = normal(*((k, m) if transpose_a else (m, k)), dtype=dtype)
        b = normal(*((n, k) if transpose_b else (k, n)), dtype=dtype, seed=1)
        axes = f"{'km' if transpose_a else 'mk'},{'nk' if transpose_b else 'kn'}->mn"
        expected = np.einsum(axes, a.astype("d"), b.astype("d"))
        with matmul.use(implementation):
            y = matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
        assert y.dtype == dtype
        assert_close(y, expected, k)


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_cpu_at_the_borders_of_its_blocks(transpose_a, transpose_b):
    shapes = [(m, 9, 20) for m in BORDERS] + [(5, k, 20) for k in [*BORDERS, 255, 256, 257, 513]]
    shapes += [(7, 9, n) for n in [*BORDERS, 47, 48, 49]]
    shapes += [(127, 65, 66), (128, 64, 64), (129, 130, 131), (300, 257, 33)]
    for m, k, n in shapes:
        a = normal(*((k, m) if transpose_a else (m, k)))
        b = normal(*((n, k) if transpose_b else (k, n)), seed=1)
        expected = (a.T if transpose_a else a).astype("d") @ (b.T if transpose_b else b).astype("d")
        with matmul.use("cpu"):
            assert_close(matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b), expected, k)


@pytest.mark.parametrize("implementation", ["reference", "array"])
def test_stacks_broadcast(implementation):
    for a_shape, b_shape in [((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (6, 4, 5)), ((0, 3, 4), (4, 5))]:
        a, b = normal(*a_shape), normal(*b_shape, seed=1)
        with matmul.use(implementation):
            assert_close(matmul(a, b), np.matmul(a.astype("d"), b.astype("d")), 4)
            assert_close(matmul(a.swapaxes(-1, -2), b, transpose_a=True), np.matmul(a.astype("d"), b.astype("d")), 4)


def test_a_stack_times_one_matrix_on_the_cpu():
    a, b = normal(2, 3, 5, 7), normal(7, 20, seed=1)
    with matmul.use("cpu"):
        assert_close(matmul(a, b), np.matmul(a.astype("d"), b.astype("d")), 7)
        assert_close(matmul(a, b.T.copy(), transpose_b=True), np.matmul(a.astype("d"), b.astype("d")), 7)
    with matmul.use("cpu"), pytest.raises(ValueError, match="refuses: takes one matrix b"):
        matmul(a, normal(2, 3, 7, 4))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_empty_and_strided_arguments(implementation):
    a, b = normal(10, 14)[::2, ::2], normal(7, 40, seed=1)[:, ::2]
    with matmul.use(implementation), dense.use(implementation), column_sum.use(implementation):
        assert_close(matmul(a, b), a.astype("d") @ b.astype("d"), 7)
        assert_close(matmul(a.T, b, transpose_a=True), a.astype("d") @ b.astype("d"), 7)
        assert matmul(normal(0, 3), normal(3, 4)).shape == (0, 4)
        assert matmul(normal(3, 4), normal(4, 0)).shape == (3, 0)
        assert not matmul(normal(3, 0), normal(0, 4)).any()
        bias = np.array([1, -1], "f")
        assert dense(normal(0, 3), normal(3, 2), bias).shape == (0, 2)
        assert (dense(normal(4, 0), normal(0, 2), bias, activation="relu") == [1, 0]).all()
        assert (column_sum(normal(0, 3)) == 0).all()
        assert_close(column_sum(normal(9, 8)[::2, ::3]), normal(9, 8)[::2, ::3].astype("d").sum(0), 5)
        fixed = np.broadcast_to(np.ones((1, 7), "f"), (5, 7))  # read-only
        assert_close(matmul(fixed, b), fixed.astype("d") @ b.astype("d"), 7)
        b.flags.writeable = False
        assert_close(matmul(a, b), a.astype("d") @ b.astype("d"), 7)
        out = normal(5, 40, seed=2)[:, ::2]
        assert matmul(a, b, out=out) is out
        assert_close(out, a.astype("d") @ b.astype("d"), 7)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("activation", [None, "relu"])
def test_dense(implementation, activation):
    for shape, n in [((3, 4), 5), ((1, 1), 1), ((2, 3, 6), 17), ((7,), 16), ((13, 9), 33)]:
        x, w, b = normal(*shape), normal(shape[-1], n, seed=1), normal(n, seed=2)
        expected = x.astype("d") @ w.astype("d") + b
        out = np.full((*shape[:-1], n), 7, "f")
        with dense.use(implementation):
            assert dense(x, w, b, activation=activation, out=out) is out
        assert_close(out, np.maximum(expected, 0) if activation else expected, shape[-1])


@pytest.mark.parametrize("implementation", ["array", "cpu"])
def test_relu_keeps_nan(implementation):
    x = np.array([[np.nan, 1], [1, 1]], "f")
    with dense.use(implementation):
        y = dense(x, np.ones((2, 20), "f"), np.zeros(20, "f"), activation="relu")
    assert np.isnan(y[0]).all()
    assert (y[1] == 2).all()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_column_sum(implementation):
    for shape in [(5,), (1, 1), (3, 4), (7, 8), (8, 7), (17, 2, 3), (9, 33)]:
        g = normal(*shape)
        with column_sum.use(implementation):
            assert_close(column_sum(g), g.astype("d").reshape(-1, shape[-1]).sum(0), g.size)


def test_column_sum_of_many_rows():
    for shape in [(70000, 1), (40000, 3), (4096, 32), (1000, 100)]:
        g = normal(*shape)
        with column_sum.use("cpu"):
            atol = 2e-6 * np.abs(g.astype("d")).sum(0).max()
            np.testing.assert_allclose(column_sum(g), g.astype("d").sum(0), atol=atol)


FEW_ROWS = [(1, 2053, 259), (2, 4100, 130), (3, 1031, 601), (13, 261, 340), (32, 784, 300), (40, 3000, 37)]


@pytest.mark.parametrize(("m", "k", "n"), FEW_ROWS)
@pytest.mark.parametrize("activation", [None, "relu"])
def test_few_rows_in_blocks(m, k, n, activation):
    assert cpu_of_matmul._row_blocks(m, n, k) > 1
    x, w, b = normal(m, k), normal(k, n, seed=1), normal(n, seed=2)
    w[0, 0] = w[k - 1, 1] = np.nan  # in the first and in the last block
    expected = x.astype("d") @ w + b
    expected = np.where(expected < 0, 0, expected) if activation else expected
    found, before = [], config.threads()
    try:
        for threads in (1, 2, 3):
            config.set_threads(threads)
            with dense.use("cpu"):
                found += [dense(x, w, b, activation=activation) for _ in range(3)]  # the later ones as planned
    finally:
        config.set_threads(before)
    for one in found:
        np.testing.assert_array_equal(one, found[0])
    tolerance = 4 * np.finfo("float32").eps * k**0.5 * np.nanmax(np.abs(expected))
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=tolerance)


@pytest.mark.skipif(os.name != "posix", reason="needs pages that cannot be touched")
@pytest.mark.parametrize("m", [1, 2])
def test_columns_behind_the_last_one_are_not_seen(m):
    for n in range(1, 52):
        for k in (8, 9, 16, 31):
            x, w = normal(m, k), normal(k, n, seed=1)
            w[:, 0] = np.inf  # where a vector goes on behind the end of a row
            guarded = _Guarded(w, at_end=True)  # one number too many would end the process
            with dense.use("cpu"):
                found = dense(x, guarded.copy, normal(n, seed=2))
            assert not np.isfinite(found[:, 0]).any()
            assert_close(found[:, 1:], x.astype("d") @ w[:, 1:] + normal(n, seed=2)[1:], k)


def test_the_same_bits_on_any_number_of_threads():
    before = config.threads()
    results = []
    try:
        for threads in (1, 2, 3):
            config.set_threads(threads)
            with matmul.use("cpu"), dense.use("cpu"), column_sum.use("cpu"):
                a, b = normal(300, 270), normal(270, 90, seed=1)
                results.append((matmul(a, b), matmul(b, a, transpose_a=True, transpose_b=True), dense(a, b, b[0]),
                                column_sum(normal(5000, 20))))  # fmt: skip
    finally:
        config.set_threads(before)
    for other in results[1:]:
        assert all((one == two).all() for one, two in zip(results[0], other, strict=True))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: matmul(normal(3), normal(3, 4)), ValueError, "at least 2 axes"),
        (lambda: matmul(normal(2, 3), normal(4, 5)), ValueError, r"\(\.\.\., 2, 3\).*\(\.\.\., 4, 5\)"),
        (lambda: matmul(normal(2, 3), normal(3, 5), transpose_b=True), ValueError, "inner sizes differ"),
        (lambda: matmul(normal(2, 2, 3), normal(4, 3, 5)), ValueError, "do not broadcast"),
        (lambda: dense(normal(2, 3), normal(4, 5), normal(5)), ValueError, r"\(2, 3\).*\(4, 5\)"),
        (lambda: dense(normal(2, 3), normal(3, 5), normal(3)), ValueError, r"b has shape \(3,\); expected \(5,\)"),
        (lambda: dense(normal(2, 3), normal(3, 5), normal(5), activation="tanh"), ValueError, "'tanh'"),
        (lambda: column_sum(np.float32(3)), ValueError, "single number"),
        (lambda: matmul(normal(2, 3, dtype="float16"), normal(3, 5)), TypeError, "float16"),
        (lambda: matmul(normal(2, 3), normal(3, 4), out=np.empty((2, 5), "f")), ValueError, r"out has shape \(2, 5\)"),
    ],
)
def test_errors_say_what_came(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("rows", [3, 300])  # in one thread, and in several
def test_denormals_count_as_0_in_tasks_and_nowhere_else(rows):
    tiny, a = np.float32(1e-40), np.full((rows, 200), 1e-20, "f")
    with matmul.use("cpu"):
        found = matmul(a, np.full((200, 300), 1e-22, "f"))
    assert (found == 0).all()  # the sum is 2e-40
    assert tiny * np.float32(2) > 0 and (a * np.float32(1e-20) > 0).all()
