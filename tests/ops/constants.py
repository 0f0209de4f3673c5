"""Cases of what has no gradient, and the names whose values are tested elsewhere."""

import numpy as np

from tests.ops.case import HUGE, TIES, Case, case, cases, normal

X, Y = normal(2, 3, 4), normal(3, 1)
SPECIAL = np.array([[1.0, np.inf, -np.inf], [np.nan, 0.0, -2.0]])
BITS, MORE_BITS = np.array([0b1100, 1]), np.array([0b1010, 3])
NEAR = np.array([1.0, 2.0, np.inf, np.nan])
BOOLEANS = np.array([[True, False], [True, True]])
AXES = [{"x": x, **s} for x in (X, TIES, HUGE) for s in ({}, {"axis": -1}, {"axis": 0})]


def compared(operator) -> list[Case]:
    pairs = ((X, Y), (TIES, TIES.T.copy()), (TIES, 0.0), (0.0, TIES), (SPECIAL, SPECIAL))
    return [case(operator, x1=a, x2=b) for a, b in pairs]


def combined(operator) -> list[Case]:
    return [case(operator, x1=BOOLEANS, x2=~BOOLEANS.T), case(lambda x1, x2: operator(x1 != 0, x2), x1=TIES, x2=True)]


def hot(x, num_classes, axis=-1, dtype="float32"):
    coded = np.zeros((*x.shape, num_classes), dtype)
    for place, label in np.ndenumerate(x):
        if 0 <= label < num_classes:
            coded[(*place, int(label))] = 1
    return np.moveaxis(coded, -1, axis)


def every(x, axis=None, keepdims=False):
    return np.logical_and.reduce(x != 0, axis=axis, keepdims=keepdims)


def some(x, axis=None, keepdims=False):
    return np.logical_or.reduce(x != 0, axis=axis, keepdims=keepdims)


CONSTANT: dict[str, list[Case]] = {
    "equal": compared(lambda x1, x2: x1 == x2),
    "not_equal": compared(lambda x1, x2: x1 != x2),
    "less": compared(lambda x1, x2: x1 < x2),
    "less_equal": compared(lambda x1, x2: x1 <= x2),
    "greater": compared(lambda x1, x2: x1 > x2),
    "greater_equal": compared(lambda x1, x2: x1 >= x2),
    "logical_and": combined(lambda x1, x2: x1 & x2),
    "logical_or": combined(lambda x1, x2: x1 | x2),
    "logical_not": [case(lambda x: ~x, x=BOOLEANS), case(lambda x: x == 0, x=TIES)],
    "isnan": [case(lambda x: x != x, x=SPECIAL)],
    "isinf": [case(lambda x: np.abs(x) == np.inf, x=SPECIAL)],
    "isfinite": [case(lambda x: np.abs(x) < np.inf, x=SPECIAL)],
    "sign": cases(lambda x: (x > 0) * 1.0 - (x < 0), {"x": X}, {"x": TIES}),
    "argmax": cases(lambda x, axis=None: np.int32(np.argmin(-x, axis)), *AXES),
    "argmin": cases(lambda x, axis=None: np.int32(np.argmax(-x, axis)), *AXES),
    "argsort": cases(lambda x, axis=-1: np.int32(np.argsort(x, axis)), {}, {"axis": 0}, x=X),
    "count_nonzero": cases(lambda x, axis=None: np.int32((x != 0).sum(axis)), {}, {"axis": 0}, {"axis": (0, 1)}, x=X),
    "all": cases(every, {}, {"axis": 0}, {"axis": -1, "keepdims": True}, x=TIES),
    "any": cases(some, {}, {"axis": 0}, {"axis": -1, "keepdims": True}, x=TIES),
    "one_hot": cases(
        hot, {}, {"axis": 0}, {"axis": 1, "dtype": "float64"}, x=np.array([[0, 2, 1], [3, -1, 2]]), num_classes=3
    ),
    "zeros_like": [case(lambda x: x * 0, x=X), case(lambda x, dtype: np.zeros(x.shape, dtype), x=X, dtype="int32")],
    "ones_like": [case(lambda x: x * 0 + 1, x=X), case(lambda x, dtype: np.ones(x.shape, dtype), x=X, dtype="float32")],
    "saturated": [
        case(
            lambda x, dtype: np.array([[0, 2, 2], [255, 0, 7]], dtype),
            x=np.array([[0.5, 1.5, 2.4], [300.0, -3.0, 7.0]]),
            dtype="uint8",
        )
    ],
    "stop_gradient": [case(lambda x: x, x=X)],
    "ceil": [case(lambda x: -(-x // 1), x=X), case(lambda x: x, x=TIES)],
    "floor": [case(lambda x: x // 1, x=X), case(lambda x: x, x=TIES)],
    "trunc": [case(lambda x: np.where(x < 0, -(-x // 1), x // 1), x=X)],
    "round": [
        case(lambda x: np.array([-2.0, 0.0, 2.0, 2.0]), x=np.array([-1.5, 0.5, 1.5, 2.5])),
        case(lambda x, decimals: np.array([1.24, 3.1]), x=np.array([1.2351, 3.1]), decimals=2),
    ],
    "signbit": [case(lambda x: np.array([True, True, False, True]), x=np.array([-1.0, -0.0, 0.0, -np.inf]))],
    "isposinf": [case(lambda x: x == np.inf, x=SPECIAL)],
    "isneginf": [case(lambda x: x == -np.inf, x=SPECIAL)],
    "floor_divide": [case(lambda x1, x2: np.floor(x1 / x2), x1=X, x2=Y)],
    "nextafter": [case(lambda x1, x2: x1 + np.spacing(x1) * [1, 0, -0.5], x1=np.ones(3), x2=np.array([2.0, 1.0, 0.0]))],
    "heaviside": [case(lambda x1, x2: np.where(x1 < 0, 0, np.where(x1 == 0, x2, 1.0)), x1=TIES, x2=0.5)],
    "gcd": [case(lambda x1, x2: np.array([4, 3, 7]), x1=np.array([12, 9, 0]), x2=np.array([8, 6, 7]))],
    "lcm": [case(lambda x1, x2: np.array([24, 18, 0]), x1=np.array([12, 9, 0]), x2=np.array([8, 6, 7]))],
    "logical_xor": combined(lambda x1, x2: x1 != x2),
    "bitwise_and": [case(lambda x, y: np.array([0b1000, 1]), x=BITS, y=MORE_BITS)],
    "bitwise_or": [case(lambda x, y: np.array([0b1110, 3]), x=BITS, y=MORE_BITS)],
    "bitwise_xor": [case(lambda x, y: np.array([0b0110, 2]), x=BITS, y=MORE_BITS)],
    "bitwise_not": [case(lambda x: -x - 1, x=BITS)],
    "bitwise_left_shift": [case(lambda x, y: x * 2**y, x=BITS, y=np.array([1, 3]))],
    "bitwise_right_shift": [case(lambda x, y: x // 2**y, x=BITS, y=np.array([1, 3]))],
    "isclose": [
        case(
            lambda x1, x2: np.array([True, False, True, False]), x1=NEAR, x2=np.array([1.000005, 2.1, np.inf, np.nan])
        ),
        case(
            lambda x1, x2, rtol, equal_nan: np.array([True, True, True, True]),
            x1=NEAR,
            x2=np.array([1.5, 2.1, np.inf, np.nan]),
            rtol=0.5,
            equal_nan=True,
        ),
    ],
    "full_like": [case(lambda x, fill_value: x * 0 + fill_value, x=X, fill_value=7.0)],
    "_from_the_largest": [
        case(lambda x: np.argsort(-x, axis=-1, kind="stable").astype("int32"), x=x) for x in (X, TIES)
    ],
    "in_top_k": [
        case(
            lambda targets, predictions, k: np.array([True, True, False]),
            targets=np.array([1, 0, 2]),
            predictions=np.array([[1.0, 3.0, 2.0], [2.0, 2.0, 2.0], [4.0, 3.0, 2.0]]),
            k=k,
        )
        for k in (1, 2)
    ],
    "searchsorted": [
        case(
            lambda sorted_sequence, values, side="left": np.int32([0, 1 if side == "left" else 3, 4]),
            sorted_sequence=np.array([1.0, 2.0, 2.0, 5.0]),
            values=np.array([0.0, 2.0, 9.0]),
            **s,
        )
        for s in ({}, {"side": "right"})
    ],
    "digitize": [
        case(lambda x, bins: np.int32([0, 1, 2, 3]), x=np.array([-1.0, 0.0, 1.5, 3.0]), bins=np.array([0.0, 1.0, 3.0]))
    ],
    "isin": [
        case(
            lambda x1, x2, invert=False: np.array([True, False, True]) != invert,
            x1=np.array([1, 2, 3]),
            x2=np.array([3, 1]),
            **s,
        )
        for s in ({}, {"invert": True})
    ],
}

# In test_creation.py and test_numbers.py, and custom_gradient in tests/engine/test_tape.py.
TESTED_BY_VALUE = (
    "allclose", "argpartition", "array", "bartlett", "blackman", "empty", "empty_like", "geomspace", "hamming",
    "hanning", "histogram", "identity", "kaiser", "logspace", "nanargmax", "nanargmin", "ndim", "nonzero", "size",
    "tri", "unique", "unravel_index", "arange", "convert_to_numpy", "convert_to_tensor", "custom_gradient", "eye",
        "dtype", "full", "is_tensor", "multi_hot", "linspace",
    "ones", "shape", "zeros",
)  # fmt: skip
