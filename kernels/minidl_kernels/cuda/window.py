"""What the kernels of ``window.cuh`` are told about sliding windows."""

import numpy as np

from ..conv.geometry import Pair, Shape, padding_pairs

__all__ = ["limited", "window"]

FIELDS = (
    "pictures", "height", "width", "channels", "rows", "columns", "window_rows", "window_columns", "stride_rows",
    "stride_columns", "top", "left",
)  # fmt: skip
WINDOW = np.dtype([(field, np.int32) for field in FIELDS])


def window(pictures: Shape, size: Shape, cells: Pair, strides: Pair, padding: str) -> np.ndarray:
    """A structure, passed by value: pictures (N, H, W, C), the output's (H', W'), the window, strides and padding."""
    (top, _), (left, _) = padding_pairs(tuple(pictures[1:3]), cells, strides, padding)
    return np.array((*pictures, *size, *cells, *strides, top, left), WINDOW)


def limited(*arrays: object, input_shape: Shape = (), **settings: object) -> str | None:
    """Refuse arrays that 32 bits cannot count: dividing 64-bit numbers would cost more than the kernel's work."""
    sizes = [getattr(array, "size", 0) for array in arrays] + [int(np.prod(input_shape or (0,), dtype=np.int64))]
    return "counts elements with 32 bits" if max(sizes) >= 2**31 - 2**16 else None
