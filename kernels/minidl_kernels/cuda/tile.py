"""The grid of kernels made of ``tile.cuh``."""

from .program import blocks

__all__ = ["THREADS", "tiles"]

TILE, THREADS = 64, 256  # as in tile.cuh


def tiles(rows: int, columns: int) -> tuple[int, int]:
    """One block a tile. Rows are along x, which may have 2^31 blocks: pictures of a batch have that many cells."""
    return blocks(rows, TILE), blocks(columns, TILE)
