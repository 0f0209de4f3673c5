# mypy: ignore-errors
"""Convolutions of small pictures, with a tile across pictures: its rows are the same pixel of several of them.

In a picture of 7x7 pixels a tile of 6 rows fits a line of 7 pixels badly, and a window of 5x5 lies in the padding with
a third of its cells. The same pixel of 6 pictures is one tile exactly, and has the same cells inside: so only these
are multiplied, nothing is copied, and no zeros are made around a picture.

A task takes about as many pictures as the tallest tile has rows, which stay in the second cache, and a few panels of
filters. For each few cells of the kernel, whose part of the panel stays in the first cache, all output pixels go by.
"""

from ..microkernel import ACCUMULATE, LANES, TALL, heart, multiply
from ..parallel import integer, integers, share, task

DEPTH = 512  # k of one call, at most, unless a single cell of the kernel has more
TASKS = 32  # at least, where there are as many panels
SHALLOW = 64  # k of a row of the kernel from which it pays
NARROW = max(8, TALL)  # pixels of a row up to which it pays
ALIASED = 1 << 15  # bytes: pictures that lie a multiple of this apart share a few places of the caches


@task
def _convolve_across(args, task, tasks):
    """A group of pictures and a share of the panels, for one phase (see phases.py)."""
    heart, x, table_rows = integer(args, 0), integer(args, 1), integer(args, 2)
    n, height, width, channels = integer(args, 4), integer(args, 5), integer(args, 6), integer(args, 7)
    filters, image_step, groups = integer(args, 8), integer(args, 9), integer(args, 10)
    bias, last_flags, wide = integer(args, 11), integer(args, 12), integer(args, 13)
    phase = integers(args, 3, (table_rows, 13))[task % table_rows]
    part = task // table_rows
    b, out, row_step, pixel_step, rows, pixels = phase[0], phase[1], phase[2], phase[3], phase[4], phase[5]
    top, left, sh, sw, kh, kw = phase[6], phase[7], phase[8], phase[9], phase[10], phase[11]
    first_image, last_image = share((n + 1) // 2, part % groups, groups)
    first_image, last_image = 2 * first_image, min(2 * last_image, n)  # tiles of even heights: there are few odd ones
    first_panel, last_panel = share((filters + wide - 1) // wide, part // groups, tasks // table_rows // groups)
    count, picture = last_image - first_image, height * width * channels * 4
    cells = max(1, min(kw, DEPTH // channels))  # cells of the kernel that one call takes
    for panel in range(first_panel, last_panel):
        panel_b = b + panel * kh * kw * channels * wide * 4
        target = out + first_image * image_step + panel * wide * 4
        held = min(wide, filters - panel * wide)
        panel_bias = bias + panel * wide * 4 if bias != 0 else 0
        for i in range(rows):
            line = i * sh - top
            low_row, high_row = max(0, -line), min(kh, height - line)
            for j in range(pixels):
                column = j * sw - left
                if low_row >= high_row or max(0, -column) >= min(kw, width - column):  # nothing but padding
                    multiply(
                        heart, count, x, 0, 0, 0, 0, 0, b, 0, target + i * row_step + j * pixel_step, image_step,
                        0, held, panel_bias, last_flags,
                    )  # fmt: skip
        for di in range(kh):
            for start in range(0, kw, cells):
                for i in range(rows):
                    line = i * sh - top
                    if not 0 <= line + di < height:
                        continue
                    for j in range(pixels):
                        column = j * sw - left
                        low, high = max(0, -column), min(kw, width - column)  # cells inside of the picture
                        begin, end = max(start, low), min(start + cells, high)
                        if begin < end:
                            first = di == max(0, -line) and start <= low
                            last = di == min(kh, height - line) - 1 and end == high
                            multiply(
                                heart, count,
                                x + first_image * picture + ((line + di) * width + column + begin) * channels * 4,
                                picture, 1, 0, (end - begin) * channels, 4,
                                panel_b + (di * kw + begin) * channels * wide * 4, wide * 4,
                                target + i * row_step + j * pixel_step, image_step,
                                0, held, panel_bias, (0 if first else ACCUMULATE) + (last_flags if last else 0),
                            )  # fmt: skip


def across_pays(shape, filters, axes):
    """Whether it is faster than strips of single pictures (measured), for x of ``shape`` and these phases."""
    n, height, width, channels = shape
    return (
        n >= TALL
        and filters % (2 * LANES) == 0
        and height * width * channels * 4 % ALIASED != 0
        and all(h.cells <= NARROW and h.taps * channels >= SHALLOW and v.taps * h.taps > 1 for v, h in axes)
    )


def across(source, target, table, wide, bias, flags):
    """Convolve C-contiguous float32 arrays; ``table`` has the phases, as cpu.py makes it.

    ``wide`` is the width of the panels in it, ``flags`` is RELU or 0.
    """
    n, height, width, channels = source.shape
    filters = target.shape[3]
    groups = -(-n // TALL)
    shares = min(-(-filters // wide), -(-TASKS // (groups * len(table))))
    _convolve_across(
        heart.address, source, len(table), table, n, height, width, channels, filters,
        target.shape[1] * target.shape[2] * filters * 4, groups, 0 if bias is None else bias, flags, wide,
        tasks=len(table) * groups * shares,
    )  # fmt: skip
