"""There is always a whole file: a write that fails in the middle leaves the old one, and nothing beside it."""

import os
import stat
import sys

import numpy as np
import pytest

import minidl
from minidl import atomic, layers, saving
from minidl.atomic import replacing
from minidl.saving import hdf5_writer

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")


def model_of(value):
    model = minidl.Sequential([minidl.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
    model.weights[0].assign(np.full((2, 1), value, "float32"))
    return model


def test_a_file_is_written_and_replaced(tmp_path):
    for content in (b"first", b"second"):
        with replacing(tmp_path / "f") as file:
            file.write(content)
        assert (tmp_path / "f").read_bytes() == content
    assert os.listdir(tmp_path) == ["f"]


@pytest.mark.parametrize("failure", [OSError("disk full"), ValueError("wrong"), KeyboardInterrupt()])
@pytest.mark.parametrize("existing", [True, False])
def test_a_failure_in_the_middle_leaves_the_old_file(tmp_path, failure, existing):
    if existing:
        (tmp_path / "f").write_bytes(b"old")
    with pytest.raises(type(failure)), replacing(tmp_path / "f") as file:
        file.write(b"half of the n")
        raise failure
    assert os.listdir(tmp_path) == (["f"] if existing else [])
    assert not existing or (tmp_path / "f").read_bytes() == b"old"


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5", "m.h5"])
def test_a_failure_at_the_end_leaves_the_old_file(tmp_path, monkeypatch, step, name):
    path = tmp_path / name
    save = saving.save_weights if name == "m.weights.h5" else saving.save_model
    save(model_of(1.0), path)
    before = path.read_bytes()

    def fail(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(atomic.os, step, fail)
    with pytest.raises(OSError, match="no space left"):
        save(model_of(2.0), path)
    monkeypatch.undo()
    assert path.read_bytes() == before and os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_an_archive_cut_off_by_a_failure_never_appears(tmp_path, monkeypatch, failure):
    path = tmp_path / "m.keras"
    model_of(1.0).save(path)
    written = []

    def fail(self, file):
        for piece in self.pieces():
            written.append(file.write(piece[:100]))
            raise failure

    monkeypatch.setattr(hdf5_writer.Image, "write", fail)
    with pytest.raises(type(failure)):
        model_of(2.0).save(path)
    monkeypatch.undo()
    assert written and os.listdir(tmp_path) == ["m.keras"]
    assert saving.load_model(path).weights[0].numpy().tolist() == [[1.0], [1.0]]


def test_the_file_is_closed_when_it_is_moved(tmp_path, monkeypatch):
    """Windows refuses to move a file that is open."""
    handles = []
    real = os.replace

    def check(source, target):
        assert handles[0].closed
        real(source, target)

    monkeypatch.setattr(atomic.os, "replace", check)
    with replacing(tmp_path / "f") as file:
        handles.append(file)
    assert (tmp_path / "f").exists()


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*missing"):
        model_of(1.0).save(tmp_path / "missing" / "m.keras")


def test_a_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(IsADirectoryError, match="a folder of this name"):
        model_of(1.0).save(tmp_path / "m.keras")


@POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(PermissionError, match="no files can be made in the folder .*closed"):
        model_of(1.0).save(tmp_path / "closed" / "m.keras")
    (tmp_path / "m.keras").write_bytes(b"old")
    (tmp_path / "m.keras").chmod(0o400)
    with pytest.raises(PermissionError, match="read-only"):
        model_of(1.0).save(tmp_path / "m.keras")


def test_what_is_said_without_permission(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(atomic, "open", refuse, raising=False)
    with pytest.raises(PermissionError, match=r"cannot write .*m\.keras: no files can be made in the folder"):
        model_of(1.0).save(tmp_path / "m.keras")
    monkeypatch.undo()
    (tmp_path / "m.keras").write_bytes(b"old")
    monkeypatch.setattr(atomic.os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="read-only"):
        model_of(1.0).save(tmp_path / "m.keras")
    assert (tmp_path / "m.keras").read_bytes() == b"old"


@POSIX
def test_modes_are_those_of_other_files(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    with replacing(tmp_path / "f"):
        pass
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    (tmp_path / "f").chmod(0o640)
    with replacing(tmp_path / "f"):
        pass
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640


@POSIX
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with replacing(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["m", "m.hdf", "m.keras.zip", "m.weights", "m.weights.h5"])
def test_models_want_their_ending(tmp_path, name):
    with pytest.raises(
        ValueError, match=r"save_model: filepath must end in \.keras, \.h5 or \.hdf5, .*write '.*\.keras'"
    ):
        model_of(1.0).save(tmp_path / name)
    with pytest.raises(ValueError, match=r"load_model: filepath must end in \.keras, \.h5 or \.hdf5"):
        saving.load_model(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_weights_want_their_ending(tmp_path):
    with pytest.raises(
        ValueError, match=r"must end in \.weights\.h5, \.h5, \.hdf5 or \.safetensors, .*; write '.*m\.weights"
    ):
        model_of(1.0).save_weights(str(tmp_path / "m"))
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5, \.keras, \.h5, \.hdf5 or \.safetensors"):
        model_of(1.0).load_weights(tmp_path / "m")
    with pytest.raises(TypeError):
        model_of(1.0).save_weights(3)


def test_overwrite(tmp_path):
    model_of(1.0).save(tmp_path / "m.keras")
    model_of(1.0).save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        model_of(2.0).save(tmp_path / "m.keras", overwrite=False)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        model_of(2.0).save_weights(tmp_path / "m.weights.h5", overwrite=False)
    assert saving.load_model(tmp_path / "m.keras").weights[0].numpy()[0, 0] == 1.0
    model_of(2.0).save(tmp_path / "m.keras")
    assert saving.load_model(tmp_path / "m.keras").weights[0].numpy()[0, 0] == 2.0
    model_of(3.0).save(tmp_path / "new.keras", overwrite=False)


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        saving.load_model(tmp_path / "m.keras")
    with pytest.raises(FileNotFoundError):
        model_of(1.0).load_weights(tmp_path / "m.weights.h5")
