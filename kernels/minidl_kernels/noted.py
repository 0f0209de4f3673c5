"""Arrays of NumPy that note what is done with them: the recorder that ``repeats.py`` speaks of sees the work by them.

A ``Noted`` holds an array of NumPy, and each operation hands the recording of the thread how its result can be computed
again, into the same memory. It is no array of NumPy itself: what does not go through it raises an error, or finds
nothing, and the work is not noted; so no value gets past it and stays what it was.
"""

import operator
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from . import arrays as libraries
from . import graphs

__all__ = ["LIBRARY", "Noted", "current_notes", "leaves_of", "owner_of", "plain"]

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


def current_notes() -> Any:
    """The recording of this thread, if it computes."""
    found = graphs.current()
    return found if found is not None and found.computes else None


def plain(value: Any) -> Any:
    """The array of NumPy inside, in lists and tuples too; anything else as it is."""
    if type(value) is Noted:
        return value.array
    if type(value) in (list, tuple):
        return type(value)([plain(one) for one in value])
    if type(value) is slice and Noted in map(type, (value.start, value.stop, value.step)):
        _read("a number that says where to cut")
    return value


def leaves_of(values: Any) -> Iterator[np.ndarray]:
    """The arrays of NumPy among values, and in lists and tuples among them."""
    for one in values:
        if type(one) is np.ndarray:
            yield one
        elif type(one) in (list, tuple):
            yield from leaves_of(one)


def owner_of(array: np.ndarray) -> np.ndarray:
    """The array whose memory a view shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _read(what: str) -> None:
    graphs.refuse(f"it reads {what}")


def _compute(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Compute a function of NumPy, and note it."""
    notes = current_notes()
    given, settings = [plain(one) for one in args], {name: plain(one) for name, one in kwargs.items()}
    if notes is None:  # another thread reads a variable meanwhile
        return function(*given, **settings)
    for one in (*args, *kwargs.values()):
        if isinstance(one, np.ndarray) and one.ndim:
            raise graphs.Refused(f"it brings along an array of shape {one.shape} of NumPy")
    inputs = list(leaves_of((*given, *settings.values())))
    notes.touched.update(map(id, map(owner_of, inputs)))
    if in_place := function in IN_PLACE or "out" in settings or getattr(function, "__name__", "") == "at":
        notes.changing(leaves_of([settings.get("out", given[0])]))
    result = function(*given, **settings)
    if in_place:
        notes.add(partial(function, *notes.lent(given), **notes.lent(settings)))
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
    elif all(id(owner_of(one)) in notes.constant for one in inputs):
        notes.constant.update((id(owner_of(one)), owner_of(one)) for one in fresh)
        notes.hold(fresh)
    elif fresh:  # the others are views
        again = _again(function, notes.lent(given), notes.lent(settings), notes.lent(parts), inputs)
        notes.add(again, fresh)
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


LIBRARY = libraries.Library("noted", _Namespace(np), "scipy.special", noted=True)
