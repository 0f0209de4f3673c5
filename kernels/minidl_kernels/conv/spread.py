# mypy: ignore-errors
"""The input gradient towards pictures of few channels (a first layer, or a generator that ends in a picture).

Written as a convolution its tiles would be 1 or 3 columns wide, and a vector wants 8 or 16. So here one product gives
for each output pixel all that it hands back to its window, kh * kw * C columns, and the windows are added up where they
overlap. The sums stay in a strip of the input that fits into the second cache.
"""

import numpy as np

from ..microkernel import LANES, copy, heart, keep, multiply
from ..panels import packed_panels
from ..parallel import integer, task

STRIP = 16  # rows of the input that a task adds up; its neighbours compute what hangs over once more


@task
def _spread(args, task, tasks):
    """One strip of rows of one picture of the input gradient."""
    heart, g, b, dx = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    height, width, channels = integer(args, 5), integer(args, 6), integer(args, 7)
    rows, pixels, filters = integer(args, 8), integer(args, 9), integer(args, 10)
    kh, kw, sh, sw = integer(args, 11), integer(args, 12), integer(args, 13), integer(args, 14)
    top, left, strips, wide = integer(args, 15), integer(args, 16), integer(args, 17), integer(args, 18)
    image, start = task // strips, task % strips * STRIP
    stop = min(start + STRIP, height)
    columns, run = kh * kw * channels, kw * channels
    panels = (columns + wide - 1) // wide
    sums = np.zeros((stop - start, max((pixels - 1) * sw + kw, left + width) * channels), np.float32)
    shares = np.empty((pixels, panels * wide), np.float32)
    first = max(0, -((kh - 1 - start - top) // sh))  # the output rows whose windows meet the strip
    last = min(rows, (stop - 1 + top) // sh + 1)
    for i in range(first, last):
        for panel in range(panels):
            multiply(
                heart, pixels, g + (image * rows + i) * pixels * filters * 4, filters * 4, 1, 0, filters, 4,
                b + panel * filters * wide * 4, wide * 4, shares.ctypes.data + panel * wide * 4, panels * wide * 4,
                0, min(wide, (columns - panel * wide + LANES - 1) // LANES * LANES), 0, 0,
            )  # fmt: skip
        for di in range(kh):
            row = i * sh + di - top - start
            if 0 <= row < stop - start:
                line = sums[row]
                for j in range(pixels):
                    window, share = line[j * sw * channels :], shares[j, di * run :]
                    for t in range(run):
                        window[t] += share[t]
    for row in range(stop - start):
        target = dx + ((image * height + start + row) * width) * channels * 4
        copy(target, sums.ctypes.data + (row * sums.shape[1] + left * channels) * 4, width * channels)
    keep(sums)
    keep(shares)


def spread(g, w, dx, strides, before):
    """Fill dx, the input gradient, from C-contiguous float32 g and w; ``before`` is the padding (top, left)."""
    kh, kw, channels, filters = w.shape
    panels = packed_panels(w, 0, (1, 1, filters), (0, 0, 1), kh * kw * channels, filters)
    strips = -(-dx.shape[1] // STRIP)
    _spread(
        heart.address, g, panels, dx, *dx.shape, *g.shape[1:], kh, kw, *strides, *before, strips, panels.shape[2],
        tasks=dx.shape[0] * strips,
    )  # fmt: skip
