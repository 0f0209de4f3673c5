"""NumPy and CuPy: one strided slice for each cell of the window, taken of all windows at once."""

from collections.abc import Iterator
from typing import Any

from ..arrays import Array, namespace
from ..conv.geometry import padding_pairs
from . import average_pool, average_pool_grad, max_pool, max_pool_gather, max_pool_scatter

Pair = tuple[int, int]


class _Windows:
    """The geometry of one pooling: ``slices`` cut from a padded picture what stands in one cell of every window."""

    def __init__(self, picture: Any, output: Any, pool_size: Pair, strides: Pair, padding: str):
        self.picture, self.output, self.pool_size, self.strides = picture, output, pool_size, strides
        self.pairs = padding_pairs(picture, pool_size, strides, padding)
        self.padded = any(sum(self.pairs, ()))

    def slices(self) -> Iterator[tuple[slice, ...]]:
        for di in range(self.pool_size[0]):
            for dj in range(self.pool_size[1]):
                rows, columns = self.strides[0] * self.output[0], self.strides[1] * self.output[1]
                yield slice(None), slice(di, di + rows, self.strides[0]), slice(dj, dj + columns, self.strides[1])

    def pad(self, x: Array, value: float | bool) -> Array:
        return namespace(x).pad(x, ((0, 0), *self.pairs, (0, 0)), constant_values=value) if self.padded else x

    def empty_padded(self, like: Array, n: int, channels: int) -> Array:
        (top, bottom), (left, right) = self.pairs
        shape = (n, self.picture[0] + top + bottom, self.picture[1] + left + right, channels)
        return namespace(like).zeros(shape, like.dtype)

    def crop(self, padded: Array) -> Array:
        (top, _), (left, _) = self.pairs
        return padded[:, top : top + self.picture[0], left : left + self.picture[1]]

    def real_cells(self, like: Array) -> Array:
        """How many cells of each window lie in the picture: (1, H', W', 1)."""
        real = self.pad(namespace(like).ones((1, *self.picture, 1), like.dtype), 0)
        return sum(real[cut] for cut in self.slices())

    def winners(self, x: Array) -> Iterator[tuple[tuple[slice, ...], Array]]:
        """For every cell of the window: its slice, and in which windows it holds the first maximum (or NaN)."""
        xp = namespace(x)
        padded = self.pad(x, -xp.inf)
        real = self.pad(xp.ones((1, *self.picture, 1), bool), False)  # -inf in the picture wins over the padding
        best = _maximum(self, padded)
        taken = xp.zeros(best.shape, bool)
        for cut in self.slices():
            cell = padded[cut]
            wins = ((cell == best) | (cell != cell)) & real[cut] & ~taken
            taken |= wins
            yield cut, wins


def _maximum(windows: _Windows, padded: Array) -> Array:
    xp = namespace(padded)
    first, *others = windows.slices()
    best = padded[first].copy()
    for cut in others:
        xp.maximum(best, padded[cut], out=best)
    return best


@max_pool.implementation("array", on=("numpy", "cupy"))
def max_pool_array(x: Array, *, pool_size: Pair, strides: Pair, padding: str, out: Array) -> None:
    windows = _Windows(x.shape[1:3], out.shape[1:3], pool_size, strides, padding)
    out[...] = _maximum(windows, windows.pad(x, -namespace(x).inf))


@max_pool_scatter.implementation("array", on=("numpy", "cupy"))
def max_pool_scatter_array(g: Array, x: Array, *, pool_size: Pair, strides: Pair, padding: str, out: Array) -> None:
    windows = _Windows(x.shape[1:3], g.shape[1:3], pool_size, strides, padding)
    total = windows.empty_padded(g, x.shape[0], x.shape[3])
    for cut, wins in windows.winners(x):
        total[cut] += namespace(g).where(wins, g, 0)
    out[...] = windows.crop(total)


@max_pool_gather.implementation("array", on=("numpy", "cupy"))
def max_pool_gather_array(v: Array, x: Array, *, pool_size: Pair, strides: Pair, padding: str, out: Array) -> None:
    windows = _Windows(x.shape[1:3], out.shape[1:3], pool_size, strides, padding)
    padded = windows.pad(v, 0)
    for cut, wins in windows.winners(x):
        out[...] = namespace(v).where(wins, padded[cut], out)


@average_pool.implementation("array", on=("numpy", "cupy"))
def average_pool_array(x: Array, *, pool_size: Pair, strides: Pair, padding: str, out: Array) -> None:
    windows = _Windows(x.shape[1:3], out.shape[1:3], pool_size, strides, padding)
    padded = windows.pad(x, 0)
    out[...] = 0
    for cut in windows.slices():
        out += padded[cut]
    out /= windows.real_cells(x)


@average_pool_grad.implementation("array", on=("numpy", "cupy"))
def average_pool_grad_array(
    g: Array, *, input_shape: tuple[int, ...], pool_size: Pair, strides: Pair, padding: str, out: Array
) -> None:
    windows = _Windows(input_shape[1:3], g.shape[1:3], pool_size, strides, padding)
    total = windows.empty_padded(g, input_shape[0], input_shape[3])
    share = g / windows.real_cells(g)
    for cut in windows.slices():
        total[cut] += share
    out[...] = windows.crop(total)
