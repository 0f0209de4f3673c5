"""Work on a GPU that is recorded once and launched as a whole: CUDA graphs, by the stream capture of CuPy.

``repeats.py`` has the same for the CPU; what is said here of numbers and variables holds there as well.

While work is recorded nothing is computed. The GPU notes each launch with the addresses of its arrays, and the numbers
that Python passes by value stay what they were. So a recorded step must not read a value, send an array or wait, and a
number that is another one in the next step must stand in memory::

    rate = number(lambda: float(learning_rate))            # a float; while recorded, an array that holds it
    decay = number(lambda rate: 0.01 * rate, rate)         # follows from another one

Before each launch the functions are called again, and one copy puts their results into the arrays.

What the step reads and assigns to are variables. A launch finds each of them where it was: what it assigned is copied
back at its end, and what somebody else assigned meanwhile is copied there before. What the step counts in Python, each
launch counts as well.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import numpy as np

__all__ = [
    "Graph", "Recorder", "Recording", "Refused", "counts", "current", "keep", "number", "opened", "paused", "recording",
    "refuse", "used",
]  # fmt: skip

PLACES = 64  # numbers of one graph
_open: ContextVar["Recording | None"] = ContextVar("graph", default=None)


class Refused(RuntimeError):
    """Work cannot be recorded; says why."""


class Recording:
    """What is noted beside what the GPU notes.

    Args:
        array, host: memory for the numbers, where the work is done and where Python writes.
    """

    computes = False  # while it is recorded

    def __init__(self, array: Any, host: np.ndarray):
        self.array, self.host = array, host
        self.numbers: list[tuple[Callable[..., float], list[int]]] = []  # functions, and of which numbers they are
        self.places: list[Any] = []
        self.kept: list[Any] = []
        self.used: dict[int, tuple[Any, Any, int]] = {}  # variables, with their arrays and versions before
        self.counted: dict[int, tuple[Any, Any, int]] = {}  # those that Python counts in

    def place(self, compute: Callable[..., float], of: tuple[Any, ...]) -> Any:
        index = len(self.numbers)
        if index == PLACES:
            raise Refused(f"more than {PLACES} numbers change from step to step")
        known = {id(place): i for i, place in enumerate(self.places)}
        self.numbers.append((compute, [known[id(one)] for one in of]))
        self.places.append(self.array[index : index + 1].reshape(()))
        return self.places[-1]

    def sent_to(self, count: int) -> Any:
        """The memory that so many numbers are sent to before a launch; None where it is Python's own."""
        return self.array[:count]

    def use(self, variable: Any) -> None:
        """Note a variable before it is read or assigned to."""
        self.used.setdefault(id(variable), (variable, variable.data, variable.version))

    def count(self, variable: Any) -> None:
        """Note a variable before it is raised by one."""
        if id(variable) in self.counted:  # a number that follows from it would have to be another one by then
            raise Refused(f"{variable.path!r} is counted twice in a step")
        self.counted[id(variable)] = variable, variable.data, variable.version

    def changes(self) -> list[tuple[Any, int]]:
        """The variables that were assigned to, and by how much their versions rose."""
        return [(v, v.version - version) for v, _, version in self.used.values() if v.version > version]


@contextmanager
def opened(found: Recording) -> Iterator[None]:
    """Inside the block this thread records; afterwards variables are what they were before."""
    token = _open.set(found)
    try:
        yield
    finally:
        _open.reset(token)
        for variable, array, version in (*found.used.values(), *found.counted.values()):
            variable.data, variable.version = array, version


@contextmanager
def paused() -> Iterator[None]:
    """Inside the block this thread does not record."""
    token = _open.set(None)
    try:
        yield
    finally:
        _open.reset(token)


def current() -> Recording | None:
    """What this thread records."""
    return _open.get()


def recording() -> bool:
    """Whether this thread records."""
    return _open.get() is not None


def refuse(reason: str) -> None:
    """Say why what follows cannot be recorded.

    Raises:
        Refused: this thread records.
    """
    if _open.get() is not None:
        raise Refused(reason)


def number(compute: Callable[..., float], *of: Any) -> Any:
    """What ``compute(*of)`` gives; while recorded, an array () that will hold it, of the dtype of the recording.

    Args:
        compute: called now, or before every launch.
        of: what other calls of ``number`` returned.
    """
    found = _open.get()
    return compute(*of) if found is None else found.place(compute, of)


def used(variable: Any) -> Any:
    """The variable, noted before recorded work reads or assigns to it, so that launches find it where it was."""
    if (found := _open.get()) is not None:
        found.use(variable)
    return variable


def counts(variable: Any) -> Any:
    """The variable, noted before Python raises it by one, so that each launch does."""
    if (found := _open.get()) is not None:
        found.count(variable)
    return variable


def keep(array: Any) -> None:
    """Let an array live as long as the recorded work that reads it."""
    if (found := _open.get()) is not None:
        found.kept.append(array)


class Graph:
    """Recorded work, and all that must stay where it was when it was recorded.

    Args:
        recorder: whose memory the results lie in between the launches.
        graph: has ``launch()``; kept as ``work``.
        recorded: what was noted beside it.
        changes: variables, and by how much their versions rise.
    """

    def __init__(self, recorder: Any, graph: Any, recorded: Recording, changes: list[tuple[Any, int]]):
        self.recorder, self._kept = recorder, recorded.kept
        self.work, self._numbers, count = graph, recorded.numbers, len(recorded.numbers)
        self._host = recorded.host[:count]
        self._array = recorded.sent_to(count)
        self._places = [(variable, array) for variable, array, _ in recorded.used.values()]
        self._changes, self._counted = changes, [variable for variable, _, _ in recorded.counted.values()]

    def launch(self) -> None:
        """Compute it on the stream of the thread, with the numbers of now."""
        for variable, array in self._places:
            if variable.data is not array:  # somebody else assigned to it
                array[...] = variable.data
                variable.data = array
        values: list[float] = []
        for compute, of in self._numbers:
            values.append(compute(*[values[i] for i in of]))
        if values:
            self._host[:] = values
            if self._array is not None:
                self._array.set(self._host)
        self.work.launch()
        for variable, rise in self._changes:
            variable.version += rise
        for variable in self._counted:
            variable.data, variable.version = variable.data + 1, variable.version + 1


class Recorder:
    """A stream to record on, and memory that nothing else uses: between its launches a graph leaves results there.

    Args:
        xp: CuPy.
    """

    def __init__(self, xp: Any):
        self.xp, self.stream, self.pool = xp, xp.cuda.Stream(non_blocking=True), xp.cuda.MemoryPool()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Work on this stream and in this memory; it waits for all before, and all after for it."""
        self.xp.cuda.get_current_stream().synchronize()
        try:
            with self.stream, self.xp.cuda.using_allocator(self.pool.malloc):
                yield
        finally:
            self.stream.synchronize()

    def record(self, work: Callable[[], Any], dtype: Any) -> tuple[Graph, Any]:
        """Record ``work``, which was done ``aside`` before, so that memory is there and kernels are compiled.

        Args:
            work: called once; what it returns holds results from the first launch on.
            dtype: of the arrays in the place of ``number``.

        Raises:
            Refused, and whatever CUDA, CuPy and ``work`` raise; then nothing is recorded.
        """
        with self.aside():
            recorded = Recording(self.xp.empty(PLACES, dtype), np.zeros(PLACES, dtype))
            self.stream.begin_capture()
            try:
                with opened(recorded):  # nothing is computed
                    result, changes = work(), recorded.changes()
                    for variable, array, _ in recorded.used.values():
                        if variable.data is not array:
                            _copy_back(variable, array)
            except BaseException:
                with suppress(Exception):  # it says no more than that something was wrong
                    self.stream.end_capture()
                raise
            graph = self.stream.end_capture()
            if _sends(graph):
                raise Refused("CuPy sends an array to the GPU in every step")
        return Graph(self, graph, recorded, changes), result


def _sends(graph: Any) -> bool:
    """Whether CuPy recorded a copy of the CPU's memory, which will hold something else; it sends lists of pointers."""
    with suppress(Exception):  # a text for debugging, which CUDA may not have
        return "HtoD" in graph.debug_dot_str()
    return False


def _copy_back(variable: Any, array: Any) -> None:
    if isinstance(array, np.ndarray) or isinstance(variable.data, np.ndarray):
        raise Refused(f"{variable.path!r} is counted on the CPU")
    array[...] = variable.data
