"""One published file of a data set: from a place of one's own, from the cache, or fetched once."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from minidl_kernels.config import cache_folder

__all__ = ["archive"]

_log = logging.getLogger("minidl")


def archive(title: str, name: str, urls: Sequence[str], sha256: str, megabytes: int, folder: str) -> bytes:
    """The content of a file of the cache; where it is missing or damaged it is downloaded (not with MINIDL_OFFLINE=1).

    Args:
        title: of the data set, for messages.
        name: of the file.
        urls: addresses, tried in order.
        sha256: of the file.
        megabytes: its size, for the message.
        folder: of the data set, in the cache.

    Raises:
        OSError: it is not there, and cannot be fetched; the message says where to put it.
    """
    from .download import check, fetch

    file = cache_folder() / "datasets" / folder / name
    if file.is_file():
        content = file.read_bytes()
        try:
            check(content, sha256, str(file))
            return content
        except ValueError as error:
            _log.warning("minidl: removed a damaged file from the cache: %s", error)
            file.unlink()
    hint = f"{title} is not there. Put {name} from {urls[0] if urls else 'its publisher'} in {file.parent}"
    if os.environ.get("MINIDL_OFFLINE", "0") not in ("", "0"):
        raise OSError(f"{hint}; MINIDL_OFFLINE is set, so nothing was downloaded")
    _log.warning("minidl: downloading %s (%d MB), once, to %s", title, megabytes, file.parent)
    try:
        fetch(urls, file, sha256, packed=False, stall=60.0)
    except OSError as error:
        raise OSError(f"{hint}, or call load_data() with a network ({error})") from error
    return Path(file).read_bytes()
