"""Ops whose results are no tensors, or have no gradient to check: values from the definitions."""

import math

import numpy as np
import pytest

from minidl import Tensor, ops

X = Tensor(np.array([[3.0, -1.0], [0.5, 3.0]], "float32"))


def test_sizes():
    assert ops.ndim(X) == 2 and ops.size(X) == 4 and ops.size(np.zeros((2, 0))) == 0 and ops.size(np.float32(1)) == 1


def test_from_nothing():
    assert ops.array([1, 2]).dtype == "int32" and ops.array([0.5]).numpy().tolist() == [0.5]
    assert ops.empty((2, 1)).numpy().tolist() == [[0], [0]] and ops.empty_like(X).numpy().tolist() == [[0, 0], [0, 0]]
    assert ops.identity(2).numpy().tolist() == [[1, 0], [0, 1]]
    assert ops.tri(2, 3, 1).numpy().tolist() == [[1, 1, 0], [1, 1, 1]]
    np.testing.assert_allclose(ops.logspace(0, 2, 3), [1, 10, 100], rtol=1e-6)
    np.testing.assert_allclose(ops.geomspace(1, 16, 5), [1, 2, 4, 8, 16], rtol=1e-6)
    numbers, step = ops.linspace(0, 1, 4, endpoint=False, retstep=True)
    assert step == 0.25 and numbers.numpy().tolist() == [0, 0.25, 0.5, 0.75] and numbers.dtype == "float32"


@pytest.mark.parametrize("name, coefficients", [
    ("hanning", (0.5, 0.5, 0.0)), ("hamming", (0.54, 0.46, 0.0)), ("blackman", (0.42, 0.5, 0.08)),
])  # fmt: skip
def test_windows_of_cosines(name, coefficients):
    angle = 2 * np.pi * np.arange(9) / 8
    a, b, c = coefficients
    np.testing.assert_allclose(getattr(ops, name)(9), a - b * np.cos(angle) + c * np.cos(2 * angle), atol=1e-7)


def test_other_windows():
    assert ops.bartlett(5).numpy().tolist() == [0, 0.5, 1, 0.5, 0]
    window = ops.kaiser(5, 2.0).numpy()
    bessel = [sum((v / 2) ** (2 * k) / math.factorial(k) ** 2 for k in range(20)) for v in (2.0, 2 * math.sqrt(0.75))]
    np.testing.assert_allclose(
        window, [1 / bessel[0], bessel[1] / bessel[0], 1, bessel[1] / bessel[0], 1 / bessel[0]], rtol=1e-5
    )


def test_nan_to_num_and_saturation():
    x = np.array([np.nan, np.inf, -np.inf, 1.5], "float32")
    largest = np.finfo("float32").max
    assert ops.nan_to_num(x).tolist() == [0, largest, -largest, 1.5]
    assert ops.nan_to_num(x, nan=7, posinf=8, neginf=9).tolist() == [7, 8, 9, 1.5]
    assert ops.saturate_cast(np.array([-3.0, 255.7, 300.0, 12.9]), "uint8").tolist() == [0, 255, 255, 12]
    assert ops.saturate_cast(np.array([0.0, 2.0]), "bool").tolist() == [False, True]


def test_close():
    assert ops.allclose(X, X) and not ops.allclose(X, X + 0.1) and ops.allclose(X, X + 0.1, atol=0.2)


def test_nan_reductions_leave_out_what_is_no_number():
    x = np.array([[np.nan, 2.0, 6.0], [np.nan, np.nan, np.nan]])
    assert ops.nansum(x, axis=1).tolist() == [8, 0] and ops.nanprod(x, axis=1).tolist() == [12, 1]
    np.testing.assert_array_equal(ops.nanmean(x[:1], axis=1), [4])
    np.testing.assert_array_equal(ops.nanmax(x, axis=1), [6, np.nan])
    np.testing.assert_array_equal(ops.nanmin(x, axis=1), [2, np.nan])
    assert ops.nanvar(x[:1]) == 4 and ops.nanstd(x[:1]) == 2 and ops.nanmedian(x[:1]) == 4
    assert ops.nanquantile(x[:1], 0.25) == 3 and ops.nanpercentile(x[:1], 25) == 3
    assert ops.nanargmax(x, axis=1).tolist() == [2, -1] and ops.nanargmin(x, axis=1, keepdims=True).tolist() == [
        [1],
        [-1],
    ]
    assert ops.nancumsum(x[0]).tolist() == [0, 2, 8] and ops.nancumprod(x[0]).tolist() == [1, 2, 12]


def test_unique():
    x = np.array([3, 1, 3, 2, 1])
    assert ops.unique(x).numpy().tolist() == [1, 2, 3]
    values, first, back, counts = ops.unique(x, return_index=True, return_inverse=True, return_counts=True)
    assert first.numpy().tolist() == [1, 3, 0] and counts.numpy().tolist() == [2, 1, 2]
    assert values.numpy()[back.numpy()].tolist() == x.tolist()
    assert ops.unique(x, size=5, fill_value=9).numpy().tolist() == [1, 2, 3, 9, 9]
    assert ops.unique(x, size=2).numpy().tolist() == [1, 2]


def test_places():
    rows, columns = ops.nonzero(np.array([[0, 4], [5, 0]]))
    assert rows.numpy().tolist() == [0, 1] and columns.numpy().tolist() == [1, 0]
    found = ops.unravel_index(np.array([0, 5]), (2, 3))
    assert [one.numpy().tolist() for one in found] == [[0, 1], [0, 2]]
    x = np.array([5, 1, 4, 2])
    order = ops.argpartition(x, 2)
    assert x[order][2] == 4 and sorted(x[order][:2]) == [1, 2]


def test_histogram():
    counts, edges = ops.histogram(np.array([0.0, 1.0, 1.0, 4.0]), bins=2)
    assert counts.numpy().tolist() == [3, 1] and edges.numpy().tolist() == [0, 2, 4]
    assert ops.histogram(np.array([0.0, 9.0]), 3, (0, 3))[0].numpy().tolist() == [1, 0, 0]


@pytest.mark.parametrize("call, message", [
    (lambda: ops.histogram(X, 0), "bins must be a positive"), (lambda: ops.histogram(X, 2, (3, 1)), "range must be"),
    (lambda: ops.top_k(X, 3), "k must be from 1 to 2"), (lambda: ops.quantile(X, 1.5), "q must lie from 0 to 1"),
    (lambda: ops.quantile(X, 0.5, method="cubic"), "method must be"),
    (lambda: ops.unstack(X, 3), "has 2 parts, not num=3"),
    (lambda: ops.meshgrid(X[0], indexing="yx"), "indexing must be"),
    (lambda: ops.rot90(X, axes=(0, -2)), "two different axes"),
    (lambda: ops.diag(np.zeros((1, 1, 1))), "1 or 2 axes"), (lambda: ops.select([], []), "0 conditions"),
    (lambda: ops.slice(X, (0, 1), (2, 2)), "reaches out of shape"), (lambda: ops.slice(X, (0,), (2,)), "all 2 axes"),
    (lambda: ops.scatter_update(X, [[0, 0]], X[0, :1], "min"), "reduction must be"),
    (lambda: ops.tensordot(X, X, axes=[[0], [2]]), "out of range"),
    (lambda: ops.tensordot(X, X[:1], 1), "differ in extent"),
    (lambda: ops.cross(np.zeros(4), np.zeros(4)), "2 or 3 components"),
    (lambda: ops.norm(X, ord="nuc"), "not supported"),
    (lambda: ops.correlate(X[0], X[0], "all"), "mode must be"), (lambda: ops.scan(lambda c, x: (c, x), 0), "give xs"),
    (lambda: ops.map(lambda x: x, [X, X[:1]]), "one extent"), (lambda: ops.bincount([1], sparse=True), "sparse"),
])  # fmt: skip
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_scan_without_results():
    carry, found = ops.scan(lambda c, _: (c * 2, None), np.ones(2), length=3)
    assert carry.tolist() == [8, 8] and found is None


def test_a_singular_matrix_is_an_error():
    with pytest.raises(np.linalg.LinAlgError):
        ops.inv(np.zeros((2, 2)))
