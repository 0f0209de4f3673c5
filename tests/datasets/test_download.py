"""Downloads from a server on this machine: the cache gets the right file whole, or nothing."""

import gzip
import hashlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from minidl.datasets.download import DownloadError, fetch

CONTENT = bytes(range(256)) * 300
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "t10k-labels-idx1-ubyte.gz"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "new" / "folder" / "file.gz"


@pytest.fixture
def mirror(server):
    server.files = {"file.gz": gzip.compress(CONTENT)}
    return server


def left_in(target):
    return sorted(os.listdir(target.parent)) if target.parent.exists() else []


def test_good_file(mirror, target):
    fetch([f"{mirror.address}/file.gz"], target, SHA256)
    assert gzip.decompress(target.read_bytes()) == CONTENT
    assert left_in(target) == ["file.gz"]


def test_other_packing_of_the_same_content(mirror, target):
    mirror.files["file.gz"] = gzip.compress(CONTENT, compresslevel=1, mtime=12345)
    fetch([f"{mirror.address}/file.gz"], target, SHA256)
    assert target.exists()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("truncated", "IncompleteRead"),
        ("missing", "HTTP Error 404"),
        ("stalled", "timed out"),
    ],
)
def test_fault_leaves_nothing_and_is_told(mirror, target, fault, message):
    mirror.faults["file.gz"] = fault
    with pytest.raises(DownloadError, match=rf"{mirror.address}/file\.gz: .*{message}"):
        fetch([f"{mirror.address}/file.gz"], target, SHA256, stall=0.5)
    assert left_in(target) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(CONTENT + b"!"), f"other content than published.*expected {SHA256}"),
        (b"<html>Please log in to the network</html>", "not a whole gzip file"),
        (gzip.compress(CONTENT)[:-20], "not a whole gzip file"),
    ],
)
def test_false_content_leaves_nothing_and_is_told(mirror, target, content, message):
    mirror.files["file.gz"] = content
    with pytest.raises(DownloadError, match=message):
        fetch([f"{mirror.address}/file.gz"], target, SHA256)
    assert left_in(target) == []


def test_next_mirror_is_asked(mirror, target):
    fetch([f"{mirror.address}/gone.gz", f"{mirror.address}/file.gz"], target, SHA256)
    assert target.exists() and mirror.asked == {"gone.gz": 1, "file.gz": 1}


def test_refused_connection_is_told(target):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but not listening
        with pytest.raises(DownloadError, match="refused"):
            fetch([f"http://127.0.0.1:{unused.getsockname()[1]}/file.gz"], target, SHA256)


def test_a_name_look_up_that_hangs_is_given_up(monkeypatch, target):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: time.sleep(20))
    start = time.perf_counter()
    with pytest.raises(DownloadError, match=r"no answer within 0\.3 s"):
        fetch(["http://minidl.invalid/file.gz"], target, SHA256, answer=0.3)
    assert time.perf_counter() - start < 5


def test_failing_disk_leaves_nothing(monkeypatch, mirror, target):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="the disk is full"):
        fetch([f"{mirror.address}/file.gz"], target, SHA256)
    assert left_in(target) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_midway_leaves_nothing_and_the_next_try_works(mirror, target):
    mirror.faults["file.gz"] = "stalled"
    url = f"{mirror.address}/file.gz"
    program = f"""
        import pathlib
        from minidl.datasets.download import fetch
        fetch([{url!r}], pathlib.Path({str(target)!r}), {SHA256!r}, stall=60)
    """
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root / "kernels")])}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], env=environment)
    try:
        assert mirror.half_sent.wait(30)
        time.sleep(0.2)
        assert process.poll() is None, "the download ended before it could be killed"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert left_in(target) == []
    mirror.faults.clear()
    fetch([url], target, SHA256)
    assert left_in(target) == ["file.gz"]
