# mypy: ignore-errors
"""Panels: B laid out in the order in which the micro-kernel reads it, so many columns side by side for each k."""

import numpy as np

from .microkernel import INT, LANES, WIDTH, clear, panel_width, read, vector_at, write
from .parallel import address_of, integer, share, task

# isort: split
from llvmlite import ir  # after parallel.py has set the cache folder
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["pack_panel", "packed_panels", "transpose"]


@intrinsic
def _copy_vector(typing_context, target, source):
    """Copy LANES float32."""

    def generate(context, builder, signature, arguments):
        to, start = (vector_at(builder, address, 0) for address in arguments)
        builder.store(builder.load(start, align=4), to, align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def _transpose_block(typing_context, target, target_step, source, source_step):
    """target[i, j] = source[j, i] for LANES x LANES float32; rows lie ``step`` bytes apart.

    Eklundh's way: swap the off-diagonal halves, then those of the halves, and so on; each swap is two shuffles.
    """

    def generate(context, builder, signature, arguments):
        to, to_step, start, step = arguments
        rows = []
        for i in range(LANES):
            address = builder.add(start, builder.mul(step, ir.Constant(INT, i)))
            rows.append(builder.load(vector_at(builder, address, 0), align=4))
        half = LANES // 2
        while half:
            for i in (i for i in range(LANES) if not i & half):
                above, below = rows[i], rows[i + half]
                for position, lanes in (
                    (i, [LANES + j - half if j & half else j for j in range(LANES)]),
                    (i + half, [LANES + j if j & half else j + half for j in range(LANES)]),
                ):
                    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), lanes)
                    rows[position] = builder.shuffle_vector(above, below, mask)
            half //= 2
        for i, row in enumerate(rows):
            address = builder.add(to, builder.mul(to_step, ir.Constant(INT, i)))
            builder.store(row, vector_at(builder, address, 0), align=4)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@njit(cache=True, error_model="numpy")
def pack_panel(target, width, source, depth, k_step, columns, column_step):
    """Lay B[0:depth, 0:columns] out as one panel (depth, width) at the address ``target``.

    B[k, n] is at ``source + k * k_step + n * column_step``, in bytes; one of the two steps should be 4. A last vector
    that is not full is filled up with zeros; those after it are left as they were.
    """
    whole, done = 0, 0  # columns that are done for every k, and k's for which these are done
    if column_step == 4:
        whole, done = columns // LANES * LANES, depth
        for n in range(0, whole, 2 * LANES):
            if n + LANES < whole:
                for k in range(depth):
                    _copy_vector(target + (k * width + n) * 4, source + k * k_step + n * 4)
                    _copy_vector(target + (k * width + n + LANES) * 4, source + k * k_step + (n + LANES) * 4)
            else:
                for k in range(depth):
                    _copy_vector(target + (k * width + n) * 4, source + k * k_step + n * 4)
    elif k_step == 4:
        whole, done = columns // LANES * LANES, depth // LANES * LANES
        for n in range(0, whole, LANES):
            for k in range(0, done, LANES):
                to, start = target + (k * width + n) * 4, source + k * 4 + n * column_step
                if width == WIDTH:  # a number that the compiler knows
                    _transpose_block(to, WIDTH * 4, start, column_step)
                else:
                    _transpose_block(to, width * 4, start, column_step)
    empty = -columns % LANES
    for k in range(done if whole == columns else 0, depth):
        row = target + k * width * 4
        for n in range(whole if k < done else 0, columns):
            write(row + n * 4, read(source + k * k_step + n * column_step))
        if empty > 0:
            clear(row + columns * 4, empty)


@njit(cache=True, error_model="numpy")
def transpose(target, target_step, source, source_step, rows, columns):
    """target[i, j] = source[j, i] for i < rows, j < columns; the rows of both lie ``step`` bytes apart."""
    whole_rows, whole_columns = rows // LANES * LANES, columns // LANES * LANES
    for j in range(
        0, whole_columns, LANES
    ):  # along the source's rows: to load what comes next takes longer than to store
        for i in range(0, whole_rows, LANES):
            _transpose_block(
                target + i * target_step + j * 4, target_step, source + j * source_step + i * 4, source_step
            )
    for i in range(rows):
        for j in range(whole_columns if i < whole_rows else 0, columns):
            write(target + i * target_step + j * 4, read(source + j * source_step + i * 4))


@task
def pack(args, task, tasks):
    """Lay B out in panels (panel, k, width). k runs over three axes of the source."""
    source, target, width = integer(args, 0), integer(args, 1), integer(args, 2)
    k0, k1, k2, columns = integer(args, 3), integer(args, 4), integer(args, 5), integer(args, 6)
    s0, s1, s2, column_step = integer(args, 7), integer(args, 8), integer(args, 9), integer(args, 10)
    first, last = share((columns + width - 1) // width, task, tasks)
    for panel in range(first, last):
        held = min(width, columns - panel * width)
        for i in range(k0):
            for j in range(k1):
                start = source + i * s0 + j * s1 + panel * width * column_step
                row = ((panel * k0 + i) * k1 + j) * k2
                pack_panel(target + row * width * 4, width, start, k2, s2, held, column_step)


def packed_panels(source, offset, depth, depth_strides, columns, column_stride):
    """B as panels: a float32 array (panels, k, width); ``panel_width(columns)`` is their width.

    Args:
        source: a C-contiguous float32 array.
        offset: where in it B[0, 0] is (strides and offset count elements).
        depth, depth_strides: sizes and strides of the three axes that k runs over, the last one fastest.
        columns, column_stride: the same for the columns of B.
    """
    width = panel_width(columns)
    panels = -(-columns // width)
    rows = depth[0] * depth[1] * depth[2]
    room = np.empty(panels * rows * width + 16, np.float32)
    start = -address_of(room) % 64 // 4  # vectors that straddle two cache lines cost 3%
    target = room[start : start + panels * rows * width].reshape(panels, rows, width)
    steps = [4 * stride for stride in (*depth_strides, column_stride)]
    tasks = min(panels, 8) if target.size >= 1 << 16 else 1
    pack(address_of(source) + 4 * offset, target, width, *depth, columns, *steps, tasks=tasks)
    return target
