"""The bytes of an array in pieces: what is written at once."""

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["bytes_of", "pieces_of"]

PIECE = 1 << 20  # bytes; systems hold up programs that hand them more than the disk takes meanwhile


def bytes_of(array: np.ndarray) -> memoryview:
    """The bytes of an array in the order of its axes; a copy only where they do not lie so."""
    # reshape first: what has no axes, or no numbers, has no memoryview of bytes
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def pieces_of(content: Any) -> Iterator[memoryview]:
    """Views of at most ``PIECE`` bytes each."""
    view = memoryview(content)
    for start in range(0, len(view), PIECE):
        yield view[start : start + PIECE]
