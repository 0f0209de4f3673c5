"""Writing a file so that there is always a whole one: the old one, or the new one."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["replacing"]


@contextmanager
def replacing(filepath: Any) -> Iterator[BinaryIO]:
    """A temporary file beside ``filepath`` that takes its place when the ``with`` block ends without an exception.

    Otherwise (and that includes KeyboardInterrupt) it is removed, and the file that was there stays as it was.

    Raises:
        FileNotFoundError: no such folder.
        IsADirectoryError: there is a folder of this name.
        PermissionError: the file is read-only, or the folder does not let files be made.
    """
    target = Path(os.path.realpath(filepath))  # through links: a link stays one
    _check(target, filepath)
    temporary = target.with_name(f".minidl-{secrets.token_hex(8)}.tmp")
    try:
        try:
            # Not tempfile: its files can be read by their owner only, and the mode would stay with the saved model.
            file = open(temporary, "xb")  # noqa: SIM115 - closed below, before the file is moved
        except PermissionError as error:
            message = f"cannot write {filepath}: no files can be made in the folder {target.parent}"
            raise PermissionError(message) from error
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)  # Windows wants the file closed here
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _check(target: Path, given: Any) -> None:
    if not target.parent.is_dir():
        raise FileNotFoundError(f"cannot write {given}: there is no folder {target.parent}")
    if target.is_dir():
        raise IsADirectoryError(f"cannot write {given}: there is a folder of this name")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(f"cannot write {given}: the file is read-only")


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system can open folders (Windows cannot)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
