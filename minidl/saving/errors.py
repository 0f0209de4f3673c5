"""What is raised for a file that cannot be read."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["FormatError", "damage_is_named"]


class FormatError(ValueError):
    """A file that is damaged, cut off, or of another format than its name says."""


# What json, YAML and a configuration that makes no sense raise, and what a file does that cannot be read.
_SIGNS = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, NotImplementedError, RecursionError,
    LookupError, MemoryError, TypeError, AttributeError, ValueError, ArithmeticError, AssertionError,
)  # fmt: skip


LONGEST = 4000  # characters of a reason; a configuration may repeat itself in it


@contextmanager
def damage_is_named(path: Any, what: str) -> Iterator[None]:
    """Turn every error of reading inside the ``with`` block into a FormatError that names the file."""
    try:
        yield
    except FormatError:
        raise
    except _SIGNS as error:
        said = str(error).strip() or type(error).__name__
        said = said if len(said) <= LONGEST else f"{said[:LONGEST]} ..."
        raise FormatError(f"{path}: {what}: {said}") from error
