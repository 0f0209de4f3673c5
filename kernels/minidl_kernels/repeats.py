"""Work on the CPU that is noted once and done again without the Python around it: what CUDA graphs are on a GPU.

While work is noted it runs as always, but on arrays of the class ``Noted``. Each of them holds an array of NumPy, and
each operation writes down how its result can be computed again, into the same memory. A ``Noted`` is no array of NumPy:
what does not go through it raises an error, or finds nothing, and the work is not noted; so no value gets past it and
stays what it was.

Kernels are noted as a whole, with the launch they planned where there is one. Numbers, and variables, are as in
``graphs.py``.
"""

import operator
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from . import arrays as libraries
from . import devices, graphs

__all__ = ["MOST_BYTES", "Action", "Actions", "Call", "Noted", "Recorder", "noted", "plain", "repeated", "shapes_of"]

MOST_BYTES = 1 << 25  # of results that a recorder keeps: where they take more, Python's part is small
UFUNCS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "matmul": np.matmul, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "lshift": np.left_shift, "rshift": np.right_shift,
}  # fmt: skip
COMPARISONS = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal
}  # fmt: skip
UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}
METHODS = set(
    "all any argmax argmin argsort astype clip copy cumsum diagonal dot flatten max mean min prod ravel repeat reshape "
    "round squeeze std sum swapaxes take transpose var view".split()
)
OUT = METHODS & set("all any argmax argmin cumsum max mean min prod std sum var".split())  # take an argument out
COPIES = {np.ndarray.copy, np.ndarray.astype, np.array, np.ascontiguousarray}
IN_PLACE = {operator.setitem, np.copyto, np.ndarray.fill}
EMPTY = {np.empty, np.empty_like}
OF_SHAPES = {np.shape, np.ndim, np.size, np.result_type, np.may_share_memory}
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

    def __init__(self, dtype: Any, bytes_before: int):
        host = np.zeros(graphs.PLACES, dtype)
        super().__init__(Noted(host), host)
        self.actions: list[Action] = []
        self.before: list[tuple[np.ndarray, np.ndarray]] = []  # arrays of variables, and what they held
        self.bytes = bytes_before
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

    def hold(self, results: Sequence[np.ndarray]) -> None:
        """Count what is kept."""
        self.bytes += sum(one.nbytes for one in results)
        if self.bytes > MOST_BYTES:
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
        for array in map(_owner, arrays):
            if self.constant.pop(id(array), None) is not None:
                self.actions.insert(0, Action(partial(np.copyto, array, array.copy()), ""))

    def copy_back(self) -> None:
        """Note that what was assigned to variables goes to where they were."""
        for variable, array, _ in self.used.values():
            if type(variable.data) is not Noted:
                raise graphs.Refused(f"{variable.path!r} is given an array of NumPy")
            if (new := variable.data.array) is not array:
                self.touched.add(id(_owner(new)))
                self.add(partial(np.copyto, array, new))


def _noting() -> "_Notes | None":
    found = graphs.current()
    return found if type(found) is _Notes else None


def plain(value: Any) -> Any:
    """The array of NumPy inside, in lists and tuples too; anything else as it is."""
    if type(value) is Noted:
        return value.array
    if type(value) in (list, tuple):
        return type(value)([plain(one) for one in value])
    if type(value) is slice and Noted in map(type, (value.start, value.stop, value.step)):
        _read("a number that says where to cut")
    return value


def _leaves(values: Any) -> Iterator[np.ndarray]:
    for one in values:
        if type(one) is np.ndarray:
            yield one
        elif type(one) in (list, tuple):
            yield from _leaves(one)


def _owner(array: np.ndarray) -> np.ndarray:
    """The array whose memory a view shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _read(what: str) -> None:
    graphs.refuse(f"it reads {what}")


def _compute(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Compute a function of NumPy, and note it."""
    notes = _noting()
    given, settings = [plain(one) for one in args], {name: plain(one) for name, one in kwargs.items()}
    if notes is None:  # another thread reads a variable meanwhile
        return function(*given, **settings)
    for one in (*args, *kwargs.values()):
        if isinstance(one, np.ndarray) and one.ndim:
            raise graphs.Refused(f"it brings along an array of shape {one.shape} of NumPy")
    inputs = list(_leaves((*given, *settings.values())))
    notes.touched.update(map(id, map(_owner, inputs)))
    if in_place := function in IN_PLACE or "out" in settings or getattr(function, "__name__", "") == "at":
        notes.changing(_leaves([settings.get("out", given[0])]))
    result = function(*given, **settings)
    if in_place:
        notes.add(partial(function, *given, **settings))
        return kwargs.get("out")
    several = type(result) in (list, tuple)
    if not all(isinstance(part, (np.ndarray, np.generic)) for part in (result if several else [result])):
        if function not in OF_SHAPES:
            _read(f"what {function.__name__} gives")
        return result
    parts = [np.asarray(part) for part in (result if several else [result])]
    fresh = [part for part in parts if not any(np.may_share_memory(part, one) for one in inputs)]
    if function in EMPTY:
        notes.hold(fresh)
    elif all(id(_owner(one)) in notes.constant for one in inputs):
        notes.constant.update((id(_owner(one)), _owner(one)) for one in fresh)
        notes.hold(fresh)
    elif fresh:  # the others are views
        notes.add(_again(function, given, settings, parts, inputs), fresh)
    return [Noted(part) for part in parts] if several else Noted(parts[0])


def _again(
    function: Any, given: list[Any], settings: dict[str, Any], parts: list[np.ndarray], inputs: list[np.ndarray]
) -> Callable[[], Any]:
    """What computes results again, with as little Python as there can be."""
    if function in COPIES:
        return partial(np.copyto, parts[0], given[0], "unsafe")
    name, owner = function.__name__, getattr(function, "__self__", None)
    takes_out = isinstance(function, np.ufunc) or (isinstance(owner, np.ufunc) and name == "reduce")
    if takes_out or (name in OUT and getattr(np.ndarray, name) is function):
        return partial(function, *given, **settings, out=parts[0])
    fresh = [not any(np.may_share_memory(part, one) for one in inputs) for part in parts]
    return partial(_assign, function, given, settings, parts, fresh)


def _assign(
    function: Any, given: list[Any], settings: dict[str, Any], parts: list[np.ndarray], fresh: list[bool]
) -> None:
    result = function(*given, **settings)
    several = result if type(result) in (list, tuple) else [result]
    for part, is_fresh, value in zip(parts, fresh, several, strict=True):
        if is_fresh:
            part[...] = value


class Noted:
    """An array whose operations are noted.

    Args:
        array: of NumPy.
    """

    __slots__ = ("array",)
    __array_ufunc__ = None  # NumPy's arrays leave operators to this class
    __hash__ = None  # type: ignore[assignment]
    device = SimpleNamespace(id=0)
    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: self.array.dtype)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    nbytes = property(lambda self: self.array.nbytes)
    flags = property(lambda self: self.array.flags)
    base = property(lambda self: self.array.base)
    T = property(lambda self: Noted(self.array.T))

    def __init__(self, array: np.ndarray):
        self.array = array

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            return partial(_compute, getattr(np.ndarray, name), self)
        if name in ("item", "tolist", "tobytes", "nonzero"):
            _read("values")
            return getattr(self.array, name)
        raise AttributeError(f"an array whose work is noted has no {name!r}")

    def __getitem__(self, index: Any) -> Any:
        return _compute(operator.getitem, self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        _compute(operator.setitem, self, index, value)

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def fill(self, value: Any) -> None:
        """Set all elements."""
        _compute(np.ndarray.fill, self, value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        _read("values")
        return np.array(self.array, dtype)

    def __repr__(self) -> str:
        return f"Noted({self.array!r})"


def _operators() -> None:
    """Give ``Noted`` Python's operators and conversions."""

    def binary(function: Any) -> tuple[Any, Any]:
        return (lambda a, b: _compute(function, a, b)), (lambda a, b: _compute(function, b, a))

    def in_place(function: Any) -> Any:
        def compute(a: Noted, b: Any) -> Noted:
            _compute(function, a, b, out=a)
            return a

        return compute

    def converting(convert: Any) -> Any:
        def read(a: Noted) -> Any:
            _read("values")
            return convert(a.array)

        return read

    # (A power of 2 is a square in NumPy's operator, but not in its function.)
    for name, function in {**UFUNCS, **COMPARISONS, "pow": operator.pow}.items():
        forward, reflected = binary(function)
        setattr(Noted, f"__{name}__", forward)
        if name not in COMPARISONS:
            setattr(Noted, f"__r{name}__", reflected)
        if name in UFUNCS:
            setattr(Noted, f"__i{name}__", in_place(function))
    for name, function in UNARY.items():
        setattr(Noted, f"__{name}__", lambda a, function=function: _compute(function, a))
    for name, convert in {"bool": bool, "int": int, "float": float, "index": operator.index}.items():
        setattr(Noted, f"__{name}__", converting(convert))


_operators()


class _Here:
    """What ``cupy.cuda.Device`` is, for arrays of NumPy."""

    def __init__(self, number: int):
        self.id = number

    def __enter__(self) -> None: ...
    def __exit__(self, *exception: object) -> None: ...


class _Function:
    """A function of NumPy for ``Noted``."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _compute(self.function, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name not in ("at", "reduce", "accumulate", "outer"):  # of universal functions
            raise AttributeError(name)
        return partial(_compute, getattr(self.function, name))


class _Namespace:
    """The functions of a module for ``Noted``."""

    ndarray = Noted
    cuda = SimpleNamespace(Device=_Here, runtime=SimpleNamespace(getDevice=lambda: 0))

    def __init__(self, module: Any):
        self._module = module

    def of(self, module: Any) -> "_Namespace":
        """The same for another module."""
        return _Namespace(module)

    def asnumpy(self, value: Noted) -> np.ndarray:
        return value.array

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if isinstance(found, ModuleType):
            found = _Namespace(found)
        elif callable(found) and not isinstance(found, type):
            found = _Function(found)
        setattr(self, name, found)
        return found


def shapes_of(arrays: tuple[Any, ...]) -> str:
    """The shapes of the first two arrays, or lists of arrays, of a kernel."""
    return ", ".join(
        "x".join(map(str, one.shape)) if hasattr(one, "shape") else f"list of {len(one)}" for one in arrays[:2]
    )


def noted(arrays: tuple[Any, ...], settings: dict[str, Any]) -> bool:
    """Whether one of the arguments of a kernel is a ``Noted``, or has one in it."""
    return any(
        type(one) is Noted or (type(one) in (list, tuple) and Noted in map(type, one))
        for one in (*arrays, *settings.values())
    )


LIBRARY = libraries.Library("noted", _Namespace(np), "scipy.special", noted=True)


def repeated(kernel: Any, given: tuple[Any, ...], out: Any, settings: dict[str, Any]) -> Any:
    """Compute a call of a kernel, some of whose arrays are ``Noted``, and note it."""
    notes = _noting()
    call, settings = plain(given), {name: plain(one) for name, one in settings.items()}
    arrays = list(_leaves((*call, *settings.values(), plain(out))))
    if out is not None:
        if notes is not None:
            notes.touched.update(map(id, map(_owner, arrays)))
            notes.changing(arrays)
            notes.add(partial(kernel, *call, out=plain(out), **settings))
        kernel(*call, out=plain(out), **settings)
        return out
    if notes is not None and kernel.lists:  # these change their arrays
        notes.changing(arrays)
    result = kernel(*call, **settings)
    if notes is None:
        return result
    results = [] if result is None else list(result) if type(result) is tuple else [result]
    *checks, last = kernel.actions(call, result, settings)
    for check in checks:
        notes.look(check, kernel.values, arrays)
    others = [one for one in arrays if one.base is not None] if type(last) is Call and not checks else arrays
    notes.touched.update(map(id, map(_owner, others)))
    notes.add(last, results, f"{kernel.name} {shapes_of(call)}")
    noted = [Noted(one) for one in results]
    return None if result is None else tuple(noted) if type(result) is tuple else noted[0]


class Actions:
    """What a CUDA graph is."""

    def __init__(self, actions: list[Action], touched: set[int]):
        self.actions, self._touched = actions, touched
        self._runs = [action.run for action in actions]

    def calls(self, array: np.ndarray) -> list[Call]:
        """The calls that read an array; none where something else reads it, so that it must be filled."""
        if id(_owner(array)) in self._touched:
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
        self.bytes = 0

    def record(self, work: Callable[[], Any], dtype: Any) -> tuple[graphs.Graph, Any]:
        """Note ``work``. It computes meanwhile; then variables hold again what they held before.

        Args:
            work: called once; what it returns holds results from the first launch on.
            dtype: of the arrays in the place of ``graphs.number``.

        Raises:
            Refused, and whatever ``work`` raises; then nothing is noted.
        """
        notes = _Notes(dtype, self.bytes)
        with _known():
            try:
                with devices.scope(devices.Device(LIBRARY, 0)), graphs.opened(notes):
                    result, changes = work(), notes.changes()
                    notes.copy_back()
            finally:
                for array, values in notes.before:
                    array[...] = values
        self.bytes = notes.bytes
        return graphs.Graph(self, Actions(notes.actions, notes.touched), notes, changes), result


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
