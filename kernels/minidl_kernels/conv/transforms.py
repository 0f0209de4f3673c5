# mypy: ignore-errors
"""The transforms of Winograd's convolutions (see winograd.py): small matrices, written out as vector code.

``y = A^T [(G w G^T) * (B^T d B)] A`` for tiles of m x m outputs, m = 2 or 4; each vector holds LANES channels. Outputs
get bias and ReLU before they are written.
"""

import functools
from contextlib import nullcontext

from ..microkernel import INT, LANES, VECTOR, vector_at
from ..streaming import past_caches

# isort: split
from llvmlite import ir  # after parallel.py has set the cache folder
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = [
    "gradient_2", "gradient_4", "outputs_of_block", "planes_of_block", "taps_2", "taps_4", "upstream_of_block",
]  # fmt: skip

B2 = [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]  # B^T
G2 = [[1, 0, 0], [1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [0, 0, 1]]
A2 = [[1, 1, 1, 0], [0, 1, -1, -1]]  # A^T
B4 = [
    [4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1],
]  # fmt: skip
G4 = [
    [1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1],
]  # fmt: skip
A4 = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]


def _transposed(matrix):
    return [list(column) for column in zip(*matrix, strict=True)]


def _combine(builder, factors, vectors):
    """The sum of factor * vector, without the zeros."""
    total = None
    for factor, vector in zip(factors, vectors, strict=True):
        if factor == 0:
            continue
        if abs(factor) != 1:
            vector = builder.fmul(vector, ir.Constant(vector.type, [abs(factor)] * LANES), flags=["contract"])
        if total is None:
            total = vector if factor > 0 else builder.fneg(vector)
        elif factor > 0:
            total = builder.fadd(total, vector, flags=["contract"])
        else:
            total = builder.fsub(total, vector, flags=["contract"])
    return total


def _transform(matrix, guarded=None, finished=False, past=False):
    """An intrinsic: target = M source M^T, where both are grids of vectors; written out, without the zeros of M.

    Vector (i, j) of the source is at ``source + i * row + j * column`` (bytes), of the target alike.

    Args:
        finished: the target gets the vector at the address ``bias`` added (0: none) and, with ``relu``, what is below
            0 becomes 0; two further arguments.
        past: the target is written past the caches; its vectors lie at multiples of their size.
        guarded: "source" or "target": of that grid only cells from (top, left) to before (bottom, right) exist, four
            further arguments. The others are read as zeros, or not written.
    """

    def emit(context, builder, signature, arguments):
        start, down, right, to, to_down, to_right = arguments[:6]
        zero = ir.Constant(VECTOR, [0.0] * LANES)
        zeros = cgutils.alloca_once_value(builder, zero)

        def place(address, row_step, column_step, i, j):
            below = builder.add(address, builder.mul(row_step, ir.Constant(INT, i)))
            return vector_at(builder, builder.add(below, builder.mul(column_step, ir.Constant(INT, j))), 0)

        def exists(i, j):
            bounds = zip((">=", "<", ">=", "<"), (i, i, j, j), arguments[-4:], strict=True)
            tests = [builder.icmp_signed(relation, ir.Constant(INT, at), bound) for relation, at, bound in bounds]
            return functools.reduce(builder.and_, tests)

        def cell(i, j):
            address = place(start, down, right, i, j)
            if guarded == "source":
                address = builder.select(exists(i, j), address, zeros)
            return builder.load(address, align=4)

        if finished:
            bias, relu = arguments[6:8]
            has_bias, is_cut = (builder.icmp_signed("!=", one, ir.Constant(INT, 0)) for one in (bias, relu))
            added = builder.load(builder.select(has_bias, vector_at(builder, bias, 0), zeros), align=4)
            lowest = builder.select(is_cut, zero, ir.Constant(VECTOR, [-float("inf")] * LANES))
        size = range(len(matrix[0]))
        columns = []
        for j in size:  # M times the source, column by column
            cells = [cell(i, j) for i in size]
            columns.append([_combine(builder, factors, cells) for factors in matrix])
        for i, line in enumerate(zip(*columns, strict=True)):  # and that, row by row, times M^T
            for j, factors in enumerate(matrix):
                value = _combine(builder, factors, line)
                if finished:
                    value = builder.fadd(value, added)
                    value = builder.select(builder.fcmp_ordered("<", value, lowest), lowest, value)  # NaN stays
                with builder.if_then(exists(i, j)) if guarded == "target" else nullcontext():
                    store = builder.store(value, place(to, to_down, to_right, i, j), align=4 * LANES if past else 4)
                if past:
                    past_caches(builder, store)
        return context.get_dummy_value()

    if guarded == "source":

        @intrinsic
        def transform(typing_context, source, row, column, target, target_row, target_column, top, bottom, left, right):
            return types.void(*[types.int64] * 10), emit

    elif finished and guarded == "target":

        @intrinsic
        def transform(
            typing_context, source, row, column, target, target_row, target_column, bias, relu, top, bottom, left, right
        ):
            return types.void(*[types.int64] * 12), emit

    elif finished:

        @intrinsic
        def transform(typing_context, source, row, column, target, target_row, target_column, bias, relu):
            return types.void(*[types.int64] * 8), emit

    else:

        @intrinsic
        def transform(typing_context, source, row, column, target, target_row, target_column):
            return types.void(*[types.int64] * 6), emit

    return transform


_input_2, _output_2, taps_2 = _transform(B2), _transform(A2, finished=True), _transform(G2)
_upstream_2, gradient_2 = _transform(_transposed(A2)), _transform(_transposed(G2))
_input_2_at_border, _output_2_at_border = _transform(B2, "source"), _transform(A2, "target", finished=True)
_upstream_2_at_border = _transform(_transposed(A2), "source")
_output_2_past_caches = _transform(A2, finished=True, past=True)
_output_4_past_caches = _transform(A4, finished=True, past=True)
_input_4, _output_4, taps_4 = _transform(B4), _transform(A4, finished=True), _transform(G4)
_upstream_4, gradient_4 = _transform(_transposed(A4)), _transform(_transposed(G4))
_input_4_at_border, _output_4_at_border = _transform(B4, "source"), _transform(A4, "target", finished=True)
_upstream_4_at_border = _transform(_transposed(A4), "source")


@njit(cache=True, error_model="numpy")
def planes_of_block(m, x, height, width, channels, top, left, down, across, first, count, planes, plane):
    """B^T d B of ``count`` tiles from tile ``first`` on; a picture has down x across. A plane is (tile, channel)."""
    n, pixel = m + 2, channels * 4
    for t in range(count):
        image, tile = (first + t) // (down * across), (first + t) % (down * across)
        row, column = tile // across * m - top, tile % across * m - left
        source, target = x + ((image * height + row) * width + column) * pixel, planes + t * pixel
        above, below, before, behind = max(-row, 0), min(height - row, n), max(-column, 0), min(width - column, n)
        whole = above == 0 and below == n and before == 0 and behind == n
        for c in range(0, pixel, LANES * 4):
            if m == 2 and whole:
                _input_2(source + c, width * pixel, pixel, target + c, 4 * plane, plane)
            elif m == 2:
                _input_2_at_border(
                    source + c, width * pixel, pixel, target + c, 4 * plane, plane, above, below, before, behind
                )
            elif whole:
                _input_4(source + c, width * pixel, pixel, target + c, 6 * plane, plane)
            else:
                _input_4_at_border(
                    source + c, width * pixel, pixel, target + c, 6 * plane, plane, above, below, before, behind
                )


@njit(cache=True, error_model="numpy")
def outputs_of_block(
    m, products, wide, plane, rows, pixels, filters, down, across, first, count, out, vectors, bias, relu, past
):
    """A^T p A of the same tiles, for one panel of filters, into the pictures of outputs; then bias (or 0), ReLU.

    A plane is (tile, filter of the panel). With ``past`` whole tiles are written past the caches.
    """
    row_step, pixel = pixels * filters * 4, filters * 4
    for t in range(count):
        image, tile = (first + t) // (down * across), (first + t) % (down * across)
        row, column = tile // across * m, tile % across * m
        below, behind = min(rows - row, m), min(pixels - column, m)
        source, target = products + t * wide * 4, out + (image * rows + row) * row_step + column * pixel
        for v in range(0, vectors * LANES * 4, LANES * 4):
            here, to, b = source + v, target + v, bias + v if bias != 0 else 0
            if m == 2 and below == behind == m and past:
                _output_2_past_caches(here, 4 * plane, plane, to, row_step, pixel, b, relu)
            elif m == 2 and below == behind == m:
                _output_2(here, 4 * plane, plane, to, row_step, pixel, b, relu)
            elif m == 2:
                _output_2_at_border(here, 4 * plane, plane, to, row_step, pixel, b, relu, 0, below, 0, behind)
            elif below == behind == m and past:
                _output_4_past_caches(here, 6 * plane, plane, to, row_step, pixel, b, relu)
            elif below == behind == m:
                _output_4(here, 6 * plane, plane, to, row_step, pixel, b, relu)
            else:
                _output_4_at_border(here, 6 * plane, plane, to, row_step, pixel, b, relu, 0, below, 0, behind)


@njit(cache=True, error_model="numpy")
def upstream_of_block(m, g, rows, pixels, filters, down, across, first, count, planes, wide, plane, vectors):
    """A dy A^T of the same tiles, for one panel of filters; a plane is (tile, filter of the panel)."""
    row_step, pixel = pixels * filters * 4, filters * 4
    for t in range(count):
        image, tile = (first + t) // (down * across), (first + t) % (down * across)
        row, column = tile // across * m, tile % across * m
        below, behind = min(rows - row, m), min(pixels - column, m)
        source, target = g + (image * rows + row) * row_step + column * pixel, planes + t * wide * 4
        for v in range(0, vectors * LANES * 4, LANES * 4):
            if m == 2 and below == behind == m:
                _upstream_2(source + v, row_step, pixel, target + v, 4 * plane, plane)
            elif m == 2:
                _upstream_2_at_border(source + v, row_step, pixel, target + v, 4 * plane, plane, 0, below, 0, behind)
            elif below == behind == m:
                _upstream_4(source + v, row_step, pixel, target + v, 6 * plane, plane)
            else:
                _upstream_4_at_border(source + v, row_step, pixel, target + v, 6 * plane, plane, 0, below, 0, behind)
