"""Compiles CUDA kernels for real GPUs without having one: NVIDIA's run-time compiler is a library of its own.

    pip install nvidia-cuda-nvrtc

It says whether a text compiles for an architecture, and what each kernel needs: registers decide how many warps share a
multiprocessor, and spills are registers that did not fit and live in memory.
"""

import ctypes
import importlib.util
import re
from pathlib import Path
from typing import NamedTuple

__all__ = ["Needs", "NvrtcError", "compile_text", "library", "version"]

NAMES = ("libnvrtc.so.[0-9]*", "nvrtc64_[0-9]*.dll")
ENTRY = re.compile(
    r"Compiling entry function '(?P<name>\w+)'.*?(?P<frame>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads.*?Used (?P<registers>\d+) registers(?P<rest>[^\n]*)",
    re.DOTALL,
)
SHARED = re.compile(r"(\d+) bytes smem")


class NvrtcError(RuntimeError):
    """What the compiler says of a text that does not compile; or that there is no compiler."""


class Needs(NamedTuple):
    """What one thread (registers, bytes of stack and spills) or block (bytes of shared memory) of a kernel takes."""

    registers: int
    shared: int
    stack: int
    spills: int


def library() -> ctypes.CDLL:
    """The compiler, from NVIDIA's Python package.

    Raises:
        NvrtcError: it is not installed.
    """
    found = importlib.util.find_spec("nvidia")
    for folder in map(Path, (found.submodule_search_locations or ()) if found else ()):
        for name in NAMES:
            for path in sorted(folder.rglob(name)):
                return ctypes.CDLL(str(path))
    raise NvrtcError("NVRTC was not found: pip install nvidia-cuda-nvrtc")


def version() -> str:
    """That of the compiler, such as "13.0"."""
    nvrtc, parts = library(), (ctypes.c_int(), ctypes.c_int())
    _check(nvrtc, nvrtc.nvrtcVersion(*map(ctypes.byref, parts)), "")
    return ".".join(str(part.value) for part in parts)


def compile_text(text: str, real: str, architecture: str) -> dict[str, Needs]:
    """Compile the text of kernels to machine code; what each of them needs.

    Args:
        text: of a ``Program``.
        real: "float" or "double".
        architecture: such as "sm_80".

    Raises:
        NvrtcError: with the compiler's messages.
    """
    nvrtc = library()
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    _check(nvrtc, nvrtc.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernel.cu", 0, None, None), "")
    try:
        options = ("-std=c++17", f"-Dreal={real}", f"--gpu-architecture={architecture}", "--ptxas-options=-v")
        code = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * 4)(*map(str.encode, options)))
        nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        log = ctypes.create_string_buffer(size.value)
        nvrtc.nvrtcGetProgramLog(program, log)
        _check(nvrtc, code, log.value.decode(errors="replace"))
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return {entry["name"]: _needs(entry) for entry in ENTRY.finditer(log.value.decode(errors="replace"))}


def _needs(entry: re.Match[str]) -> Needs:
    shared = SHARED.search(entry["rest"])
    spills = int(entry["stores"]) + int(entry["loads"])
    return Needs(int(entry["registers"]), int(shared[1]) if shared else 0, int(entry["frame"]), spills)


def _check(nvrtc: ctypes.CDLL, code: int, log: str) -> None:
    if code:
        nvrtc.nvrtcGetErrorString.restype = ctypes.c_char_p
        raise NvrtcError(f"{nvrtc.nvrtcGetErrorString(code).decode()}\n{log}")
