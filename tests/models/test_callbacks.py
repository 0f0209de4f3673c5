"""Callbacks: when they are called, in which order, and what becomes of the logs."""

import numpy as np
import pytest

import minidl
from minidl import callbacks, layers

X, Y = np.ones((10, 3), "float32"), np.zeros(10, "float32")


def compiled():
    model = minidl.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


class Recorder(callbacks.Callback):
    """Writes down the name of every call."""

    def __init__(self, calls, name=""):
        super().__init__()
        self.calls, self.name = calls, name


def recording(point):
    def method(self, *args):
        self.calls.append((self.name, point, *args[:-1]))

    return method


POINTS = [
    "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end",
    "on_test_begin", "on_test_end", "on_test_batch_begin", "on_test_batch_end", "on_predict_begin", "on_predict_end",
    "on_predict_batch_begin", "on_predict_batch_end",
]  # fmt: skip
for _point in POINTS:
    setattr(Recorder, _point, recording(_point))


def batches(part, n):
    return [(f"on_{part}_batch_{edge}", i) for i in range(n) for edge in ("begin", "end")]


def test_the_order_of_all_calls():
    calls = []
    model = compiled()
    model.fit(X, Y, batch_size=5, epochs=2, validation_data=(X, Y), verbose=0, callbacks=[Recorder(calls)])
    validation = [("on_test_begin",), *batches("test", 2), ("on_test_end",)]
    expected = [("on_train_begin",)]
    for epoch in range(2):
        expected += [("on_epoch_begin", epoch), *batches("train", 2), *validation, ("on_epoch_end", epoch)]
    assert [call[1:] for call in calls] == [*expected, ("on_train_end",)]

    calls.clear()
    model.evaluate(X, Y, batch_size=4, verbose=0, callbacks=[Recorder(calls)])
    assert [call[1:] for call in calls] == [("on_test_begin",), *batches("test", 3), ("on_test_end",)]
    calls.clear()
    model.predict(X, batch_size=10, verbose=0, callbacks=Recorder(calls))
    assert [call[1:] for call in calls] == [("on_predict_begin",), *batches("predict", 1), ("on_predict_end",)]


def test_several_callbacks_are_called_in_the_order_given():
    calls = []
    compiled().fit(X, Y, verbose=0, callbacks=[Recorder(calls, "first"), Recorder(calls, "second")])
    starts = [name for name, point, *_ in calls if point == "on_train_begin"]
    assert starts == ["first", "second"]


class Adding(callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["mine"] = 10.0 * epoch


def test_logs_that_a_callback_adds_are_in_the_history():
    history = compiled().fit(X, Y, epochs=3, verbose=0, callbacks=[Adding()])
    assert history.history["mine"] == [0.0, 10.0, 20.0]
    assert list(history.history) == ["loss", "mae", "mine"]


def test_a_history_of_the_user_is_used():
    mine = callbacks.History()
    model = compiled()
    returned = model.fit(X, Y, epochs=2, verbose=0, callbacks=[mine])
    assert returned is mine is model.history and len(mine.history["loss"]) == 2


def test_a_callback_without_super_init():
    class Bare(callbacks.Callback):
        def __init__(self):
            self.losses = []

        def on_train_batch_end(self, batch, logs=None):
            self.losses.append(logs["loss"])
            assert self.model.built and self.params["epochs"] == 1

    bare = Bare()
    compiled().fit(X, Y, batch_size=5, verbose=0, callbacks=[bare])
    assert len(bare.losses) == 2 and all(isinstance(loss, float) for loss in bare.losses)


def test_the_old_names_of_batches():
    seen = []

    class Old(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append(batch)

    compiled().fit(X, Y, batch_size=5, verbose=0, callbacks=[Old()])
    assert seen == [0, 1]


def test_model_and_params():
    seen = {}

    class Look(callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.update(self.params, model=self.model)

    model = compiled()
    history = model.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[Look()])
    assert seen == {"verbose": 0, "epochs": 3, "steps": 3, "model": model}
    assert history.params == {"verbose": 0, "epochs": 3, "steps": 3}
    assert history.epoch == [0, 1, 2] and history.model is model


@pytest.mark.parametrize("point", ["on_epoch_end", "on_train_batch_end"])
def test_stop_training(point):
    class Stop(callbacks.Callback):
        pass

    def stop(self, index, logs=None):
        if index == 1:
            self.model.stop_training = True

    setattr(Stop, point, stop)
    history = compiled().fit(X, Y, batch_size=2, epochs=5, verbose=0, callbacks=[Stop()])
    assert history.epoch == ([0, 1] if point == "on_epoch_end" else [0])
    assert set(history.history) == {"loss", "mae"}


def test_training_goes_on_after_a_stop():
    model = compiled()
    model.stop_training = True
    assert len(model.fit(X, Y, epochs=2, verbose=0).epoch) == 2


def test_functions_as_callbacks():
    seen = []
    one = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, sorted(logs))),
        on_train_end=lambda logs: seen.append("end"),
    )
    compiled().fit(X, Y, epochs=2, verbose=0, callbacks=[one])
    assert seen == [(0, ["loss", "mae"]), (1, ["loss", "mae"]), "end"]
    with pytest.raises(ValueError, match="on_epoch.*on_epoch_end"):
        callbacks.LambdaCallback(on_epoch=print)


@pytest.mark.parametrize("wrong", [[callbacks.History], [print], ["history"], 3], ids=repr)
def test_what_is_no_callback(wrong):
    with pytest.raises(TypeError, match="Callback objects"):
        compiled().fit(X, Y, verbose=0, callbacks=wrong)


def test_initial_epoch():
    seen = []
    look = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))
    history = compiled().fit(X, Y, initial_epoch=3, epochs=5, verbose=0, callbacks=[look])
    assert seen == [3, 4] == history.epoch and len(history.history["loss"]) == 2


def test_an_error_in_a_callback_is_not_swallowed():
    def fail(batch, logs):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        compiled().fit(X, Y, callbacks=[callbacks.LambdaCallback(on_train_batch_end=fail)])


def test_logs_are_plain_numbers_by_name():
    seen = []
    look = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(dict(logs)))
    compiled().fit(X, Y, validation_split=0.5, verbose=0, callbacks=[look])
    assert list(seen[0]) == ["loss", "mae", "val_loss", "val_mae"]
    assert all(type(value) is float for value in seen[0].values())
