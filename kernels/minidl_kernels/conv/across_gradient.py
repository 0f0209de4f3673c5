# mypy: ignore-errors
"""The kernel gradient of small pictures, with sums that run across pictures.

For one cell of the kernel it is a matrix product, (channels, output pixels of all pictures) by (the same, filters). In
a picture of 7x7 pixels a sum over one row of pixels is too short to be worth a tile. So x is laid out with the pictures
last, (row, column, channel, picture): then the same row of all pictures is one run, of exactly the pixels that this
cell of the kernel meets, and none of them lies in the padding. g is laid out in panels, in the same order.
"""

from .. import memory
from ..arrays import FLOATS
from ..microkernel import ACCUMULATE, LANES, heart, multiply, panel_width
from ..panels import pack_panel, transpose
from ..parallel import integer, share, task

RUN = 144  # of a sum, at most: so much of a panel is 9 KiB with AVX2, 36 KiB with AVX-512
SHORT = 32  # pixels of a row of all pictures from which it pays
NARROW = 14  # pixels of a row of one picture up to which it pays
LONGEST = 1 << 14  # pixels of all pictures: one task adds them all up


@task
def _pictures_last(args, task, tasks):
    """Row ``task`` of x (n, h, w, c) as (w % s, c, w // s, n), so that every s-th column lies beside the next."""
    x, target, n, height, width = (
        integer(args, 0),
        integer(args, 1),
        integer(args, 2),
        integer(args, 3),
        integer(args, 4),
    )
    channels, stride = integer(args, 5), integer(args, 6)
    across = (width + stride - 1) // stride * n * 4
    for column in range(width):
        source = x + (task * width + column) * channels * 4
        line = (task * stride + column % stride) * channels * across + column // stride * n * 4
        transpose(target + line, across, source, height * width * channels * 4, channels, n)


@task
def _panels_of_gradient(args, task, tasks):
    """Pixel ``task`` of g (n, h, w, f) as a part of (panel, h, w, n, column of the panel)."""
    g, target, n = integer(args, 0), integer(args, 1), integer(args, 2)
    filters, wide = integer(args, 3), integer(args, 4)
    for panel in range((filters + wide - 1) // wide):
        source, held = g + (task * filters + panel * wide) * 4, min(wide, filters - panel * wide)
        pack_panel(target + (panel * tasks + task) * n * wide * 4, wide, source, n, tasks * filters * 4, held, 4)


@task
def _sums_across(args, task, tasks):
    """One row of the kernel, for one panel of filters."""
    heart, x, g, out, n = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3), integer(args, 4)
    height, width, channels = integer(args, 5), integer(args, 6), integer(args, 7)
    rows, pixels, filters = integer(args, 8), integer(args, 9), integer(args, 10)
    kh, kw, sh, sw = integer(args, 11), integer(args, 12), integer(args, 13), integer(args, 14)
    top, left, wide = integer(args, 15), integer(args, 16), integer(args, 17)
    panel, di = task // kh, task % kh
    held = min(wide, filters - panel * wide)
    across = (width + sw - 1) // sw * n * 4
    for dj in range(kw):
        target = out + ((di * kw + dj) * channels * filters + panel * wide) * 4
        begin = max(0, -((dj - left) // sw))  # the output pixels whose cell dj is inside of the picture
        end = min(pixels, (width - 1 + left - dj) // sw + 1)
        residue = (dj - left) % sw
        quotient = (dj - left - residue) // sw
        flags = 0
        for i in range(rows):
            row = i * sh + di - top
            if 0 <= row < height and begin < end:
                a = x + ((row * sw + residue) * channels * across) + (begin + quotient) * n * 4
                b = g + ((panel * rows + i) * pixels + begin) * n * wide * 4
                whole = (end - begin) * n
                parts = (whole + RUN - 1) // RUN
                for part in range(parts):
                    first, last = share(whole, part, parts)
                    multiply(
                        heart, channels, a + first * 4, across, 1, 0, last - first, 4, b + first * wide * 4, wide * 4,
                        target, filters * 4, 0, held, 0, flags,
                    )  # fmt: skip
                    flags = ACCUMULATE
        if flags == 0:  # no pixel meets this cell
            multiply(heart, channels, x, 0, 0, 0, 0, 0, g, 0, target, filters * 4, 0, held, 0, 0)


def sums_across_pay(g_shape, kernel_shape):
    """Whether it is faster than sums over single pictures (measured)."""
    n, rows, pixels, filters = g_shape
    kh, kw, channels, _ = kernel_shape
    return (
        filters % (2 * LANES) == 0
        and channels >= 2 * LANES
        and kh * kw > 1
        and pixels <= NARROW
        and n * pixels >= SHORT
        and n * rows * pixels <= LONGEST
    )


def sums_across(x, g, out, strides, before):
    """Fill out, the kernel gradient, from C-contiguous float32 x and g; ``before`` is the padding (top, left)."""
    n, height, width, channels = x.shape
    _, rows, pixels, filters = g.shape
    stride = strides[1]
    turned = memory.empty((height, stride, channels, -(-width // stride), n), FLOATS[0])
    wide = panel_width(filters)
    panels = memory.empty((-(-filters // wide), rows, pixels, n, wide), FLOATS[0])
    _pictures_last(x, turned, n, height, width, channels, stride, tasks=height)
    _panels_of_gradient(g, panels, n, filters, wide, tasks=rows * pixels)
    _sums_across(
        heart.address, turned, panels, out, n, height, width, channels, rows, pixels, filters,
        *out.shape[:2], *strides, *before, wide, tasks=panels.shape[0] * out.shape[0],
    )  # fmt: skip
