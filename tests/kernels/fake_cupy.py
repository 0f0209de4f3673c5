"""As much of CuPy as the kernels use, on the processor: arrays that are not NumPy's, and kernels that run in the shim.

With it, calls go the way that they go on a GPU: a kernel sees an array of another library, chooses the CUDA
implementation, allocates, and launches through RawModule. What it lacks raises AttributeError.
"""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from minidl_kernels.cuda import Program, shim

FUNCTIONS = ("empty", "zeros", "asarray", "ascontiguousarray", "broadcast_to")
launched: list[str] = []


class ndarray:
    """Wraps an array of NumPy's; results of its methods are wrapped again."""

    kept: dict[int, np.ndarray] = {}  # by pointer
    device = SimpleNamespace(id=0)

    def __init__(self, array: np.ndarray):
        self.array = array
        ndarray.kept[array.ctypes.data] = array

    def __getattr__(self, name: str) -> Any:
        if name in ("__array__", "__array_interface__"):
            raise AttributeError(name)  # as CuPy: nothing becomes a NumPy array unasked
        return wrapped(getattr(self.array, name))

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=self.array.ctypes.data)

    def __getitem__(self, key: Any) -> "ndarray":
        return ndarray(self.array[key])

    def __setitem__(self, key: Any, value: "ndarray") -> None:
        self.array[key] = value.array

    def __int__(self) -> int:
        return int(self.array)

    def __lt__(self, other: Any) -> bool:
        return bool(self.array < other)

    def __ge__(self, other: Any) -> bool:
        return bool(self.array >= other)


def wrapped(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return ndarray(np.asarray(value))
    if callable(value) and not isinstance(value, type):
        return lambda *arguments, **options: wrapped(value(*map(unwrapped, arguments), **options))
    return value


def unwrapped(value: Any) -> Any:
    return value.array if isinstance(value, ndarray) else value


class RawModule:
    """Checks what CuPy would refuse or pass wrongly, and hands the launch to the shim."""

    def __init__(self, code: str, options: tuple[str, ...]):
        assert options[0] == "-std=c++17" and options[1].startswith("-Dreal=")
        self.program = next(program for program in Program.programs if program.text == code)
        self.real = options[1].removeprefix("-Dreal=")

    def get_function(self, name: str) -> Any:
        def launch(grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...]) -> None:
            assert 1 <= len(grid) <= 3 and 1 <= len(block) <= 3 and min(*grid, *block, 1) >= 1
            shim.launch(self.program, name, self.real, grid, block, tuple(map(self.parameter, arguments)))
            launched.append(name)

        return launch

    @staticmethod
    def parameter(argument: Any) -> Any:
        if isinstance(argument, ndarray):
            assert argument.array.flags.c_contiguous
            return argument.array
        if isinstance(argument, np.ndarray):
            assert argument.shape == () and argument.dtype.fields  # passed by value
            return [ndarray.kept.get(int(p)) for p in argument["at"]] if "at" in argument.dtype.fields else argument
        assert type(argument) in (np.int32, np.int64, np.uint32, np.float32, np.float64), type(argument)
        return argument


def install(monkeypatch: Any) -> ModuleType:
    """A module ``cupy`` for one test."""
    module = ModuleType("cupy")
    module.ndarray, module.RawModule = ndarray, RawModule  # type: ignore[attr-defined]
    for name in FUNCTIONS:
        setattr(module, name, wrapped(getattr(np, name)))
    monkeypatch.setitem(sys.modules, "cupy", module)
    monkeypatch.setattr(ndarray, "kept", {})
    launched.clear()
    return module
