"""Work on the CPU that is noted once and done again without the Python around it: what CUDA graphs are on a GPU.

While work is noted it runs as always, but on arrays that note what is done with them (``noted.py``). Kernels are noted
as a whole, with the launch they planned where there is one. What does not depend on what changes from step to step is
computed once. Numbers, and variables, are as in ``graphs.py``.

Large results lie in an arena of the recorder (``memory.py``). What is noted knows only where they lie and does not hold
them: so a result that the work itself has dropped makes room for a later one, as always. Done again in the same order,
each finds in that place what it found when it was noted. Nobody else gets this memory.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from . import arrays as libraries
from . import devices, graphs, memory
from .noted import LIBRARY, Noted, current_notes, leaves_of, owner_of, plain

__all__ = ["MOST_BYTES", "Action", "Actions", "Call", "Recorder", "any_noted", "repeated", "shapes_of"]

MOST_BYTES = 1 << 30  # of results that a recorder keeps: where they take more, Python's part is small
_lock = threading.Lock()
_open = 0  # how many threads note


class Call:
    """A launch with its arrays, in whose place others of the same shapes can be put.

    Args:
        launch: called with the arrays.
        arrays: as they were when it was noted.
    """

    __slots__ = ("_own", "arrays", "launch")

    def __init__(self, launch: Callable[[tuple[Any, ...]], None], arrays: tuple[Any, ...]):
        self.launch, self.arrays, self._own = launch, arrays, arrays

    def __call__(self) -> None:
        self.launch(self.arrays)

    def put(self, array: Any, other: Any) -> None:
        """Read another array in the place of one."""
        self.arrays = tuple([other if one is array else one for one in self.arrays])

    def put_back(self) -> None:
        """Read all arrays as noted."""
        self.arrays = self._own


class Action(NamedTuple):
    """A part of the work."""

    run: Callable[[], Any]
    kernel: str  # its name and the shapes of its first arrays; empty for what is none


class _Notes(graphs.Recording):
    """What computes everything again, in order."""

    computes = True

    def __init__(self, dtype: Any, arena: memory.Arena, bytes_before: int):
        host = np.zeros(graphs.PLACES, dtype)
        super().__init__(Noted(host), host)
        self.arena = arena
        self.actions: list[Action] = []
        self.before: list[tuple[np.ndarray, np.ndarray]] = []  # arrays of variables, and what they held
        self.bytes = bytes_before  # of results that do not lie in the arena
        self.constant: dict[int, np.ndarray] = {}  # what is the same in every step, and need not be computed again
        self.looked: set[Any] = set()  # what a check was made of
        self.touched: set[int] = set()  # what is read or changed other than by the arrays of a ``Call``

    def sent_to(self, count: int) -> Any:
        return None

    def place(self, compute: Callable[..., float], of: tuple[Any, ...]) -> Any:
        place = super().place(compute, of)
        with graphs.paused():  # it is asked as before a launch, so that what computes meanwhile has its number
            self.host[len(self.places) - 1] = compute(*[float(one.array) for one in of])
        return place

    def use(self, variable: Any) -> None:
        if id(variable) not in self.used:
            super().use(variable)
            self.before.append((variable.data, variable.data.copy()))
            variable.data = Noted(variable.data)

    def add(self, action: Callable[[], Any], results: Sequence[np.ndarray] = (), kernel: str = "") -> None:
        """Note what computes some results, which are kept."""
        self.actions.append(Action(action, kernel))
        self.hold(results)

    def lent(self, values: Any) -> Any:
        """The same values, where arrays in the arena do not hold their place in it; in lists and tuples too."""
        if type(values) is np.ndarray:
            # (Whole numbers are told apart by their arrays, which must live for that.)
            return _Place.of(values) if values.dtype.kind == "f" and self.arena.lies_in(values) else values
        if type(values) in (list, tuple):
            return type(values)([self.lent(one) for one in values])
        if type(values) is dict:
            return {name: self.lent(one) for name, one in values.items()}
        return values

    def hold(self, results: Sequence[np.ndarray]) -> None:
        """Count what is kept."""
        self.bytes += sum(one.nbytes for one in results if not self.arena.lies_in(one))
        if self.bytes + self.arena.bytes > MOST_BYTES:
            raise graphs.Refused(f"the results would take more than {MOST_BYTES / 2**20:.3g} MiB")

    def look(self, check: Callable[[], Any], values: Any, arrays: Sequence[np.ndarray]) -> None:
        """Note a check of what arrays of whole numbers hold, if the same one was not made already."""
        whole = [id(one) for one in arrays if one.dtype.kind != "f"]
        key = values, *whole, *(one.shape for one in arrays if one.dtype.kind == "f" and one.ndim > 1)
        if key not in self.looked:
            self.looked.add(key)
            self.add(check)

    def changing(self, arrays: Iterable[np.ndarray]) -> None:
        """Say before arrays are changed in place: a constant then is set anew in every step."""
        self.looked.clear()
        for array in map(owner_of, arrays):
            if self.constant.pop(id(array), None) is not None:
                self.actions.insert(0, Action(partial(np.copyto, array, array.copy()), ""))

    def copy_back(self) -> None:
        """Note that what was assigned to variables goes to where they were."""
        for variable, array, _ in self.used.values():
            if type(variable.data) is not Noted:
                raise graphs.Refused(f"{variable.path!r} is given an array of NumPy")
            if (new := variable.data.array) is not array:
                self.touched.add(id(owner_of(new)))
                self.add(partial(np.copyto, array, self.lent(new)))


class _Place:
    """Where the numbers of an array lie."""

    def __init__(self, array: np.ndarray):
        self.__array_interface__ = array.__array_interface__ | {"strides": array.strides}

    @classmethod
    def of(cls, array: np.ndarray) -> np.ndarray:
        """The same array, which holds no memory."""
        return np.asarray(cls(array))


def shapes_of(arrays: tuple[Any, ...]) -> str:
    """The shapes of the first two arrays, or lists of arrays, of a kernel."""
    return ", ".join(
        "x".join(map(str, one.shape)) if hasattr(one, "shape") else f"list of {len(one)}" for one in arrays[:2]
    )


def any_noted(arrays: tuple[Any, ...], settings: dict[str, Any]) -> bool:
    """Whether one of the arguments of a kernel is a ``Noted``, or has one in it."""
    return any(
        type(one) is Noted or (type(one) in (list, tuple) and Noted in map(type, one))
        for one in (*arrays, *settings.values())
    )


def repeated(kernel: Any, given: tuple[Any, ...], out: Any, settings: dict[str, Any]) -> Any:
    """Compute a call of a kernel, some of whose arrays are ``Noted``, and note it."""
    notes = current_notes()
    call, settings = plain(given), {name: plain(one) for name, one in settings.items()}
    arrays = list(leaves_of((*call, *settings.values(), plain(out))))
    if out is not None:
        if notes is not None:
            notes.touched.update(map(id, map(owner_of, arrays)))
            notes.changing(arrays)
            notes.add(partial(kernel, *notes.lent(call), out=notes.lent(plain(out)), **notes.lent(settings)))
        kernel(*call, out=plain(out), **settings)
        return out
    if notes is not None and kernel.lists:  # these change their arrays
        notes.changing(arrays)
    result = kernel(*call, **settings)
    if notes is None:
        return result
    results = [] if result is None else list(result) if type(result) is tuple else [result]
    *checks, last = kernel.actions(notes.lent(call), notes.lent(result), notes.lent(settings))
    for check in checks:
        notes.look(check, kernel.values, arrays)
    others = [one for one in arrays if one.base is not None] if type(last) is Call and not checks else arrays
    notes.touched.update(map(id, map(owner_of, others)))
    notes.add(last, results, f"{kernel.name} {shapes_of(call)}")
    noted = [Noted(one) for one in results]
    return None if result is None else tuple(noted) if type(result) is tuple else noted[0]


def _in_rows(runs: list[Any]) -> list[Callable[[], Any]]:
    """The same work, where calls that one thread does and that follow each other are one ``Row``."""
    from .parallel import Launch, Row  # not before it is wanted: it brings along Numba

    def fits(run: Any) -> bool:
        return type(run) is Call and type(run.launch) is Launch and run.launch.serial

    found: list[Callable[[], Any]] = []
    for fit, several in groupby(runs, fits):
        calls = list(several)
        found += [Row(calls)] if fit and len(calls) > 1 else calls
    return found


class Actions:
    """What a CUDA graph is."""

    def __init__(self, actions: list[Action], touched: set[int], arena: memory.Arena):
        self.actions, self._touched, self._arena = actions, touched, arena
        self._runs = _in_rows([action.run for action in actions])

    def calls(self, array: np.ndarray, results: Sequence[np.ndarray] = ()) -> list[Call]:
        """The calls that read an array; none where something else does or a result is it, so that it must be filled."""
        if id(owner_of(array)) in self._touched or any(np.may_share_memory(array, one) for one in results):
            return []
        calls = [action.run for action in self.actions if type(action.run) is Call]
        return [call for call in calls if any(one is array for one in call.arrays)]

    def launch(self) -> None:
        """Do the work."""
        for run in self._runs:
            run()


class Recorder:
    """Notes work on the CPU, as long as all results together take ``MOST_BYTES`` at most."""

    xp = LIBRARY.namespace

    def __init__(self) -> None:
        self._arena = memory.Arena(patience=None)
        self._others = 0  # bytes of results outside of the arena
        self._recorded = False

    @property
    def bytes(self) -> int:
        """Of all results that are kept."""
        return self._others + self._arena.bytes

    def record(self, work: Callable[[], Any], dtype: Any) -> tuple[graphs.Graph, Any]:
        """Note ``work``. It computes meanwhile; then variables hold again what they held before.

        Args:
            work: called once; what it returns holds results after a launch, until another graph of the recorder is
                launched.
            dtype: of the arrays in the place of ``graphs.number``.

        Raises:
            Refused, and whatever ``work`` raises; then nothing is noted.
        """
        memory.release()  # what the same work took before
        notes = _Notes(dtype, self._arena, self._others)
        with _known():
            try:
                with devices.scope(devices.Device(LIBRARY, 0)), graphs.opened(notes), memory.using(self._arena):
                    result, changes = work(), notes.changes()
                    notes.copy_back()
            except BaseException:
                if not self._recorded:
                    self._arena = memory.Arena(patience=None)
                raise
            finally:
                for array, values in notes.before:
                    array[...] = values
        self._others, self._recorded = notes.bytes, True
        from .scalars import joined  # not before it is wanted: it brings along Numba

        return graphs.Graph(self, Actions(joined(notes.actions), notes.touched, self._arena), notes, changes), result


@contextmanager
def _known() -> Iterator[None]:
    """Inside the block ``Noted`` is known as a class of arrays."""
    global _open
    with _lock:
        _open += 1
        libraries.foreign[Noted] = LIBRARY
    try:
        yield
    finally:
        with _lock:
            _open -= 1
            if not _open:
                del libraries.foreign[Noted]
