"""The sides that are compared: what each needs, how its process is set up, and what it cannot do."""

import importlib
import importlib.util
import os
import shutil
from collections.abc import Sequence
from typing import Any, NamedTuple


class Side(NamedTuple):
    """One side."""

    module: str  # of this package
    needs: tuple[str, ...]  # importable modules
    install: str  # what to tell who has them not
    environment: tuple[tuple[str, str], ...] = ()  # of its process
    compiler: bool = False  # needs one for C++
    dense_only: bool = False
    not_on_gpu: str = ""  # why it has no place there


# With these glibc keeps the memory that a step frees, and the next step does not fault its pages in again.
KEPT_MEMORY = (("MALLOC_MMAP_MAX_", "0"), ("MALLOC_TRIM_THRESHOLD_", "17179869184"))
ON_CPU = (("KERAS_BACKEND", "jax"), ("JAX_PLATFORMS", "cpu"))
ON_GPU = {"JAX_PLATFORMS": "cuda", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # the others want memory too
SIDES = {
    "minidl": Side("side_minidl", ("minidl",), "-e ."),
    "torch": Side("side_torch", ("torch",), "torch"),
    "torch-tuned": Side("side_torch", ("torch",), "torch", KEPT_MEMORY),
    "torch-compile": Side("side_torch", ("torch",), "torch", compiler=True),
    "keras-jax": Side("side_keras", ("keras", "jax"), "keras jax", ON_CPU),
    "numpy": Side("side_numpy", (), "numpy", dense_only=True, not_on_gpu="computes on the processor only"),
}
PEERS = tuple(name for name in SIDES if name != "minidl")
REFERENCE = "torch"  # what ratios are stated against


def unavailable(name: str, device: str = "cpu") -> str | None:
    """Why a side cannot run here on a device, and what helps; None where it can."""
    side = SIDES[name]
    if device != "cpu" and side.not_on_gpu:
        return side.not_on_gpu
    missing = [module for module in side.needs if importlib.util.find_spec(module) is None]
    if missing:
        return f"{' and '.join(missing)} not installed; python -m pip install {side.install}"
    if side.compiler and not any(filter(None, map(shutil.which, (os.environ.get("CXX", "g++"), "clang++", "cl")))):
        return "needs a C++ compiler such as g++; none was found"
    if device != "cpu" and "torch" in side.needs and not importlib.import_module("torch").cuda.is_available():
        return "this build of torch finds no GPU; install the one for the CUDA of your driver"
    plugins = (importlib.util.find_spec(f"jax_cuda{version}_plugin") for version in (12, 13))
    if device != "cpu" and "jax" in side.needs and not any(plugins):
        return "this build of jax finds no GPU; python -m pip install 'jax[cuda12]' (or cuda13)"
    return None


def cannot(name: str, layers: Sequence[Any]) -> str | None:
    """Why a side does not do these layers; None where it does."""
    if SIDES[name].dense_only and any(layer[0] != "dense" for layer in layers):
        return "not available: dense networks only"
    return None


def environment(name: str, threads: int, device: str = "cpu") -> dict[str, str]:
    """Settings of a side's process, those that are read when libraries start among them."""
    several = ("MINIDL_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    found = {one: str(threads) for one in several}
    found["NPROC"] = str(threads)  # the size of JAX's pool
    if threads == 1:
        found["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    return found | dict(SIDES[name].environment) | (ON_GPU if device != "cpu" else {})
