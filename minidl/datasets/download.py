"""Fetch a file whose content is known beforehand, so that the cache never holds a half or a false one."""

import hashlib
import http.client
import queue
import threading
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minidl.atomic import replacing

from .idx import decompress

__all__ = ["DownloadError", "check", "fetch", "open_url", "write_whole"]


class DownloadError(OSError):
    """No address gave the file; the message says why for each."""


def check(content: bytes, sha256: str, name: str) -> None:
    """Raise ValueError unless ``content`` has this SHA-256."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"{name} has other content than published: SHA-256 {found}, expected {sha256}")


def fetch(
    urls: Sequence[str],
    target: Path,
    sha256: str,
    *,
    packed: bool = True,
    answer: float = 5.0,
    stall: float = 10.0,
) -> None:
    """Download a file into ``target`` from the first of ``urls`` that gives the right content.

    Args:
        urls: addresses, tried in order.
        target: where the file goes, as it came; its folder is made. It appears whole or not at all.
        sha256: of the decompressed content (the same content is packed differently in different places).
        packed: whether it is a gzip file; otherwise sha256 is that of the file as it comes.
        answer: seconds until a server must have answered; without a network the wait is no longer than this.
        stall: seconds that a download may stand still.

    Raises:
        DownloadError: every address failed.
    """
    failures = []
    for url in urls:
        try:
            with open_url(url, answer, stall) as response:
                found = response.read()
            check(decompress(found, url) if packed else found, sha256, url)
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append(f"{url}: {error or type(error).__name__}")
        else:
            write_whole(target, found)
            return
    raise DownloadError("; ".join(failures))


def open_url(url: str, answer: float, stall: float) -> Any:
    """The response of a server; TimeoutError after ``answer`` seconds without one, or ``stall`` of silence."""
    # urlopen's own timeout does not cover the look-up of the name, which can hang for half a minute where a firewall
    # swallows the question. A daemon thread can be left behind.
    outcome: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put(urllib.request.urlopen(url, timeout=stall))
        except Exception as error:
            outcome.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        response = outcome.get(timeout=answer)
    except queue.Empty:
        raise TimeoutError(f"no answer within {answer:g} s") from None
    if isinstance(response, Exception):
        raise response
    return response


def write_whole(target: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all; its folder is made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as file:
        file.write(data)
