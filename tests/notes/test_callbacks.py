"""Callbacks, with the line of the notes. Rows 81 to 87."""

import os

import numpy as np
import pytest

import minidl as keras
from minidl import Sequential
from minidl.callbacks import TensorBoard
from minidl.layers import Conv2D, Dense, Flatten

RNG = np.random.default_rng(5)
x_train, x_val = RNG.normal(size=(96, 6, 6, 1)).astype("float32"), RNG.normal(size=(32, 6, 6, 1)).astype("float32")
y_train, y_val = RNG.integers(0, 3, 96), RNG.integers(0, 3, 32)  # nothing to learn: the validation soon gets worse


def compiled(rate=0.02):
    model = Sequential([
        Conv2D(4, 3, activation="relu", input_shape=(6, 6, 1)), Flatten(), Dense(64, activation="relu"),
        Dense(3, activation="softmax"),
    ])  # fmt: skip
    model.compile(
        loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(learning_rate=rate), metrics=["acc"]
    )
    return model


def test_81_in_the_order_given():
    said = []

    class Says(keras.callbacks.Callback):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def on_epoch_end(self, epoch, logs=None):
            said.append((self.name, epoch, "val_loss" in logs))
            logs[self.name] = epoch

    history = compiled().fit(
        x_train, y_train, epochs=2, validation_data=(x_val, y_val), callbacks=[Says("first"), Says("second")]
    )
    assert said == [("first", 0, True), ("second", 0, True), ("first", 1, True), ("second", 1, True)]
    assert history.history["first"] == history.history["second"] == [0, 1]  # History comes last: it sees what they add


def test_82_model_checkpoint():
    model = compiled()
    kept = {}
    every = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.update({epoch: model.get_weights()}))
    checkpoint_cb = keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
    history = model.fit(
        x_train, y_train, epochs=12, validation_data=(x_val, y_val), callbacks=[checkpoint_cb, every], verbose=0
    )
    losses = history.history["val_loss"]
    best = int(np.argmin(losses))
    assert best < 11  # or the file would hold the last epoch in any case
    opened = keras.models.load_model("best.keras")
    assert all(np.array_equal(a, b) for a, b in zip(opened.get_weights(), kept[best], strict=True))
    assert opened.evaluate(x_val, y_val, verbose=0)[0] == pytest.approx(losses[best], rel=1e-6)


@pytest.mark.parametrize("patience", [1, 3])
def test_83_early_stopping(patience):
    model = compiled()
    stop = keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
    history = model.fit(x_train, y_train, epochs=100, validation_data=(x_val, y_val), callbacks=[stop], verbose=0)
    losses = history.history["val_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + patience + 1 and stop.stopped_epoch == len(losses) - 1
    assert model.evaluate(x_val, y_val, verbose=0)[0] == pytest.approx(losses[best], rel=1e-6)


@pytest.mark.parametrize(
    "schedule, expected",
    [(lambda epoch: 0.01 * 0.5**epoch, [0.01, 0.005, 0.0025]), (lambda epoch, lr: lr * 0.1, [2e-3, 2e-4, 2e-5])],
    ids=["epoch", "epoch and rate"],
)
def test_84_learning_rate_scheduler(schedule, expected):
    model = compiled()
    lr_cb = keras.callbacks.LearningRateScheduler(schedule)
    history = model.fit(x_train, y_train, epochs=3, callbacks=[lr_cb], verbose=0)
    np.testing.assert_allclose(history.history["learning_rate"], expected, rtol=1e-6)
    assert float(model.optimizer.learning_rate) == pytest.approx(expected[-1])


@pytest.fixture
def logged():
    """The listing on TensorBoard, as it stands: (history, model)."""
    model = compiled()
    # fmt: off
    log_dir = './logs'
    tensor_board_cb = [TensorBoard(log_dir=log_dir, histogram_freq=1, write_graph=True, write_images=True)]
    history = model.fit(x_train, y_train, batch_size=32, validation_data=(x_val, y_val), epochs=30, callbacks=tensor_board_cb)  # noqa: E501
    # fmt: on
    return history, model


def test_86_87_the_listing(logged):
    history, _ = logged
    assert len(history.epoch) == 30 and history.params["steps"] == 3
    assert sorted(os.listdir("logs")) == ["train", "validation"]
    assert all(
        name.startswith("events.out.tfevents.") for run in ("train", "validation") for name in os.listdir(f"logs/{run}")
    )


@pytest.mark.oracle
def test_85_what_tensorboard_reads(logged):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    history, _ = logged
    for run, prefix in (("train", ""), ("validation", "val_")):
        events = EventAccumulator(f"logs/{run}", size_guidance={"tensors": 0}).Reload()
        for name in ("loss", "acc"):
            values = [float(make_ndarray(event.tensor_proto)) for event in events.Tensors(f"epoch_{name}")]
            np.testing.assert_allclose(values, history.history[prefix + name], rtol=1e-6)
    events = EventAccumulator("logs/train", size_guidance={"tensors": 0}).Reload()
    tags = events.Tags()["tensors"]
    assert "keras" in tags or events.Tags()["graph"]
    for layer in ("conv2d", "dense", "dense_1"):
        for weight in ("kernel", "bias"):
            (tag,) = [t for t in tags if t.endswith("histogram") and f"{layer}/" in t and weight in t]
            assert len(events.Tensors(tag)) == 30
            (tag,) = [t for t in tags if t.endswith("image") and f"{layer}/" in t and weight in t]
            assert events.Tensors(tag)
