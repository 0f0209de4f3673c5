"""Numba: sums of large arrays, shared out among the cores. (Chains run op by op on a processor.)"""

import numpy as np

from ..on_cpu import contiguous, only_float32, tasks_for
from ..parallel import floats, integer, share, task
from ..streaming import PIECE, goes_past_caches, settle, stream
from . import add


@task
def _add(args, task, tasks):
    n, past = integer(args, 0), integer(args, 4)
    room = np.empty(PIECE if past else 0, np.float32)
    first, last = share(n, task, tasks)
    for start in range(first, last, PIECE):
        end = min(start + PIECE, last)
        x, y, out = floats(args, 1, n)[start:end], floats(args, 2, n)[start:end], floats(args, 3, n)[start:end]
        target = room[: end - start] if past else out
        for i in range(end - start):
            target[i] = x[i] + y[i]
        if past:
            stream(out.ctypes.data, room.ctypes.data, end - start)
    settle(past)


@add.implementation("cpu", on="numpy", accepts=only_float32)
@contiguous
def add_cpu(x, y, *, out):
    return _add.launch(x.size, x, y, out, goes_past_caches(out), tasks=tasks_for(x.size))
