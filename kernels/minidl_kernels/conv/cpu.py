"""Convolutions with Numba: implicit matrix products on the micro-kernel, with no im2col (see ../microkernel.py).

In a picture (row, column, channel) the window of an output pixel is kh runs of kw * C numbers that lie side by side,
and the next window of the row starts a fixed step later: that is the form in which the micro-kernel reads A. So

* forward: rows of C are output pixels, k runs over (di, (dj, c)), columns are filters; bias and ReLU come at the end;
* input gradient: the same over g, with the kernel turned (see phases.py; few channels: spread.py);
* kernel gradient: rows of C are the kernel cells (dj, c) of one di, k runs over output pixels (i, j), B is g.

Small pictures have ways of their own, with tiles and sums that go across pictures (across.py, across_gradient.py).

A task takes a few rows of one picture. Only where they need padding does it copy them, with zeros around, into a small
buffer that stays in the second cache.
"""

import numpy as np

from .. import memory
from ..arrays import FLOATS
from ..matmul.cpu import product
from ..microkernel import ACCUMULATE, LANES, RELU, clear, copy, heart, keep, line_start, multiply, panel_width
from ..on_cpu import contiguous, only_float32
from ..panels import pack_panel, packed_panels
from ..parallel import address_of, floats, integer, integers, share, task
from . import conv2d, conv2d_input_grad, conv2d_kernel_grad
from .across import across, across_pays
from .across_gradient import sums_across, sums_across_pay
from .array import no_products
from .geometry import padding_pairs
from .phases import Axis, forward_axis, gradient_axes
from .spread import spread

# isort: split
from numba import njit  # after parallel.py has set the cache folder

BUFFER = 12288  # floats of a picture that a task of the forward pass works on (48 KiB)
PANEL = 256  # k of a block, at most: 16 KiB of a panel with AVX2
GRADIENT_BUFFER = 3072  # the same for the kernel gradient, which also reads g
GRADIENT_DEPTH = 64  # output pixels of such a task, at least: each one loads and stores all sums once
FEW_CHANNELS = LANES * 3 // 4  # channels up to which the input gradient is spread (see spread.py)
PARTIAL = 1 << 20  # floats of kernel gradients that are held before they are added up


@njit(cache=True, error_model="numpy")
def _copy_rows(picture, height, width, channels, first, left, target, rows, columns):
    """target[u, v] = picture[first + u, v - left] for rows x columns pixels, zeros outside of the picture.

    ``picture`` is the address of (height, width, channels), ``target`` that of (rows, columns, channels).
    """
    begin = min(max(left, 0), columns)
    end = max(min(width + left, columns), begin)
    for u in range(rows):
        line = target + u * columns * channels * 4
        if 0 <= first + u < height:
            clear(line, begin * channels)
            start = picture + ((first + u) * width + begin - left) * channels * 4
            copy(line + begin * channels * 4, start, (end - begin) * channels)
            clear(line + end * channels * 4, (columns - end) * channels)
        else:
            clear(line, columns * channels)


@task
def _convolve(args, task, tasks):
    """One strip of output rows of one picture, for one phase."""
    heart, x_address, table_rows = integer(args, 0), integer(args, 1), integer(args, 2)
    height, width, channels = integer(args, 5), integer(args, 6), integer(args, 7)
    filters, image_step, strips, strip_rows = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    bias, last_flags, wide = integer(args, 12), integer(args, 13), integer(args, 14)
    phase = integers(args, 3, (table_rows, 13))[task % table_rows]
    image, strip = task // table_rows // strips, task // table_rows % strips
    b, out, row_step, pixel_step, rows, pixels = phase[0], phase[1], phase[2], phase[3], phase[4], phase[5]
    top, left, sh, sw, kh, kw = phase[6], phase[7], phase[8], phase[9], phase[10], phase[11]
    start = strip * strip_rows
    count = min(strip_rows, rows - start)
    if count <= 0:
        return
    first, lines, columns = start * sh - top, (count - 1) * sh + kh, (pixels - 1) * sw + kw
    picture = x_address + image * height * width * channels * 4
    inside = left == 0 and columns <= width and first >= 0 and first + lines <= height
    buffer = np.empty(0 if inside else lines * columns * channels, np.float32)
    if inside:
        a, line_step = picture + first * width * channels * 4, width * channels * 4
    else:
        a, line_step = buffer.ctypes.data, columns * channels * 4
        _copy_rows(picture, height, width, channels, first, left, a, lines, columns)
    depth, run = kh * kw * channels, kw * channels
    together = max(1, min(kh, PANEL // run))  # rows of the kernel whose part of a panel stays in the first cache
    for panel in range((filters + wide - 1) // wide):
        last = min(wide, filters - panel * wide)
        for di in range(0, kh, together):
            for i in range(count):
                line = first + i * sh
                low, high = max(0, -line), min(kh, height - line)  # rows of the kernel that are inside of the picture
                if low >= high:
                    low, high = 0, 1  # none: a row of zeros
                begin, end = max(di, low), min(di + together, high)
                if begin < end:
                    flags = (ACCUMULATE if begin > low else 0) + (last_flags if end == high else 0)
                    multiply(
                        heart, pixels, a + (i * sh + begin) * line_step, sw * channels * 4, end - begin, line_step,
                        run, 4, b + (panel * depth + begin * run) * wide * 4, wide * 4,
                        out + image * image_step + (start + i) * row_step + panel * wide * 4, pixel_step,
                        0, last, bias + panel * wide * 4 if bias != 0 else 0, flags,
                    )  # fmt: skip
    keep(buffer)


def _phase_table(source, w, target, axes, swap):
    """The phases as the tasks read them, one line each, and the packed kernels whose addresses stand in it."""
    _, _, per_tap, last = w.shape
    out_width, filters = target.shape[2:]
    tap_row, tap = w.shape[1] * per_tap * last, per_tap * last
    channel_step, filter_step = (1, last) if swap else (last, 1)
    address = address_of(target)
    table, panels = np.zeros((len(axes), 13), np.int64), []
    for line, (v, h) in zip(table, axes, strict=True):
        packed = packed_panels(
            w, v.kernel_start * tap_row + h.kernel_start * tap, (v.taps, h.taps, source.shape[3]),
            (v.kernel_step * tap_row, h.kernel_step * tap, channel_step), filters, filter_step,
        )  # fmt: skip
        panels.append(packed)
        line[:12] = (
            address_of(packed),
            address + (v.start * out_width + h.start) * filters * 4,
            v.step * out_width * filters * 4, h.step * filters * 4, v.cells, h.cells,
            v.before, h.before, v.stride, h.stride, v.taps, h.taps,
        )  # fmt: skip
    return table, panels


def _run_phases(source, w, target, axes, swap, bias=None, flags=0):
    """Convolve ``source`` into ``target`` in phases: ``axes`` is a list of (Axis of rows, Axis of columns).

    ``flags`` is RELU or 0. With ``swap`` the kernel's channel axes change places, as the input gradient wants it.
    """
    table, panels = _phase_table(source, w, target, axes, swap)  # both alive until the tasks have run
    if across_pays(source.shape, target.shape[3], axes):
        return across(source, target, table, panels[0].shape[2], bias, flags)
    n, height, width, channels = source.shape
    out_height, out_width, filters = target.shape[1:]
    strip_rows = most_rows = max(v.cells for v, _ in axes)
    for v, h in axes:
        line_size = ((h.cells - 1) * h.stride + h.taps) * channels
        strip_rows = min(strip_rows, max(1, (BUFFER // line_size - v.taps) // v.stride + 1))
    strips = -(-most_rows // strip_rows)
    strip_rows = -(-most_rows // strips)
    _convolve(
        heart.address, source, len(axes), table, n, height, width, channels,
        filters, out_height * out_width * filters * 4, strips, strip_rows, 0 if bias is None else bias, flags,
        panels[0].shape[2], tasks=n * strips * len(axes),
    )  # fmt: skip


@conv2d.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def conv2d_cpu(x, w, b=None, *, strides, padding, activation, out):
    if not x.size or not w.size or not out.size:
        no_products(b, activation, out)
    elif w.shape[:2] == strides == (1, 1):
        return product(x, w, out, x.size // x.shape[3], w.shape[3], w.shape[2], bias=b, activation=activation)
    else:
        (top, _), (left, _) = padding_pairs(x.shape[1:3], w.shape[:2], strides, padding)
        rows = forward_axis(top, out.shape[1], w.shape[0], strides[0])
        columns = forward_axis(left, out.shape[2], w.shape[1], strides[1])
        _run_phases(x, w, out, [(rows, columns)], swap=False, bias=b, flags=RELU if activation else 0)


def _gradient_phases(input_shape, window, strides, padding) -> list[tuple[Axis, Axis]]:
    (top, _), (left, _) = padding_pairs(input_shape[1:3], window, strides, padding)
    rows = gradient_axes(top, input_shape[1], window[0], strides[0])
    columns = gradient_axes(left, input_shape[2], window[1], strides[1])
    return [(v, h) for v in rows for h in columns]


@conv2d_input_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def conv2d_input_grad_cpu(g, w, *, input_shape, strides, padding, out):
    if not g.size or not w.size or not out.size:
        out[...] = 0
    elif w.shape[:2] == strides == (1, 1):
        return product(g, w, out, g.size // g.shape[3], w.shape[2], w.shape[3], transpose_b=True)
    elif w.shape[2] <= FEW_CHANNELS:
        (top, _), (left, _) = padding_pairs(input_shape[1:3], w.shape[:2], strides, padding)
        spread(g, w, out, strides, (top, left))
    else:
        phases = _gradient_phases(input_shape, w.shape[:2], strides, padding)
        if sum(v.cells * h.cells for v, h in phases) < input_shape[1] * input_shape[2]:
            out[...] = 0  # strides larger than the kernel, or a rest that no window reached
        _run_phases(g, w, out, phases, swap=True)


@task
def _kernel_gradient(args, task, tasks):
    """The kernel gradient of a group of pictures and a few panels of filters, into the group's own partial sum."""
    heart, x_address, g_address, partial = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    n, height, width, channels = integer(args, 4), integer(args, 5), integer(args, 6), integer(args, 7)
    kh, kw, filters = integer(args, 8), integer(args, 9), integer(args, 10)
    sh, sw = integer(args, 11), integer(args, 12)
    top, left, rows, pixels = integer(args, 13), integer(args, 14), integer(args, 15), integer(args, 16)
    groups, strip_rows, wide = integer(args, 17), integer(args, 18), integer(args, 19)
    group = task % groups
    first_image, last_image = share(n, group, groups)
    panels = (filters + wide - 1) // wide
    first_panel, last_panel = share(panels, task // groups, tasks // groups)
    run, columns = kw * channels, (pixels - 1) * sw + kw
    target = partial + group * kh * run * filters * 4
    buffer = np.empty(((strip_rows - 1) * sh + kh) * columns * channels, np.float32)
    # A panel of g side by side: read where it is, its lines would share few places of the first cache.
    narrow = np.empty(strip_rows * pixels * wide + 16, np.float32)
    panel_address = line_start(narrow)
    flags = 0
    for image in range(first_image, last_image):
        for start in range(0, rows, strip_rows):
            count = min(strip_rows, rows - start)
            first, lines = start * sh - top, (count - 1) * sh + kh
            picture = x_address + image * height * width * channels * 4
            if left == 0 and columns <= width and first >= 0 and first + lines <= height:
                a, line_step = picture + first * width * channels * 4, width * channels * 4
            else:
                a, line_step = buffer.ctypes.data, columns * channels * 4
                _copy_rows(picture, height, width, channels, first, left, a, lines, columns)
            pixel = (image * rows + start) * pixels
            for panel in range(first_panel, last_panel):
                column = panel * wide
                held = min(wide, filters - column)
                g = g_address + (pixel * filters + column) * 4
                pack_panel(panel_address, wide, g, count * pixels, filters * 4, held, 4)
                for di in range(kh):
                    multiply(
                        heart, run, a + di * line_step, 4, count, sh * line_step, pixels, sw * channels * 4,
                        panel_address, wide * 4, target + (di * run * filters + column) * 4, filters * 4,
                        0, held, 0, flags,
                    )  # fmt: skip
            flags = ACCUMULATE
    keep(buffer)
    keep(narrow)


@task
def _add_up(args, task, tasks):
    """target = the sum of the partial sums, always in the same order."""
    groups, size = integer(args, 0), integer(args, 1)
    partial, target = floats(args, 2, (groups, size)), floats(args, 3, size)
    first, last = share(size, task, tasks)
    for i in range(first, last):
        target[i] = partial[0, i]
    for group in range(1, groups):
        for i in range(first, last):
            target[i] += partial[group, i]


@conv2d_kernel_grad.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def conv2d_kernel_grad_cpu(x, g, *, kernel_shape, strides, padding, out):
    (n, height, width, channels), (kh, kw, _, filters), (sh, sw) = x.shape, kernel_shape, strides
    if not x.size or not g.size or not out.size:
        out[...] = 0
    else:
        (top, _), (left, _) = padding_pairs((height, width), (kh, kw), strides, padding)
        if sums_across_pay(g.shape, kernel_shape):
            return sums_across(x, g, out, strides, (top, left))
        rows, pixels = g.shape[1:3]
        line_size = ((pixels - 1) * sw + kw) * channels
        strip_rows = max(-(-GRADIENT_DEPTH // pixels), (GRADIENT_BUFFER // line_size - kh) // sh + 1)
        strips = -(-rows // strip_rows)
        strip_rows = -(-rows // strips)
        # The shares follow from the sizes alone, so that every number of threads adds in the same order.
        groups = max(1, min(n, 16, PARTIAL // out.size))
        wide = panel_width(filters)
        shares = min(-(-filters // wide), -(-16 // groups))
        partial = out if groups == 1 else memory.empty((groups, out.size), FLOATS[0])
        _kernel_gradient(
            heart.address, x, g, partial, n, height, width, channels, kh, kw, filters, sh, sw, top, left,
            rows, pixels, groups, strip_rows, wide, tasks=groups * shares,
        )  # fmt: skip
        if groups > 1:
            _add_up(groups, out.size, partial, out, tasks=8 if out.size >= 1 << 13 else 1)
