"""Processes that are killed while they save: `python -m tests.saving.kills [--kills 500] [--trainings 50]`.

The parent imports minidl once and forks a child for every kill, so that one costs milliseconds. SIGKILL cannot be
caught: what a child has not brought to the end by then stays as it is.
"""

import argparse
import mmap
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import minidl
from minidl import layers
from minidl.callbacks import BackupAndRestore, Callback, ModelCheckpoint
from minidl.models import model_from_json, model_from_yaml

FORMATS = (
    "m.keras", "m.h5", "m.weights.h5", "w.h5", "m.safetensors", "m.json", "m.yaml", "checkpoint.keras",
    "checkpoint.weights.h5",
)  # fmt: skip
LONGEST = 3  # a child saves for as long as so many saves take at most, before it is killed


# ---- saving in a loop ----


def model_of(version: int) -> Any:
    """A model in which every weight is the version, and whose name says it."""
    stack = [minidl.Input((9,)), layers.Dense(20), layers.BatchNormalization(), layers.Dense(2)]
    model = minidl.Sequential(stack, name=f"version_{version}")
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    _fill(model, version)
    return model


def _fill(model: Any, version: int) -> None:
    model.name = f"version_{version}"
    for weight in model.weights:
        weight.assign(np.full(weight.shape, version, "float32"))


def save(model: Any, path: Path) -> None:
    """Save a model in the format of a path, as users do."""
    if path.suffix in (".json", ".yaml"):
        (model.to_json if path.suffix == ".json" else model.to_yaml)(filepath=path)
    elif path.name.startswith("checkpoint"):
        callback = ModelCheckpoint(path, save_weights_only=path.name.endswith(".weights.h5"))
        callback.set_model(model)
        callback.on_epoch_end(0, {})
    elif path.name.startswith("w.") or path.suffix == ".safetensors" or path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        model.save(path)


def version_in(path: Path, empty: Any) -> int:
    """The version that a file holds, all of it.

    Args:
        empty: a model to read weights into.
    """
    if path.suffix in (".json", ".yaml"):
        model = (model_from_json if path.suffix == ".json" else model_from_yaml)(path)
        assert len(model.layers) == 3 and model.compiled
        return int(model.name.removeprefix("version_"))
    if path.name.startswith("w.") or path.suffix == ".safetensors" or path.name.endswith(".weights.h5"):
        model = empty
        model.load_weights(path)
    else:
        model = minidl.saving.load_model(path)
        assert model.compiled
    found = {float(value) for weight in model.get_weights() for value in weight.ravel()}
    assert len(found) == 1, f"{path} holds the versions {sorted(found)[:5]}"
    return int(found.pop())


def killed_while_saving(name: str, kills: int, folder: Path, rng: np.random.Generator) -> dict[str, int]:
    """Kill so many children that save in a loop; after each, the file must be the last version or the one begun.

    Returns:
        How many kills there were, how many of them in the middle of a save, and the versions saved.
    """
    path, empty, model = folder / name, model_of(0), model_of(0)
    save(empty, path)
    longest = LONGEST * min(_seconds_to_save(empty, path) for _ in range(3))
    counters = np.frombuffer(mmap.mmap(-1, 16), np.int64)  # shared with the children: version begun, version saved
    counters[:] = 0
    before = within = 0
    for _ in range(kills):
        child = _forked(lambda: _save_for_ever(model, path, counters))
        time.sleep(rng.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        (begun, saved), found = counters.tolist(), version_in(path, empty)
        assert found in (saved, begun), f"{path} holds version {found}; {saved} was saved, {begun} begun"
        within += before < begun != saved
        before, counters[1] = begun, found  # what was begun may be lost; the next child begins after it
    left = [one for one in os.listdir(folder) if one.endswith(".tmp")]
    assert len(left) <= 1, f"{len(left)} temporary files are left"  # that of the last child
    return {"kills": kills, "in the middle": within, "versions": int(counters[0])}


def _seconds_to_save(model: Any, path: Path) -> float:
    start = time.perf_counter()
    save(model, path)
    return time.perf_counter() - start


def _save_for_ever(model: Any, path: Path, counters: np.ndarray) -> None:
    parent = os.getppid()
    while os.getppid() == parent:  # it may be killed itself
        version = int(counters[0]) + 1
        _fill(model, version)
        counters[0] = version
        save(model, path)
        counters[1] = version


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return child


# ---- training with a backup ----


class _Notes(Callback):
    """Writes down what is left of a training, when it is complete."""

    def __init__(self, path: Path):
        self.path = path
        self.logs: dict[str, float] = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.logs = dict(logs or {})

    def on_train_end(self, logs: Any = None) -> None:
        states = [*self.model.variables, *self.model.optimizer.variables]
        np.savez(self.path, *[state.numpy() for state in states], logs=np.array(sorted(self.logs.items()), "U40"))


def train(folder: Path, backup: bool, optimizer: str) -> None:
    """A training with shuffled data, dropout, batch statistics, a schedule and metrics; the end goes to notes.npz."""
    minidl.utils.set_random_seed(11)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(70, 6)).astype("float32"), rng.integers(0, 3, 70)
    stack = [minidl.Input((6,)), layers.Dense(16, activation="relu"), layers.Dropout(0.3), layers.BatchNormalization()]
    model = minidl.Sequential([*stack, layers.GaussianNoise(0.1), layers.Dense(3, activation="softmax")])
    rate = minidl.optimizers.schedules.ExponentialDecay(0.02, 7, 0.9)
    kinds = {
        "adam": lambda: minidl.optimizers.Adam(rate),
        "momentum": lambda: minidl.optimizers.SGD(rate, momentum=0.9, nesterov=True),
    }
    model.compile(kinds[optimizer](), "sparse_categorical_crossentropy", metrics=["accuracy"])
    callbacks: list[Callback] = [BackupAndRestore(folder / "backup", save_freq=3)] if backup else []
    callbacks.append(_Notes(folder / "notes.npz"))
    model.fit(x, y, batch_size=8, epochs=5, validation_split=0.2, verbose=0, callbacks=callbacks)


def _notes(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "notes.npz") as file:
        found = dict(file)
    (folder / "notes.npz").unlink()
    return found


def killed_while_training(optimizer: str, kills: int, folder: Path, rng: np.random.Generator) -> dict[str, int]:
    """Kill trainings with a backup so many times; each is started again until it is complete.

    Every end must be, bit for bit, that of a training without interruptions.

    Returns:
        How many kills and complete trainings there were.
    """
    start = time.perf_counter()
    _wait(_forked(lambda: train(folder, False, optimizer)))
    longest = max(2 * (time.perf_counter() - start), 0.1)
    wanted = _notes(folder)
    done = complete = 0
    while done < kills or complete == 0:
        child = _forked(lambda: train(folder, True, optimizer))
        deadline = time.perf_counter() + (rng.uniform(0, longest) if done < kills else 60)
        while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.perf_counter() < deadline:
            time.sleep(0.001)
        if ended[0] == 0:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            done += 1
            continue
        assert ended[1] == 0, "the training failed; what it said is above"
        found = _notes(folder)
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            assert value.dtype == found[name].dtype and (value == found[name]).all(), f"{name} differs"
        complete += 1
    return {"kills": done, "complete trainings": complete}


def _wait(child: int) -> None:
    assert os.waitpid(child, 0)[1] == 0, "the training failed; what it said is above"


def main() -> None:
    """Kill, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500, help="of each format")
    parser.add_argument("--trainings", type=int, default=50, help="kills of trainings with a backup")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            print(name, killed_while_saving(name, options.kills, Path(folder), rng), flush=True)
    for optimizer in ("adam", "momentum"):
        with tempfile.TemporaryDirectory() as folder:
            print(f"backup, {optimizer}", killed_while_training(optimizer, options.trainings, Path(folder), rng))


if __name__ == "__main__":
    main()
