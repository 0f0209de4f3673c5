# mypy: ignore-errors
"""Runs of operations on single numbers, done by one launch.

A loss is weighed, added to a sum, and divided by a count: a dozen operations of NumPy in every step, each on one
number, each about a microsecond long. Recorded one after the other they make a short program, which compiled code goes
through in less than one of them takes. It rounds as NumPy does, denormals included.
"""

import platform
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from .parallel import integer, integers, number, place_of, task

# isort: split
from numba import carray, njit  # after parallel.py has set the cache folder

from .denormals import restore
from .microkernel import read, write
from .repeats import Action

__all__ = ["joined"]

ADD, SUBTRACT, MULTIPLY, DIVIDE, NOT_EQUAL, INVERT, COPY = range(7)
CODES = {
    np.add: ADD, np.subtract: SUBTRACT, np.multiply: MULTIPLY, np.divide: DIVIDE, np.not_equal: NOT_EQUAL,
    np.invert: INVERT, np.copyto: COPY,
}  # fmt: skip
FLOAT32, FLOAT64, BOOL = range(3)
KINDS = {np.dtype("float32"): FLOAT32, np.dtype("float64"): FLOAT64, np.dtype("bool"): BOOL}
FEWEST = 3  # operations that are worth a launch
DENORMALS_COUNT = (
    0x1F80 if platform.machine().lower() in ("x86_64", "amd64") else 0
)  # the control word of a new process


@njit(cache=True, inline="always")
def _value(kind, address):
    if kind == FLOAT32:
        return np.float64(read(address))
    if kind == FLOAT64:
        return number(address, 0)
    return np.float64(carray(place_of(address), 1, np.uint8)[0])


@task
def _program(args, task, tasks):
    """Lines of: code, kind and address of the first operand, of the second one, of the result."""
    restore(DENORMALS_COUNT)  # whoever runs tasks sets it back afterwards
    count = integer(args, 0)
    lines = integers(args, 1, (count, 7))
    for i in range(count):
        code, kind, target = lines[i, 0], lines[i, 5], lines[i, 6]
        x, y = _value(lines[i, 1], lines[i, 2]), _value(lines[i, 3], lines[i, 4])
        result = x
        if code == NOT_EQUAL:
            result = 1.0 if x != y else 0.0
        elif code == INVERT:
            result = 1.0 - x
        elif code != COPY and kind == FLOAT32:
            a, b = np.float32(x), np.float32(y)
            if code == ADD:
                result = np.float64(a + b)
            elif code == SUBTRACT:
                result = np.float64(a - b)
            elif code == MULTIPLY:
                result = np.float64(a * b)
            else:
                result = np.float64(a / b)
        elif code == ADD:
            result = x + y
        elif code == SUBTRACT:
            result = x - y
        elif code == MULTIPLY:
            result = x * y
        elif code == DIVIDE:
            result = x / y
        if kind == FLOAT32:
            write(target, np.float32(result))
        elif kind == FLOAT64:
            carray(place_of(target), 1, np.float64)[0] = result
        else:
            carray(place_of(target), 1, np.uint8)[0] = np.uint8(result != 0.0)


class _Program:
    """Actions on single numbers as one, and all that their arrays must be kept for."""

    def __init__(self, actions: list[Action], lines: list[list[Any]]):
        self._kept = actions, lines
        table = np.array([[code, *[number for one in ends for number in _end(one)]] for code, *ends in lines], np.int64)
        launch = _program.launch(len(lines), table)
        self._run = partial(launch, launch.arrays)

    def __call__(self) -> None:
        self._run()


def joined(actions: Iterable[Action]) -> list[Action]:
    """The same work, with one action in the place of several operations on single numbers that follow each other."""
    found: list[Action] = []
    run: list[Action] = []
    lines: list[list[Any]] = []
    for action in actions:
        if (line := _line(action.run)) is not None:
            run.append(action)
            lines.append(line)
            continue
        found += _one(run, lines)
        found.append(action)
        run, lines = [], []
    return found + _one(run, lines)


def _one(run: list[Action], lines: list[list[Any]]) -> list[Action]:
    return run if len(run) < FEWEST else [Action(_Program(run, lines), "")]


def _line(run: Any) -> list[Any] | None:
    """Code, operands and result, as arrays of one number; None for other work."""
    code = CODES.get(run.func) if type(run) is partial else None
    if code is None:
        return None
    if code == COPY:
        operands, target, settings = run.args[1:2], run.args[0], run.keywords
    else:
        operands, target, settings = run.args, run.keywords.get("out"), run.keywords.keys() - {"out"}
    if settings or not isinstance(target, np.ndarray) or target.dtype not in KINDS:
        return None
    if (KINDS[target.dtype] == BOOL) != (code in (NOT_EQUAL, INVERT)) and code != COPY:
        return None  # of two bools, NumPy's sum is another thing
    first, *rest = [_array(one) for one in operands]
    second = rest[0] if rest else first
    if any(one is None or one.size != 1 or one.dtype not in KINDS for one in (first, second, target)):
        return None
    return [code, first, second, target]


def _array(operand: Any) -> np.ndarray | None:
    """An operand as an array; a number of Python must be one in float32 as well, as NumPy takes the other's dtype."""
    if isinstance(operand, np.ndarray):
        return operand
    if type(operand) not in (int, float) or not float(np.float32(operand)) == operand:
        return None
    return np.array(operand, np.float64)


def _end(array: np.ndarray) -> tuple[int, int]:
    return KINDS[array.dtype], int(array.__array_interface__["data"][0])
