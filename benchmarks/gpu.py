"""`--device gpu`: which GPU is meant, whether it is there, and what a record says of it."""

import argparse
import re
import subprocess
from typing import Any

from .arguments import UsageError

SECONDS = 0.3  # of a round: a GPU does more steps in that time than the workloads' own numbers


def device(text: str) -> str:
    """ "cpu", or "gpu:N" also for "gpu"."""
    if text == "cpu":
        return text
    if not (found := re.fullmatch(r"gpu(?::(\d+))?", text)):
        raise argparse.ArgumentTypeError(f'expected "cpu", "gpu" or "gpu:N", got {text!r}')
    return f"gpu:{int(found[1] or 0)}"


def add(parser: argparse.ArgumentParser) -> None:
    """--device and --tf32"""
    parser.add_argument(
        "--device", type=device, default="cpu", metavar="DEVICE", help="cpu, gpu or gpu:N (default: %(default)s)"
    )
    parser.add_argument(
        "--tf32", action="store_true",
        help="let products and convolutions of all sides use TF32 on a GPU, with factors of 10 bits (default: off)",
    )  # fmt: skip


def check(name: str, tf32: bool) -> None:
    """That minidl can work on a device.

    Raises:
        UsageError: it cannot; says what to install. Or TF32 was asked for where there is none.
    """
    if name == "cpu":
        if tf32:
            raise UsageError("--tf32 is a setting of GPUs; add --device gpu")
        return
    from minidl_kernels import devices

    try:
        devices.find(name)
    except (ImportError, RuntimeError, ValueError) as error:
        raise UsageError(f"--device {name}: {error}") from error


def facts(name: str) -> dict[str, Any]:
    """Name of a GPU, the driver's version, and the version of CUDA that the driver is for."""
    from minidl_kernels import devices

    found = devices.find(name)
    assert found.library is not None
    properties = found.library.namespace.cuda.runtime.getDeviceProperties(found.number)
    cuda = devices.driver() or 0
    return {
        "name": properties["name"].decode(), "MiB": properties["totalGlobalMem"] >> 20,
        "driver": driver(), "CUDA of the driver": f"{cuda // 1000}.{cuda % 1000 // 10}",
    }  # fmt: skip


def driver() -> str:
    """The version of NVIDIA's driver, such as "570.86.15"; "unknown" where nvidia-smi does not tell."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        lines = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        lines = []
    return lines[0] if lines else "unknown"
