"""The folder for compiled kernels, or what stands in for it where that cannot be written."""

import atexit
import logging
import os
import shutil
import tempfile
from pathlib import Path

from . import config

__all__ = ["folder_for_numba"]

_log = logging.getLogger("minidl")


def folder_for_numba() -> str:
    """Where Numba reads and keeps compiled kernels, for ``NUMBA_CACHE_DIR``; says under "minidl" what takes time.

    Numba does not read a folder that it cannot write into. So what such a folder holds is copied to a temporary one,
    which goes with this process.
    """
    folder = config.compiled_folder()
    there = folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return _stand_in(folder, there, error)
    if not there:
        _log.warning("minidl: compiling kernels for this processor, once; they are kept in %s", config.cache_folder())
    return str(folder)


def _stand_in(folder: Path, there: bool, error: OSError) -> str:
    place = tempfile.mkdtemp(prefix="minidl-kernels-")
    atexit.register(_remove, place, os.getpid())
    if there:
        shutil.copytree(folder, place, dirs_exist_ok=True)
        _log.info("minidl: %s cannot be written (%s); kernels are read from it, new ones are not kept", folder, error)
    else:
        _log.warning(
            "minidl: %s cannot be written (%s), so every process compiles its kernels anew; set MINIDL_CACHE to a "
            "folder that can be", config.cache_folder(), error,
        )  # fmt: skip
    return place


def _remove(place: str, owner: int) -> None:
    if os.getpid() == owner:  # not a forked child, whose parent still needs it
        shutil.rmtree(place, ignore_errors=True)
