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

Numbers below 1.2e-38 count as 0 in tasks, see ``denormals``.

The thread rule: kernels never call a threaded BLAS from a task, there is one pool (Numba's), and small work
runs in the calling thread (``tasks=1``).
"""

import os
import struct
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import partial
from typing import Any

import numpy as np

from . import config, memory
from .cache import folder_for_numba

if "NUMBA_CACHE_DIR" not in os.environ:  # read when Numba is first imported
    os.environ["NUMBA_CACHE_DIR"] = folder_for_numba()

import numba
from llvmlite import ir
from numba import carray, cfunc, njit, prange, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import np_cfarray

from .denormals import flush_denormals, restore

__all__ = [
    "Chain", "Launch", "Row", "address_of", "compile_seconds", "floats", "floats_of_launch", "integer", "integers",
    "number", "place_of", "share", "task", "unsigned",
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


MOST = 63  # arguments of a task
ARRAYS = MOST  # the place behind them: of the tuple of arrays that a launch was called with
_WORD, _BYTES = ir.IntType(64), ir.IntType(8).as_pointer()
_DATA = object.__basicsize__  # what every object begins with; of an array of NumPy, the address of its numbers follows
_ITEMS = tuple.__basicsize__  # what a tuple begins with; the addresses of its items follow


@intrinsic
def place_of(typing_context, address):
    """An integer address as a pointer that ``carray`` takes."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], _BYTES)

    return types.voidptr(address), generate


def _load(builder, address, words, offset=0):
    """Emit the load of the 64 bits that lie so many words and so many bytes after an address."""
    place = builder.add(builder.add(address, builder.mul(words, ir.Constant(_WORD, 8))), ir.Constant(_WORD, offset))
    return builder.load(builder.inttoptr(place, _WORD.as_pointer()))


def _numbers(builder, items, k):
    """Emit where the numbers of array ``k`` start, of a tuple with the id ``items``."""
    return _load(builder, _load(builder, items, k, _ITEMS), ir.Constant(_WORD, 0), _DATA)


# Written in LLVM's language, because Numba takes a tenth of a second to put a function of Python into another one.
@intrinsic
def integer(typing_context, args, i):
    """Argument ``i`` as an integer (a size, or the address of an array)."""

    def generate(context, builder, signature, arguments):
        return _load(builder, *arguments)

    return types.int64(types.int64, types.int64), generate


@intrinsic
def number(typing_context, args, i):
    """Argument ``i`` as a float64."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(_load(builder, *arguments), ir.DoubleType())

    return types.float64(types.int64, types.int64), generate


@intrinsic
def _numbers_of(typing_context, arrays, k):
    """Where the numbers of array ``k`` start, of a tuple with this id."""

    def generate(context, builder, signature, arguments):
        return _numbers(builder, *arguments)

    return types.int64(types.int64, types.int64), generate


def _arrays(dtype, of_launch=False):
    """An intrinsic ``f(args, i, shape)`` that makes a C-contiguous array of argument ``i``; the shape: int or tuple.

    With ``of_launch`` ``i`` counts the arrays that the launch was called with, for tasks that take any number of them.
    """

    def generate(context, builder, signature, arguments):
        args, i, shape = arguments
        if of_launch:
            address = _numbers(builder, _load(builder, args, ir.Constant(_WORD, ARRAYS)), i)
        else:
            address = _load(builder, args, i)
        made = signature.return_type(types.voidptr, signature.args[-1])
        return np_cfarray(context, builder, made, (builder.inttoptr(address, _BYTES), shape))

    @intrinsic
    def array_of(typing_context, args, i, shape):
        dimensions = shape.count if isinstance(shape, types.BaseTuple) else 1
        return types.Array(dtype, dimensions, "C")(types.int64, types.int64, shape), generate

    return array_of


floats, integers, unsigned = _arrays(types.float32), _arrays(types.int64), _arrays(types.uint32)
floats_of_launch = _arrays(types.float32, of_launch=True)


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


SHARES = 64  # of the tasks of a launch, at most


def _block(words):
    """An intrinsic: the address of a block of words, which lasts as long as the function that asks for it."""

    def generate(context, builder, signature, arguments):
        place = cgutils.alloca_once(builder, ir.ArrayType(ir.IntType(64), words))
        return builder.ptrtoint(place, ir.IntType(64))

    @intrinsic
    def block(typing_context):
        return types.int64(), generate

    return block


_block_of_arguments, _block_of_counters = _block(MOST + 1), _block(8 * SHARES)  # counters lie a cache line apart


@njit(cache=True, inline="always")
def _fill(block, packed, arrays):
    """Write the arguments that a ``Launch`` has packed, with the addresses of the numbers of these arrays, to a block.

    Returns:
        The address of the task, and how often it runs.
    """
    given, words = carray(place_of(packed), 256, np.int64), carray(place_of(block), MOST + 1, np.int64)
    count, places = given[2], given[3]
    for i in range(count):
        words[i] = given[4 + i]
    for i in range(places):
        words[given[4 + count + 2 * i]] = _numbers_of(arrays, given[4 + count + 2 * i + 1])
    words[ARRAYS] = arrays
    return given[0], given[1]


@njit("void(intp, intp)", cache=True, nogil=True)
def _serial(packed, arrays):
    args = _block_of_arguments()
    address, tasks = _fill(args, packed, arrays)
    before = flush_denormals()
    for task in range(tasks):
        _call(address, args, task, tasks)
    restore(before)


@njit("void(intp, intp)", cache=True, nogil=True)
def _in_a_row(pairs, count):
    words = carray(place_of(pairs), 2 * count, np.int64)
    for i in range(count):
        _serial(words[2 * i], words[2 * i + 1])


@intrinsic
def _next(typing_context, counter):
    """The number at an address, which is raised by one: no two threads get the same."""

    def generate(context, builder, signature, arguments):
        place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(types.int64), generate


@njit("void(intp, intp, int64)", cache=True, nogil=True, parallel=True)
def _parallel(packed, arrays, threads):
    args = _block_of_arguments()
    address, tasks = _fill(args, packed, arrays)
    counters, shares = _block_of_counters(), min(threads, SHARES)
    for i in range(shares):
        carray(place_of(counters + 64 * i), 1, np.int64)[0] = 0
    # Each thread has a share, the same in kernel after kernel, so that it finds what it wrote in its own cache; whoever
    # is done with its own goes on with the others': without that, all would wait for the slowest core.
    for thread in prange(threads):
        before = flush_denormals()
        for i in range(shares):
            owner = (thread + i) % shares
            first, last = tasks * owner // shares, tasks * (owner + 1) // shares
            task = first + _next(counters + 64 * owner)
            while task < last:
                _call(address, args, task, tasks)
                task = first + _next(counters + 64 * owner)
        restore(before)


if not _parallel.stats.cache_hits:
    _seconds += time.perf_counter() - _start


def address_of(values: Any) -> int:
    """Where the numbers of an array start."""
    return int(values.__array_interface__["data"][0])


def _word(value: Any) -> int:
    """A number as 64 bits; for an array, whose address comes later, zero."""
    if isinstance(value, float):
        return struct.unpack("q", struct.pack("d", value))[0]
    return 0 if isinstance(value, np.ndarray) else int(value)


class Launch:
    """A task with its arguments. They are packed once, so it can be made again with other arrays of the same shapes.

    Args:
        address: of the task.
        arguments: numbers and C-contiguous arrays, read by position; 64 at most.
        tasks: how often it runs.
    """

    __slots__ = ("_begin", "_packed", "_places", "_pointer", "_threads", "arrays")

    def __init__(self, address: int, arguments: tuple[Any, ...], tasks: int):
        if len(arguments) > MOST:
            raise ValueError(f"a task takes {MOST} arguments at most, not {len(arguments)}")
        self._threads = 1 if tasks <= 1 else config.threads()
        places = [i for i, value in enumerate(arguments) if type(value) is not int and isinstance(value, np.ndarray)]
        self.arrays = tuple([arguments[place] for place in places])
        words = [v if type(v) is int else 0 if type(v) is np.ndarray else _word(v) for v in arguments]
        self._begin = [address, tasks, len(words), len(places), *words]
        self._places = places
        self._pack(range(len(places)))

    def _pack(self, indices: Iterable[int]) -> None:
        """Lay down what ``_fill`` reads; ``indices`` say where each array is in what the launch is called with."""
        pairs = [word for pair in zip(self._places, indices, strict=True) for word in pair]
        self._packed = array("q", self._begin + pairs)
        self._pointer = self._packed.buffer_info()[0]

    @property
    def serial(self) -> bool:
        """Whether one thread does it all."""
        return self._threads == 1

    def again(self, arrays: Sequence[Any]) -> "Launch | None":
        """The same launch, to be called with what these arrays stand for; None where it needs another one besides."""
        indices = {id(one): index for index, one in enumerate(arrays)}
        if len(indices) < len(arrays) or not all(id(one) in indices for one in self.arrays):
            return None  # one array in two places would not tell which is which
        launch = copy(self)
        launch._pack([indices[id(one)] for one in self.arrays])
        launch.arrays = ()
        return launch

    def __call__(self, arrays: tuple[Any, ...]) -> None:
        """Run it with these arrays."""
        # Compiled code gets the tuple: to ask for the address of each array here takes longer than many a task.
        if self._threads == 1 or _forked:
            _serial(self._pointer, id(arrays))
            return
        if getattr(_pool, "threads", 0) != self._threads:  # Numba keeps it for each thread that launches, so do we
            numba.set_num_threads(min(self._threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
            _pool.threads = self._threads
            _pool.safe = numba.threading_layer() != "workqueue"  # that aborts when two Python threads launch at once
        if _pool.safe:
            _parallel(self._pointer, id(arrays), self._threads)
        else:
            with _launch_lock:
                _parallel(self._pointer, id(arrays), self._threads)


class Row:
    """Calls whose launches take one thread each, done one after the other without Python in between.

    Args:
        calls: each with a ``Launch`` and the ``arrays`` for it, which may be others from time to time.
    """

    __slots__ = ("_calls", "_pairs", "_pointer")

    def __init__(self, calls: Sequence[Any]):
        self._calls = calls
        self._pairs = array("q", [word for call in calls for word in (call.launch._pointer, 0)])
        self._pointer = self._pairs.buffer_info()[0]

    def __call__(self) -> None:
        """Run them all."""
        pairs = self._pairs
        for i, call in enumerate(self._calls):
            pairs[2 * i + 1] = id(call.arrays)
        _in_a_row(self._pointer, len(self._calls))


class Chain:
    """Launches one after the other, and room that one of them writes and another one reads.

    Args:
        launches: as they were made, with ``room`` among their arrays.
        room: each call takes another one.
    """

    __slots__ = ("_launches", "_made", "_new", "_room", "arrays")

    def __init__(self, launches: Sequence[Launch], room: np.ndarray):
        self._made, self._new = launches, partial(memory.empty, room.shape, room.dtype)
        self._room: np.ndarray | None = room
        self.arrays = tuple({id(one): one for launch in launches for one in launch.arrays if one is not room}.values())
        self._launches: list[Any] = [launch.again((*self.arrays, room)) for launch in launches]

    def again(self, arrays: Sequence[Any]) -> "Chain | None":
        """As ``Launch.again``."""
        chain = copy(self)
        chain._launches = [launch.again((*arrays, self._room)) for launch in self._made]
        chain._made, chain._room, chain.arrays = (), None, ()
        return None if None in chain._launches else chain

    def __call__(self, arrays: tuple[Any, ...]) -> None:
        """Run them with these arrays."""
        with_room = (*arrays, self._new())
        for launch in self._launches:
            launch(with_room)


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

    @property
    def cached(self) -> bool:
        """Whether the compiled function came from the cache."""
        return bool(self._compiled is not None and self._compiled.cache_hits)

    def _compile(self) -> None:
        global _seconds
        start = time.perf_counter()
        self._compiled = cfunc(self.signature, cache=True, **self.options)(self.function)
        if not self.cached:
            _seconds += time.perf_counter() - start
        self._address = self._compiled.address

    def __call__(self, *arguments: Any, tasks: int = 1) -> None:
        """Run tasks 0 to ``tasks - 1``. Arguments are numbers and C-contiguous arrays, read by position."""
        launch = Launch(self.address, arguments, tasks)
        launch(launch.arrays)

    def launch(self, *arguments: Any, tasks: int = 1) -> Launch:
        """The same, to be run later."""
        return Launch(self.address, arguments, tasks)


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
