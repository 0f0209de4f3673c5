"""Callbacks against Keras: who is called when with which logs, and what is decided on given curves of numbers."""

import math
import os
import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.parity.oracle import both, close, copy_weights, generator, libraries, same_logs

pytestmark = pytest.mark.oracle

POINTS = [
    *(f"on_{part}_{edge}" for part in ("train", "test", "predict", "epoch", "batch") for edge in ("begin", "end")),
    *(f"on_{part}_batch_{edge}" for part in ("train", "test", "predict") for edge in ("begin", "end")),
]
RNG = generator("callbacks")
X = RNG.normal(size=(22, 3)).astype("float32")
Y = (X.sum(1, keepdims=True) > 0).astype("float32")


def model_of(k, metrics=("accuracy", "mae"), optimizer=None):
    net = k.Sequential([k.layers.Input((3,)), k.layers.Dense(2, activation="tanh"), k.layers.Dense(1, "sigmoid")])
    net.compile(
        optimizer or k.optimizers.SGD(0.5),
        "binary_crossentropy",
        metrics=[one(k) if callable(one) else one for one in metrics],
    )
    return net


def pair_of(case="callbacks", **settings):
    theirs, ours = both(lambda k: model_of(k, **settings))
    copy_weights(theirs, ours, case)
    return theirs, ours


# ---- who is called when ----


def recorder(k, calls):
    def method(point):
        def record(self, *args, **kwargs):
            *index, logs = [*args, *kwargs.values()]
            kinds = {name: type(value).__name__ for name, value in logs.items() if name != "outputs"}
            calls.append((point, *index, list(logs), kinds))

        return record

    return type("Recorder", (k.callbacks.Callback,), {point: method(point) for point in POINTS})()


RUNS = {
    "fit": lambda m, c: m.fit(X, Y, batch_size=5, epochs=2, verbose=0, callbacks=c),
    "fit, validation": lambda m, c: m.fit(
        X, Y, batch_size=8, epochs=3, validation_data=(X, Y), validation_freq=2, verbose=0, callbacks=c
    ),
    "fit, split": lambda m, c: m.fit(X, Y, validation_split=0.4, batch_size=4, epochs=2, verbose=0, callbacks=c),
    "fit, later": lambda m, c: m.fit(X, Y, epochs=4, initial_epoch=2, verbose=0, callbacks=c),
    "evaluate": lambda m, c: m.evaluate(X, Y, batch_size=10, verbose=0, callbacks=c),
    "predict": lambda m, c: m.predict(X, batch_size=7, verbose=0, callbacks=c),
}


@pytest.mark.parametrize("run", RUNS)
def test_the_calls_and_their_logs(run):
    seen = []
    for k, model in zip(libraries(), pair_of(), strict=True):
        calls = []
        RUNS[run](model, [recorder(k, calls)])
        seen.append(calls)
    assert seen[1] == seen[0] and len(seen[0]) > 5


def test_the_values_of_the_logs():
    seen = []
    for k, model in zip(libraries(), pair_of(), strict=True):
        logs = []
        look = k.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, to=logs: to.append(dict(logs)),
            on_test_batch_end=lambda batch, logs, to=logs: to.append(dict(logs)),
            on_test_end=lambda logs, to=logs: to.append(dict(logs)),
            on_epoch_end=lambda epoch, logs, to=logs: to.append(dict(logs)),
            on_train_end=lambda logs, to=logs: to.append(dict(logs)),
        )
        model.fit(X, Y, batch_size=8, epochs=2, validation_data=(X, Y), shuffle=False, verbose=0, callbacks=[look])
        seen.append(logs)
    assert len(seen[0]) == len(seen[1]) == 2 * (3 + 3 + 1 + 1) + 1
    for theirs, ours in zip(*seen, strict=True):
        same_logs(ours, theirs)


def test_what_a_callback_adds_is_in_the_history_but_not_in_the_logs_of_the_end():
    seen = []
    for k, model in zip(libraries(), pair_of(), strict=True):

        class Adding(k.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                logs["zeta"] = epoch
                logs["array"] = np.arange(2)

            def on_train_end(self, logs=None):
                self.at_end = list(logs)

        adding = Adding()
        history = model.fit(X, Y, epochs=2, validation_data=(X, Y), verbose=0, callbacks=[adding])
        seen.append((list(history.history), history.history["zeta"], adding.at_end, history.params, history.epoch))
    assert seen[0] == seen[1]


def test_metrics_behind_val_in_the_alphabet():
    seen = []
    for _, model in zip(libraries(), pair_of(metrics=()), strict=True):
        model.compile("sgd", "mse", metrics=["mae"])
        model.metrics[1].name, order = "zoo", []
        history = model.fit(X, Y, epochs=1, validation_data=(X, Y), verbose=0)
        order.append(list(history.history))
        seen.append(order)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("point", ["on_train_batch_end", "on_epoch_end"])
def test_stopping_and_a_new_learning_rate(point):
    seen = []
    for k, model in zip(libraries(), pair_of(), strict=True):

        def act(self, index, logs=None):
            self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) / 2
            if index == 2:
                self.model.stop_training = True

        callback = type("Act", (k.callbacks.Callback,), {point: act})()
        history = model.fit(X, Y, batch_size=5, epochs=6, shuffle=False, verbose=0, callbacks=[callback])
        seen.append((history, [np.asarray(w) for w in model.get_weights()]))
    assert seen[0][0].epoch == seen[1][0].epoch
    same_logs(seen[1][0].history, seen[0][0].history)
    for theirs, ours in zip(seen[0][1], seen[1][1], strict=True):
        close(ours, theirs, "weights")


@pytest.mark.parametrize("settings", [{}, {"add_history": True}, {"add_history": True, "add_progbar": True}])
def test_a_list_of_ones_own(settings):
    """For loops of one's own: CallbackList is public."""
    seen = []
    for k, model in zip(libraries(), pair_of(), strict=True):
        calls = []
        made = k.callbacks.CallbackList([recorder(k, calls)], model=model, **settings, verbose=0, epochs=3, steps=2)
        made.on_train_begin()
        made.on_epoch_begin(0)
        made.on_train_batch_begin(0)
        made.on_train_batch_end(0, {"b": np.float32(1), "a": {"inner": 2}, "c": np.arange(3), "d": "text"})
        made.on_batch_begin(1)
        made.on_batch_end(1, {"loss": 0.5})
        made.on_epoch_end(0, logs={"loss": np.float32(0.25)})
        made.on_train_end()
        history = getattr(model, "history", None)
        kinds = [type(one).__name__ for one in made.callbacks]
        seen.append((calls, kinds, history and history.history, made.params))
    assert seen[0] == seen[1]


# ---- decisions on curves ----


def scripted(k, curve):
    class Scripted(k.callbacks.Callback):
        """Puts numbers of a table into the logs, for the callbacks behind it."""

        def on_epoch_end(self, epoch, logs=None):
            logs.pop("val_loss", None)
            logs.update(curve[epoch] if isinstance(curve[epoch], dict) else {"val_loss": curve[epoch]})

    return Scripted()


FALLING = [1.0, 0.8, 0.7, 0.65, 0.64, 0.63]
CURVES = {
    "falling": FALLING,
    "rising": FALLING[::-1],
    "flat": [0.5] * 6,
    "up and down": [0.9, 0.5, 0.7, 0.4, 0.45, 0.46, 0.44, 0.3, 0.35, 0.34],
    "tiny steps": [0.5, 0.49995, 0.4999, 0.49985, 0.4998, 0.49975, 0.4],
    "equal in float32": [0.3, 0.3 - 1e-10, 0.3 - 2e-10, 0.3 - 3e-10],
    "nan first": [math.nan, 0.5, 0.4, 0.6],
    "nan inside": [0.5, math.nan, 0.4, math.nan, math.nan, 0.3],
    "inf": [math.inf, 1.0, math.inf, 0.5, 0.6, 0.7],
    "missing": [0.5, {}, 0.6, {}, 0.4, 0.5],
}
STOPS = {
    "defaults": {},
    "patience 2": {"patience": 2},
    "patience 1, restored": {"patience": 1, "restore_best_weights": True},
    "restored": {"patience": 20, "restore_best_weights": True},
    "min_delta": {"min_delta": 0.06, "patience": 1},
    "negative min_delta": {"min_delta": -0.06, "patience": 1},
    "max": {"mode": "max", "patience": 1, "restore_best_weights": True},
    "baseline": {"baseline": 0.45, "patience": 2},
    "baseline, max": {"baseline": 0.45, "patience": 2, "mode": "max", "restore_best_weights": True},
    "later": {"start_from_epoch": 2, "patience": 1, "restore_best_weights": True},
    "never looked": {"start_from_epoch": 50, "restore_best_weights": True},
}


class Run(NamedTuple):
    callback: Any
    history: Any
    model: Any


def run(make, curve, **settings):
    """What ``make(k)`` makes, led through a curve without a training; the weights of each epoch are its number."""
    runs = []
    for k, model in zip(libraries(), pair_of(**settings), strict=True):
        callback = make(k)
        calls = k.callbacks.CallbackList(
            [scripted(k, curve), callback], add_history=True, model=model, verbose=0, epochs=len(curve), steps=1
        )
        model.stop_training = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calls.on_train_begin()
            for epoch in range(len(curve)):
                calls.on_epoch_begin(epoch)
                for batch in range(2):
                    calls.on_train_batch_begin(batch)
                    calls.on_train_batch_end(batch, {"loss": 0.5})
                model.set_weights([np.full(w.shape, epoch, "float32") for w in model.get_weights()])
                calls.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 0.5})
                if model.stop_training:
                    break
            calls.on_train_end()
        runs.append(Run(callback, model.history, model))
    return runs


def same(one, other):
    return one == other or (one is not None and other is not None and math.isnan(one) and math.isnan(other))


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("stop", STOPS)
def test_early_stopping(stop, curve):
    (theirs, their_history, model), (ours, our_history, ours_model) = run(
        lambda k: k.callbacks.EarlyStopping(**STOPS[stop]), CURVES[curve]
    )
    assert our_history.epoch == their_history.epoch
    for name in ("stopped_epoch", "wait", "best_epoch", "patience", "monitor"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert same(ours.best, theirs.best)
    for one, other in zip(model.get_weights(), ours_model.get_weights(), strict=True):
        close(other, one, "weights")


PLATEAUS = {
    "patience 1": {"patience": 1},
    "patience 2, cooldown 2": {"patience": 2, "cooldown": 2, "factor": 0.5},
    "cooldown 1": {"patience": 1, "cooldown": 1, "factor": 0.3},
    "bound": {"patience": 1, "min_lr": 0.1, "factor": 0.2},
    "bound that float32 rounds": {"patience": 1, "min_lr": 0.3, "factor": 0.9},
    "delta": {"patience": 1, "min_delta": 0.06},
    "no delta, max": {"patience": 1, "min_delta": 0, "mode": "max"},
    "patience 0": {"patience": 0, "factor": 0.9},
}


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("plateau", PLATEAUS)
def test_reduce_lr_on_plateau(plateau, curve):
    (theirs, their_history, model), (ours, our_history, ours_model) = run(
        lambda k: k.callbacks.ReduceLROnPlateau(**PLATEAUS[plateau]), CURVES[curve]
    )
    same_logs(
        {"learning_rate": our_history.history["learning_rate"]},
        {"learning_rate": their_history.history["learning_rate"]},
    )
    assert list(our_history.history) == list(their_history.history)
    for name in ("wait", "cooldown_counter"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert same(ours.best, theirs.best)
    close(float(ours_model.optimizer.learning_rate), float(model.optimizer.learning_rate), "learning rate")


CHECKPOINTS = {
    "every epoch": {},
    "the best": {"save_best_only": True},
    "the largest": {"save_best_only": True, "mode": "max"},
    "the best below a threshold": {"save_best_only": True, "initial_value_threshold": 0.45},
    "weights": {"save_best_only": True, "save_weights_only": True},
    "batches": {"save_freq": 3},
    "single batches": {"save_freq": 1, "save_weights_only": True},
}


@pytest.mark.parametrize("curve", ["up and down", "nan inside", "missing", "equal in float32"])
@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_which_files_are_saved(checkpoint, curve, tmp_path):
    settings = CHECKPOINTS[checkpoint]
    ending = "weights.h5" if settings.get("save_weights_only") else "keras"
    batch = "-{batch}" if "save_freq" in settings else "-{val_loss:.4f}" if curve != "missing" else ""
    made = []

    def make(k):
        made.append(tmp_path / k.__name__ / "new")
        return k.callbacks.ModelCheckpoint(made[-1] / f"m-{{epoch:02d}}{batch}.{ending}", **settings)

    theirs, ours = run(make, CURVES[curve])
    files = [sorted(os.listdir(folder)) if folder.exists() else [] for folder in made]
    assert files[0] == files[1]
    assert same(ours.callback.best, theirs.callback.best)


def test_a_checkpoint_of_ours_is_a_model_of_keras(tmp_path):
    keras, ours = libraries()
    _, model = pair_of()
    path = tmp_path / "best.keras"
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[ours.callbacks.ModelCheckpoint(path)])
    loaded = keras.models.load_model(path)
    close(model.predict(X, verbose=0), loaded.predict(X, verbose=0), "predictions")
    assert int(loaded.optimizer.iterations) == 2


AUTO = {
    "accuracy": ["accuracy"], "val_accuracy": ["accuracy"], "mae": ["mae"], "auc": [lambda k: k.metrics.AUC()],
    "val_acc": ["acc"], "val_mse": ["mse"], "loss": [], "val_loss": [], "unknown": [],
    "val_precision": [lambda k: k.metrics.Precision()], "val_hits": [lambda k: k.metrics.BinaryAccuracy(name="hits")],
}  # fmt: skip


@pytest.mark.parametrize("monitor", AUTO)
@pytest.mark.parametrize("callback", ["EarlyStopping"])
def test_which_way_is_better(callback, monitor):
    curve = [{monitor: value} for value in (0.5, 0.6, 0.4, 0.7, 0.3)]
    if monitor == "unknown":
        for k, model in zip(libraries(), pair_of(metrics=()), strict=True):
            with pytest.raises(ValueError, match="mode='max'"):
                model.fit(X, Y, verbose=0, callbacks=[getattr(k.callbacks, callback)(monitor=monitor)])
        return
    ends = []
    for k, model in zip(libraries(), pair_of(metrics=AUTO[monitor]), strict=True):
        watching = getattr(k.callbacks, callback)(monitor=monitor, patience=2)
        history = model.fit(X, Y, epochs=5, verbose=0, callbacks=[scripted(k, curve), watching])
        ends.append((history.epoch, watching.best, watching.wait))
    assert ends[0] == ends[1]


# ---- learning rates ----

SCHEDULES = {
    "epoch": lambda epoch: 0.5 * 0.9**epoch,
    "epoch and rate": lambda epoch, lr: lr if epoch < 1 else lr * 0.5,
    "float32": lambda epoch: np.float32(0.25 / (epoch + 1)),
    "with a default": lambda epoch, lr=7.0: lr * 0.5,
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules(schedule):
    theirs, ours = run(lambda k: k.callbacks.LearningRateScheduler(SCHEDULES[schedule]), [0.5] * 4)
    same_logs(ours.history.history, theirs.history.history)


@pytest.mark.parametrize("wrong", [lambda epoch: 1, lambda epoch: "0.1", lambda epoch: None])
def test_schedules_that_return_no_float(wrong):
    for k, model in zip(libraries(), pair_of(), strict=True):
        with pytest.raises(ValueError, match="float"):
            model.fit(X, Y, verbose=0, callbacks=[k.callbacks.LearningRateScheduler(wrong)])


# ---- text files ----

TABLES = {
    "plain": ({}, [{"loss": 0.5, "acc": 0.25}, {"loss": 1e-10, "acc": 1.0}]),
    "validation": ({}, [{"loss": 0.5, "val_loss": 0.1}, {"loss": 0.4, "val_loss": 0.2}]),
    "validation later": ({}, [{"loss": 0.5}, {"loss": 0.4, "val_loss": 0.2}]),
    "something missing": ({}, [{"loss": 0.5, "val_loss": 0.1, "mae": 3.0}, {"loss": 0.4}]),
    "separator": ({"separator": ";"}, [{"loss": 0.5, "a": "x;y", "b": 'quo"te'}]),
    "arrays": ({}, [{"loss": 0.5, "a": np.arange(3), "b": [1.5, 2.5], "c": np.array(2.0)}]),
    "nan": ({}, [{"loss": math.nan, "a": math.inf}]),
    "nothing": ({}, [{}, {}]),
}


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("table", TABLES)
def test_the_text_of_csv_files(table, append, tmp_path):
    settings, rows = TABLES[table]
    texts = []
    for k in libraries():
        path = tmp_path / f"{k.__name__}.csv"
        for _ in range(2):
            logger = k.callbacks.CSVLogger(path, append=append, **settings)
            logger.on_train_begin()
            for epoch, row in enumerate(rows):
                logger.on_epoch_end(epoch, dict(row))
            logger.on_train_end()
        texts.append(path.read_bytes())
    assert texts[0] == texts[1]


# ---- the others ----


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.0])
def test_terminate_on_nan(value):
    seen = []
    for k, model in zip(libraries(), pair_of(), strict=True):
        batches = []

        class Loss(k.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if batch == 1:
                    logs["loss"] = value  # noqa: B023
                batches.append(batch)  # noqa: B023

        history = model.fit(X, Y, batch_size=5, epochs=2, verbose=0, callbacks=[Loss(), k.callbacks.TerminateOnNaN()])
        seen.append((batches, history.epoch))
        if not math.isfinite(value):
            with pytest.raises(RuntimeError):
                model.fit(X, Y, batch_size=5, verbose=0, callbacks=[Loss(), k.callbacks.TerminateOnNaN(True)])
    assert seen[0] == seen[1]


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_swapped_averages(swap_on_epoch):
    seen = []
    theirs, ours = both(lambda k: model_of(k, optimizer=k.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.8)))
    copy_weights(theirs, ours, "swap")
    for k, model in zip(libraries(), (theirs, ours), strict=True):
        weights = []

        def look(self, index, logs=None):
            weights.append(self.model.get_weights())  # noqa: B023 - used within the loop

        points = ("on_epoch_begin", "on_test_batch_end", "on_epoch_end")
        looking = type("Looking", (k.callbacks.Callback,), dict.fromkeys(points, look))()
        history = model.fit(
            X, Y, batch_size=8, epochs=3, validation_data=(X, Y), shuffle=False, verbose=0,
            callbacks=[k.callbacks.SwapEMAWeights(swap_on_epoch), looking],
        )  # fmt: skip
        seen.append((history.history, [*weights, model.get_weights()]))
    same_logs(seen[1][0], seen[0][0])
    for one, other in zip(seen[0][1], seen[1][1], strict=True):
        for expected, found in zip(one, other, strict=True):
            close(found, expected, "weights")
