"""Files from the web: fetched once, checked, and unpacked."""

import hashlib
import http.client
import os
import tarfile
import urllib.parse
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minidl import config
from minidl.datasets.download import DownloadError, open_url, write_whole
from minidl_kernels.config import cache_folder

__all__ = ["get_file"]


def get_file(
    fname: Any = None, origin: str | None = None, untar: bool = False, md5_hash: str | None = None,
    file_hash: str | None = None, cache_subdir: str = "datasets", hash_algorithm: str = "auto", extract: bool = False,
    archive_format: Any = "auto", cache_dir: Any = None, force_download: bool = False,
) -> str:  # fmt: skip
    """The path of a file of the web, which is fetched where the cache does not hold it yet.

    Args:
        fname: its name in the cache; default: the last part of ``origin``.
        origin: its address.
        untar: unpack a tar archive, as ``extract`` with ``archive_format="tar"``.
        md5_hash: the same as ``file_hash`` with ``hash_algorithm="md5"``.
        file_hash: of the whole file, in hexadecimal digits; a file of the cache that has another is fetched again.
        cache_subdir: folder in the cache.
        hash_algorithm: "sha256", "md5" or "auto": as the length of the hash says.
        extract: unpack an archive; the path is then that of the folder with what was inside.
        archive_format: "tar", "zip", a list of them, or "auto" for both.
        cache_dir: default: the folder that MINIDL_CACHE names.
        force_download: fetch it even so.

    Raises:
        ValueError: no origin, a name with folders in it, or content with another hash (nothing is then kept).
        OSError: the address cannot be read (``DownloadError``), or it is not in the cache and MINIDL_OFFLINE is set.
    """
    if origin is None:
        raise ValueError("origin must be the address of the file, such as origin='https://example.org/data.csv'")
    given = os.fspath(fname) if fname else ""
    name = given or os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name:
        raise ValueError(f"origin {origin!r} ends without the name of a file; pass fname as well")
    if os.path.basename(name) != name:
        raise ValueError(f"fname must be a name without folders, not {name!r}; cache_subdir names the folder")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = Path(cache_dir).expanduser() if cache_dir is not None else cache_folder()
    folder = folder / cache_subdir
    target, unpacked = folder / name, folder / name
    if extract or untar:
        if given and "." in given:
            unpacked = folder / f"{given.partition('.')[0]}_extracted"
        else:
            target = folder / f"{name}_archive"
    if force_download or not _is_good(target, file_hash, hash_algorithm):
        _download(origin, target, file_hash, hash_algorithm)
    if extract or untar:
        _unpack(target, unpacked, "tar" if untar else archive_format)
    return str(unpacked)


def _digest(content: bytes, file_hash: str, algorithm: str) -> str:
    if algorithm not in ("auto", "md5", "sha256"):
        raise ValueError(f"hash_algorithm must be 'auto', 'md5' or 'sha256', not {algorithm!r}")
    by_sha = algorithm == "sha256" or (algorithm == "auto" and len(file_hash) == 64)
    return hashlib.sha256(content).hexdigest() if by_sha else hashlib.md5(content, usedforsecurity=False).hexdigest()


def _is_good(file: Path, file_hash: str | None, algorithm: str) -> bool:
    if not file.is_file():
        return False
    return file_hash is None or _digest(file.read_bytes(), file_hash, algorithm) == file_hash.lower()


def _download(origin: str, target: Path, file_hash: str | None, algorithm: str) -> None:
    if os.environ.get("MINIDL_OFFLINE", "0") not in ("", "0"):
        raise OSError(f"{target} is not there, and MINIDL_OFFLINE is set: nothing was downloaded from {origin}")
    config.show(f"Downloading data from {origin}")
    try:
        with open_url(origin, answer=10.0, stall=60.0) as response:
            expected = response.headers.get("Content-Length")
            content = response.read()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DownloadError(f"{origin}: {error or type(error).__name__}") from error
    if expected is not None and len(content) != int(expected):
        raise DownloadError(f"{origin}: {len(content)} bytes came of {expected}")
    if file_hash is not None and (found := _digest(content, file_hash, algorithm)) != file_hash.lower():
        raise ValueError(f"{origin} has other content than expected: its hash is {found}, not {file_hash}")
    write_whole(target, content)


def _unpack(archive: Path, folder: Path, formats: Any) -> None:
    several = ("tar", "zip") if formats == "auto" else formats or ()
    wanted: Sequence[str] = [several] if isinstance(several, str) else several
    if unknown := set(wanted) - {"tar", "zip"}:
        raise ValueError(f"archive_format must be 'auto', 'tar' or 'zip', not {sorted(unknown)}")
    # Members that point out of the folder are refused ("data"), or brought inside (ZipFile.extractall).
    if "tar" in wanted and tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    elif "zip" in wanted and zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
    else:
        warnings.warn(f"{archive} is no archive of the format {formats!r}; nothing was unpacked", stacklevel=3)
