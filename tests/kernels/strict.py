"""A device without a GPU: arrays that are not NumPy's, with CuPy's names, and kernels that run in the shim.

``install`` makes it known to ``minidl_kernels.arrays`` under the name "strict", with two devices. Its memory is NumPy's
and its functions compute what NumPy's do; but it forgives nothing that CuPy would not, and less:

* There are exactly the names, and the parameters of functions and methods, that cupy_names.txt lists.
* An array of NumPy beside one of these is refused, as operand, argument, index or value; and NumPy refuses these.
* Nothing becomes a NumPy array unasked. What reads a value (``float(x)``, ``item``, ``asnumpy``) is noted in ``reads``,
  what brings one in ``sends``: on a GPU, a read waits for everything before it.
* Reductions give arrays, not numbers. Arrays lie on one of the two devices; those of two do not mix, and kernels are
  launched on the device of the thread.
* A kernel is the CUDA text, compiled for the processor and run by the shim.
* Streams capture as CUDA's do (strict_graphs.py).
"""

import functools
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import scipy.special

from minidl_kernels import arrays, devices
from minidl_kernels.cuda import Program, shim
from tests.kernels import cupy_names, strict_graphs

DEVICES = 2
NAMES = cupy_names.names()
SIGNATURES = {name: cupy_names.read(rest[1:]) for name, rest in NAMES.items() if rest.startswith("(")}
IN_PLACE = {"__setitem__", "fill", "copyto", "put", "at"}
UFUNC_OPTIONS = {"out", "dtype", "casting"}
MAKERS = set("arange array asarray empty eye full identity indices linspace ones tri zeros".split())
launched: list[str] = []  # the kernels that ran
reads: list[str] = []  # device to host
sends: list[int] = []  # host to device: elements
_thread = threading.local()


def device_now() -> int:
    return getattr(_thread, "devices", [0])[-1]


class Device:
    """What ``cupy.cuda.Device`` is: the device of this thread inside its block."""

    compute_capability = "90"

    def __init__(self, index: int):
        assert 0 <= index < DEVICES
        self.id = index

    def __enter__(self) -> None:
        _thread.devices = [*getattr(_thread, "devices", [0]), self.id]

    def __exit__(self, *exception: object) -> None:
        _thread.devices = _thread.devices[:-1]

    def synchronize(self) -> None:
        strict_graphs.waited()


def check_arguments(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """What CuPy's function would say to these arguments."""
    if NAMES[name] == "ufunc":
        if wrong := set(kwargs) - UFUNC_OPTIONS:
            raise TypeError(f"cupy.{name} is not known to take {wrong}")
    elif name in SIGNATURES:
        try:
            SIGNATURES[name].bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"cupy.{name}{SIGNATURES[name]}: {error}") from None


def unwrapped(value: Any, what: str, devices: set[int]) -> Any:
    """The NumPy array inside; NumPy's own arrays are refused."""
    if isinstance(value, ndarray):
        devices.add(value.device.id)
        return value.array
    if isinstance(value, np.ndarray):
        raise TypeError(f"{what}: Unsupported type {type(value)}: an array of NumPy, of shape {value.shape}")
    if isinstance(value, tuple | list):
        return type(value)(unwrapped(one, what, devices) for one in value)
    return value


def wrapped(value: Any, device: int) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return ndarray(np.asarray(value), device)
    if isinstance(value, tuple | list):
        parts = [wrapped(one, device) for one in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def computed(name: str, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], where: int | None = None) -> Any:
    """What NumPy's function makes of the arrays inside, on their device."""
    found: set[int] = set()
    arguments = unwrapped(args, name, found)
    options = {key: unwrapped(value, name, found) for key, value in kwargs.items()}
    if len(found) > 1:
        raise RuntimeError(f"{name}: arrays of two devices")
    out = kwargs.get("out", args[0] if name in IN_PLACE else None)
    capture = strict_graphs.capturing()
    if capture is None:
        strict_graphs.works()
    with np.errstate(all="ignore"):
        if capture is None:
            result = function(*arguments, **options)
        elif out is not None:
            capture.written(lambda: function(*arguments, **options), out.array)
        else:
            result = capture.computed(name, function, arguments, options)
    if out is not None:
        return out
    return wrapped(result, found.pop() if found else device_now() if where is None else where)


def _binary(name: str) -> Any:
    def method(self: "ndarray", *others: Any) -> Any:
        if any(isinstance(other, tuple | list) for other in others):
            return NotImplemented
        return computed(name, getattr(np.ndarray, name), (self, *others), {}, self.device.id)

    return method


def _reading(name: str) -> Any:
    def method(self: "ndarray", *args: Any) -> Any:
        strict_graphs.read(name)
        reads.append(name)
        return getattr(self.array, name)(*args)

    return method


class ndarray:
    """An array of device memory."""

    __array_ufunc__ = None  # a NumPy number beside this one leaves the operation to it
    __hash__ = None  # type: ignore[assignment]
    kept: dict[int, np.ndarray] = {}  # by pointer; so no memory is given back while a test runs

    def __init__(self, array: np.ndarray, device: int = 0):
        self.array, self.device = array, SimpleNamespace(id=device)
        known = ndarray.kept.get(array.ctypes.data)
        if array.flags.c_contiguous and (known is None or known.size <= array.size):  # not the view of a part
            ndarray.kept[array.ctypes.data] = array

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __getattr__(self, name: str) -> Any:
        if f"ndarray.{name}" not in NAMES:
            raise AttributeError(f"cupy.ndarray has no {name!r}")
        value = getattr(self.array, name)
        if not callable(value):
            return wrapped(value, self.device.id)

        def method(*args: Any, **kwargs: Any) -> Any:
            check_arguments(f"ndarray.{name}", args, kwargs)
            return computed(name, getattr(np.ndarray, name), (self, *args), kwargs, self.device.id)

        return method

    @property
    def flags(self) -> Any:
        """Those that CuPy has."""
        flags = self.array.flags
        return SimpleNamespace(c_contiguous=flags.c_contiguous, f_contiguous=flags.f_contiguous, owndata=flags.owndata)

    @property
    def base(self) -> Any:
        return None if self.array.base is None else self

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=self.array.ctypes.data)

    def copy(self, order: str = "C") -> "ndarray":
        """On the device of the thread."""
        return ndarray(computed("copy", np.ndarray.copy, (self, order), {}).array, device_now())

    def get(self) -> np.ndarray:
        strict_graphs.read("get")
        reads.append("get")
        return self.array.copy()

    def set(self, arr: np.ndarray) -> None:
        assert type(arr) is np.ndarray and arr.dtype == self.dtype and arr.shape == self.shape
        strict_graphs.sent("set")
        strict_graphs.works()
        sends.append(arr.size)
        self.array[...] = arr

    def __getitem__(self, key: Any) -> "ndarray":
        return computed("__getitem__", np.ndarray.__getitem__, (self, key), {}, self.device.id)

    def __setitem__(self, key: Any, value: Any) -> None:
        computed("__setitem__", np.ndarray.__setitem__, (self, key, value), {})

    def __len__(self) -> int:
        return len(self.array)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"strict({self.array!r}, device {self.device.id})"


for _name in ("add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()):  # fmt: skip
    for _form in (f"__{_name}__", f"__r{_name}__"):
        setattr(ndarray, _form, _binary(_form))
for _name in ("neg", "pos", "abs", "invert", "lt", "le", "eq", "ne", "gt", "ge"):
    setattr(ndarray, f"__{_name}__", _binary(f"__{_name}__"))
for _name in ("__float__", "__int__", "__bool__", "__index__", "__format__", "item", "tolist", "tobytes"):
    setattr(ndarray, _name, _reading(_name))


def _in_place(name: str) -> Any:
    def method(self: "ndarray", other: Any) -> "ndarray":
        found: set[int] = {self.device.id}
        value = unwrapped(other, name, found)
        if len(found) > 1:
            raise RuntimeError(f"{name}: arrays of two devices")
        action = functools.partial(getattr(self.array, name), value)
        if (capture := strict_graphs.capturing()) is not None:
            capture.written(action, self.array)
        else:
            strict_graphs.works()
            action()
        return self

    return method


for _name in ("iadd", "isub", "imul", "itruediv", "ipow", "iand", "ior", "ixor"):
    setattr(ndarray, f"__{_name}__", _in_place(f"__{_name}__"))


class RawModule:
    """Checks what CuPy would refuse or pass wrongly, and hands the launch to the shim."""

    def __init__(self, code: str, options: tuple[str, ...]):
        assert options[0] == "-std=c++17" and options[1].startswith("-Dreal=")
        self.program = next(program for program in Program.programs if program.text == code)
        self.real = options[1].removeprefix("-Dreal=")

    def get_function(self, name: str) -> Any:
        def launch(grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
            assert 1 <= len(grid) <= 3 and 1 <= len(block) <= 3 and min(*grid, *block, 1) >= 1
            given = self.program, name, self.real, grid, block, tuple(map(self.parameter, arguments))
            if (capture := strict_graphs.capturing()) is not None:
                capture.actions.append(functools.partial(shim.launch, *given))
                return
            strict_graphs.works()
            shim.launch(*given)
            launched.append(name)

        return launch

    @staticmethod
    def parameter(argument: Any) -> Any:
        if isinstance(argument, ndarray):
            assert argument.array.flags.c_contiguous and argument.device.id == device_now()
            return argument.array
        if isinstance(argument, np.ndarray):
            assert argument.shape == () and argument.dtype.fields  # passed by value
            pointers = argument["at"] if "at" in argument.dtype.fields else None
            return argument.copy() if pointers is None else [ndarray.kept.get(int(p)) for p in pointers]
        assert type(argument) in (np.int32, np.int64, np.uint32, np.float32, np.float64), type(argument)
        return argument


# ---- the module ----


class _Function:
    """A function or ufunc of NumPy's, for these arrays."""

    def __init__(self, name: str, function: Any):
        self.name, self.function = name, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        check_arguments(self.name, args, kwargs)
        if self.name in ("asarray", "array") and isinstance(args[0], np.ndarray | np.generic):
            strict_graphs.sent(self.name)
            strict_graphs.works()
            sends.append(args[0].size)
            return ndarray(np.array(args[0], *args[1:], **{**kwargs, "copy": True}), device_now())
        if self.name in ("asarray", "ascontiguousarray") and not isinstance(args[0], ndarray):
            strict_graphs.sent(self.name)
            sends.append(np.size(args[0]))
        kwargs.pop("blocking", None)
        return computed(self.name, self.function, args, kwargs, device_now() if self.name in MAKERS else None)

    def at(self, *args: Any) -> Any:
        return computed("at", self.function.at, args, {})


def asnumpy(value: Any) -> np.ndarray:
    strict_graphs.read("asnumpy")
    reads.append("asnumpy")
    assert isinstance(value, ndarray)
    return value.array.copy()


def _names_of(prefix: str, owner: Any) -> dict[str, Any]:
    found = {}
    for name in NAMES:
        if name.startswith(prefix) and "." not in (short := name.removeprefix(prefix)) and hasattr(owner, short):
            value = getattr(owner, short)
            plain = isinstance(value, type | ModuleType) or not callable(value)
            found[short] = value if plain else _Function(name, value)
    return found


def _module() -> ModuleType:
    module = ModuleType("strict")
    vars(module).update(_names_of("", np))
    runtime = SimpleNamespace(
        getDeviceCount=lambda: DEVICES, getDevice=device_now, runtimeGetVersion=lambda: 13000,
        getDeviceProperties=lambda number: {"name": b"strict", "totalGlobalMem": 1 << 30},
    )  # fmt: skip
    pool = strict_graphs.MemoryPool()
    vars(module).update(
        ndarray=ndarray, RawModule=RawModule, asnumpy=asnumpy, __version__="14", linalg=SimpleNamespace(),
        get_default_memory_pool=lambda: pool,
        cuda=SimpleNamespace(Device=Device, runtime=runtime, **vars(strict_graphs.cuda)),
    )  # fmt: skip
    vars(module.linalg).update(_names_of("linalg.", np.linalg))
    for name in ("random", "fft", "testing", "typing", "ctypeslib", "lib", "ma"):
        vars(module).pop(name, None)
    strided = np.lib.stride_tricks.as_strided  # of CuPy it takes these three
    tricks = SimpleNamespace(as_strided=lambda x, shape, strides: computed("lib", strided, (x, shape, strides), {}))
    module.lib = SimpleNamespace(stride_tricks=tricks)  # type: ignore[attr-defined]
    return module


module = _module()
special = ModuleType("strict_special")
for _name in ("erf", "erfc", "erfinv", "ndtri"):  # of cupyx.scipy.special
    _function = getattr(scipy.special, _name)
    setattr(special, _name, lambda x, f=_function: computed("special", f, (x,), {}))


def install(monkeypatch: Any) -> Any:
    """Make the library known for one test; its devices are "strict:0" and "strict:1"."""
    strict_graphs.reset()
    launched.clear()
    reads.clear()
    sends.clear()
    monkeypatch.setattr(ndarray, "kept", {})
    monkeypatch.setattr(devices, "_numbers", {})
    monkeypatch.setitem(sys.modules, "strict_special", special)
    for program in Program.programs:
        monkeypatch.setattr(program, "_modules", {})
    monkeypatch.setitem(arrays.foreign, ndarray, arrays.register("strict", module, "strict_special"))
    return module


def given(value: Any, device: int = 0) -> Any:
    """Copies on a device, of arrays and lists of them."""
    if isinstance(value, list):
        return [given(one, device) for one in value]
    return ndarray(np.array(value), device) if isinstance(value, np.ndarray) else value
