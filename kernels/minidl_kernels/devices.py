"""Devices: "cpu", "gpu:0", "gpu:1", ...; which one new arrays go to, and how arrays get from one to another.

NumPy's arrays lie on the CPU, those of CuPy on a GPU. The current device is a context variable, so two threads may use
two devices; ``set_default`` says what it is where nobody has set it.
"""

import ctypes
import importlib
import re
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from . import graphs
from .arrays import Array, Library, foreign, library_of, modules, namespace, register, to_numpy
from .graphs import used

__all__ = [
    "CPU", "Device", "beside", "brought", "current", "device_of", "find", "foreign", "here", "maker", "modules", "move",
    "overlap", "scope", "set_default", "together", "used",
]  # fmt: skip


class Device(NamedTuple):
    """A place where arrays lie."""

    library: Library | None  # None: NumPy, on the CPU
    number: int

    def __str__(self) -> str:
        return "cpu" if self.library is None else f"{self.library.kind}:{self.number}"


CPU = Device(None, 0)
MOST_NUMBERS = 1000
_numbers: dict[tuple[str, bytes, Device], Array] = {}
_default = CPU
_current: ContextVar[Device | None] = ContextVar("device", default=None)


def current() -> Device:
    """Where new arrays go."""
    return _current.get() or _default


def set_default(device: Device) -> None:
    """Where new arrays go wherever no ``scope`` says otherwise, in all threads."""
    global _default
    _default = device


class scope:
    """Inside the ``with`` block of this thread, new arrays go to a device."""

    def __init__(self, device: Device):
        self.device = device

    def __enter__(self) -> Device:
        self._token = _current.set(self.device)
        self._library = _of_library(self.device)
        self._library.__enter__()
        return self.device

    def __exit__(self, *exception: object) -> None:
        self._library.__exit__(*exception)
        _current.reset(self._token)


class _Nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *exception: object) -> None: ...


def _of_library(device: Device) -> Any:
    """CuPy launches on the device that is the thread's own, wherever the arrays are."""
    return _Nothing() if device.library is None else device.library.namespace.cuda.Device(device.number)


# ---- arrays ----


def device_of(array: Array) -> Device:
    """Where an array lies; the CPU for what is no array."""
    library = library_of(array)
    return CPU if library is None else Device(library, array.device.id)


def move(value: Any, device: Device) -> Any:
    """An array (or what can become one) on a device; the same object where it is there already."""
    if device.library is None:
        return to_numpy(value)
    if (library := library_of(value)) is device.library and value.device.id == device.number:
        return value
    if device.library.noted and not np.ndim(value):  # a single number does not change
        return device.library.namespace.asarray(to_numpy(value))
    graphs.refuse(f"it brings along an array of shape {np.shape(value)} of NumPy")
    with _of_library(device):
        if library is device.library:
            return value.copy()  # of CuPy's arrays, copy() is on the device of the thread
        return device.library.namespace.asarray(to_numpy(value))


def here(value: Any) -> Any:
    """An array of NumPy on the current device; what lies on another stays there."""
    if not foreign or not isinstance(value, (np.ndarray, np.generic)) or (device := current()).library is None:
        return value
    return move(value, device)


def brought(value: Any) -> Any:
    """An array on the current device, wherever it lies; anything else as it is."""
    return move(value, current()) if foreign and (type(value) is np.ndarray or library_of(value)) else value


def beside(value: Array, other: Array) -> Array:
    """An array on the device of another one."""
    return move(value, device_of(other)) if foreign else value


def maker() -> Any:
    """The array library of the current device, for arrays made from nothing."""
    library = current().library if foreign else None
    return np if library is None else library.namespace


def overlap(first: Array, second: Array) -> bool:
    """Whether two arrays may share memory."""
    return type(first) is type(second) and namespace(first).may_share_memory(first, second)


def together(name: str, values: list[Any], live: dict[int, Any], variables: Sequence[Any] = ()) -> list[Any]:
    """The arguments of an op, with the arrays of NumPy (in lists too) moved to where the others lie.

    Args:
        name: of the op, for errors.
        live: by place the values to which gradients flow, which are not moved in silence; for a list, a list with None
            for those that are not live.
        variables: those among the arguments, which are noted where the op is recorded.

    Raises:
        RuntimeError: the arrays lie on two devices, or on one on which this thread does not work, or on the CPU and
            another while gradients flow to the CPU.
    """
    for variable in variables:
        used(variable)
    away: list[Device] = []
    at_home = False
    for value in values:
        for one in value if isinstance(value, (list, tuple)) else (value,):
            at_home = at_home or type(one) is np.ndarray
            if (library := library_of(one)) and (device := Device(library, one.device.id)) not in away:
                away.append(device)
    if away and away[0].library.noted and not graphs.recording():  # type: ignore[union-attr]
        return [_unnoted(value) for value in values]
    if len(away) > 1:
        raise RuntimeError(f"{name}: its arrays lie on {away[0]} and on {away[1]}; move them to one with .to()")
    if away and away[0].number != (of_thread := away[0].library.namespace.cuda.runtime.getDevice()):  # type: ignore
        raise RuntimeError(
            f"{name}: its arrays lie on {away[0]}, while this thread works on {away[0]._replace(number=of_thread)}; "
            f"write it inside `with minidl.device({str(away[0])!r}):`"
        )
    if not away or not at_home:
        return values
    moved = []
    for place, value in enumerate(values):
        parts = value if isinstance(value, (list, tuple)) else (value,)
        if any(type(one) is np.ndarray for one in parts):
            sources = live.get(place)
            if any(
                type(one) is np.ndarray and source is not None
                for one, source in zip(parts, sources if type(sources) is list else [sources] * len(parts), strict=True)
            ):
                raise RuntimeError(
                    f"{name}: argument {place + 1}, to which gradients flow, lies on the CPU and others on {away[0]}; "
                    f"move the weights there: model.to({str(away[0])!r})"
                )
            there = [_moved(one, away[0]) if type(one) is np.ndarray else one for one in parts]
            value = type(value)(there) if parts is value else there[0]
        moved.append(value)
    return moved


def _unnoted(value: Any) -> Any:
    """What another thread finds in a variable while its work is noted."""
    if isinstance(value, (list, tuple)):
        return type(value)([_unnoted(one) for one in value])
    library = library_of(value)
    return value.array if library is not None and library.noted else value


def _moved(array: np.ndarray, device: Device) -> Array:
    """An array on a device. Single numbers are kept there: formulas have the same ones in every step."""
    if array.ndim:
        return move(array, device)
    key = array.dtype.str, array.tobytes(), device
    if (found := _numbers.get(key)) is None:
        if len(_numbers) >= MOST_NUMBERS:
            _numbers.clear()
        found = _numbers[key] = move(array, device)
    graphs.keep(found)
    return found


# ---- names ----


def find(name: Any) -> Device:
    """The device of a name: "cpu", "gpu" or "gpu:0" (also "cuda:0"), "gpu:1", ...

    Raises:
        TypeError, ValueError: no name of a device, or a number that no GPU has.
        ImportError: CuPy is missing; says what to install.
        RuntimeError: CuPy finds no GPU.
    """
    if isinstance(name, Device):
        return name
    if not isinstance(name, str):
        raise TypeError(f'device must be a text such as "cpu" or "gpu:0", not {name!r}')
    parts = re.fullmatch(r"([a-z]+)(?::(\d+))?", name.lower())
    kind, index = (parts[1], int(parts[2] or 0)) if parts else ("", 0)
    kind = "gpu" if kind == "cuda" else kind
    if kind == "cpu" and index == 0:
        return CPU
    library = next((one for one in foreign.values() if one.kind == kind), None)
    if library is None and kind != "gpu":
        raise ValueError(f'device must be "cpu", "gpu" or the name of one GPU, such as "gpu:1", not {name!r}')
    module = library.namespace if library else _import_cupy()
    count = _count(module)
    if index >= count:
        there = ", ".join(f"{kind}:{i}" for i in range(count))
        raise ValueError(f"device {name!r} is not there; there {'is' if count == 1 else 'are'}: {there}")
    return Device(library or register("gpu", module), index)


def _import_cupy() -> Any:
    try:
        return importlib.import_module("cupy")
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "cupy"
        trouble = "is not installed" if missing else f"cannot be imported ({error})"
        raise ImportError(f"a GPU is used through CuPy, which {trouble}; {_advice()}") from error


def _count(xp: Any) -> int:
    """How many devices CuPy (or what has its names) finds.

    Raises:
        RuntimeError: none.
    """
    try:
        count = int(xp.cuda.runtime.getDeviceCount())
    except Exception as error:  # of CUDA's own class: no driver, or one that is too old
        raise RuntimeError(f"CuPy {xp.__version__} is installed, but finds no GPU ({error}); {_advice()}") from error
    if not count:
        raise RuntimeError(f"CuPy {xp.__version__} is installed, but finds no GPU; {_advice()}")
    return count


def _advice() -> str:
    """What to install, for the driver of this machine."""
    version = driver()
    if version is None:
        return "this machine has no NVIDIA driver; on one that has, write: pip install 'minidl[cuda12]' (or cuda13)"
    extra = "cuda13" if version >= 13000 else "cuda12"
    found = f"the driver of this machine is for CUDA {version // 1000}.{version % 1000 // 10}"
    return f"{found}: pip install 'minidl[{extra}]'"


def driver() -> int | None:
    """The version of CUDA that the NVIDIA driver is for, such as 12040; None without a driver."""
    for name in ("libcuda.so.1", "nvcuda.dll"):
        try:
            version = ctypes.c_int()
            if ctypes.CDLL(name).cuDriverGetVersion(ctypes.byref(version)) == 0:
                return version.value
        except (OSError, AttributeError):
            continue
    return None
