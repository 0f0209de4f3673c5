"""Cases of the elementary functions, of what arranges, sorts and counts, of linear algebra and of control flow."""

import numpy as np
from scipy import special

from minidl import ops
from tests.ops.case import Case, case, cases, distinct, each, nonzero, normal, positive, reduced, two

X, SQUARE, ROW = normal(2, 3, 4), normal(3, 3), normal(6)
INSIDE = np.random.default_rng(5).uniform(-0.9, 0.9, (2, 3))


def inside(*shape):
    return np.asarray(np.random.default_rng(6).uniform(-0.9, 0.9, shape))


def large(*shape):
    return positive(*shape) + 1.2


ELEMENTARY: dict[str, list[Case]] = {
    "psnr": [
        case(lambda x1, x2, max_val: 10 * np.log10(max_val**2 / ((x1 - x2) ** 2).mean()), x1=a, x2=b, max_val=top)
        for a, b, top in ((normal(2, 3), normal(2, 3), 1.0), (normal(4), normal(4), 255.0))
    ],
    "tan": each(lambda x: np.sin(x) / np.cos(x), inside),
    "arcsin": each(lambda x: np.arcsin(x), inside),
    "arccos": each(lambda x: np.pi / 2 - np.arcsin(x), inside),
    "arctan": each(lambda x: np.arctan(x)),
    "arctan2": two(lambda x1, x2: np.angle(np.asarray(x2) + 1j * np.asarray(x1)), nonzero, nonzero),
    "sinh": each(lambda x: (np.exp(x) - np.exp(-x)) / 2),
    "cosh": each(lambda x: (np.exp(x) + np.exp(-x)) / 2),
    "arcsinh": each(lambda x: np.log(x + np.sqrt(x * x + 1))),
    "arccosh": each(lambda x: np.log(x + np.sqrt(x * x - 1)), large),
    "arctanh": each(lambda x: np.log((1 + x) / (1 - x)) / 2, inside),
    "exp2": each(lambda x: 2.0**x),
    "log2": each(lambda x: np.log(x) / np.log(2), positive),
    "log10": each(lambda x: np.log(x) / np.log(10), positive),
    "cbrt": each(lambda x: np.sign(x) * np.abs(x) ** (1 / 3), nonzero),
    "erfinv": each(lambda x: special.ndtri((x + 1) / 2) / np.sqrt(2), inside),
    "erfc": each(lambda x: 2 * special.ndtr(-x * np.sqrt(2)), normal, np.array([5.0, -5.0])),
    "hypot": two(lambda x1, x2: np.abs(np.asarray(x1) + 1j * np.asarray(x2)), nonzero, nonzero),
    "logaddexp": two(lambda x1, x2: np.log(np.exp(x1) + np.exp(x2))),
    "logaddexp2": two(lambda x1, x2: np.log2(2.0**x1 + 2.0**x2)),
    "sinc": each(lambda x: np.sinc(x), normal, np.array([0.0, 1e-4, -2e-4, 0.01])),
    "divide_no_nan": [
        *two(lambda x1, x2: x1 / x2, normal, nonzero),
        case(lambda x1, x2: np.array([0.5, 0.0]), x1=np.array([1.0, 3.0]), x2=np.array([2.0, 0.0])),
    ],
    "deg2rad": each(lambda x: x * np.pi / 180),
    "rad2deg": each(lambda x: x * 180 / np.pi),
}  # fmt: skip


def remainder(x1, x2):
    return x1 - x2 * np.floor(np.asarray(x1) / x2)


def cut_remainder(x1, x2):
    return x1 - x2 * np.trunc(np.asarray(x1) / x2)


HOLES = np.array([[1.5, np.nan, -2.0, 0.5], [np.nan, 3.0, 1.0, -1.0]])

WHOLE: dict[str, list[Case]] = {
    "mod": two(remainder, normal, nonzero),
    "fmod": two(cut_remainder, normal, nonzero),
    "fabs": each(lambda x: np.where(x < 0, -x, x)),
    "fmax": two(lambda x1, x2: np.where(np.asarray(x1) > x2, x1, x2)),
    "fmin": two(lambda x1, x2: np.where(np.asarray(x1) < x2, x1, x2)),
    "ldexp": [case(lambda x1, x2: x1 * 2.0**x2, x1=SQUARE, x2=np.array([1, -2, 3]))],
    "nan_to_num": [case(lambda x: x + 0.0, x=SQUARE)],
    "saturate_cast": [
        case(lambda x, dtype: x.astype(dtype), x=SQUARE, dtype="float64"),
    ],
}  # fmt: skip


def updated(inputs, start_indices, updates):
    found = inputs.copy()
    found[tuple(slice(a, a + n) for a, n in zip(start_indices, updates.shape, strict=True))] = updates
    return found


def scattered(indices, values, shape):
    found = np.zeros(shape)
    for index, value in zip(indices, values, strict=True):
        found[tuple(index)] += value
    return found


def replaced(inputs, indices, updates, reduction=None):
    found = inputs.copy()
    for index, value in zip(indices, updates, strict=True):
        place = tuple(index)
        old = found[place]
        found[place] = value if reduction is None else old + value if reduction == "add" else old * value
    return found


def blocks(x, block_size):
    n, h, w, c = x.shape
    found = np.zeros((n, h * block_size, w * block_size, c // block_size**2))
    for i in range(block_size):
        for j in range(block_size):
            part = (i * block_size + j) * found.shape[-1]
            found[:, i::block_size, j::block_size] = x[..., part : part + found.shape[-1]]
    return found


def cut(split):
    return lambda x, indices_or_sections: split(x, indices_or_sections)


TWICE, APART = np.array([[0, 1], [2, 0], [0, 1]]), np.array([[0, 1], [2, 0], [1, 1]])

ARRANGING: dict[str, list[Case]] = {
    "copy": [case(lambda x: x.copy(), x=X)],
    "get_item": [case(lambda x, key: x[key], x=X, key=(0, slice(1, None)))],
    "roll": cases(
        lambda x, shift, axis=None: np.roll(x, shift, axis),
        {"shift": 5}, {"shift": -1, "axis": 1}, {"shift": (1, 2), "axis": (0, -1)}, {"shift": 4, "axis": 2}, x=X,
    ),
    "fliplr": [case(lambda x: x[:, ::-1], x=X)],
    "flipud": [case(lambda x: x[::-1], x=X)],
    "rot90": cases(
        lambda array, k=1, axes=(0, 1): np.rot90(array, k, axes),
        {}, {"k": 2}, {"k": -1}, {"k": 3, "axes": (2, 1)}, {"k": 4}, {"axes": (1, 2)}, array=X,
    ),
    "append": [
        case(lambda x1, x2, axis=None: np.append(x1, x2, axis), x1=SQUARE, x2=normal(3, 2), axis=1),
        case(lambda x1, x2: np.append(x1, x2), x1=SQUARE, x2=ROW),
    ],
    "unstack": cases(lambda x, axis=0: list(np.moveaxis(x, axis, 0)), {}, {"axis": -1}, x=X),
    "array_split": cases(
        lambda x, indices_or_sections, axis=0: np.array_split(x, indices_or_sections, axis),
        {"indices_or_sections": 3, "axis": 2}, {"indices_or_sections": [1, 3], "axis": -1}, x=X,
    ),
    "vsplit": [case(cut(np.vsplit), x=X, indices_or_sections=2)],
    "hsplit": [case(cut(np.hsplit), x=X, indices_or_sections=3), case(cut(np.hsplit), x=ROW, indices_or_sections=2)],
    "dsplit": [case(cut(np.dsplit), x=X, indices_or_sections=2)],
    "vstack": [case(lambda xs: np.vstack(xs), xs=[ROW, normal(2, 6)]), case(lambda xs: np.vstack(xs), xs=[ROW, ROW])],
    "hstack": [
        case(lambda xs: np.hstack(xs), xs=[SQUARE, normal(3, 2)]), case(lambda xs: np.hstack(xs), xs=[ROW, normal(2)]),
        case(lambda xs: np.hstack(xs), xs=[normal(), normal()]),
    ],
    "dstack": [case(lambda xs: np.dstack(xs), xs=[X, X]), case(lambda xs: np.dstack(xs), xs=[ROW, ROW])],
    "meshgrid": [
        case(lambda a, b: np.meshgrid(a, b), call=lambda a, b: ops.meshgrid(a, b), a=ROW, b=normal(2)),
        case(
            lambda a, b, c: np.meshgrid(a, b, c, indexing="ij"),
            call=lambda a, b, c: ops.meshgrid(a, b, c, indexing="ij"), a=ROW, b=normal(2), c=normal(3),
        ),
        case(lambda a: np.meshgrid(a), call=lambda a: ops.meshgrid(a), a=ROW),
    ],
    "tril": cases(lambda x, k=0: np.tril(x, k), {}, {"k": 1}, {"k": -1}, x=X),
    "triu": cases(lambda x, k=0: np.triu(x, k), {}, {"k": 1}, {"k": -1}, x=X),
    "diagonal": cases(
        lambda x, offset=0, axis1=0, axis2=1: np.diagonal(x, offset, axis1, axis2),
        {}, {"offset": 1}, {"offset": -1, "axis1": 2, "axis2": 0}, x=X,
    ),
    "trace": cases(
        lambda x, offset=0, axis1=0, axis2=1: np.trace(x, offset, axis1, axis2), {}, {"offset": 1, "axis1": 1,
            "axis2": 2},
        x=X,
    ),
    "diag": cases(lambda x, k=0: np.diag(x, k), {"x": ROW}, {"x": ROW, "k": -2}, {"x": SQUARE, "k": 1}),
    "diagflat": cases(lambda x, k=0: np.diagflat(x, k), {"x": SQUARE}, {"x": ROW, "k": 1}),
    "select": [
        case(
            lambda a, b: np.select([SQUARE > 0.5, SQUARE > 0], [a, b], 7.0),
            call=lambda a, b: ops.select([SQUARE > 0.5, SQUARE > 0], [a, b], 7.0), a=SQUARE, b=normal(3, 3),
        )
    ],
    "slice": cases(
        lambda inputs, start_indices, shape: inputs[0:1, 1:3, 2:], {"shape": (1, 2, 2)}, {"shape": (1, 2, -1)},
        inputs=X, start_indices=(0, 1, 2),
    ),
    "slice_update": [case(updated, inputs=X, start_indices=(1, 0, 2), updates=normal(1, 2, 2))],
    "scatter": [case(scattered, indices=TWICE, values=normal(3), shape=(3, 2))],
    "scatter_update": cases(
        replaced, {"indices": TWICE}, {"indices": TWICE, "reduction": "add"}, {"indices": APART, "reduction": "mul"},
        inputs=normal(3, 2), updates=normal(3),
    ),
    "depth_to_space": [
        case(blocks, x=normal(2, 2, 3, 8), block_size=2),
        case(
            lambda x: blocks(x.transpose(0, 2, 3, 1), 2).transpose(0, 3, 1, 2),
            call=lambda x: ops.depth_to_space(x, 2, "channels_first"), x=normal(1, 4, 2, 3),
        ),
    ],
    "space_to_depth": [
        case(lambda x, block_size: x, call=lambda x, block_size: ops.space_to_depth(ops.depth_to_space(x, block_size),
            block_size),
             x=normal(2, 2, 3, 8), block_size=2),
        case(lambda x: x, call=lambda x: ops.space_to_depth(ops.depth_to_space(x, 2, "channels_first"), 2,
            "channels_first"),
             x=normal(1, 4, 2, 3)),
    ],
}  # fmt: skip


def best(x, k):
    order = np.argsort(-x, axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(x, order, -1)


def by_segment(combine, empty):
    def expected(data, segment_ids, num_segments):
        rows = [[r for r, i in zip(data, segment_ids, strict=True) if i == n] for n in range(num_segments)]
        return np.stack([combine(np.stack(r)) if r else np.full(data.shape[1:], empty) for r in rows])

    return expected


IDS = np.array([0, 2, 0, 1, 2, 2])
FULL = dict(segment_ids=IDS, num_segments=3)

ORDER: dict[str, list[Case]] = {
    "sort": cases(lambda x, axis=-1: np.sort(x, axis), {"x": X}, {"x": distinct(4, 3), "axis": 0}),
    "top_k": [case(best, call=lambda x, k: ops.top_k(x, k)[0], x=X, k=k) for k in (1, 2, 4)],
    "running_sum": cases(
        lambda x, axis: np.cumsum(x, axis), {"x": X, "axis": 1}, {"x": X, "axis": -1}, {"x": ROW, "axis": 0}
    ),
    "cumsum": cases(lambda x, axis=None: np.cumsum(x, axis), {}, {"axis": 0}, {"axis": -1}, x=X),
    "cumprod": cases(
        lambda x, axis=None: np.cumprod(x, axis), {"x": X}, {"x": X, "axis": 1}, {"x": np.array([2.0, 0.0, 3.0]),
            "axis": 0}
    ),
    "diff": cases(lambda a, n=1, axis=-1: np.diff(a, n, axis), {}, {"n": 2}, {"axis": 1}, a=X),
    "trapezoid": [
        case(lambda y, **s: np.trapezoid(y, **s), y=X, dx=0.5), case(lambda y, **s: np.trapezoid(y, **s), y=X, axis=1),
        case(lambda y, x: np.trapezoid(y, x), y=X, x=np.array([0.0, 1.0, 1.5, 3.0])),
    ],
    "bincount": [
        case(lambda x, weights: np.bincount(x, weights), x=IDS, weights=ROW),
        case(lambda x, weights, minlength: np.bincount(x, weights, minlength), x=IDS, weights=ROW, minlength=5),
    ],
    "segment_sum": [
        case(by_segment(lambda r: r.sum(0), 0), data=normal(6, 2), **FULL),
        case(by_segment(lambda r: r.sum(0), 0), data=normal(6, 2), segment_ids=IDS, num_segments=4),
    ],
    "segment_max": [case(by_segment(lambda r: r.max(0), -np.inf), data=distinct(6, 2), **FULL)],
    "segment_min": [case(by_segment(lambda r: r.min(0), np.inf), data=distinct(6, 2), **FULL)],
    "segment_prod": [case(by_segment(lambda r: r.prod(0), 1), data=nonzero(6, 2), **FULL)],
}  # fmt: skip

STATISTICS: dict[str, list[Case]] = {
    "ptp": reduced(lambda x, **s: np.max(x, **s) - np.min(x, **s), distinct),
    "average": [
        *cases(lambda x, axis=None: np.average(x, axis), {}, {"axis": 1}, x=X),
        case(lambda x, axis, weights: np.average(x, axis, weights), x=X, axis=1, weights=positive(3)),
        case(lambda x, weights: np.average(x, weights=weights), x=X, weights=positive(2, 3, 4)),
    ],
    "quantile": [
        *cases(
            lambda x, q, **s: np.quantile(x, q, **s),
            {"q": 0.3}, {"q": np.array([0.1, 0.5, 1.0]), "axis": 1}, {"q": 0.4, "axis": (0, 2), "keepdims": True},
            *({"q": 0.37, "axis": -1, "method": m} for m in ("lower", "higher", "midpoint", "nearest")),
            x=distinct(3, 4, 5), constant=("q",),
        ),
    ],
    "percentile": [case(lambda x, q, axis: np.percentile(x, q, axis), x=distinct(3, 4), q=30.0, axis=0)],
    "median": reduced(lambda x, **s: np.median(x, **s), distinct),
    "nanquantile": [case(lambda x, q, axis: np.nanquantile(x, q, axis), x=distinct(3, 4), q=0.3, axis=0)],
    "nanpercentile": [case(lambda x, q, axis: np.nanpercentile(x, q, axis), x=distinct(3, 4), q=30.0, axis=0)],
    "nanmedian": reduced(lambda x, **s: np.nanmedian(x, **s), distinct),
    "nansum": reduced(lambda x, **s: np.nansum(x, **s)),
    "nanprod": reduced(lambda x, **s: np.nanprod(x, **s), nonzero),
    "nancumsum": [case(lambda x, axis=None: np.nancumsum(x, axis), x=X, axis=1)],
    "nancumprod": [case(lambda x, axis=None: np.nancumprod(x, axis), x=X, axis=1)],
    "nanmean": reduced(lambda x, **s: np.nanmean(x, **s)),
    "nanvar": reduced(lambda x, **s: np.nanvar(x, **s)),
    "nanstd": [case(lambda x, axis: np.nanstd(x, axis), x=X, axis=1)],
    "nanmax": reduced(lambda x, **s: np.nanmax(x, **s), distinct),
    "nanmin": reduced(lambda x, **s: np.nanmin(x, **s), distinct),
}  # fmt: skip

DEFINITE = np.stack([a @ a.T + 2 * np.eye(3) for a in normal(2, 3, 3)])
INVERTIBLE = normal(2, 3, 3) + 3 * np.eye(3)


def of_symmetric(function):
    """The function of the symmetric part, so that differences stay in its domain."""
    return lambda x, **s: function((x + ops.matrix_transpose(x)) * 0.5, **s)


def pearson(x):
    return np.corrcoef(x)


LINEAR: dict[str, list[Case]] = {
    "outer": [case(lambda x1, x2: np.outer(x1, x2), x1=ROW, x2=normal(2, 2))],
    "inner": [
        case(lambda x1, x2: np.inner(x1, x2), x1=X, x2=normal(5, 4)), case(lambda x1, x2: np.inner(x1, x2), x1=ROW,
            x2=ROW),
        case(lambda x1, x2: x1 * x2, x1=normal(), x2=ROW),
    ],
    "vdot": [case(lambda x1, x2: (x1 * x2).sum(), x1=SQUARE, x2=normal(3, 3))],
    "tensordot": [
        case(lambda x1, x2, axes=2: np.tensordot(x1, x2, axes), x1=x1, x2=x2, **s)
        for x1, x2, s in (
            (X, normal(3, 4, 2), {}), (X, normal(4, 5), {"axes": 1}), (ROW, SQUARE, {"axes": 0}),
            (X, normal(2, 5, 4), {"axes": ([0, -1], [0, 2])}), (X, normal(5, 3), {"axes": [[1], [1]]}),
        )
    ],
    "kron": [
        case(lambda x1, x2: np.kron(x1, x2), x1=SQUARE, x2=normal(2, 4)), case(lambda x1, x2: np.kron(x1, x2), x1=ROW,
            x2=SQUARE),
    ],
    "cross": [
        *(case(lambda x1, x2: np.cross(x1, x2), x1=normal(4, 3), x2=b) for b in (normal(4, 3), normal(3))),
        case(lambda x1, x2: np.append(x1, 0) * [[0, 0, 0]] + np.cross(np.append(x1, 0), x2), x1=normal(2),
            x2=normal(1, 3)),
        case(lambda x1, x2: x1[0] * x2[1] - x1[1] * x2[0], x1=normal(2), x2=normal(2)),
        case(lambda x1, x2, axis: np.cross(x1, x2, axis=axis), x1=normal(3, 4), x2=normal(3, 4), axis=0),
    ],
    "norm": [
        case(lambda x: np.sqrt((x * x).sum()), x=X), case(lambda x, keepdims: np.sqrt((x * x).sum(keepdims=True)),
            x=X, keepdims=True),
        *cases(
            lambda x, ord=None, axis=None, keepdims=False: np.linalg.norm(x, ord, axis, keepdims),
            {"axis": 1}, {"axis": (0, 1)}, *({"ord": p, "axis": 1} for p in (1, 2, 3.5, np.inf, -np.inf, 0)),
            {"ord": "fro", "axis": (1, 2), "keepdims": True}, *({"ord": p, "axis": (0, 1)} for p in (1, -1, np.inf,
                -np.inf)),
            x=nonzero(2, 3, 4),
        ),
    ],
    "cdist": [case(lambda x, y: np.sqrt(((x[:, None] - y) ** 2).sum(-1)), x=normal(4, 3), y=normal(2, 3))],
    "corrcoef": [case(pearson, x=normal(3, 5))],
    "correlate": [
        case(lambda x1, x2, mode="valid": np.correlate(x1, x2, mode), x1=a, x2=b, **s)
        for a, b in ((ROW, normal(3)), (normal(2), ROW), (ROW, normal(4)), (ROW, ROW))
        for s in ({}, {"mode": "same"}, {"mode": "full"})
    ],
    "vander": cases(lambda x, **s: np.vander(x, **s), {}, {"N": 3, "increasing": True}, x=positive(4)),
    "inv": [case(lambda x: np.linalg.solve(x, np.broadcast_to(np.eye(3), x.shape)), x=INVERTIBLE)],
    "solve": [
        case(lambda a, b: np.linalg.inv(a) @ b, a=INVERTIBLE, b=normal(2, 3, 2)),
        case(lambda a, b: np.linalg.inv(a) @ b, a=INVERTIBLE[0], b=normal(3)),
    ],
    "solve_triangular": [
        case(lambda a, b: np.linalg.inv(np.triu(a)) @ b, a=INVERTIBLE, b=normal(2, 3, 2)),
        case(lambda a, b, lower: np.linalg.inv(np.tril(a)) @ b, a=INVERTIBLE, b=normal(2, 3, 2), lower=True),
    ],
    "det": [case(lambda x: np.prod(np.linalg.eigvals(x), axis=-1).real, x=INVERTIBLE)],
    "slogdet": [
        case(lambda x: np.log(np.abs(np.linalg.det(x))), call=lambda x: ops.slogdet(x)[1], x=INVERTIBLE),
    ],
    "logdet": [case(lambda x: np.log(np.linalg.det(x)), call=of_symmetric(ops.logdet), x=DEFINITE)],
    "cholesky": [
        case(lambda x: np.linalg.cholesky(x), call=of_symmetric(ops.cholesky), x=DEFINITE),
        case(lambda x, upper: np.linalg.cholesky(x).swapaxes(1, 2), call=of_symmetric(ops.cholesky),
            x=DEFINITE, upper=True),
    ],
    "cholesky_factor": [case(lambda x: np.linalg.cholesky(x), call=of_symmetric(ops.cholesky), x=DEFINITE)],
}  # fmt: skip

FLOW: dict[str, list[Case]] = {
    "cond": [
        case(lambda x: x * 2, call=lambda x: ops.cond(True, lambda: x * 2, lambda: x * 3), x=ROW),
        case(lambda x: x * 3, call=lambda x: ops.cond(np.array(0), lambda: x * 2, lambda: x * 3), x=ROW),
    ],
    "switch": [case(lambda x: x + 1, call=lambda x: ops.switch(9, [lambda v: v, lambda v: v + 1], x), x=ROW)],
    "while_loop": [case(lambda x: x**8, call=lambda x: ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * v),
        (0, x))[1], x=ROW)],
    "fori_loop": [case(lambda x: x * 24, call=lambda x: ops.fori_loop(2, 5, lambda i, v: v * i, x), x=ROW)],
    "map": [case(lambda xs: xs**2 + 1, call=lambda xs: ops.map(lambda x: x * x + 1, xs), xs=SQUARE)],
    "vectorized_map": [case(lambda x: x**3, call=lambda x: ops.vectorized_map(lambda r: r * r * r, x), x=SQUARE)],
    "scan": [
        case(lambda x: np.cumsum(x, 0), call=lambda x: ops.scan(lambda c, r: (c + r, c + r), np.zeros(3, x.dtype),
            x)[1], x=SQUARE),
        case(
            lambda x: np.cumsum(x[::-1], 0)[::-1],
            call=lambda x: ops.scan(lambda c, r: (c + r, c + r), np.zeros(3, x.dtype), x, reverse=True)[1], x=SQUARE,
        ),
        case(lambda x: x * 8, call=lambda x: ops.scan(lambda c, _: (c * 2, c), x, length=3)[0], x=ROW),
    ],
    "associative_scan": [
        case(lambda x: np.cumprod(x, 1), call=lambda x: ops.associative_scan(lambda a, b: a * b, x, axis=1), x=SQUARE),
        case(
            lambda x: np.cumsum(x[::-1], 0)[::-1],
            call=lambda x: ops.associative_scan(lambda a, b: a + b, x, reverse=True), x=SQUARE,
        ),
    ],
}  # fmt: skip
