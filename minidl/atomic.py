"""Writing a file so that there is always a whole one: the old one, or the new one."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed, so needs no lock against that
    fcntl = None  # type: ignore[assignment]

__all__ = ["replacing", "write_text"]

PREFIX, SUFFIX = ".minidl-", ".tmp"
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_tidied: set[tuple[int, Path]] = set()  # process, folder


@contextmanager
def replacing(filepath: Any) -> Iterator[BinaryIO]:
    """A temporary file beside ``filepath`` that takes its place when the ``with`` block ends without an exception.

    Otherwise (and that includes KeyboardInterrupt) it is removed, and the file that was there stays as it was. What a
    process that was killed leaves behind is removed by the next one that writes into the folder. A link stays a link, a
    file keeps its mode, and the numbers are on the disk before the name is. What is no file (a pipe, a device) is
    written to as it is.

    Raises:
        FileNotFoundError: no such folder.
        IsADirectoryError: there is a folder of this name.
        PermissionError: the file is read-only or in use, or the folder does not let files be made.
        OSError: the disk is full (ENOSPC), or a quota or the largest size of a file is reached (EDQUOT, EFBIG).
    """
    target = Path(os.path.realpath(filepath))  # through links: a link stays one
    _check(target, filepath)
    if target.exists() and not target.is_file():
        with open(target, "wb") as whatever:
            yield whatever
        return
    temporary, lock = target, -1
    try:
        file, temporary, lock = _made(target, filepath)
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        _move(temporary, target, filepath)  # Windows wants the file closed here
    except BaseException as error:
        if temporary != target:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _FULL:
            raise _full(error, filepath) from error
        raise
    finally:
        if lock >= 0:
            os.close(lock)
    _sync_folder(target.parent)


def write_text(filepath: Any, text: str) -> None:
    """Write a text in UTF-8 by ``replacing``."""
    content = text.encode()
    with replacing(filepath) as file:
        file.write(content)


def _check(target: Path, given: Any) -> None:
    if not target.parent.is_dir():
        raise FileNotFoundError(f"cannot write {given}: there is no folder {target.parent}")
    if target.is_dir():
        raise IsADirectoryError(f"cannot write {given}: there is a folder of this name")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(f"cannot write {given}: the file is read-only")


def _made(target: Path, given: Any) -> tuple[BinaryIO, Path, int]:
    """A new file beside the target, its path, and a handle that holds a lock on it as long as it is open (or -1)."""
    if (os.getpid(), target.parent) not in _tidied:
        _tidied.add((os.getpid(), target.parent))
        _tidy(target.parent)
    while True:
        temporary = target.with_name(f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}")
        try:
            # Not tempfile: its files can be read by their owner only, and the mode would stay with the saved model.
            file = open(temporary, "xb")  # noqa: SIM115 - closed by the caller, before the file is moved
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
            message = f"cannot write {given}: no files can be made in the folder {target.parent}"
            raise PermissionError(error.errno, message) from error
        if fcntl is None:
            return file, temporary, -1
        lock = os.dup(file.fileno())
        with suppress(OSError):  # some network drives have no locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        if temporary.exists():
            return file, temporary, lock
        file.close()  # another process took it for one left behind, just before it was locked
        os.close(lock)


def _tidy(folder: Path) -> None:
    """Remove temporary files of processes that were killed: those that no living process holds a lock on."""
    with suppress(OSError), os.scandir(folder) as found:
        left = [one.path for one in found if one.name.startswith(PREFIX) and one.name.endswith(SUFFIX)]
        for path in left:
            with suppress(OSError):
                if fcntl is None:
                    os.unlink(path)  # fails where it is open
                    continue
                with open(path, "rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(path)


def _move(temporary: Path, target: Path, given: Any) -> None:
    try:
        os.replace(temporary, target)
    except PermissionError as error:
        message = f"cannot write {given}: it cannot be replaced; another program may have it open"
        raise PermissionError(error.errno, message) from error


def _full(error: OSError, given: Any) -> OSError:
    what = "the disk is full" if error.errno == errno.ENOSPC else f"there is a limit ({os.strerror(error.errno or 0)})"
    return OSError(
        error.errno, f"cannot write {given}: {what}; free some space or save elsewhere (what was there is unharmed)"
    )


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system can open folders (Windows cannot)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
