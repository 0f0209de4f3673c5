"""When products run on tensor cores, and in which grid (``tensor_tile.cuh``).

They are asked for with ``config.enable_tf32()``, and stay with plain float32 where that is not so, or cannot be.
"""

from typing import Any

import numpy as np

from .. import config
from ..arrays import Array, library_of
from ..on_cpu import only_float32
from .program import blocks

__all__ = ["LEAST", "THREADS", "asked_for", "refused", "tiles"]

TILE_ROWS, TILE_COLUMNS, THREADS = 128, 64, 256  # as in tensor_tile.cuh and tensor_slab.cuh
LEAST = 80  # compute capability, times ten: the first one that has TF32


def refused(*arrays: Any, **settings: Any) -> str | None:
    """Why tensor cores cannot take a call: another dtype than float32, or an older GPU."""
    return only_float32(*arrays) or _too_old(arrays[0])


def asked_for(*arrays: Any, **settings: Any) -> bool | str:
    """Whether TF32 is on."""
    return config.is_tf32_enabled() or "TF32 is off: config.enable_tf32() turns it on"


def tiles(rows: int, columns: int) -> tuple[int, int]:
    """One block a tile."""
    return blocks(rows, TILE_ROWS), blocks(columns, TILE_COLUMNS)


def _too_old(array: Array) -> str | None:
    """Judged by the weakest GPU of the machine: what was chosen for one device is taken for the others as well."""
    library = library_of(array)
    if library is None:  # the shim
        return None
    cuda: Any = library.namespace.cuda
    capabilities = [int(cuda.Device(i).compute_capability) for i in range(cuda.runtime.getDeviceCount())]
    weakest = int(np.argmin(capabilities))
    if capabilities[weakest] >= LEAST:
        return None
    major, minor = divmod(capabilities[weakest], 10)
    return f"TF32 needs compute capability {LEAST / 10}, {library.kind}:{weakest} has {major}.{minor}"
