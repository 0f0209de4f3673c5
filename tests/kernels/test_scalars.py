"""Runs of operations on single numbers: the bits of NumPy, whatever the numbers are."""

import itertools

import numpy as np
import pytest

from minidl_kernels.arrays import namespace
from minidl_kernels.noted import Noted
from minidl_kernels.repeats import Recorder

F, D = np.finfo("float32"), np.finfo("float64")
NUMBERS = [
    0.0, -0.0, 1.0, -1.5, 1 / 3, 16777217.0, F.max, -F.max, F.tiny, 3 * F.smallest_subnormal, -F.smallest_subnormal,
    D.tiny, 5 * D.smallest_subnormal, 1e300, np.inf, -np.inf, np.nan,
]  # fmt: skip
OPERATIONS = {
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b, "a number on the left": lambda a, b: 32.0 * a - b,
    "a number that rounds": lambda a, b: a * 0.1 + b, "cast up": lambda a, b: a.astype("float64") * b,
    "cast down": lambda a, b: (a * b).astype("float32"), "not equal": lambda a, b: a * (a != b) + b,
    "or 0": lambda a, b: a * (b != 0) / (b + ~(b != 0)), "not a tenth": lambda a, b: (a != 0.1) * b,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy tells of every division by 0
@pytest.mark.parametrize("types", list(itertools.product(["float32", "float64"], repeat=2)))
@pytest.mark.parametrize("name", OPERATIONS)
def test_the_bits_of_numpy(name, types):
    operation = OPERATIONS[name]
    a, b = (np.ones((), one) for one in types)

    def program(a, b):
        first = operation(a, b)
        return [first, first + a, (first + a) * b, first - b]

    graph, found = Recorder().record(lambda: program(Noted(a), Noted(b)), np.dtype("float32"))
    assert len(graph.work.actions) < 4
    for x, y in itertools.product(NUMBERS, repeat=2):
        a[...], b[...] = x, y
        graph.launch()
        expected = program(a, b)
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one.array, other, err_msg=f"{x}, {y}")
            assert np.isnan(other) or np.signbit(one.array) == np.signbit(other), (x, y)


def test_what_is_no_single_number_stays_between():
    a, row = np.array(2.0, "float32"), np.arange(3, dtype="float32")

    def work():
        number, numbers = Noted(a), Noted(row)
        scale = (number + 1) * 2 / 3
        total = (numbers * scale).sum()
        return total * 2 - 1 + number

    graph, found = Recorder().record(work, np.dtype("float32"))
    assert len(graph.work.actions) == 4  # a program, a product, a sum, a program
    a[...] = 5
    graph.launch()
    assert found.array == 3 * 4 * 2 - 1 + 5


def test_two_operations_are_left_to_numpy():
    a = np.array(2.0, "float32")
    graph, found = Recorder().record(lambda: (Noted(a) + 1) * 2, np.dtype("float32"))
    assert len(graph.work.actions) == 2 and found.array == 6


def test_whole_numbers_and_bools_are_left_to_numpy():
    a = np.array(3)

    def work():
        number = Noted(a)
        some = namespace(number).asarray(number != 0)
        return [number + 1, (number + 1) * 2, (number + 1) * 2 - 3, some & some, some | some, some ^ some]

    graph, found = Recorder().record(work, np.dtype("float32"))
    a[...] = 10
    graph.launch()
    assert [one.array.item() for one in found] == [11, 22, 19, True, True, False]
