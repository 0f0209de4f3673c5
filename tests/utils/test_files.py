"""``utils.get_file``: fetched once, checked, unpacked; nothing half or false is kept."""

import hashlib
import io
import tarfile
import zipfile

import pytest

from minidl.datasets.download import DownloadError
from minidl.utils import get_file
from tests.datasets.helpers import Server

CONTENT = b"a,b\n1,2\n" * 100
SHA, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest()


def tarred(name="inside/data.csv"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(CONTENT)
        tar.addfile(info, io.BytesIO(CONTENT))
    return buffer.getvalue()


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("data.csv", CONTENT)
    return buffer.getvalue()


@pytest.fixture
def server():
    running = Server({"data.csv": CONTENT, "set.tgz": tarred(), "set.zip": zipped(), "evil.tgz": tarred("../out.csv")})
    yield running
    running.close()


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MINIDL_OFFLINE", raising=False)
    return tmp_path / "cache" / "datasets"


@pytest.mark.parametrize("settings", [{}, {"file_hash": SHA}, {"file_hash": MD5.upper()}, {"md5_hash": MD5}])
def test_it_is_fetched_once(server, cache, settings):
    for _ in range(2):
        path = get_file(origin=f"{server.address}/data.csv", **settings)
        assert path == str(cache / "data.csv") and open(path, "rb").read() == CONTENT
    assert server.asked["data.csv"] == 1
    get_file(origin=f"{server.address}/data.csv", force_download=True, **settings)
    assert server.asked["data.csv"] == 2


def test_names_and_folders(server, tmp_path):
    path = get_file("mine.csv", f"{server.address}/data.csv", cache_dir=tmp_path / "here", cache_subdir="sub")
    assert path == str(tmp_path / "here" / "sub" / "mine.csv") and open(path, "rb").read() == CONTENT


@pytest.mark.parametrize("settings", [{"file_hash": "0" * 64}, {"md5_hash": "0" * 32}])
def test_other_content_is_not_kept(server, cache, settings):
    with pytest.raises(ValueError, match="other content than expected"):
        get_file(origin=f"{server.address}/data.csv", **settings)
    assert not cache.exists()


def test_a_damaged_file_is_fetched_again(server, cache):
    cache.mkdir(parents=True)
    (cache / "data.csv").write_bytes(b"damaged")
    path = get_file(origin=f"{server.address}/data.csv", file_hash=SHA)
    assert open(path, "rb").read() == CONTENT


@pytest.mark.parametrize("fault", ["missing", "truncated"])
def test_a_server_that_fails(server, cache, fault):
    server.faults["data.csv"] = fault
    with pytest.raises(DownloadError, match="data.csv"):
        get_file(origin=f"{server.address}/data.csv")
    assert not cache.exists()


@pytest.mark.parametrize(
    "fname, origin, settings, folder, inside",
    [
        (None, "set.tgz", {"untar": True}, "set.tgz", "inside/data.csv"),
        ("set.tgz", "set.tgz", {"extract": True}, "set_extracted", "inside/data.csv"),
        ("flowers", "set.tgz", {"untar": True}, "flowers", "inside/data.csv"),
        (None, "set.zip", {"extract": True}, "set.zip", "data.csv"),
        ("set.zip", "set.zip", {"extract": True, "archive_format": "zip"}, "set_extracted", "data.csv"),
    ],
)
def test_archives_are_unpacked(server, cache, fname, origin, settings, folder, inside):
    for _ in range(2):
        path = get_file(fname, f"{server.address}/{origin}", **settings)
        assert path == str(cache / folder) and (cache / folder / inside).read_bytes() == CONTENT
    assert server.asked[origin] == 1


@pytest.mark.oracle
@pytest.mark.parametrize("fname", [None, "set.tgz", "flowers"])
def test_paths_are_those_of_keras(keras, server, tmp_path, fname):
    paths = [
        get(fname, f"{server.address}/set.tgz", untar=True, cache_dir=str(tmp_path / name))
        for name, get in (("ours", get_file), ("keras", keras.utils.get_file))
        if not (tmp_path / name).mkdir()
    ]
    assert paths[0].replace("ours", "keras") == paths[1]


def test_members_outside_of_the_folder_are_refused(server, cache):
    with pytest.raises(tarfile.OutsideDestinationError):
        get_file(origin=f"{server.address}/evil.tgz", untar=True)
    assert not list(cache.rglob("out.csv"))


def test_what_is_no_archive_is_said(server):
    with pytest.warns(UserWarning, match="no archive"):
        get_file("data", f"{server.address}/data.csv", extract=True)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "origin must be"),
        ({"origin": "https://example.org/"}, "pass fname"),
        ({"origin": "https://example.org/a", "fname": "a/b"}, "without folders"),
    ],
)
def test_what_names_no_file(arguments, message):
    with pytest.raises(ValueError, match=message):
        get_file(**arguments)


def test_offline(server, monkeypatch):
    monkeypatch.setenv("MINIDL_OFFLINE", "1")
    with pytest.raises(OSError, match="MINIDL_OFFLINE"):
        get_file(origin=f"{server.address}/data.csv")
    assert not server.asked
