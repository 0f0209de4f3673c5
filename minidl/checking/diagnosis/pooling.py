"""Hypotheses about pooling: ties, overlapping windows, strides, the window's size, max taken for average."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from .case import Case, Guess, close
from .convolution import layouts, pad, scatter, windows

__all__ = ["guesses"]

Array = np.ndarray


def guesses(case: Case) -> Iterator[Guess]:
    """For max and average pooling of the first input, over windows or over whole pictures."""
    x0 = case.x[0]
    for layout in layouts(x0):
        x = layout.to(x0)
        if case.y.ndim == x0.ndim:
            y, g = layout.to(case.y), layout.to(case.g)
        elif x0.ndim == 4 and case.y.shape == (x.shape[0], x.shape[3]):
            y, g = case.y[:, None, None], case.g[:, None, None]
        else:
            continue
        if y.shape[3] != x.shape[3] or y.shape[0] != x.shape[0] or y.shape == x.shape:
            continue
        for kind, size, stride, border in _recognise(x, y):
            for cause, value, weight in _wrong(kind, x, g, size, stride, border):
                if value.shape == x.shape:
                    yield Guess(cause, 0, layout.back(value), weight)


def _recognise(x: Array, y: Array) -> Iterator[tuple[str, tuple[int, int], int, int]]:
    sizes = {(k, k) for k in range(1, 6)} | {(x.shape[1], x.shape[2]), (2, 3), (3, 2)}
    for size, stride, border in product(sorted(sizes), (1, 2, 3, 4, 5), (0, 1)):
        extents = [(x.shape[a] + 2 * border - size[a - 1]) // stride + 1 for a in (1, 2)]
        if extents != [y.shape[1], y.shape[2]] or min(extents) < 1:
            continue
        if close(y, windows(pad(x, border, border, -np.inf), size, stride).max(axis=(-2, -1))):
            yield "max", size, stride, border
            return
        if close(y, windows(pad(x, border, border), size, stride).mean(axis=(-2, -1))):
            yield "average", size, stride, border
            return


def _wrong(
    kind: str, x: Array, g: Array, size: tuple[int, int], stride: int, border: int
) -> Iterator[tuple[str, Array, float]]:
    padded = pad(x, border, border, -np.inf if kind == "max" else 0.0)
    patches = windows(padded, size, stride).transpose(0, 1, 2, 4, 5, 3)  # (N, h, w, kh, kw, C)
    upstream = g[:, :, :, None, None, :]
    n, h, w, kh, kw, c = patches.shape
    flat = patches.reshape(n, h, w, kh * kw, c)

    def one_hot(index: Array) -> Array:
        hot: Array = (np.arange(kh * kw)[:, None] == index[:, :, :, None, :]).reshape(patches.shape) * 1.0
        return hot

    largest = patches.max(axis=(3, 4), keepdims=True)
    equal = (patches == largest) * 1.0
    first, area = one_hot(flat.argmax(axis=3)), kh * kw
    right = first if kind == "max" else np.full(patches.shape, 1.0 / area)

    def put(weights: Array, step: int = stride, add: bool = True, pieces: Array | None = None) -> Array:
        whole = scatter(weights * upstream if pieces is None else pieces, padded.shape, step, add)
        return whole[:, border : border + x.shape[1], border : border + x.shape[2]]

    overlapping = stride < max(size)
    if overlapping:
        yield "window_overwritten", put(right, add=False), 2.4
        touched = padded.copy() * 0
        for i, j in product(range(h), range(w)):  # only the maximum is written, the rest left alone
            place = touched[:, i * stride : i * stride + kh, j * stride : j * stride + kw]
            piece = (right * upstream)[:, i, j]
            place[...] = np.where(right[:, i, j] != 0, piece, place)
        yield "window_overwritten", touched[:, border : border + x.shape[1], border : border + x.shape[2]], 2.4
    for step in {1, kh} - {stride}:
        yield "stride_ignored", put(right, step), 2.3
    yield "first_of_window", put(one_hot(np.zeros((n, h, w, c), int))), 2.2
    yield "first_of_window", put(one_hot(np.full((n, h, w, c), area - 1))), 2.2
    for sample in (0, n - 1):
        only = np.zeros_like(upstream)
        only[sample] = upstream[sample]
        yield "overwritten", put(right, pieces=right * only), 2.0
    yield "channel_only", put(right * (np.arange(c) == 0)), 2.0
    yield "channel_only", put(right * (np.arange(c) == c - 1)), 2.0
    yield "channel_only", put(right, pieces=right * upstream[..., :1]), 2.0
    if kind == "max":
        yield "max_spread", put(np.full(patches.shape, 1.0 / area)), 2.4
        yield "max_spread", put(np.ones(patches.shape)), 2.3
        yield "max_all_equal", put(equal), 2.3
        yield "min_for_max", put(one_hot(flat.argmin(axis=3))), 2.4
        over = (patches == patches.max(axis=(3, 4, 5), keepdims=True)) * 1.0
        # Where all channels tie, too, the simpler slip: the other one shows at any input.
        yield "argmax_over_channels", put(over), 2.2 if np.array_equal(over, equal) else 2.4
        yield (
            "argmax_over_channels",
            put(one_hot(np.broadcast_to(flat.sum(-1).argmax(3)[..., None], (n, h, w, c)))),
            2.3,
        )
        yield "mask_array", put(equal * patches), 2.0
        yield "mask_array", put(one_hot(np.abs(flat).argmax(axis=3))), 2.3
    else:
        yield "window_size", put(np.ones(patches.shape)), 2.4
        for count in {kh, stride, stride * stride, x.shape[1] * x.shape[2], h * w} - {area, 1}:
            yield "window_size_wrong", put(np.full(patches.shape, 1.0 / count)), 2.3
        yield "window_size_wrong", put(np.full(patches.shape, 1.0 / area**2)), 2.3
        yield "average_to_max", put(first), 2.4
        yield "average_to_max", put(first / area), 2.3
