"""Cases of what has no gradient, and the names that have tests of their values."""

import numpy as np

from tests.ops.case import HUGE, TIES, Case, case, normal

X, Y = normal(2, 3, 4), normal(3, 1)
SPECIAL = np.array([[1.0, np.inf, -np.inf], [np.nan, 0.0, -2.0]])
BOOLEANS = np.array([[True, False], [True, True]])


def compared(operator) -> list[Case]:
    return [case(operator, x1=a, x2=b) for a, b in ((X, Y), (TIES, TIES.T.copy()), (TIES, 0.0), (0.0, TIES), (SPECIAL, SPECIAL))]


def hot(x, num_classes, axis=-1, dtype="float32"):
    coded = np.zeros((*x.shape, num_classes), dtype)
    for place, label in np.ndenumerate(x):
        if 0 <= label < num_classes:
            coded[(*place, int(label))] = 1
    return np.moveaxis(coded, -1, axis)


CONSTANT: dict[str, list[Case]] = {
    "equal": compared(lambda x1, x2: x1 == x2),
    "not_equal": compared(lambda x1, x2: x1 != x2),
    "less": compared(lambda x1, x2: x1 < x2),
    "less_equal": compared(lambda x1, x2: x1 <= x2),
    "greater": compared(lambda x1, x2: x1 > x2),
    "greater_equal": compared(lambda x1, x2: x1 >= x2),
    "logical_and": [case(lambda x1, x2: x1 & x2, x1=BOOLEANS, x2=~BOOLEANS.T), case(lambda x1, x2: (x1 != 0) & x2, x1=TIES, x2=True)],
    "logical_or": [case(lambda x1, x2: x1 | x2, x1=BOOLEANS, x2=~BOOLEANS.T), case(lambda x1, x2: (x1 != 0) | x2, x1=TIES, x2=False)],
    "logical_not": [case(lambda x: ~x, x=BOOLEANS), case(lambda x: x == 0, x=TIES)],
    "isnan": [case(lambda x: x != x, x=SPECIAL)],
    "isinf": [case(lambda x: np.abs(x) == np.inf, x=SPECIAL)],
    "isfinite": [case(lambda x: np.abs(x) < np.inf, x=SPECIAL)],
    "sign": [case(lambda x: (x > 0) * 1.0 - (x < 0), x=x) for x in (X, TIES)],
    "argmax": [case(lambda x, axis=None: np.int32(np.argmin(-x, axis)), x=x, **s) for x in (X, TIES, HUGE) for s in ({}, {"axis": -1}, {"axis": 0})],
    "argmin": [case(lambda x, axis=None: np.int32(np.argmax(-x, axis)), x=x, **s) for x in (X, TIES, HUGE) for s in ({}, {"axis": -1}, {"axis": 0})],
    "argsort": [case(lambda x, axis=-1: np.int32(np.argsort(x, axis)), x=X, **s) for s in ({}, {"axis": 0})],
    "count_nonzero": [case(lambda x, axis=None: np.int32((x != 0).sum(axis)), x=TIES, **s) for s in ({}, {"axis": 0}, {"axis": (0, 1)})],
    "all": [case(lambda x, axis=None, keepdims=False: np.all(x != 0, axis=axis, keepdims=keepdims), x=TIES, **s) for s in ({}, {"axis": 0})],
    "any": [case(lambda x, axis=None, keepdims=False: np.any(x != 0, axis=axis, keepdims=keepdims), x=TIES, **s)
            for s in ({}, {"axis": -1, "keepdims": True})],
    "one_hot": [case(hot, x=np.array([[0, 2, 1], [3, -1, 2]]), num_classes=3, **s) for s in ({}, {"axis": 0}, {"axis": 1, "dtype": "float64"})],
    "zeros_like": [case(lambda x: x * 0, x=X), case(lambda x, dtype: np.zeros(x.shape, dtype), x=X, dtype="int32")],
    "ones_like": [case(lambda x: x * 0 + 1, x=X), case(lambda x, dtype: np.ones(x.shape, dtype), x=X, dtype="float32")],
    "stop_gradient": [case(lambda x: x, x=X)],
}  # fmt: skip

# In test_creation.py, and custom_gradient in tests/engine/test_tape.py.
TESTED_BY_VALUE = (
    "arange", "convert_to_numpy", "convert_to_tensor", "custom_gradient", "eye", "full", "is_tensor", "linspace", "ones", "shape",
    "zeros",
)  # fmt: skip
