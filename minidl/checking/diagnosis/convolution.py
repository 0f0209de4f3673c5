"""Hypotheses about convolutions: flipped kernels, strides, padding, overlapping windows, channels, axes of the bias."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .case import Case, Guess, close

__all__ = ["Layout", "guesses", "layouts", "pad", "scatter"]

Array = np.ndarray


class Layout(NamedTuple):
    """How pictures and kernels are laid out: axes to (N, H, W, C) and (h, w, in, out), and back."""

    picture: tuple[int, ...]
    kernel: tuple[int, ...]
    flat: bool = False  # single pictures of one channel, without axes for these

    def to(self, x: Array) -> Array:
        return x[None, :, :, None] if self.flat else x.transpose(self.picture)

    def back(self, x: Array) -> Array:
        return x[0, :, :, 0] if self.flat else x.transpose(np.argsort(self.picture))

    def kernel_to(self, w: Array) -> Array:
        return w[:, :, None, None] if self.flat else w.transpose(self.kernel)

    def kernel_back(self, w: Array) -> Array:
        return w[:, :, 0, 0] if self.flat else w.transpose(np.argsort(self.kernel))


LAST = Layout((0, 1, 2, 3), (0, 1, 2, 3))
FIRST = Layout((0, 2, 3, 1), (2, 3, 1, 0))
SINGLE = Layout((0, 1), (0, 1), True)


def layouts(x: Array) -> tuple[Layout, ...]:
    """The layouts that a picture of this rank can have."""
    return (LAST, FIRST) if x.ndim == 4 else (SINGLE,) if x.ndim == 2 else ()


def pad(x: Array, before: int, after: int, value: float = 0.0) -> Array:
    """Pictures (N, H, W, C) with a border of zeros."""
    return np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)), constant_values=value)


def windows(x: Array, size: tuple[int, int], stride: int) -> Array:
    """(N, h, w, C, kh, kw)."""
    return sliding_window_view(x, size, axis=(1, 2))[:, ::stride, ::stride]


def scatter(pieces: Array, shape: tuple[int, ...], stride: int, add: bool = True) -> Array:
    """Pieces (N, h, w, kh, kw, C) put back to where their windows were: added, or written over one another."""
    out = np.zeros(shape)
    _, h, w, kh, kw, _ = pieces.shape
    for i, j in product(reversed(range(kh)), reversed(range(kw))):  # of the windows over a place, the last comes last
        place = out[:, i : i + stride * h : stride, j : j + stride * w : stride]
        part = pieces[:, : place.shape[1], : place.shape[2], i, j]
        place[...] = place + part if add else part
    return out


class Conv(NamedTuple):
    """What was recognised: layout, leaves, stride, padding on both sides, and whether the kernel is turned around."""

    layout: Layout
    weight: int
    bias: int | None
    stride: int
    before: int
    after: int
    flipped: bool


def _recognise(case: Case) -> Conv | None:
    for layout in layouts(case.x[0]):
        for i, w in enumerate(case.x[1:], start=1):
            if w.ndim != case.x[0].ndim or case.y.ndim != w.ndim:
                continue
            x, y, k = layout.to(case.x[0]), layout.to(case.y), layout.kernel_to(w)
            if k.shape[2] != x.shape[3] or k.shape[3] != y.shape[3]:
                continue
            biases = [j for j, b in enumerate(case.x) if j not in (0, i) and b.size == k.shape[3]]
            for stride, before, extra in product((1, 2, 3), (0, 1, 2, 3), (0, 1, -1)):
                after = before + extra
                sizes = [(x.shape[a] + before + after - k.shape[a - 1]) // stride + 1 for a in (1, 2)]
                if after < 0 or sizes != [y.shape[1], y.shape[2]]:
                    continue
                patches = windows(pad(x, before, after), k.shape[:2], stride)
                for flipped in (False, True):
                    made = np.tensordot(patches, k[::-1, ::-1] if flipped else k, axes=([4, 5, 3], [0, 1, 2]))
                    for b in [*biases, None]:
                        if close(y, made if b is None else made + case.x[b].reshape(-1)):
                            return Conv(layout, i, b, stride, before, after, flipped)
    return None


def guesses(case: Case) -> Iterator[Guess]:
    """For one convolution of the first input with a kernel, with or without a bias."""
    found = _recognise(case)
    if found is None:
        return
    layout = found.layout
    x, g = layout.to(case.x[0]), layout.to(case.g)
    k = layout.kernel_to(case.x[found.weight])
    k = k[::-1, ::-1] if found.flipped else k
    if case.wrong(found.weight):
        yield from _kernel(found, x, g, k)
    if case.wrong(0):
        yield from _picture(found, x, g, k)
    if found.bias is not None:
        yield from _bias(found, case, g)


def _kernel(found: Conv, x: Array, g: Array, k: Array) -> Iterator[Guess]:
    h, w = g.shape[1:3]

    def guess(cause: str, value: Array, weight: float = 2.3) -> Guess:
        value = value[::-1, ::-1] if found.flipped else value
        return Guess(cause, found.weight, found.layout.kernel_back(value), weight)

    def summed(patches: Array, upstream: Array) -> Array:
        made: Array = np.tensordot(patches, upstream, axes=([0, 1, 2], [0, 1, 2]))  # (c, i, j, o)
        return made.transpose(1, 2, 0, 3)

    padded = pad(x, found.before, found.after)
    patches = windows(padded, k.shape[:2], found.stride)
    right = summed(patches, g)
    yield guess("kernel_flipped", right[::-1, ::-1])
    yield guess("transposed", right.transpose(1, 0, 2, 3), 2.0)
    if found.stride > 1:
        yield guess("stride_ignored", summed(windows(padded, k.shape[:2], 1)[:, :h, :w], g))
    if found.before:
        aside = pad(x, 0, found.before + found.after)
        yield guess("padding_ignored", summed(windows(aside, k.shape[:2], found.stride), g))
    last = np.zeros_like(g)
    last[-1, -1, -1] = g[-1, -1, -1]
    yield guess("overwritten", summed(patches, last), 2.2)
    last = np.zeros_like(g)
    last[:, -1, -1] = g[:, -1, -1]
    yield guess("overwritten", summed(patches, last), 2.2)
    last = np.zeros_like(g)
    last[-1] = g[-1]
    yield guess("overwritten", summed(patches, last), 2.2)
    for channel in (0, -1):
        yield guess("channel_only", np.broadcast_to(right[:, :, channel : channel + 1 or None], right.shape), 2.0)
        one = np.zeros_like(right)
        one[..., channel] = right[..., channel]
        yield guess("channel_only", one, 2.0)
    yield guess("mean_for_sum", right / (h * w), 2.0)
    yield guess("mean_for_sum", right / (h * w * len(x)), 2.0)


def _picture(found: Conv, x: Array, g: Array, k: Array) -> Iterator[Guess]:
    height, width = x.shape[1:3]
    padded = (len(x), height + found.before + found.after, width + found.before + found.after, x.shape[3])

    def cropped(value: Array, at: int | None = None) -> Array:
        at = found.before if at is None else at
        return value[:, at : at + height, at : at + width]

    def guess(cause: str, value: Array, weight: float = 2.3) -> Guess:
        return Guess(cause, 0, found.layout.back(value), weight)

    def pieces(upstream: Array, kernel: Array) -> Array:
        made: Array = np.tensordot(upstream, kernel, axes=([3], [3]))
        return made

    each = pieces(g, k)
    whole = scatter(each, padded, found.stride)
    yield guess("kernel_flipped", cropped(scatter(pieces(g, k[::-1, ::-1]), padded, found.stride)))
    if k.shape[0] == k.shape[1]:
        yield guess("transposed", cropped(scatter(pieces(g, k.transpose(1, 0, 2, 3)), padded, found.stride)), 2.2)
    if k.shape[2] == k.shape[3]:
        yield guess("channels_mixed", cropped(scatter(pieces(g, k.transpose(0, 1, 3, 2)), padded, found.stride)))
    if found.stride > 1:
        yield guess("stride_ignored", cropped(scatter(each, padded, 1)))
    if found.before or found.after:
        yield guess("padding_uncropped", whole)
        for at in (0, found.before + found.after):
            yield guess("padding_uncropped", cropped(whole, at))
        yield guess("padding_ignored", _ignoring(each, x.shape, found.stride), 2.2)
    yield guess("window_overwritten", cropped(scatter(each, padded, found.stride, add=False)))
    by_offset = np.zeros(padded)
    h, w = g.shape[1:3]
    for i, j in product(range(k.shape[0]), range(k.shape[1])):
        rows, columns = slice(i, i + found.stride * h, found.stride), slice(j, j + found.stride * w, found.stride)
        by_offset[:, rows, columns] = each[:, :, :, i, j]
    yield guess("window_overwritten", cropped(by_offset))
    for filter_ in (0, k.shape[3] - 1):
        only = np.zeros_like(g)
        only[..., filter_] = g[..., filter_]
        some = pieces(only, k)
        yield guess("channel_only", cropped(scatter(some, padded, found.stride)), 2.2)
        yield guess("window_overwritten", cropped(scatter(some, padded, found.stride, add=False)), 2.2)
    for sample in (0, len(x) - 1):
        only = np.zeros_like(g)
        only[sample] = g[sample]
        yield guess("overwritten", cropped(scatter(pieces(only, k), padded, found.stride)), 2.0)


def _ignoring(each: Array, shape: tuple[int, ...], stride: int) -> Array:
    out = np.zeros((shape[0], shape[1] + each.shape[3], shape[2] + each.shape[4], shape[3]))
    full = scatter(each, (shape[0], shape[1] * 2 + 9, shape[2] * 2 + 9, shape[3]), stride)
    out[...] = full[:, : out.shape[1], : out.shape[2]]
    return out[:, : shape[1], : shape[2]]


def _bias(found: Conv, case: Case, g: Array) -> Iterator[Guess]:
    assert found.bias is not None
    shape = case.x[found.bias].shape
    sums = [g.sum(axis=0), g.sum(axis=(1, 2)), g.sum(axis=1), g.sum(axis=2), g]
    some = [
        case.g.sum(axis=axes) for axes in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3), 0, 1, 2) if case.g.ndim == 4
    ]
    for value in [*sums, *some, case.g, *(np.squeeze(s) for s in sums)]:
        yield Guess("bias_axes", found.bias, value, 2.3)
    own = g.sum(axis=(0, 1, 2))
    for value in (g[-1].sum(axis=(0, 1)), g[:, -1, -1].sum(axis=0), g[-1, -1, -1]):
        yield Guess("overwritten", found.bias, value.reshape(shape), 2.2)
    for value in (g[0].sum(axis=(0, 1)), g[:, 0, 0].sum(axis=0)):
        yield Guess("bias_axes", found.bias, value.reshape(shape), 2.0)
    for count in (len(g), g.shape[1] * g.shape[2], g[..., 0].size):
        yield Guess("mean_for_sum", found.bias, (own / count).reshape(shape), 2.2)
    yield Guess("bias_axes", found.bias, np.full(shape, g.sum()), 2.2)
