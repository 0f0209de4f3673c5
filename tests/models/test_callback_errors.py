"""What callbacks refuse, and what they do that Keras does not."""

import numpy as np
import pytest

import minidl
from minidl import callbacks, layers

X, Y = np.ones((10, 3), "float32"), np.zeros(10, "float32")


def fit(callback, **settings):
    model = minidl.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model.fit(X, Y, verbose=0, callbacks=[callback], **settings)


WRONG = {
    "factor": (lambda: callbacks.ReduceLROnPlateau(factor=1.0), ValueError, "factor"),
    "ending": (lambda: callbacks.ModelCheckpoint("model.pt"), ValueError, r"\.keras"),
    "ending of weights": (
        lambda: callbacks.ModelCheckpoint("m.keras", save_weights_only=True),
        ValueError,
        "weights.h5",
    ),
    "save_freq": (lambda: callbacks.ModelCheckpoint("m.keras", save_freq="batch"), ValueError, "save_freq"),
    "remote": (callbacks.RemoteMonitor, NotImplementedError, "LambdaCallback"),
    "no averages": (lambda: fit(callbacks.SwapEMAWeights(), validation_data=(X, Y)), ValueError, "use_ema"),
    "unknown name": (lambda: fit(callbacks.ModelCheckpoint("{other}.keras")), KeyError, "other"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused(case):
    make, error, match = WRONG[case]
    with pytest.raises(error, match=match):
        make()


def test_a_folder_is_no_checkpoint(tmp_path):
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(OSError, match="is a folder"):
        fit(callbacks.ModelCheckpoint(tmp_path / "m.keras"))


def test_a_line_that_was_cut_off_stays_alone(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b"epoch,loss,val_loss\r\n0,0.5,NA\r\n1,0.2")
    logger = callbacks.CSVLogger(path, append=True)
    logger.on_train_begin()
    logger.on_epoch_end(2, {"loss": 0.25})
    lines = path.read_bytes().split(b"\r\n")  # before the end of the training
    logger.on_train_end()
    assert lines == [b"epoch,loss,val_loss", b"0,0.5,NA", b"1,0.2", b"2,0.25,NA", b""]


def test_an_error_inside_a_schedule_is_shown():
    def schedule(epoch, rate):
        return rate + "no number"

    with pytest.raises(TypeError, match="unsupported operand"):
        fit(callbacks.LearningRateScheduler(schedule))


def test_messages(capsys, tmp_path):
    fit(callbacks.LearningRateScheduler(lambda epoch: 0.25, verbose=1))
    fit(callbacks.ModelCheckpoint(tmp_path / "m.keras", monitor="loss", save_best_only=True, verbose=1))
    fit(callbacks.EarlyStopping("loss", mode="max", restore_best_weights=True, verbose=1), epochs=9)
    said = capsys.readouterr().out
    assert "Epoch 1: LearningRateScheduler sets the learning rate to 0.25" in said
    assert "Epoch 1: loss improved from nothing to" in said and "m.keras" in said
    assert "Epoch 2: early stopping" in said and "weights of epoch 1" in said


def test_averages_are_swapped_back_after_predict():
    model = minidl.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile(minidl.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y)
    before = model.get_weights()
    model.predict(X, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
