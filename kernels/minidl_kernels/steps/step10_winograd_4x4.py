"""Step 10: larger tiles, 36 multiplications in place of 144, and ten times the rounding.

The matrices of 4x4 outputs hold numbers from 1/24 to 8: what is large and nearly cancels keeps fewer right digits. So
this runs only for those who ask for it (``conv/winograd_4x4.py``).
"""

from .. import conv2d as kernel
from ..arrays import Array

__all__ = ["conv2d"]


def conv2d(x: Array, w: Array) -> Array:
    """x (n, h, w, c) convolved with w (3, 3, c, f), without padding."""
    with kernel.use("winograd_4x4"):
        return kernel(x, w)
