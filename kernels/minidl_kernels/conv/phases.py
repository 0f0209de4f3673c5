"""A convolution, or the input gradient of one, as a list of plain jobs for the micro-kernel: its phases.

The forward pass is one phase. The gradient of the input with stride 1 is one phase as well: the same convolution over
g, with the kernel turned by 180 degrees and its two channel axes swapped. With strides (sh, sw) the rows of x fall into
sh classes and the columns into sw: row h gets a share of output row i through kernel row di = h + top - i * sh, so only
kernel rows of one residue, (h + top) mod sh, ever meet it. Within such a class the input gradient is a convolution with
stride 1 again, with every sh-th row of the kernel, that writes every sh-th row of x: no multiplications by zeros.
"""

from typing import NamedTuple


class Axis(NamedTuple):
    """One phase along one axis."""

    start: int  # first cell of the target, and
    step: int  # the step to the next one
    cells: int  # how many cells of the target
    before: int  # cells of padding before the source (negative: cells to skip)
    stride: int  # step in the source from one target cell to the next
    kernel_start: int  # first kernel cell,
    kernel_step: int  # the step to the next one (negative: backwards), and
    taps: int  # how many


def forward_axis(before: int, cells: int, k: int, stride: int) -> Axis:
    """The forward pass along one axis: ``cells`` of the output."""
    return Axis(0, 1, cells, before, stride, 0, 1, k)


def gradient_axes(before: int, cells: int, k: int, stride: int) -> list[Axis]:
    """The input gradient along one axis: ``cells`` of the input in up to ``stride`` phases.

    Phases without cells or without kernel cells (a stride larger than the kernel) are left out: nothing but zeros
    arrives there.
    """
    phases = []
    for residue in range(min(stride, k)):
        start = (residue - before) % stride
        taps = -(-(k - residue) // stride)
        newest = (start + before - residue) // stride  # the last output cell that the first target cell meets
        count = -(-(cells - start) // stride)
        if count > 0:
            last_tap = residue + (taps - 1) * stride
            phases.append(Axis(start, stride, count, taps - 1 - newest, 1, last_tap, -stride, taps))
    return phases
