"""Launches of ``columns.cu``, and the shape of grids that sum over rows."""

from collections.abc import Callable
from typing import Any

from ..arrays import Array, namespace
from .program import Program, blocks

__all__ = ["BLOCK", "column_sum", "grid", "in_slices"]

columns = Program("columns.cu", __file__)
BLOCK = (32, 8)  # LANES and ROWS of rows.cuh
ROWS_EACH = 64  # rows that a thread adds at least, before they are split up into slices
MOST_SLICES = 64  # the second pass adds so many, with one block for each 32 columns


def grid(rows: int, width: int) -> tuple[int, int]:
    """(blocks along the columns, slices of the rows): a tall matrix has few columns, so its rows keep the GPU busy."""
    return blocks(width, BLOCK[0]), max(1, min(MOST_SLICES, rows // (BLOCK[1] * ROWS_EACH)))


def in_slices(
    launch: Callable[..., None], slices: int, outs: tuple[Array, ...], scales: tuple[float, ...] | None = None
) -> None:
    """Call ``launch(partials, scales)`` for sums over slices of rows, then add the slices into ``outs``.

    With one slice the partial sums are the sums: they go to ``outs`` at once, times the scales.
    """
    scales = scales or (1.0,) * len(outs)
    if slices == 1:
        launch(outs, scales)
        return
    partials = tuple(namespace(out).empty((slices, out.size), out.dtype) for out in outs)
    launch(partials, (1.0,) * len(outs))
    for partial, out, scale in zip(partials, outs, scales, strict=True):
        width = (blocks(out.size, BLOCK[0]), 1)
        columns("column_sum", width, BLOCK, partial, out, slices, out.size, float(scale))


def column_sum(x: Array, out: Array, scale: float = 1.0) -> None:
    """The sums over all axes of x but the last, times ``scale``, into ``out``."""
    rows, width = (x.size // out.size if out.size else 0), out.size
    across, slices = grid(rows, width)

    def launch(outs: tuple[Any, ...], scales: tuple[float, ...]) -> None:
        columns("column_sum", (across, slices), BLOCK, x, outs[0], rows, width, float(scales[0]))

    in_slices(launch, slices, (out,), (scale,))
