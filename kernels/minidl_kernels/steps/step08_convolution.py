# mypy: ignore-errors
"""Step 8: a convolution is a product, too: each row of its first factor is the window of one output pixel.

``by_columns`` writes these rows down ("im2col"): with 3x3 kernels nine times the picture, all of which goes through
memory. ``conv2d`` does not. In a picture (row, column, channel) a window is a few runs of numbers that lie side by
side, one for each row of the kernel, and the next window starts a fixed step later. The micro-kernel reads exactly
that, for it walks through k in two loops. ``conv/cpu.py`` is this with padding, strides and both gradients.
"""

import numpy as np

from ..microkernel import heart, multiply
from ..panels import packed_panels
from ..parallel import integer, share, task
from .step07_parallel import matmul

__all__ = ["by_columns", "conv2d"]


def by_columns(x, w):
    """x (n, h, w, c) convolved with w (kh, kw, c, f), without padding: all windows as a matrix, and step 7."""
    kh, kw, channels, filters = w.shape
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
    columns = np.ascontiguousarray(windows).reshape(-1, kh * kw * channels)
    return matmul(columns, w.reshape(-1, filters)).reshape(*windows.shape[:3], filters)


@task
def _convolve(args, task, tasks):
    """Some of the rows of outputs, of all pictures."""
    heart, x, panels, out = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    n, height, width, channels = integer(args, 4), integer(args, 5), integer(args, 6), integer(args, 7)
    kh, kw, filters, wide = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    rows, pixels, depth = height - kh + 1, width - kw + 1, kh * kw * channels
    first, last = share(n * rows, task, tasks)
    for line in range(first, last):
        source = x + (line // rows * height + line % rows) * width * channels * 4
        for column in range(0, filters, wide):
            multiply(
                heart, pixels, source, channels * 4, kh, width * channels * 4, kw * channels, 4,
                panels + column * depth * 4, wide * 4, out + (line * pixels * filters + column) * 4, filters * 4,
                0, min(wide, filters - column), 0, 0,
            )  # fmt: skip


def conv2d(x, w):
    """x (n, h, w, c) convolved with w (kh, kw, c, f), without padding: three loops around the micro-kernel."""
    (n, height, width, channels), (kh, kw, _, filters) = x.shape, w.shape
    out = np.empty((n, height - kh + 1, width - kw + 1, filters), np.float32)
    steps = (kw * channels * filters, channels * filters, filters)
    panels = packed_panels(w, 0, (kh, kw, channels), steps, filters, 1)
    tasks = n * max(1, out.shape[1] // 8)
    _convolve(heart.address, x, panels, out, n, height, width, channels, kh, kw, filters, panels.shape[2], tasks=tasks)
    return out
