# mypy: ignore-errors
"""Convolutions of 3x3 with fewer multiplications: Winograd's F(2x2, 3x3) (Lavin and Gray 2015).

Two outputs of three taps cost four multiplications instead of six, and in both directions of a picture 16 instead of
36. For a tile of 4x4 cells d of the input and the 2x2 outputs y that they give with the 3x3 taps w::

    y = A^T [(G w G^T) * (B^T d B)] A          * is elementwise

The 16 cells of the bracket are 16 planes. In each, the sum over channels is a matrix product of all tiles by all
filters, which the micro-kernel does; transforms are additions. A task takes a block of tiles whose planes fit into the
second cache. The two gradients are the same identity read the other way:

* towards the input: a convolution again, with the taps turned and the channel axes swapped;
* towards the kernel: dw = G^T [sum over tiles of (B^T d B) * (A dy A^T)] G.

F(4x4, 3x3) (``winograd_4x4.py``) has tiles of 6x6 for 4x4 outputs, 36 multiplications instead of 144. Its numbers are
less kind to rounding, see there.
"""

import numpy as np

from .. import memory
from ..arrays import FLOATS
from ..microkernel import ACCUMULATE, LANES, heart, keep, line_start, multiply, panel_width, tallest
from ..on_cpu import contiguous, only_float32
from ..panels import transpose
from ..parallel import Chain, floats, integer, share, task
from ..streaming import LINE, goes_past_caches, settle
from . import conv2d, conv2d_input_grad, conv2d_kernel_grad
from .geometry import padding_pairs
from .transforms import (
    gradient_2,
    gradient_4,
    outputs_of_block,
    planes_of_block,
    taps_2,
    taps_4,
    upstream_of_block,
)

__all__ = ["convolve", "kernel_gradient", "register"]

BLOCK = 57344  # floats of the planes of a block of tiles (224 KiB)
FEWEST = 56  # tiles of a block, at least: all taps are read for each block
SHARES = 4  # tasks, where there are tiles enough for so many
PARTIAL = 1 << 20  # floats of kernel gradients that are held before they are added up
FEWEST_CHANNELS = 32  # of input and output: with fewer, the transforms cost more than they save
FEWEST_TILES = 64


@task
def _turn(args, task, tasks):
    """The taps turned by half a circle, with their channel axes swapped: what a gradient is convolved with."""
    w, turned, channels, filters = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    tap = channels * filters * 4
    first, last = share(9, task, tasks)
    for t in range(first, last):
        transpose(turned + (8 - t) * tap, channels * 4, w + t * tap, filters * 4, filters, channels)


@task
def _tap_planes(args, task, tasks):
    """G w G^T, as panels for the micro-kernel: (panel, plane, channel, filter of the panel)."""
    m, w, channels, filters = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3)
    target, wide = integer(args, 4), integer(args, 5)
    planes, tap = (m + 2) * (m + 2), channels * filters * 4
    panels = (filters + wide - 1) // wide
    first, last = share(channels, task, tasks)
    for c in range(first, last):
        for panel in range(panels):
            for v in range(0, min(wide, filters - panel * wide), LANES):
                to = target + ((panel * planes * channels + c) * wide + v) * 4
                plane = channels * wide * 4
                source = w + (c * filters + panel * wide + v) * 4
                if m == 2:
                    taps_2(source, 3 * tap, tap, to, 4 * plane, plane)
                else:
                    taps_4(source, 3 * tap, tap, to, 6 * plane, plane)


@task
def _convolve(args, task, tasks):
    """A block of tiles, of one picture or of several."""
    heart, m, x, taps, out = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3), integer(args, 4)
    height, width, channels = integer(args, 5), integer(args, 6), integer(args, 7)
    images, rows, pixels, filters = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    top, left, bias, relu = integer(args, 12), integer(args, 13), integer(args, 14), integer(args, 15)
    past, wide, height_of_tile = integer(args, 16) if out % LINE == 0 else 0, integer(args, 17), integer(args, 18)
    n, down, across = m + 2, (rows + m - 1) // m, (pixels + m - 1) // m
    all_tiles = images * down * across
    # Whole tiles of the micro-kernel: a low one at the end of every plane would cost a tenth of the time.
    first, last = share((all_tiles + height_of_tile - 1) // height_of_tile, task, tasks)
    first, last = first * height_of_tile, min(last * height_of_tile, all_tiles)
    tiles = last - first
    plane, product_plane = tiles * channels * 4 + 64, tiles * wide * 4 + 64  # + a line, or planes share their places
    lifted = np.empty(n * n * plane // 4 + 16, np.float32)
    products = np.empty(n * n * product_plane // 4 + 16, np.float32)
    a, c = line_start(lifted), line_start(products)
    planes_of_block(m, x, height, width, channels, top, left, down, across, first, tiles, a, plane)
    for panel in range((filters + wide - 1) // wide):
        held = min(wide, filters - panel * wide)
        for p in range(n * n):
            multiply(
                heart, tiles, a + p * plane, channels * 4, 1, 0, channels, 4,
                taps + (panel * n * n + p) * channels * wide * 4, wide * 4,
                c + p * product_plane, wide * 4, 0, held, 0, 0,
            )  # fmt: skip
        outputs_of_block(
            m, c, wide, product_plane, rows, pixels, filters, down, across, first, tiles, out + panel * wide * 4,
            held // LANES, bias + panel * wide * 4 if bias != 0 else 0, relu, past,
        )  # fmt: skip
    settle(past)
    keep(lifted)
    keep(products)


@task
def _plane_gradient(args, task, tasks):
    """The planes of the kernel's gradient from one group of tiles: (panel, plane, channel, filter of the panel).

    Of each group, a task does a part of the panels, in blocks of tiles.
    """
    heart, m, x, g, sums = integer(args, 0), integer(args, 1), integer(args, 2), integer(args, 3), integer(args, 4)
    height, width, channels = integer(args, 5), integer(args, 6), integer(args, 7)
    images, rows, pixels, filters = integer(args, 8), integer(args, 9), integer(args, 10), integer(args, 11)
    top, left, most = integer(args, 12), integer(args, 13), integer(args, 14)
    groups, wide = integer(args, 15), integer(args, 16)
    n, down, across = m + 2, (rows + m - 1) // m, (pixels + m - 1) // m
    panels = (filters + wide - 1) // wide
    group, parts = task % groups, tasks // groups
    first_panel, last_panel = share(panels, task // groups, parts)
    sums += group * panels * n * n * channels * wide * 4
    plane, upstream_plane = most * channels * 4 + 64, most * wide * 4 + 64
    lifted = np.empty(n * n * plane // 4 + 16, np.float32)
    upstream = np.empty(n * n * upstream_plane // 4 + 16, np.float32)
    a, b = line_start(lifted), line_start(upstream)
    start, stop = share(images * down * across, group, groups)
    blocks = (stop - start + most - 1) // most
    for block in range(blocks):
        first, last = share(stop - start, block, blocks)
        first, count = start + first, last - first
        planes_of_block(m, x, height, width, channels, top, left, down, across, first, count, a, plane)
        for panel in range(first_panel, last_panel):
            held = min(wide, filters - panel * wide)
            upstream_of_block(
                m,
                g + panel * wide * 4,
                rows,
                pixels,
                filters,
                down,
                across,
                first,
                count,
                b,
                wide,
                upstream_plane,
                held // LANES,
            )
            for p in range(n * n):
                multiply(
                    heart, channels, a + p * plane, 4, 1, 0, count, channels * 4,
                    b + p * upstream_plane, wide * 4,
                    sums + (panel * n * n + p) * channels * wide * 4, wide * 4, 0, held,
                    0, ACCUMULATE if block > 0 else 0,
                )  # fmt: skip
    keep(lifted)
    keep(upstream)


@task
def _taps_of_planes(args, task, tasks):
    """dw = G^T sums G, with the groups' sums added up first, always in the same order."""
    m, groups, dw = integer(args, 0), integer(args, 2), integer(args, 3)
    channels, filters, wide = integer(args, 4), integer(args, 5), integer(args, 6)
    n, panels, tap = m + 2, (filters + wide - 1) // wide, channels * filters * 4
    part = channels * wide  # floats of a plane
    sums = floats(args, 1, groups * panels * n * n * part)
    first, last = share(channels, task, tasks)
    own = (last - first) * wide
    total = np.empty(n * n * own, np.float32)
    plane = own * 4
    for panel in range(panels):
        for p in range(n * n):  # in the order in which they lie
            into = total[p * own : (p + 1) * own]
            for group in range(groups):
                start = ((group * panels + panel) * n * n + p) * part + first * wide
                more = sums[start : start + own]
                for i in range(own):
                    into[i] = more[i] if group == 0 else into[i] + more[i]
        for c in range(first, last):
            for v in range(0, min(wide, filters - panel * wide), LANES):
                source = total.ctypes.data + ((c - first) * wide + v) * 4
                target = dw + (c * filters + panel * wide + v) * 4
                if m == 2:
                    gradient_2(source, n * plane, plane, target, 3 * tap, tap)
                else:
                    gradient_4(source, n * plane, plane, target, 3 * tap, tap)
    keep(total)


def _tiles_of_block(m, channels, rows):
    """How many tiles a block has at most, a multiple of ``rows``: the planes of a block stay in the second cache."""
    return max(FEWEST, BLOCK // ((m + 2) ** 2 * channels)) // rows * rows


def convolve(m, x, w, out, top, left, bias=None, relu=False):
    """The launches of out = x (*) w for 3x3 taps and stride 1.

    ``top`` and ``left`` are the cells of padding before the picture.
    """
    channels, filters = w.shape[2:]
    n, rows, pixels, _ = out.shape
    wide = panel_width(filters)
    height = tallest(wide)
    taps = memory.empty((-(-filters // wide), (m + 2) ** 2, channels, wide), FLOATS[0])
    tiles = n * -(-rows // m) * -(-pixels // m)
    launches = [
        _tap_planes.launch(m, w, channels, filters, taps, wide, tasks=8 if taps.size >= 1 << 16 else 1),
        _convolve.launch(
            heart.address, m, x, taps, out, *x.shape[1:], n, rows, pixels, filters, top, left,
            0 if bias is None else bias, relu, goes_past_caches(out), wide, height,
            tasks=max(-(-tiles // _tiles_of_block(m, channels, height)), min(SHARES, tiles // (2 * height)), 1),
        ),
    ]  # fmt: skip
    return Chain(launches, taps)


def kernel_gradient(m, x, g, out, top, left):
    """The launches of out = the gradient by the 3x3 taps, stride 1."""
    channels, filters = out.shape[2:]
    n, rows, pixels, _ = g.shape
    wide = panel_width(filters)
    panels, planes = -(-filters // wide), (m + 2) ** 2
    # The shares follow from the sizes alone, so that every number of threads adds in the same order.
    groups = max(1, min(n, 16, PARTIAL // (panels * planes * channels * wide)))
    sums = memory.empty((groups, panels, planes, channels, wide), FLOATS[0])
    launches = [
        _plane_gradient.launch(
            heart.address, m, x, g, sums, *x.shape[1:], n, rows, pixels, filters, top, left,
            _tiles_of_block(m, channels, tallest(wide)), groups, wide, tasks=groups * min(panels, -(-SHARES // groups)),
        ),
        _taps_of_planes.launch(m, sums, groups, out, channels, filters, wide, tasks=min(8, channels)),
    ]  # fmt: skip
    return Chain(launches, sums)


def _refusal(taps, strides):
    if taps[:2] != (3, 3) or strides != (1, 1):
        return "takes kernels of 3x3 with stride 1"
    if taps[2] % LANES or taps[3] % LANES:
        return f"takes channels and filters in multiples of {LANES}"
    return None


def register(name, m):
    """Make the three kernels' implementations with tiles of m x m outputs."""

    def pays(taps, pictures, rows, pixels):
        return min(taps[2:]) >= FEWEST_CHANNELS and pictures * rows * pixels >= FEWEST_TILES * m * m

    def accepts(x, w, b=None, *, strides, **settings):
        return only_float32(x, w) or _refusal(w.shape, strides)

    @conv2d.implementation(
        name, on="numpy", accepts=accepts, pays=lambda x, w, b=None, **settings: pays(w.shape, *x.shape[:3])
    )
    @contiguous
    def convolution(x, w, b=None, *, strides, padding, activation, out):
        (top, _), (left, _) = padding_pairs(x.shape[1:3], (3, 3), strides, padding)
        return convolve(m, x, w, out, top, left, b, activation == "relu") if out.size else None

    def accepts_input_grad(g, w, *, input_shape, strides, padding):
        return only_float32(g, w) or _refusal(w.shape, strides)

    @conv2d_input_grad.implementation(
        name, on="numpy", accepts=accepts_input_grad, pays=lambda g, w, **settings: pays(w.shape, *g.shape[:3])
    )
    @contiguous
    def input_gradient(g, w, *, input_shape, strides, padding, out):
        (top, _), (left, _) = padding_pairs(input_shape[1:3], (3, 3), strides, padding)
        if out.size:
            turned = memory.empty((3, 3, w.shape[3], w.shape[2]), FLOATS[0])
            _turn(w, turned, *w.shape[2:], tasks=9 if w.size >= 1 << 16 else 1)
            launch = convolve(m, g, turned, out, 2 - top, 2 - left)
            launch(launch.arrays)

    def accepts_kernel_grad(x, g, *, kernel_shape, strides, padding):
        return only_float32(x, g) or _refusal(kernel_shape, strides)

    @conv2d_kernel_grad.implementation(
        name, on="numpy", accepts=accepts_kernel_grad,
        pays=lambda x, g, *, kernel_shape, **settings: pays(kernel_shape, *g.shape[:3]),
    )  # fmt: skip
    @contiguous
    def gradient(x, g, *, kernel_shape, strides, padding, out):
        (top, _), (left, _) = padding_pairs(x.shape[1:3], (3, 3), strides, padding)
        if g.size:
            return kernel_gradient(m, x, g, out, top, left)
        out[...] = 0
        return None


register("winograd", 2)
