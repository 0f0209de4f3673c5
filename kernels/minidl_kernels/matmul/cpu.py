"""Matrix products with Numba: strips of rows times panels of columns, each tile in registers (see microkernel.py).

A task takes a chunk of rows and a chunk of panels, and k in blocks: so a block of a panel of B stays in the first cache
while the rows go by, and the chunk's block of A in the second. A and B are read where they are, by strides, unless that
is slow: then the task copies its block first. No copy outlives its task, and none is made of a whole matrix.
"""

import functools

import numpy as np

from .. import config, memory
from ..microkernel import ACCUMULATE, LANES, heart, keep, line_start, multiply, panel_width
from ..on_cpu import contiguous, only_float32, tasks_for
from ..panels import pack_panel, transpose
from ..parallel import Chain, floats, integer, share, task
from ..sums import RUN, add_rows, tasks_for_sums
from . import column_sum, dense, dense_weight_grad, matmul, rows

DEPTH = 320  # k of a block, at most: that much of a panel is 20 KiB with AVX2, 40 KiB with AVX-512
HEIGHT = 256  # rows of a task, at most
LOW = 48  # and at least
FAR = 2048  # bytes from row to row of B above which every k is on a page of its own: then, from as many rows on as
PACK_FROM = 24  # these, copying a block of B pays even where its columns lie side by side
MANY = 56  # rows from which it pays as well where vectors of B lie in two cache lines each, or at
CROWDED = 1024  # a multiple of so many bytes from row to row, where lines share few places of the first cache
FEW = 2  # rows for which B is only read,
ROUND = 16  # in vectors that make up so many columns
STREAM = 1 << 18  # numbers of B that are worth a task, then: 1 MiB
WORK = 1 << 18  # multiply-adds that are worth a task: about 5 us
SMALL = 1 << 25  # multiply-adds up to which a thread gets one task, not four: it costs more to read rows of B in pieces
FEWER = 4  # times as many rows as A, at least, has a block of B that is a task of its own: each leaves m x n sums
MOST_BLOCKS = 16
RELU_FLAG = {None: 0, "relu": 2}


@task
def _product(args, task, tasks):
    """C = A @ B, then bias and ReLU. A task is a chunk of rows times a chunk of panels. Steps are in bytes.

    With an address for the sums, the sum over k of B's columns is written there too. Where blocks of k are apart, each
    is done by tasks of its own: C then is (block, m, n), and ``_add_blocks`` does the rest.
    """
    heart, m, n, k = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    a, a_row, a_k = integer(args, 4), integer(args, 5), integer(args, 6)
    b, b_k, b_column = integer(args, 7), integer(args, 8), integer(args, 9)
    bias, flags, c, row_chunks = integer(args, 10), integer(args, 11), integer(args, 12), integer(args, 13)
    column_sums, blocks, apart, wide = integer(args, 14), integer(args, 15), integer(args, 16), integer(args, 17)
    first_block, last_block = 0, blocks
    if apart:
        tasks //= blocks
        first_block, task = task // tasks, task % tasks
        last_block = first_block + 1
        c += first_block * m * n * 4
        flags = 0
        if first_block > 0:
            bias = 0
    column_chunks = tasks // row_chunks
    top, bottom = share(m, task // column_chunks, row_chunks)
    left, right = share((n + wide - 1) // wide, task % column_chunks, column_chunks)
    copy_a = a_row == 4 and right - left > 4  # read where it is, a transposed A touches a page of memory for each k
    slow = b_k % (LANES * 4) != 0 or b_k % CROWDED == 0
    short = n < wide and n % LANES != 0
    pack_b = b_column != 4 or short or (b_k > FAR and bottom - top >= PACK_FROM) or (slow and bottom - top >= MANY)
    deepest = k // blocks + 1
    copied = (deepest // 16 | 1) * 64 + 64  # an odd number of cache lines: rows then do not share their places
    a_block = np.empty((bottom - top) * copied // 4 + 16 if copy_a else 0, np.float32)
    b_block = np.empty(deepest * wide + 16 if pack_b else 0, np.float32)
    for block in range(first_block, last_block):
        k0, k1 = share(k, block, blocks)
        depth = k1 - k0
        mode = flags if k1 == k else 0
        mode += ACCUMULATE if k0 > 0 and not apart else 0
        a_now, a_line, a_step = a + top * a_row + k0 * a_k, a_row, a_k
        if copy_a:
            a_now, a_line, a_step = line_start(a_block), copied, 4
            transpose(a_now, a_line, a + top * 4 + k0 * a_k, a_k, bottom - top, depth)
        for panel in range(left, right):
            column, first, last = panel * wide, 0, min(wide, n - panel * wide)
            if not pack_b and last % LANES != 0:
                # Move the last panel left, so that it ends with B, and write only the columns that are new.
                first = LANES - last % LANES
                column, last = column - first, last + first
            b_now, b_step = b + k0 * b_k + column * b_column, b_k
            if pack_b:
                pack_panel(line_start(b_block), wide, b_now, depth, b_k, last, b_column)
                b_now, b_step = line_start(b_block), wide * 4
            multiply(
                heart, bottom - top, a_now, a_line, 1, 0, depth, a_step, b_now, b_step,
                c + (top * n + column) * 4, n * 4, first, last, bias + column * 4 if bias != 0 else 0, mode,
            )  # fmt: skip
    keep(a_block)
    keep(b_block)
    if column_sums != 0 and top == 0:
        first, last = left * wide, min(right * wide, n)
        b_all, sums = floats(args, 7, (k, n)), floats(args, 14, n)
        sums[first:last] = 0.0
        run = np.empty(last - first, np.float32)
        for start in range(0, k, RUN):
            run[:] = 0.0
            for i in range(start, min(start + RUN, k)):
                for j in range(last - first):
                    run[j] += b_all[i, first + j]
            for j in range(last - first):
                sums[first + j] += run[j]


@task
def _add_blocks(args, task, tasks):
    """The sum of (block, number), one after the other as the micro-kernel accumulates them, and ReLU."""
    blocks, n, relu = integer(args, 0), integer(args, 1), integer(args, 2)
    parts, out = floats(args, 3, (blocks, n)), floats(args, 4, n)
    first, last = share(n, task, tasks)
    sums = out[first:last]
    sums[:] = parts[0][first:last]
    for block in range(1, blocks):
        part = parts[block][first:last]
        for i in range(sums.size):
            sums[i] += part[i]
    if relu != 0:
        for i in range(sums.size):
            sums[i] = np.float32(0) if sums[i] < 0 else sums[i]


@task(fastmath={"contract"})
def _few_rows(args, task, tasks):
    """The same for a few rows of A, where to read B is all that takes time: it is read once, in the order it lies in.

    A task takes a block of k, in rounds of eight rows of B, and leaves its sums in C (task, m, n).
    """
    m, n, k = integer(args, 0), integer(args, 1), integer(args, 2)
    a, b, c = floats(args, 3, (m, k)), floats(args, 4, k * n), floats(args, 5, (tasks, m, n))[task]
    bias, relu = integer(args, 6), integer(args, 7)
    first, last = share(k // 8, task, tasks)
    # Columns behind the last one begin the next row: to add these up as well, unseen, is faster than an end by numbers.
    wide = (n + ROUND - 1) // ROUND * ROUND
    all_sums = np.zeros((m, wide), np.float32)
    for r in range(8 * first, 8 * last, 8):
        columns = wide if (r + 7) * n + wide <= k * n else n
        b0, b1, b2, b3 = b[r * n :], b[(r + 1) * n :], b[(r + 2) * n :], b[(r + 3) * n :]
        b4, b5, b6, b7 = b[(r + 4) * n :], b[(r + 5) * n :], b[(r + 6) * n :], b[(r + 7) * n :]
        for i in range(m):
            sums, x = all_sums[i], a[i][r : r + 8]
            x0, x1, x2, x3, x4, x5, x6, x7 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
            for j in range(columns):
                total = (x0 * b0[j] + x1 * b1[j]) + (x2 * b2[j] + x3 * b3[j])
                sums[j] += total + ((x4 * b4[j] + x5 * b5[j]) + (x6 * b6[j] + x7 * b7[j]))
    for r in range(8 * last, k if task == tasks - 1 else 0):
        for i in range(m):
            sums, factor, line = all_sums[i], a[i, r], b[r * n : (r + 1) * n]
            for j in range(n):
                sums[j] += factor * line[j]
    for i in range(m):
        sums, line = all_sums[i], c[i]
        line[:] = sums[:n]
        if bias != 0 and task == 0:
            added = floats(args, 6, n)
            for j in range(n):
                line[j] += added[j]
        if relu != 0:
            for j in range(n):
                line[j] = np.float32(0) if line[j] < 0 else line[j]


@functools.cache
def _chunks(m, n, k, transpose_a, threads):
    """Into how many chunks of rows and of columns a product is cut, and how wide panels are. (No sum is cut by that.)

    Every chunk of rows packs B again, every chunk of columns a transposed A: so there are as few as threads and caches
    need, of columns where A is read where it lies, else of rows.
    """
    tasks = min(threads if m * n * k < SMALL else 4 * threads, m * n * k // WORK)
    row_chunks = -(-m // HEIGHT)
    if transpose_a:
        row_chunks = max(row_chunks, min(tasks, m // LOW))
    if row_chunks % 2 and row_chunks > 1 < tasks:
        row_chunks += 1  # even numbers share out well
    wide, column_chunks = panel_width(n), max(1, -(-tasks // row_chunks))
    if row_chunks == 1 < column_chunks and -(-n // wide) % column_chunks:
        wide = min(wide, 2 * LANES)  # 3 and 2 panels would leave a core without work for a sixth of the time
    return row_chunks, min(-(-n // wide), column_chunks), wide


@functools.cache
def _row_blocks(m, n, k):
    """Into how many blocks of k a product with few rows is cut, each a task of its own; 1 where that does not pay.

    There to read B is what takes time. The update of a weight writes it by rows, so a core that reads the same rows
    finds them in its own cache; of a share of the columns, every line would have to come from another core's.
    """
    blocks = n * k // STREAM if m <= FEW else min(k // (FEWER * m), m * n * k // WORK)
    blocks = 1 << (max(1, min(blocks, MOST_BLOCKS)).bit_length() - 1)
    return blocks if m <= FEW or blocks * DEPTH >= k else 1


def product(a, b, out, m, n, k, transpose_a=False, transpose_b=False, bias=None, activation=None, sums=None):
    """The launch of out (m, n) = activation(a @ b + bias), C-contiguous float32 arrays read as (m, k) and (k, n).

    ``sums``, where given, receives the sums of b's columns, which must not be transposed.
    """
    if k == 0 or m == 0 or n == 0:
        out[...] = 0 if bias is None else bias
        if sums is not None:
            sums[...] = b.sum(axis=0)
        if activation == "relu":
            np.maximum(out, 0, out=out)
        return None
    bias, relu, threads = 0 if bias is None else bias, RELU_FLAG[activation], config.threads()
    blocks = 1 if transpose_a or transpose_b else _row_blocks(m, n, k)
    few = m <= FEW and not transpose_a and not transpose_b
    apart = blocks > 1 and (few or threads > 1)
    target = memory.empty((blocks, m, n), out.dtype) if apart else out
    if few:
        launch = _few_rows.launch(m, n, k, a, b, target, bias, 0 if apart else relu, tasks=blocks)
    else:
        a_row, a_k = (4, m * 4) if transpose_a else (k * 4, 4)
        b_k, b_column = (4, k * 4) if transpose_b else (n * 4, 4)
        row_chunks, column_chunks, wide = _chunks(m, n, k, transpose_a, threads)
        if apart:
            row_chunks, column_chunks, wide = 1, 1, panel_width(n)
        launch = _product.launch(
            heart.address, m, n, k, a, a_row, a_k, b, b_k, b_column, bias, relu, target, row_chunks,
            0 if sums is None else sums, blocks if blocks > 1 else -(-k // DEPTH), int(apart), wide,
            tasks=row_chunks * column_chunks * (blocks if apart else 1),
        )  # fmt: skip
    if not apart:
        return launch
    return Chain([launch, _add_blocks.launch(blocks, m * n, relu, target, out, tasks=tasks_for(m * n))], target)


def _accepts_product(a, b, *, transpose_a, transpose_b):
    if b.ndim != 2 or (transpose_a and a.ndim != 2):
        return "takes one matrix b, not a stack"
    return only_float32(a, b)


@matmul.implementation("cpu", on="numpy", accepts=_accepts_product)
@contiguous
def matmul_cpu(a, b, *, transpose_a, transpose_b, out):
    m, n = rows(out.shape), out.shape[-1]
    k = b.shape[1] if transpose_b else b.shape[0]
    return product(a, b, out, m, n, k, transpose_a, transpose_b)


@dense.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def dense_cpu(x, w, b, *, activation, out):
    return product(x, w, out, rows(x.shape), w.shape[1], w.shape[0], bias=b, activation=activation)


@dense_weight_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def dense_weight_grad_cpu(x, g, *, out):
    return product(x, g, out[0], x.shape[1], g.shape[1], x.shape[0], transpose_a=True, sums=out[1])


@task(fastmath=True)
def _column_sums(args, task, tasks):
    """Task t sums its share of the rows into row t of the target, in runs."""
    n, count = integer(args, 0), integer(args, 1)
    g, target = floats(args, 2, (n, count)), floats(args, 3, (tasks, count))
    first, last = share(n, task, tasks)
    sums, run = target[task], np.empty(count, np.float32)
    sums[:] = 0.0
    for start in range(first, last, RUN):
        add_rows(g, start, min(start + RUN, last), run)
        for j in range(count):
            sums[j] += run[j]


@column_sum.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def column_sum_cpu(g, *, out):
    count = g.shape[-1]
    n = rows(g.shape)
    tasks = tasks_for_sums(n, count)
    if tasks == 1:
        return _column_sums.launch(n, count, g, out)
    partial = np.empty((tasks, count), np.float32)
    _column_sums(n, count, g, partial, tasks=tasks)
    return _column_sums(tasks, count, partial, out)
