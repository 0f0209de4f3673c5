"""Cases of what has no gradient, and the names whose values are tested elsewhere."""

import numpy as np

from tests.ops.case import HUGE, TIES, Case, case, cases, normal

X, Y = normal(2, 3, 4), normal(3, 1)
SPECIAL = np.array([[1.0, np.inf, -np.inf], [np.nan, 0.0, -2.0]])
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
}

# In test_creation.py, and custom_gradient in tests/engine/test_tape.py.
TESTED_BY_VALUE = (
    "arange", "convert_to_numpy", "convert_to_tensor", "custom_gradient", "eye", "full", "is_tensor", "linspace",
    "ones", "shape", "zeros",
)  # fmt: skip
