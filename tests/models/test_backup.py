"""BackupAndRestore: a training that was broken off ends as one that was not."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import minidl
from minidl import callbacks, layers

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(23, 4)).astype("float32"), RNG.normal(size=(23, 1)).astype("float32")


def compiled():
    minidl.utils.set_random_seed(5)
    model = minidl.Sequential([layers.Input((4,)), layers.Dense(6, "relu"), layers.Dropout(0.5), layers.Dense(1)])
    model.compile(minidl.optimizers.Adam(0.05), "mse", metrics=["mae"])
    return model


def fit(model, *others, **settings):
    settings = {"x": X, "y": Y, "batch_size": 5, "epochs": 4, "verbose": 0, **settings}
    return model.fit(callbacks=list(others), **settings)


class Crash(callbacks.Callback):
    """Break off after a batch, or where none is named, when the epoch ends."""

    def __init__(self, epoch, batch=None):
        self.epoch, self.batch = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == (self.epoch, self.batch):
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch and self.batch is None:
            raise KeyboardInterrupt


CASES = {
    "after an epoch": ("epoch", Crash(1), {}),
    "within an epoch": ("epoch", Crash(2, 3), {}),
    "every batch": (1, Crash(2, 3), {}),
    "every second batch": (2, Crash(1, 4), {}),
    "every seventh batch, across epochs": (7, Crash(2, 0), {}),
    "in order": (1, Crash(1, 1), {"shuffle": False}),
    "steps that do not fit the data": (1, Crash(2, 1), {"steps_per_epoch": 3}),
    "more steps than a pass, at an epoch's end": ("epoch", Crash(2), {"steps_per_epoch": 3}),
    "validation": (1, Crash(1, 2), {"validation_data": (X, Y)}),
    "in the first epoch": (2, Crash(0, 3), {}),
    "before anything was saved": (4, Crash(0, 1), {}),
}


@pytest.mark.filterwarnings("ignore:the input ran out of data")
@pytest.mark.parametrize("case", CASES)
def test_the_end_is_the_same(case, tmp_path):
    save_freq, crash, settings = CASES[case]
    whole = compiled()
    expected = fit(whole, **settings).history

    with pytest.raises(KeyboardInterrupt):
        fit(compiled(), callbacks.BackupAndRestore(tmp_path / "backup", save_freq), crash, **settings)
    again = compiled()
    minidl.utils.set_random_seed(99)  # what is drawn follows from the backup
    if not (tmp_path / "backup").exists():
        again = compiled()
    history = fit(again, callbacks.BackupAndRestore(tmp_path / "backup", save_freq), **settings)
    for one, other in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    done = len(history.epoch)
    assert history.epoch == list(range(4 - done, 4))
    for name, values in expected.items():
        np.testing.assert_array_equal(history.history[name], values[4 - done :])
    assert not (tmp_path / "backup").exists()


def saved(folder, epoch, **settings):
    """A folder as it is when a training dies in an epoch."""
    with pytest.raises(KeyboardInterrupt):
        fit(compiled(), callbacks.BackupAndRestore(folder, **settings), Crash(epoch, 0))


def test_double_checkpoint(tmp_path):
    saved(tmp_path, 3, double_checkpoint=True)
    assert json.loads((tmp_path / "training_metadata.json").read_text())["epoch"] == 3
    assert json.loads((tmp_path / "training_metadata.json.bkp").read_text())["epoch"] == 2
    (tmp_path / "latest.weights.h5").write_bytes(b"damaged")
    whole, again = compiled(), compiled()
    fit(whole)
    with pytest.warns(UserWarning, match="the one before"):
        history = fit(again, callbacks.BackupAndRestore(tmp_path, double_checkpoint=True))
    assert history.epoch == [2, 3]
    np.testing.assert_array_equal(whole.get_weights()[0], again.get_weights()[0])


def test_a_damaged_backup_is_an_error(tmp_path):
    saved(tmp_path, 2)
    (tmp_path / "latest.weights.h5").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="training_metadata"):
        fit(compiled(), callbacks.BackupAndRestore(tmp_path))


@pytest.mark.parametrize("dies_before", ["the weights", "the metadata"])
def test_death_between_the_files(dies_before, tmp_path, monkeypatch):
    """Whichever file is the last one, the next run finds metadata that belong to the weights."""
    replace, seen = os.replace, []

    def dying(source, target):
        seen.append(os.path.basename(target))
        due = "latest.weights.h5" if dies_before == "the weights" else "training_metadata.json"
        if seen.count(due) == 2:
            raise KeyboardInterrupt
        return replace(source, target)

    monkeypatch.setattr(os, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        fit(compiled(), callbacks.BackupAndRestore(tmp_path))
    monkeypatch.undo()
    whole, again = compiled(), compiled()
    fit(whole)
    history = fit(again, callbacks.BackupAndRestore(tmp_path))
    assert history.epoch == ([1, 2, 3] if dies_before == "the weights" else [2, 3])
    np.testing.assert_array_equal(whole.get_weights()[0], again.get_weights()[0])


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from tests.models.test_backup import callbacks, compiled, fit

kill = callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: b == 3 and os.kill(os.getpid(), signal.SIGKILL))
fit(compiled(), callbacks.BackupAndRestore(sys.argv[1], 2), kill)
"""


def test_a_killed_process(tmp_path):
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    process = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), root])
    assert process.returncode == -signal.SIGKILL
    whole, again = compiled(), compiled()
    fit(whole)
    fit(again, callbacks.BackupAndRestore(tmp_path, 2))
    np.testing.assert_array_equal(whole.get_weights()[0], again.get_weights()[0])


def test_what_is_kept(tmp_path):
    fit(compiled(), callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest.weights.h5", "training_metadata.json"]
    assert fit(compiled(), callbacks.BackupAndRestore(tmp_path)).epoch == []  # it is complete already


@pytest.mark.parametrize(
    "wrong", [{"backup_dir": ""}, {"backup_dir": "x", "save_freq": "often"}, {"backup_dir": "x", "save_freq": 0}]
)
def test_what_is_refused(wrong):
    with pytest.raises(ValueError, match="BackupAndRestore"):
        callbacks.BackupAndRestore(**wrong)


def test_an_unbuilt_model(tmp_path):
    model = minidl.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="no weights yet"):
        fit(model, callbacks.BackupAndRestore(tmp_path))
