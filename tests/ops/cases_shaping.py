"""Cases of what moves, joins, cuts and reduces."""

import math

import numpy as np
from scipy import special

from tests.ops.case import HUGE, ONE_ZERO, TIES, TWO_ZEROS, Case, case, cases, distinct, nonzero, normal, reduced

X, SQUARE, ROW = normal(2, 3, 4), normal(3, 3), normal(6)
PICKS = np.array([[2, 0], [0, 0]])
INDICES = [
    (0, slice(None), 1), (slice(None, None, -2), slice(1, 3)), (Ellipsis, None, -1), -1, slice(1, 2), None,
    PICKS % 2, (slice(None), PICKS), (PICKS % 2, PICKS), X > 0, (Ellipsis, np.array([True, False, True, False])),
]  # fmt: skip
NARROW = [{"x": normal(1, 3, 1)}, {"x": normal(1, 3, 1), "axis": -1}, {"x": normal(1, 2, 1), "axis": (0, 2)}]


def scattered(x, index, shape):
    found = np.zeros(shape)
    np.add.at(found, index, x)
    return found


def cut(x, indices_or_sections, axis=0):
    return np.split(x, indices_or_sections, axis)


def padded(x, pad_width, constant_values=0.0):
    return np.pad(x, pad_width, constant_values=constant_values)


def picked(x, indices, axis=None):
    return np.take(x, indices, axis)


def picked_along(x, indices, axis):
    return np.take_along_axis(x, indices, axis)


def joined(xs, axis=-1):
    return np.concatenate(xs, axis)


SHAPING: dict[str, list[Case]] = {
    "reshape": [
        case(lambda x, newshape: np.array(x.ravel().tolist()).reshape(newshape), x=x, newshape=to)
        for x, to in ((X, (4, -1)), (X, (3, 2, 2, 2)), (normal(1), ()), (normal(), (1, 1)), (X, -1))
    ],
    "ravel": cases(lambda x: np.array(list(x.flat)), {"x": X}, {"x": normal()}),
    "expand_dims": cases(
        lambda x, axis: np.expand_dims(x, axis), *({"axis": axis} for axis in (0, -1, 1, (0, -1))), x=SQUARE
    ),
    "squeeze": cases(lambda x, axis=None: np.squeeze(x, axis), *NARROW, {"x": normal(1, 1)}),
    "transpose": cases(
        lambda x, axes=None: np.transpose(x, axes),
        {"x": X}, {"x": X, "axes": (2, 0, 1)}, {"x": X, "axes": (-1, 0, -2)}, {"x": SQUARE}, {"x": ROW},
    ),
    "swapaxes": cases(
        lambda x, axis1, axis2: np.swapaxes(x, axis1, axis2),
        {"axis1": 0, "axis2": 2}, {"axis1": -1, "axis2": 1}, {"axis1": 1, "axis2": 1}, x=X,
    ),
    "matrix_transpose": cases(lambda x: np.einsum("...ij->...ji", x), {"x": X}, {"x": SQUARE}),
    "moveaxis": [
        case(lambda x, source, destination: np.moveaxis(x, source, destination), x=X, source=a, destination=b)
        for a, b in ((0, -1), (-1, 0), ((0, 1), (2, 0)), (1, 1))
    ],
    "broadcast_to": [
        case(lambda x, shape: np.ones(shape) * x, x=x, shape=shape)
        for x, shape in ((normal(3, 1), (2, 3, 4)), (normal(), (2, 2)), (SQUARE, (3, 3)))
    ],
    "concatenate": [
        case(joined, xs=[SQUARE, normal(1, 3)], axis=0), case(joined, xs=[SQUARE, normal(3, 1), SQUARE], axis=-1),
        case(joined, xs=[ROW]), case(joined, xs=[normal(2, 0), normal(2, 3)], axis=1),
    ],
    "stack": [
        *(case(lambda x, axis: np.stack(x, axis), x=[SQUARE, normal(3, 3)], axis=axis) for axis in (0, 1, -1)),
        case(lambda x: np.stack(x), x=[normal(), normal(), normal()]),
    ],
    "split": [
        case(cut, x=X, indices_or_sections=2), case(cut, x=X, indices_or_sections=2, axis=-1),
        case(cut, x=X, indices_or_sections=[1], axis=1), case(cut, x=ROW, indices_or_sections=(2, 2, 5)),
    ],
    "getitem": [case(lambda x, index: x[index], x=X, index=index) for index in INDICES],
    "scatter_add": [case(scattered, x=normal(*X[index].shape), index=index, shape=X.shape) for index in INDICES],
    "take": cases(
        picked, {"indices": PICKS, "axis": 1}, {"indices": np.array([1, -1, 1]), "axis": -1}, {"indices": PICKS},
        {"indices": 0, "axis": 0}, {"indices": [1, 0], "axis": 0}, x=X,
    ),
    "take_along_axis": cases(
        picked_along,
        {"indices": np.argsort(X)[..., :2], "axis": -1}, {"indices": PICKS[None, :, [0, 1, 1, 0]], "axis": 1}, x=X,
    ),
    "pad": [
        case(padded, x=SQUARE, pad_width=((1, 2), (0, 3))), case(padded, x=ROW, pad_width=2),
        case(padded, x=SQUARE, pad_width=(2, 1), constant_values=7.0),
    ],
    "repeat": cases(
        lambda x, repeats, axis=None: np.repeat(x, repeats, axis),
        {"repeats": 2, "axis": 1}, {"repeats": 3, "axis": -1}, {"repeats": 2}, x=SQUARE,
    ),
    "tile": [
        case(lambda x, repeats: np.tile(x, repeats), x=x, repeats=n)
        for x, n in ((SQUARE, (2, 3)), (SQUARE, 2), (ROW, (2, 1, 2)), (X, (1, 2)))
    ],
    "flip": cases(lambda x, axis=None: np.flip(x, axis), {}, {"axis": 1}, {"axis": (-1, 0)}, x=X),
}  # fmt: skip


def total(x, axis=None, keepdims=False):
    return np.add.reduce(x, axis=axis, keepdims=keepdims)


def average(x, axis=None, keepdims=False):
    y = total(x, axis, keepdims)
    return y * (y.size / x.size)


def variance(x, axis=None, keepdims=False):
    return average((x - average(x, axis, True)) ** 2, axis, keepdims)


def spread(*shape):
    """Numbers whose variance along every axis of several elements is large."""
    return np.arange(math.prod(shape)).reshape(shape) ** 1.5


REDUCTIONS: dict[str, list[Case]] = {
    "sum": [*reduced(total), case(total, x=X, axis=(0, 1))],  # the last: as for the gradient of a bias
    "mean": reduced(average),
    "max": reduced(lambda x, **s: -np.min(-x, **s), distinct, TIES, HUGE),
    "min": reduced(lambda x, **s: -np.max(-x, **s), distinct, TIES, HUGE),
    "prod": reduced(lambda x, **s: np.multiply.reduce(x, **{"axis": None, **s}), nonzero, ONE_ZERO, TWO_ZEROS),
    "var": reduced(variance),
    "std": [one for one in reduced(lambda x, **s: variance(x, **s) ** 0.5, spread) if len(one.arguments["x"]) > 1],
    "moments": cases(
        lambda x, axes, keepdims=False: (average(x, axes, keepdims), variance(x, axes, keepdims)),
        {"axes": 0}, {"axes": (0, -1), "keepdims": True}, x=X,
    ),
    "logsumexp": reduced(lambda x, **s: special.logsumexp(x, **s), normal, HUGE),
}  # fmt: skip
