"""Step 9: fewer multiplications. The processor multiplies as fast as it can, so only another formula helps.

For a tile of 4x4 inputs d and the 2x2 outputs that 3x3 taps w make of it (Lavin and Gray 2015)::

    y = A^T [(G w G^T) * (B^T d B)] A          * is elementwise: 16 multiplications in place of 36

``in_numpy`` is that formula to be read. ``conv2d`` asks for ``conv/winograd.py``, where the 16 products of
(tiles, channels) by (channels, filters) run on the micro-kernel, for a few tiles at a time that stay in the cache.
"""

import numpy as np

from .. import conv2d as kernel
from ..arrays import Array

__all__ = ["conv2d", "in_numpy"]


def in_numpy(x: Array, w: Array, m: int = 2) -> Array:
    """x (n, h, w, c) convolved with w (3, 3, c, f), without padding, in tiles of m x m outputs (m is 2 or 4)."""
    from ..conv import transforms

    b, g, a = (np.array(getattr(transforms, f"{name}{m}"), x.dtype) for name in "BGA")  # B^T, G, A^T
    n, rows, columns = x.shape[0], x.shape[1] - 2, x.shape[2] - 2
    x = np.pad(x, ((0, 0), (0, -rows % m), (0, -columns % m), (0, 0)))  # whole tiles
    tiles = np.lib.stride_tricks.sliding_window_view(x, (m + 2, m + 2), axis=(1, 2))[:, ::m, ::m]
    lifted = np.einsum("pi,nrscij,qj->pqnrsc", b, tiles, b)
    taps = np.einsum("pi,ijcf,qj->pqcf", g, w, g)
    products = np.einsum("pqnrsc,pqcf->pqnrsf", lifted, taps)
    y = np.einsum("up,pqnrsf,vq->nrusvf", a, products, a)
    return y.reshape(n, y.shape[1] * m, y.shape[3] * m, -1)[:, :rows, :columns]


def conv2d(x: Array, w: Array) -> Array:
    """x (n, h, w, c) convolved with w (3, 3, c, f), without padding."""
    with kernel.use("winograd"):
        return kernel(x, w)
