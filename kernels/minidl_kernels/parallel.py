"""How Numba kernels run on several cores: serial tasks, and one parallel loop that runs them.

A kernel is a plain function of three arguments, compiled to an address::

    @task
    def relu(args, task, tasks):
        n = integer(args, 0)
        x, y = floats(args, 1, n), floats(args, 2, n)
        first, last = share(n, task, tasks)
        for i in range(first, last):
            y[i] = max(x[i], 0.0)

    relu(x.size, x, y, tasks=4)          # packs sizes and addresses, runs tasks 0 to 3

Only ``_parallel`` is compiled with ``parallel=True`` (that costs seconds for each function); tasks compile in tenths of
a second. The number of tasks must follow from the sizes alone, never from the number of threads: then results are the
same bits on every number of threads.

The thread rule: kernels never call a threaded BLAS from a task, there is one pool (Numba's), and small work
runs in the calling thread (``tasks=1``).
"""

import os
import struct
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

import numpy as np

from . import config
from .cache import folder_for_numba

if "NUMBA_CACHE_DIR" not in os.environ:  # read when Numba is first imported
    os.environ["NUMBA_CACHE_DIR"] = folder_for_numba()

import numba
from llvmlite import ir
from numba import carray, cfunc, njit, prange, types
from numba.extending import intrinsic
from numba.np.arrayobj import np_cfarray

__all__ = [
    "Launch", "address_of", "addresses_of", "compile_seconds", "floats", "integer", "integers", "number", "share",
    "task", "unsigned",
]  # fmt: skip

_signature = types.void(types.intp, types.int64, types.int64)
_compile_lock = threading.Lock()
_launch_lock = threading.Lock()
_pool = threading.local()
_forked = False
_seconds = 0.0


def _start_pool() -> None:
    """Start Numba's threads, and let those that wait for work go to sleep soon.

    GNU's OpenMP spins for milliseconds by default, which takes the core from any other program that wants it (beside
    other work a launch then waits for whole time slices). This is about 0.4 ms, longer than the pauses within a
    training step: to wake a sleeping thread takes 50 us. OpenMP reads its settings when it is loaded.
    """
    if {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
        numba.get_num_threads()
        return
    os.environ["GOMP_SPINCOUNT"] = "30000"
    try:
        numba.get_num_threads()
    finally:
        del os.environ["GOMP_SPINCOUNT"]


_start_pool()


def compile_seconds() -> float:
    """Seconds this process has spent compiling kernels (0.0 when all came from the cache)."""
    return _seconds


# ---- inside tasks: reading the packed arguments ----


@intrinsic
def _pointer(typing_context, address):
    """An integer address as a pointer that ``carray`` takes."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(address), generate


def _word_at(builder, arguments):
    """Emit the load of argument ``arguments[1]`` of a task, 64 bits."""
    words = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
    return builder.load(builder.gep(words, [arguments[1]]))


# Written in LLVM's language, because Numba takes a tenth of a second to put a function of Python into another one.
@intrinsic
def integer(typing_context, args, i):
    """Argument ``i`` as an integer (a size, or the address of an array)."""

    def generate(context, builder, signature, arguments):
        return _word_at(builder, arguments)

    return types.int64(types.int64, types.int64), generate


@intrinsic
def number(typing_context, args, i):
    """Argument ``i`` as a float64."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(_word_at(builder, arguments), ir.DoubleType())

    return types.float64(types.int64, types.int64), generate


def _arrays(dtype):
    """An intrinsic ``f(args, i, shape)``: argument ``i`` as a C-contiguous array of ``shape`` (an int or a tuple)."""

    @intrinsic
    def array_of(typing_context, args, i, shape):
        found = types.Array(dtype, shape.count if isinstance(shape, types.BaseTuple) else 1, "C")

        def generate(context, builder, signature, arguments):
            place = builder.inttoptr(_word_at(builder, arguments), ir.IntType(8).as_pointer())
            return np_cfarray(context, builder, found(types.voidptr, shape), (place, arguments[2]))

        return found(types.int64, types.int64, shape), generate

    return array_of


floats, integers, unsigned = _arrays(types.float32), _arrays(types.int64), _arrays(types.uint32)


@intrinsic
def share(typing_context, n, task, tasks):
    """The range [first, last) of ``n`` items that falls to ``task`` out of ``tasks``."""

    def generate(context, builder, signature, arguments):
        n, task, tasks = arguments
        ends = [builder.sdiv(builder.mul(n, one), tasks) for one in (task, builder.add(task, ir.Constant(n.type, 1)))]
        return context.make_tuple(builder, signature.return_type, ends)

    return types.UniTuple(types.int64, 2)(types.int64, types.int64, types.int64), generate


# ---- running tasks ----


@intrinsic
def _call(typing_context, address, args, task, tasks):
    """Call the task at ``address``."""

    def generate(context, builder, signature, arguments):
        integers_ = [ir.IntType(64)] * 3
        function = ir.FunctionType(ir.VoidType(), integers_).as_pointer()
        builder.call(builder.inttoptr(arguments[0], function), arguments[1:])
        return context.get_dummy_value()

    return types.void(types.int64, types.intp, types.int64, types.int64), generate


_start = time.perf_counter()


@intrinsic
def _at(typing_context, address):
    """The 64 bits at an address."""

    def generate(context, builder, signature, arguments):
        return builder.load(builder.inttoptr(arguments[0], ir.IntType(64).as_pointer()))

    return types.int64(types.int64), generate


_DATA = object.__basicsize__  # what every object begins with; of an array of NumPy, the address of its numbers follows


@njit("void(intp, int64)", cache=True, nogil=True)
def _look_up(words, ids):
    """Replace every word whose bit in ``ids`` is set: the id of an array, by the address of its numbers."""
    packed = carray(_pointer(words), 64, np.int64)
    place = 0
    while ids:
        if ids & 1:
            packed[place] = _at(packed[place] + _DATA)
        ids >>= 1
        place += 1


@njit("void(int64, intp, int64, int64)", cache=True, nogil=True)
def _serial(address, args, ids, tasks):
    _look_up(args, ids)
    for task in range(tasks):
        _call(address, args, task, tasks)


@intrinsic
def _next(typing_context, counter):
    """The number at an address, which is raised by one: no two threads get the same."""

    def generate(context, builder, signature, arguments):
        place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(types.int64), generate


@njit("void(int64, intp, int64, int64, int64, int64)", cache=True, nogil=True, parallel=True)
def _parallel(address, args, ids, tasks, counter, threads):
    _look_up(args, ids)
    # Whoever is done takes the next task: fixed shares would all wait for the slowest core.
    for _ in prange(threads):
        task = _next(counter)
        while task < tasks:
            _call(address, args, task, tasks)
            task = _next(counter)


if not _parallel.stats.cache_hits:
    _seconds += time.perf_counter() - _start


def address_of(values: Any) -> int:
    """Where the numbers of an array start."""
    return int(values.__array_interface__["data"][0])


@njit("void(intp, int64)", cache=True, nogil=True)
def _look_up_all(words, count):
    for first in range(0, count, 32):
        _look_up(words + 8 * first, (1 << min(count - first, 32)) - 1)


def addresses_of(arrays: Sequence[np.ndarray]) -> "array[int]":
    """Where the numbers of several arrays start."""
    words = array("q", map(id, arrays))
    _look_up_all(words.buffer_info()[0], len(words))
    return words


def _word(value: Any) -> int:
    return struct.unpack("q", struct.pack("d", value))[0] if isinstance(value, float) else int(value)


class Launch:
    """A task with its arguments. Numbers are packed once, so it can be made again with other arrays of the same shapes.

    Args:
        address: of the task.
        arguments: numbers and C-contiguous arrays, read by position; 62 at most.
        tasks: how often it runs.
    """

    __slots__ = ("_address", "_ids", "_places", "_tasks", "_words", "arrays")

    def __init__(self, address: int, arguments: tuple[Any, ...], tasks: int):
        self._address, self._tasks = address, tasks
        words: list[int] = []
        self.arrays: list[np.ndarray] = []
        self._places: list[tuple[int, int]] = []
        self._ids = 0
        for place, value in enumerate(arguments):
            if isinstance(value, np.ndarray):
                self._places.append((place, len(self.arrays)))
                self._ids |= 1 << place
                self.arrays.append(value)
                value = 0
            words.append(value if type(value) is int else _word(value))
        words.append(0)  # counts the tasks that were taken
        self._words = array("q", words)

    def again(self, arrays: Sequence[Any]) -> "Launch | None":
        """The same launch, to be called with what these arrays stand for; None where it needs another one besides."""
        indices = {id(one): index for index, one in enumerate(arrays)}
        if len(indices) < len(arrays) or not all(id(one) in indices for one in self.arrays):
            return None  # one array in two places would not tell which is which
        launch = copy(self)
        launch._places = [(place, indices[id(self.arrays[index])]) for place, index in self._places]
        launch.arrays = []
        return launch

    def __call__(self, arrays: Sequence[Any]) -> None:
        """Run it with these arrays."""
        words = self._words[:]
        for place, index in self._places:
            words[place] = id(arrays[index])  # a tenth of the time that it takes to ask for the address
        pointer, count = words.buffer_info()
        threads = config.threads()
        if self._tasks == 1 or threads == 1 or _forked:
            _serial(self._address, pointer, self._ids, self._tasks)
            return
        if getattr(_pool, "threads", 0) != threads:  # Numba keeps it for each thread that launches, and so do we
            numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
            _pool.threads = threads
        counter = pointer + 8 * (count - 1)
        if _layer_is_thread_safe():
            _parallel(self._address, pointer, self._ids, self._tasks, counter, threads)
        else:
            with _launch_lock:
                _parallel(self._address, pointer, self._ids, self._tasks, counter, threads)


class Task:
    """A serial Numba function ``f(args, task, tasks)`` that is compiled on its first call and run through the pool."""

    signature = _signature

    def __init__(self, function: Callable[[Any, Any, Any], None], options: dict[str, Any]):
        self.function, self.options, self.__doc__ = function, options, function.__doc__
        self._address = 0
        self._compiled: Any = None

    @property
    def address(self) -> int:
        """Where the compiled function starts."""
        if not self._address:
            with _compile_lock:
                if not self._address:
                    self._compile()
        return self._address

    def _compile(self) -> None:
        global _seconds
        start = time.perf_counter()
        self._compiled = cfunc(self.signature, cache=True, **self.options)(self.function)
        if not self._compiled.cache_hits:
            _seconds += time.perf_counter() - start
        self._address = self._compiled.address

    def __call__(self, *arguments: Any, tasks: int = 1) -> None:
        """Run tasks 0 to ``tasks - 1``. Arguments are numbers and C-contiguous arrays, read by position."""
        launch = Launch(self.address, arguments, tasks)
        launch(launch.arrays)

    def launch(self, *arguments: Any, tasks: int = 1) -> Launch:
        """The same, to be run later."""
        return Launch(self.address, arguments, tasks)


def _layer_is_thread_safe() -> bool:
    # Numba's workqueue layer aborts the process when two Python threads launch at once.
    return numba.threading_layer() != "workqueue"


def _after_fork() -> None:
    # OpenMP's pool does not survive a fork: the child would hang. It computes in one thread instead.
    global _forked, _compile_lock, _launch_lock
    _forked, _compile_lock, _launch_lock = True, threading.Lock(), threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def task(function: Callable[[Any, Any, Any], None] | None = None, **options: Any) -> Any:
    """Make a ``Task`` of a function; ``options`` are Numba's (fastmath, error_model)."""
    options.setdefault("error_model", "numpy")
    return Task(function, options) if function else lambda f: Task(f, options)
