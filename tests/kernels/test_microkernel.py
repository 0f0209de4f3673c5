"""The micro-kernel by itself: every height and width of a tile, every way to read A, against sums in float64."""

import numpy as np
import pytest

from minidl_kernels.microkernel import ACCUMULATE, HEIGHTS, LANES, RELU, TALL, WIDTH, heart, multiply, panel_width
from minidl_kernels.panels import pack_panel
from minidl_kernels.parallel import address_of, integer, task

RNG = np.random.default_rng(7)
UNTOUCHED = -7.0


@task
def _multiply(args, task, tasks):
    multiply(
        integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3), integer(args, 4), integer(args, 5),
        integer(args, 6), integer(args, 7), integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11),
        integer(args, 12), integer(args, 13), integer(args, 14), integer(args, 15),
    )  # fmt: skip


@task
def _pack(args, task, tasks):
    pack_panel(
        integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3), integer(args, 4), integer(args, 5),
        integer(args, 6),
    )  # fmt: skip


def normal(*shape):
    return RNG.standard_normal(shape).astype("float32")


def strip(a, b, first, last, bias=None, flags=0, before=None):
    """A (rows, outer, inner), strided as it comes, times B (outer * inner, columns), in a frame that must stay."""
    rows, outer, inner = a.shape
    frame = np.full((rows + 2, b.shape[1] + 2), UNTOUCHED, "float32")
    c = frame[1:-1, 1:-1]
    if before is not None:
        c[...] = before
    _multiply(
        heart.address, rows, a.ctypes.data, a.strides[0], outer, a.strides[1], inner, a.strides[2],
        address_of(b), b.strides[0], c.ctypes.data, frame.strides[0], first, last,
        0 if bias is None else address_of(bias), flags,
    )  # fmt: skip
    border = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
    np.testing.assert_array_equal(border, UNTOUCHED)
    return c


def assert_close(found, expected, depth):
    np.testing.assert_allclose(found, expected, rtol=0, atol=4e-7 * max(depth, 4))


@pytest.mark.parametrize("rows", range(1, 2 * TALL + 2))
def test_every_height_with_every_width(rows):
    a, b = normal(rows, 1, 7), normal(7, WIDTH)
    expected = a[:, 0].astype(float) @ b
    edges = sorted({0, 1, WIDTH - 1, WIDTH, *(LANES * v + d for v in range(1, WIDTH // LANES) for d in (-1, 0, 1))})
    for first in edges:
        for last in (edge for edge in edges if edge > first):
            c = strip(a, b, first, last)
            assert_close(c[:, first:last], expected[:, first:last], 7)
            np.testing.assert_array_equal(c[:, :first], UNTOUCHED)
            np.testing.assert_array_equal(c[:, last:], UNTOUCHED)


@pytest.mark.parametrize("width", [LANES * vectors for vectors in HEIGHTS] + [LANES - 1, WIDTH - LANES + 1])
@pytest.mark.parametrize("outer, inner", [(1, 1), (1, 4), (3, 5), (2, 8), (4, 0), (0, 3)])
def test_two_loops_over_k_and_any_strides(width, outer, inner):
    rows, b = TALL + 3, normal(outer * inner, WIDTH)
    side_by_side = normal(rows, outer + 1, inner + 2)[:, :outer, :inner]
    transposed = normal(inner, outer, rows).transpose(2, 1, 0)
    overlapping = np.lib.stride_tricks.as_strided(normal(500), (rows, outer, inner), (8, 64, 4))  # as windows do
    backwards = normal(rows, outer, inner)[::-1, ::-1, ::-1]
    for a in (side_by_side, transposed, overlapping, backwards):
        expected = a.reshape(rows, outer * inner).astype(float) @ b
        assert_close(strip(a, b, 0, width)[:, :width], expected[:, :width], outer * inner)


@pytest.mark.parametrize("width", [LANES * vectors for vectors in HEIGHTS] + [LANES // 2, WIDTH - 1])
def test_bias_sums_before_and_relu(width):
    a = normal(2 * TALL - 1, 1, 9)
    b, bias, before = normal(9, WIDTH), normal(WIDTH), normal(2 * TALL - 1, WIDTH)
    product = a[:, 0].astype(float) @ b
    expected = {(0, False): product, (0, True): product + bias, (ACCUMULATE, True): product + before}
    for (flags, has_bias), sums in expected.items():
        for relu in (0, RELU):
            found = strip(a, b, 0, width, bias if has_bias else None, flags + relu, before)
            assert_close(found[:, :width], (np.maximum(sums, 0) if relu else sums)[:, :width], 9)
            np.testing.assert_array_equal(found[:, width:], before[:, width:])


def test_relu_keeps_what_is_not_a_number():
    a, b = np.full((3, 1, 1), np.nan, "float32"), np.ones((1, WIDTH), "float32")
    assert np.isnan(strip(a, b, 0, WIDTH, flags=RELU)).all()
    assert np.isnan(strip(a, b, 0, LANES - 1, flags=RELU)[:, : LANES - 1]).all()


@pytest.mark.parametrize("columns", sorted({1, LANES - 1, LANES, LANES + 1, 2 * LANES, WIDTH - 1, WIDTH}))
@pytest.mark.parametrize("depth", [1, LANES - 1, 2 * LANES + 3])
@pytest.mark.parametrize("turned", [False, True])
def test_panels(columns, depth, turned):
    b = (
        normal(columns + 3, depth + 2).T[:depth, :columns]
        if turned
        else normal(depth + 2, columns + 3)[:depth, :columns]
    )
    width = panel_width(columns)
    frame = np.full(depth * width + 2, UNTOUCHED, "float32")
    _pack(frame[1:].ctypes.data, width, b.ctypes.data, depth, b.strides[0], columns, b.strides[1])
    assert frame[0] == frame[-1] == UNTOUCHED
    panel = frame[1:-1].reshape(depth, width)
    np.testing.assert_array_equal(panel[:, :columns], b)
    filled = -(-columns // LANES) * LANES  # whole vectors are read: what is not there must not be a NaN
    np.testing.assert_array_equal(panel[:, columns:filled], 0)


def test_widths_of_panels():
    assert panel_width(1) == panel_width(LANES) == LANES
    assert panel_width(LANES + 1) == panel_width(2 * LANES) == 2 * LANES
    assert panel_width(WIDTH) == panel_width(WIDTH + 1) == panel_width(10 * WIDTH) == WIDTH
