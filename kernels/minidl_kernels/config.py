"""Settings of the kernels: threads, chosen implementations, and the cache of compiled code.

Everything above reads them here. The environment gives the start values:

* ``MINIDL_THREADS``: how many threads a kernel may use (default: the cores this process may run on).
* ``MINIDL_KERNELS``: chosen implementations, such as ``"conv2d=array,*=cpu"``.
* ``MINIDL_TF32``: 1 lets products and convolutions on GPUs round their factors to TF32 (default: 0).
* ``MINIDL_CACHE``: where compiled kernels and downloads are kept (default: the user's cache folder).
"""

import hashlib
import os
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Any

__all__ = [
    "cache_folder", "chosen_implementation", "compiled_folder", "set_threads", "setting", "threads",
    "enable_tf32", "is_tf32_enabled",
    "use_implementation",
]  # fmt: skip


class setting:
    """A context variable's value inside the ``with`` block."""

    def __init__(self, variable: ContextVar[Any], value: Any):
        self.variable, self.value = variable, value

    def __enter__(self) -> None:
        self.token = self.variable.set(self.value)

    def __exit__(self, *exception: object) -> None:
        self.variable.reset(self.token)


def _usable_cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _parse_choices(text: str) -> dict[str, str]:
    choices = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        kernel, separator, implementation = part.partition("=")
        if not separator:
            raise ValueError(f"MINIDL_KERNELS: {part!r} should read kernel=implementation, for example conv2d=array")
        choices[kernel.strip()] = implementation.strip()
    return choices


changes = 0  # how often these settings were changed: what follows from them is kept under this number
_threads = int(os.environ.get("MINIDL_THREADS", "0")) or _usable_cores()
_choices = _parse_choices(os.environ.get("MINIDL_KERNELS", ""))
_tf32 = os.environ.get("MINIDL_TF32", "") not in ("", "0")


def threads() -> int:
    """How many threads a kernel may use."""
    return _threads


def set_threads(count: int) -> None:
    """Set how many threads a kernel may use; results do not depend on it."""
    global _threads, changes
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"threads must be a positive whole number, not {count!r}")
    _threads, changes = count, changes + 1


def enable_tf32(on: bool = True) -> None:
    """Let matrix products and convolutions of float32 on GPUs run on tensor cores, in TF32; off from the start.

    Their factors are then rounded to 10 bits of mantissa in place of 23, and still added up in float32: a result is
    off by at most 2^-10 of the sum of its products' absolute values, where float32 has about 2^-23. It takes a GPU of
    compute capability 8.0 (from 2020 on); on others, and for float64, everything stays as it is.

    Raises:
        TypeError: no True or False.
    """
    global _tf32, changes
    if not isinstance(on, bool):
        raise TypeError(f"on must be True or False, not {on!r}")
    _tf32, changes = on, changes + 1


def is_tf32_enabled() -> bool:
    """Whether products and convolutions on GPUs may round their factors to TF32."""
    return _tf32


def use_implementation(kernel: str, implementation: str | None) -> None:
    """Prefer ``implementation`` for ``kernel`` ("*": for all); ``None`` returns to the measured default.

    A preference that refuses a call falls through to the default; ``with kernel.use(...)`` insists.
    """
    global changes
    changes += 1
    if implementation is None:
        _choices.pop(kernel, None)
    else:
        _choices[kernel] = implementation


def chosen_implementation(kernel: str) -> str | None:
    """The preference set for ``kernel``, or ``None``."""
    return (_choices.get(kernel) or _choices.get("*")) if _choices else None


def cache_folder() -> Path:
    """The folder of the user for what minidl can make or fetch again."""
    if "MINIDL_CACHE" in os.environ:
        return Path(os.environ["MINIDL_CACHE"])
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "minidl"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "minidl"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "minidl"


def compiled_folder() -> Path:
    """Where Numba keeps compiled kernels: one folder for each state of the kernel sources.

    Numba stamps a cached function with the hash of its own file only, so an edited helper in another
    file would leave stale code behind; the digest of all kernel sources in the path rules that out.
    """
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return cache_folder() / "kernels" / digest.hexdigest()[:16]
