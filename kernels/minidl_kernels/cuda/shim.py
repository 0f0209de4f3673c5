"""Runs the text of CUDA kernels on the processor, and finds what a GPU would not tell.

The text is compiled by a C++ compiler together with ``shim.h`` and called with copies of the arrays, each between two
pages of memory that cannot be touched: an index past an end stops the launch, with the thread that used it::

    with shim.running("reverse"):
        kernels.relu.get("cuda").run(x, out=y)

Threads run in one of three orders, which give the same result unless a barrier is missing: "forward", "reverse", and
"mixed" over all warps of a block. In "forward" an array ends at its guard, in "reverse" it begins after one.
"""

import ctypes
import hashlib
import mmap
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np

from .. import config
from . import counts

__all__ = ["ORDERS", "ShimError", "compiler", "launch", "running"]

ORDERS = ("forward", "reverse", "mixed")
MOST_THREADS = 1024  # of a block, on every GPU
HEADERS = tuple(Path(__file__).with_name(name) for name in ("shim.h", "shim_tensor.h", "shim_counts.h"))
# Hidden, since a symbol of a template that can be seen is one for the whole process, whatever the text it came from.
FLAGS = (
    "-std=gnu++17 -O1 -fPIC -fvisibility=hidden -w -U_FORTIFY_SOURCE -ffp-contract=off -fno-strict-aliasing "
    "-fsanitize=bounds -fno-sanitize-recover=bounds"
).split()
PAGE = mmap.PAGESIZE
_order: ContextVar[str] = ContextVar("order", default="forward")
_libraries: dict[str, ctypes.PyDLL] = {}


class ShimError(RuntimeError):
    """What a kernel did wrong, and in which thread."""


@contextmanager
def running(order: str) -> Iterator[None]:
    """Run the threads of a block, and the blocks of a grid, in this order ("forward", "reverse" or "mixed")."""
    if order not in ORDERS:
        raise ValueError(f"order must be one of {ORDERS}, not {order!r}")
    token = _order.set(order)
    try:
        yield
    finally:
        _order.reset(token)


def compiler() -> list[str]:
    """The C++ compiler: what ``CXX`` names, else g++, clang++ or c++.

    Raises:
        ShimError: there is none; or this is not Linux, whose linker gathers shared memory in one place.
    """
    if sys.platform != "linux":
        raise ShimError(f"the shim runs CUDA kernels on Linux only, not on {sys.platform}")
    if named := os.environ.get("CXX"):
        return shlex.split(named)
    for name in ("g++", "clang++", "c++"):
        if found := shutil.which(name):
            return [found]
    raise ShimError(
        "no C++ compiler was found (g++, clang++ or c++, or what CXX names), and the CUDA kernels need one to run on "
        "the processor: install one, for example with `apt install g++`"
    )


def library(text: str, kernels: list[str], real: str, counted: bool = False) -> ctypes.PyDLL:
    """The compiled text; kept on disk under a name made of all that it depends on.

    Args:
        counted: count what its threads ask of memory (counts.py).
    """
    counts, flags = ('#include "shim_counts.h"\n', (*FLAGS, "-fsanitize=thread")) if counted else ("", FLAGS)
    table = "".join(f"    {{shim::Call<{name}>::run, shim::Call<{name}>::sizes}},\n" for name in kernels)
    source = (
        f'#define real {real}\n#include "shim.h"\n#include "shim_tensor.h"\n{counts}#line 1 "kernel.cu"\n{text}\n'
        f"shim::Entry shim_entries[] = {{\n{table}}};\n"
        "SHIM_EXPORT const int* shim_sizes(int kernel) { return shim_entries[kernel].sizes; }\n"
    )
    command = compiler()
    everything = "\0".join((*command, *flags, *(header.read_text("utf-8") for header in HEADERS), source))
    digest = hashlib.sha256(everything.encode()).hexdigest()[:24]
    if digest not in _libraries:
        path = config.cache_folder() / "shim" / f"{digest}.so"
        if not path.exists():
            _compile(command, flags, source, path)
        # PyDLL holds Python's lock: the handler of faults is one for the whole process.
        _libraries[digest] = ctypes.PyDLL(str(path))
    return _libraries[digest]


def _compile(command: list[str], flags: Sequence[str], source: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        cpp, compiled, linked = (Path(folder) / name for name in ("kernel.cpp", "kernel.o", "kernel.so"))
        cpp.write_text(source, "utf-8")
        # Linked without -fsanitize: the handler of the check is ours, the sanitizer's library is not wanted.
        for step in (
            [*command, *flags, f"-I{HEADERS[0].parent}", "-c", str(cpp), "-o", str(compiled)],
            [*command, "-shared", str(compiled), "-o", str(linked)],
        ):
            done = subprocess.run(step, capture_output=True, text=True)
            if done.returncode:
                raise ShimError(f"the kernel text does not compile:\n{done.stderr.replace(folder, '')}")
        linked.replace(path)  # in one step: another process may do the same


class _Guarded:
    """A copy of an array that ends at (or begins after) a page that cannot be touched; the other side is patterned."""

    PATTERN = 0xA5

    def __init__(self, array: np.ndarray, at_end: bool):
        self.array = array
        pages = -(-array.nbytes // PAGE) * PAGE
        self.memory = mmap.mmap(-1, pages + 2 * PAGE)
        self.bytes = np.frombuffer(self.memory, np.uint8)
        self.begin = PAGE + (pages - array.nbytes if at_end else 0)
        self.bytes[PAGE : PAGE + pages] = self.PATTERN
        self.copy = self.bytes[self.begin : self.begin + array.nbytes].view(array.dtype).reshape(array.shape)
        self.copy[...] = array
        self.address = self.bytes.ctypes.data + self.begin
        start, size = self.bytes.ctypes.data, PAGE + pages
        for guard in (start, start + size):
            if ctypes.CDLL(None).mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(PAGE), 0):
                raise OSError("mprotect failed")
        self.between = self.bytes[PAGE:size]

    def element(self, fault: int) -> int | None:
        """Which element an address would be, where it is in this array's memory or its guards."""
        start = self.bytes.ctypes.data
        inside = start <= fault < start + len(self.bytes)
        return (fault - self.address) // self.array.itemsize if inside else None

    def hand_back(self, name: str, position: int) -> None:
        """Copy what changed into the array."""
        before, size = self.begin - PAGE, self.array.nbytes
        if (self.between[:before] != self.PATTERN).any() or (self.between[before + size :] != self.PATTERN).any():
            raise ShimError(f"{name}: argument {position} was written outside of its {self.array.size} elements")
        if self.array.flags.writeable:
            self.array[...] = self.copy
        elif self.copy.tobytes() != self.array.tobytes():
            raise ShimError(f"{name}: argument {position} is read-only, and was written")


def launch(
    program: Any, name: str, real: str, grid: tuple[int, ...], block: tuple[int, ...], arguments: tuple[Any, ...]
) -> None:
    """Run one kernel of a program (its ``text`` and names of ``kernels``) over a grid.

    Raises:
        ShimError: arguments that do not fit the kernel's parameters; an access outside of an array; barriers and
            shuffles that some threads do not reach.
    """
    if name not in program.kernels:
        raise ShimError(f"there is no kernel {name!r}; there are: {', '.join(program.kernels)}")
    grid, block = ((*three, 1, 1)[:3] for three in (grid, block))
    if not 0 < block[0] * block[1] * block[2] <= MOST_THREADS or max(grid[1:]) > 65535 or grid[0] >= 2**31:
        raise ShimError(f"{name}: no GPU runs a grid of {grid} blocks of {block} threads")
    counted = counts.launches() is not None
    compiled, number = library(program.text, program.kernels, real, counted), program.kernels.index(name)
    order = _order.get()
    guarded: list[tuple[int, _Guarded]] = []

    def address(position: int, array: Any) -> bytes:
        if array is None:
            return bytes(8)
        guarded.append((position, _Guarded(array, order != "reverse")))
        return guarded[-1][1].address.to_bytes(8, sys.byteorder)

    buffers = []
    for i, argument in enumerate(arguments):
        if isinstance(argument, list):
            buffers.append(bytearray(b"".join(address(i, array) for array in argument)))
        else:
            pointed = isinstance(argument, np.ndarray) and argument.dtype.fields is None
            buffers.append(bytearray(address(i, argument) if pointed else argument.tobytes()))
    _check_sizes(compiled, number, name, program.text, [len(buffer) for buffer in buffers])
    pointers = (ctypes.c_void_p * len(buffers))(
        *(ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer)) for buffer in buffers)
    )
    message, fault = ctypes.create_string_buffer(1000), ctypes.c_size_t()
    three = ctypes.c_uint * 3
    ends = [(copy.address, copy.address + copy.array.nbytes) for _, copy in guarded]
    with counts.noted(compiled, ends) if counted else nullcontext():
        failed = compiled.shim_launch(
            number, three(*grid), three(*block), pointers, ORDERS.index(order), message, ctypes.byref(fault)
        )
    if failed:
        where = ((i, copy.array.size, copy.element(fault.value)) for i, copy in guarded if fault.value)
        hits = [f" (element {e} of argument {i}, which has {size})" for i, size, e in where if e is not None]
        raise ShimError(f"{name}, {order}: {message.value.decode()}{''.join(hits)}")
    for position, copy in guarded:
        copy.hand_back(name, position)


def _check_sizes(compiled: ctypes.PyDLL, number: int, name: str, text: str, came: list[int]) -> None:
    compiled.shim_sizes.restype = ctypes.POINTER(ctypes.c_int)
    sizes = compiled.shim_sizes(number)
    expected: list[int] = []
    while sizes[len(expected)]:
        expected.append(sizes[len(expected)])
    if came != expected:
        declared = re.search(rf"\b{name}\(([^)]*)\)", text)
        raise ShimError(
            f"{name}: its parameters ({' '.join(declared[1].split()) if declared else ''}) have {expected} bytes, "
            f"the arguments have {came}"
        )
