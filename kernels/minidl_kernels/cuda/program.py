"""The text of a file of CUDA kernels, for one dtype, and how one of its kernels is launched.

In the text ``real`` is float or double. Lines such as ``#include "tile.cuh"`` are replaced by that file of this folder,
so a text is complete, and its hash says all about it.

Which machine runs it follows from the arrays: CuPy's are launched on their GPU, NumPy's in the shim.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import Array, is_array, namespace

__all__ = ["Program", "blocks", "parts"]

REALS = {"float32": "float", "float64": "double"}
SIGNATURE = re.compile(r'extern "C" __global__ void\s*(?:__launch_bounds__\(\w+\)\s*)?(\w+)\(')
INCLUDE = re.compile(r'^#include "([\w.]+)"\n', re.MULTILINE)
FOLDER = Path(__file__).parent
MOST_DEEP = 65_535  # blocks of a grid along z, and along y; along x there may be 2^31


def blocks(count: int, each: int) -> int:
    """How many blocks of ``each`` cover ``count``: the last one may hang over, so a kernel compares its index."""
    return -(-count // each)


def parts(count: int) -> Iterator[tuple[slice, int]]:
    """A stack of so many things with a block along z each, in as many launches as it takes: (which, how many)."""
    for first in range(0, count, MOST_DEEP):
        some = min(MOST_DEEP, count - first)
        yield slice(first, first + some), some


class Program:
    """A file of kernels.

    Args:
        path: the ``.cu`` file, beside the module that asks for it.
        beside: ``__file__`` of that module.
        least: the compute capability that a GPU needs, times ten; on older ones the text does not compile.
        more: kernels that follow upon the text of the file.
    """

    programs: list["Program"] = []  # all of them, in the order in which their modules were loaded

    def __init__(self, path: str, beside: str, least: int = 0, more: str = ""):
        self.path = Path(beside).parent / path
        text = self.path.read_text("utf-8") + more
        self.text = INCLUDE.sub(lambda found: (FOLDER / found[1]).read_text("utf-8"), text)
        self.kernels = SIGNATURE.findall(self.text)
        self.least = least
        self._modules: dict[tuple[int, str], Any] = {}
        Program.programs.append(self)

    def __repr__(self) -> str:
        return f"<CUDA kernels of {self.path.parent.name}/{self.path.name}: {', '.join(self.kernels)}>"

    def __call__(self, name: str, grid: tuple[int, ...], block: tuple[int, ...], *arguments: Any) -> None:
        """Launch a kernel; nothing happens where the grid is empty.

        Args:
            name: of the kernel.
            grid, block: blocks in the grid and threads in a block, up to three numbers each.
            arguments: arrays as pointers; a list of arrays as a structure of pointers (None as null); int as ``int``,
                float as ``real``; NumPy's numbers and structures of no axes as they are (``np.int64(n)`` for a
                ``long long``).
        """
        first = next(argument for argument in arguments if is_array(argument) and argument.dtype.kind == "f")
        self.launch(first.dtype, name, grid, block, arguments)

    def launch(
        self, dtype: Any, name: str, grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...]
    ) -> None:
        """Launch a kernel where ``real`` is ``dtype``, on the machine of the first array."""
        if 0 in grid:
            return
        arguments = tuple(_as_parameter(argument, dtype) for argument in arguments)
        given = (array for argument in arguments for array in (argument if isinstance(argument, list) else [argument]))
        owner = next(array for array in given if is_array(array) and array.dtype.fields is None)
        if namespace(owner) is np:
            from . import shim

            shim.launch(self, name, REALS[str(dtype)], grid, block, arguments)
        else:
            arguments = tuple(_table(argument) if isinstance(argument, list) else argument for argument in arguments)
            self._function(namespace(owner), owner, name, REALS[str(dtype)])(grid, block, arguments)

    def _function(self, cupy: Any, owner: Array, name: str, real: str) -> Any:
        key = owner.device.id, real
        if key not in self._modules:
            self._modules[key] = cupy.RawModule(code=self.text, options=("-std=c++17", f"-Dreal={real}"))
        return self._modules[key].get_function(name)


def _as_parameter(argument: Any, dtype: Any) -> Any:
    if isinstance(argument, bool | int):
        return np.int32(argument)  # OverflowError where it does not fit
    return dtype.type(argument) if isinstance(argument, float) else argument


def _table(arrays: list[Any]) -> np.ndarray:
    """Pointers as a structure: CuPy passes an array of NumPy's with one element by value."""
    pointers = [0 if array is None else array.data.ptr for array in arrays]
    return np.array((pointers,), [("at", np.uint64, (len(pointers),))])
