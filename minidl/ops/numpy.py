"""``keras.ops.numpy``: what NumPy has as well, under its names. All of these are names of ``minidl.ops`` too."""

# ruff: noqa: I001 - one name a line would be pages

from .activation import tanh
from .arithmetic import (
    abs, absolute, add, clip, cos, divide, equal, exp, expm1, greater, greater_equal, isfinite, isinf, isnan, less,
    less_equal, log, log1p, logical_and, logical_not, logical_or, maximum, minimum, multiply, negative, not_equal,
    power, reciprocal, sign, sin, sqrt, square, subtract, true_divide, where,
)  # fmt: skip
from .arranging import (
    append, array_split, copy, diag, diagflat, diagonal, dsplit, dstack, empty_like, fliplr, flipud, full_like,
    get_item, hsplit, hstack, meshgrid, ndim, roll, rot90, select, size, trace, tril, triu, unravel_index, vsplit,
    vstack,
)  # fmt: skip
from .creation import (
    arange, array, bartlett, blackman, empty, eye, full, geomspace, hamming, hanning, identity, kaiser, linspace,
    logspace, ones, tri, zeros,
)  # fmt: skip
from .einsum import einsum
from .elementary import (
    arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, cbrt, cosh, deg2rad, divide_no_nan, exp2, hypot,
    log10, log2, logaddexp, logaddexp2, rad2deg, sinc, sinh, tan,
)  # fmt: skip
from .linear import corrcoef, correlate, cross, inner, kron, outer, slogdet, tensordot, vander, vdot
from .order import (
    argpartition, bincount, cumprod, cumsum, diff, digitize, histogram, isin, nonzero, searchsorted, sort,
    trapezoid, unique,
)  # fmt: skip
from .products import dot, matmul
from .reductions import all, any, argmax, argmin, argsort, count_nonzero, max, mean, min, prod, std, sum, var
from .shaping import (
    broadcast_to, concatenate, expand_dims, flip, moveaxis, ones_like, pad, ravel, repeat, reshape, split, squeeze,
    stack, swapaxes, take, take_along_axis, tile, transpose, zeros_like,
)  # fmt: skip
from .statistics import (
    amax, amin, average, median, nanargmax, nanargmin, nancumprod, nancumsum, nanmax, nanmean, nanmedian, nanmin,
    nanpercentile, nanprod, nanquantile, nanstd, nansum, nanvar, percentile, ptp, quantile,
)  # fmt: skip
from .whole import (
    allclose, bitwise_and, bitwise_invert, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift,
    bitwise_xor, ceil, fabs, floor, floor_divide, fmax, fmin, fmod, gcd, heaviside, isclose, isneginf, isposinf,
    lcm, ldexp, left_shift, logical_xor, mod, nan_to_num, nextafter, right_shift, round, signbit, trunc,
)  # fmt: skip

__all__ = [
    "abs", "absolute", "add", "all", "allclose", "amax", "amin", "any", "append", "arange", "arccos", "arccosh",
    "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin", "argpartition", "argsort", "array",
    "array_split", "average", "bartlett", "bincount", "bitwise_and", "bitwise_invert", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "blackman", "broadcast_to", "cbrt", "ceil",
    "clip", "concatenate", "copy", "corrcoef", "correlate", "cos", "cosh", "count_nonzero", "cross", "cumprod",
    "cumsum", "deg2rad", "diag", "diagflat", "diagonal", "diff", "digitize", "divide", "divide_no_nan", "dot",
    "dsplit", "dstack", "einsum", "empty", "empty_like", "equal", "exp", "exp2", "expand_dims", "expm1", "eye",
    "fabs", "flip", "fliplr", "flipud", "floor", "floor_divide", "fmax", "fmin", "fmod", "full", "full_like", "gcd",
    "geomspace", "get_item", "greater", "greater_equal", "hamming", "hanning", "heaviside", "histogram", "hsplit",
    "hstack", "hypot", "identity", "inner", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf",
    "kaiser", "kron", "lcm", "ldexp", "left_shift", "less", "less_equal", "linspace", "log", "log10", "log1p",
    "log2", "logaddexp", "logaddexp2", "logical_and", "logical_not", "logical_or", "logical_xor", "logspace",
    "matmul", "max", "maximum", "mean", "median", "meshgrid", "min", "minimum", "mod", "moveaxis", "multiply",
    "nan_to_num", "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin",
    "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar", "ndim", "negative", "nextafter",
    "nonzero", "not_equal", "ones", "ones_like", "outer", "pad", "percentile", "power", "prod", "ptp", "quantile",
    "rad2deg", "ravel", "reciprocal", "repeat", "reshape", "right_shift", "roll", "rot90", "round", "searchsorted",
    "select", "sign", "signbit", "sin", "sinc", "sinh", "size", "slogdet", "sort", "split", "sqrt", "square",
    "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "take", "take_along_axis", "tan", "tanh", "tensordot",
    "tile", "trace", "transpose", "trapezoid", "tri", "tril", "triu", "true_divide", "trunc", "unique",
    "unravel_index", "vander", "var", "vdot", "vsplit", "vstack", "where", "zeros", "zeros_like",
]  # fmt: skip
