"""A disk that is full, folders that are closed, files that are held: what is said, and what is left behind.

A full disk is a limit on the size of files (RLIMIT_FSIZE): a write beyond it fails as one on a full disk does, in the
middle of a file. A user without rights is a process that gave them up (setuid), since root may write anywhere.
"""

import errno
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl import atomic, layers
from minidl.atomic import replacing, write_text
from minidl.callbacks import BackupAndRestore, CSVLogger, ModelCheckpoint
from minidl.saving.safetensors import save_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits, users and locks of POSIX")

SAVES = {
    "m.keras": lambda model, path: model.save(path),
    "m.h5": lambda model, path: model.save(path),
    "m.weights.h5": lambda model, path: model.save_weights(path),
    "w.h5": lambda model, path: model.save_weights(path),
    "m.safetensors": lambda model, path: model.save_weights(path),
    "m.json": lambda model, path: model.to_json(filepath=path),
    "m.yaml": lambda model, path: model.to_yaml(filepath=path),
    "arrays.safetensors": lambda model, path: save_file({"a": model.weights[0]}, path),
    "plot.svg": lambda model, path: minidl.utils.plot_model(model, path),
    "plot.png": lambda model, path: minidl.utils.plot_model(model, path, dpi=300),
    "curves.svg": lambda model, path: minidl.visualize.curves({"loss": list(range(1000))}, title="loss").save(path),
    "picture.bmp": lambda model, path: minidl.utils.save_img(path, np.zeros((90, 90, 3))),
    "text.txt": lambda model, path: write_text(path, "ü" * 10_000),
    "checkpoint.keras": lambda model, path: checkpoint(model, ModelCheckpoint(path)),
    "checkpoint.weights.h5": lambda model, path: checkpoint(model, ModelCheckpoint(path, save_weights_only=True)),
    "checkpoint.safetensors": lambda model, path: checkpoint(model, ModelCheckpoint(path, save_weights_only=True)),
}
LIMIT = 1000  # bytes


def model_of(value):
    model = minidl.Sequential([minidl.Input((30,)), layers.Dense(40), layers.Dense(1)])
    model.set_weights([np.full(weight.shape, value) for weight in model.weights])
    return model


def checkpoint(model, callback):
    callback.set_model(model)
    callback.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0})


def in_a_child(work):
    """Run ``work()`` in a forked process; what it raises is printed and fails the test."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


def limit_files(size):
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails, instead of the process
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("name", SAVES)
@pytest.mark.parametrize("existing", [True, False])
def test_a_full_disk(name, existing, tmp_path):
    path, model = tmp_path / name, model_of(1.0)
    if existing:
        SAVES[name](model, path)
    before = {one: one.read_bytes() for one in tmp_path.iterdir()}

    def work():
        limit_files(LIMIT)
        with pytest.raises(OSError, match=rf"cannot write .*{name}: .*free some space or save elsewhere") as caught:
            SAVES[name](model_of(2.0), path)
        assert caught.value.errno == errno.EFBIG

    in_a_child(work)
    assert {one: one.read_bytes() for one in tmp_path.iterdir()} == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a file system")
def test_a_disk_that_is_really_full(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        for name in ("m.keras", "m.weights.h5", "m.safetensors"):
            SAVES[name](model_of(1.0), small / name)
            before = (small / name).read_bytes()
            (small / "filler").write_bytes(b"\0" * (os.statvfs(small).f_bavail * os.statvfs(small).f_frsize - 8192))
            with pytest.raises(OSError, match="the disk is full; free some space or save elsewhere") as caught:
                SAVES[name](minidl.Sequential([minidl.Input((300,)), layers.Dense(40)]), small / name)
            assert caught.value.errno == errno.ENOSPC
            assert (small / name).read_bytes() == before and set(os.listdir(small)) == {name, "filler"}
            (small / name).unlink()
            (small / "filler").unlink()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_backup_on_a_full_disk_keeps_the_one_before(tmp_path):
    x, y = np.ones((8, 30), "float32"), np.ones((8, 1), "float32")
    model = model_of(0.1)
    model.compile("adam", "mse")

    class Full(minidl.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                limit_files(LIMIT)

    def work():
        with pytest.raises(OSError, match="cannot write .*free some space"):
            model.fit(x, y, epochs=4, verbose=0, callbacks=[BackupAndRestore(tmp_path / "backup"), Full()])

    in_a_child(work)
    assert not [name for name in os.listdir(tmp_path / "backup") if name.endswith(".tmp")]
    epochs = []
    note = minidl.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: epochs.append(epoch))
    model.fit(x, y, epochs=4, verbose=0, callbacks=[BackupAndRestore(tmp_path / "backup"), note])
    assert epochs == [2, 3]


def test_a_log_on_a_full_disk_names_itself(tmp_path):
    model = model_of(0.1)
    model.compile("adam", "mse")

    def work():
        limit_files(100)
        with pytest.raises(OSError):
            model.fit(
                np.ones((8, 30)), np.ones((8, 1)), epochs=9, verbose=0, callbacks=[CSVLogger(tmp_path / "log.csv")]
            )

    in_a_child(work)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("name", ["m.keras", "m.safetensors", "m.json", "plot.svg"])
def test_a_user_who_may_not(name):
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders can be entered by their owner only
        path, model = Path(folder) / name, model_of(1.0)
        SAVES[name](model, path)
        before = path.read_bytes()

        def work():
            os.setuid(65534)
            with pytest.raises(PermissionError, match=rf"cannot write .*{name}: the file is read-only"):
                SAVES[name](model_of(2.0), path)
            with pytest.raises(PermissionError, match=rf"no files can be made in the folder {folder}"):
                SAVES[name](model_of(2.0), path.with_name(f"new-{name}"))

        path.chmod(0o444)
        Path(folder).chmod(0o755)
        in_a_child(work)
        assert path.read_bytes() == before and os.listdir(folder) == [name]


# ---- files that killed processes left ----


def leave_one_behind(folder):
    """A process that dies while it writes."""

    def work():
        with replacing(folder / "f") as file:
            file.write(b"half of it")
            file.flush()
            os._exit(0)

    in_a_child(work)
    return [name for name in os.listdir(folder) if name.endswith(atomic.SUFFIX)]


def test_what_a_killed_process_left_is_removed(tmp_path):
    assert len(leave_one_behind(tmp_path)) == 1
    (tmp_path / "mine.tmp").write_bytes(b"")
    (tmp_path / ".minidl-notes").write_bytes(b"")
    with replacing(tmp_path / "g") as file:
        file.write(b"whole")
    assert sorted(os.listdir(tmp_path)) == [".minidl-notes", "g", "mine.tmp"]


def test_what_another_process_writes_now_stays(tmp_path):
    (ours, theirs), (read, write) = os.pipe(), os.pipe()
    process = os.fork()
    if process == 0:
        with replacing(tmp_path / "f") as file:
            file.write(b"slow")
            os.write(theirs, b"!")
            os.read(read, 1)
        os._exit(0)
    os.read(ours, 1)
    with replacing(tmp_path / "g"):
        pass
    with replacing(tmp_path / "f") as file:
        file.write(b"quick")
    os.write(write, b"!")
    assert os.waitpid(process, 0)[1] == 0
    assert (tmp_path / "f").read_bytes() == b"slow" and sorted(os.listdir(tmp_path)) == ["f", "g"]
    for handle in (ours, theirs, read, write):
        os.close(handle)


def test_one_that_is_taken_away_at_once_is_made_again(tmp_path, monkeypatch):
    """Another process can find the file before it is locked."""
    real, taken = os.dup, []

    def dup(handle):
        if not taken:
            taken.extend(Path(tmp_path).glob(".minidl-*"))
            taken[0].unlink()
        return real(handle)

    monkeypatch.setattr(atomic.os, "dup", dup)
    with replacing(tmp_path / "f") as file:
        file.write(b"whole")
    assert taken and (tmp_path / "f").read_bytes() == b"whole" and os.listdir(tmp_path) == ["f"]


def test_no_handles_stay_open(tmp_path):
    def count():
        return len(os.listdir("/dev/fd"))

    with replacing(tmp_path / "f"):
        pass
    before = count()
    for _ in range(5):
        with replacing(tmp_path / "f"):
            pass
        with pytest.raises(KeyError), replacing(tmp_path / "f"):
            raise KeyError
    assert count() == before


def test_a_file_that_another_program_holds(tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(b"old")

    def held(*arguments):
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(atomic.os, "replace", held)
    with pytest.raises(PermissionError, match="cannot be replaced; another program may have it open"):
        with replacing(tmp_path / "f"):
            pass
    assert os.listdir(tmp_path) == ["f"]


def test_what_is_no_file_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    process = os.fork()
    if process == 0:
        write_text(tmp_path / "pipe", "hello")
        os._exit(0)
    assert (tmp_path / "pipe").read_bytes() == b"hello"
    assert os.waitpid(process, 0)[1] == 0 and os.listdir(tmp_path) == ["pipe"]
