"""Callbacks that others build on: what watches one number, and what shows progress."""

import math

import pytest

from minidl import callbacks


@pytest.mark.parametrize(
    "mode, min_delta, value, reference, better",
    [
        ("min", 0, 1.0, 2.0, True), ("min", 0, 2.0, 2.0, False), ("min", 0.5, 1.6, 2.0, False),
        ("min", -0.5, 1.4, 2.0, True), ("max", 0, 2.5, 2.0, True), ("max", 0.5, 2.5, 2.0, False),
        ("max", 0, 1.0, None, True), ("min", 0, math.nan, 2.0, False), ("min", 0, 2.0 - 1e-9, 2.0, False),
    ],
)  # fmt: skip
def test_what_is_better(mode, min_delta, value, reference, better):
    watching = callbacks.MonitorCallback("loss", mode, min_delta=min_delta)
    assert watching._is_improvement(value, reference) is better


def test_an_unknown_mode_is_auto():
    with pytest.warns(UserWarning, match="mode must be one of"):
        assert callbacks.MonitorCallback(mode="largest").mode == "auto"


def test_lines_of_progress(capsys):
    bar = callbacks.ProgbarLogger()
    bar.set_params({"verbose": 2, "epochs": 3, "steps": 1})
    bar.on_train_begin()
    bar.on_epoch_begin(1)
    bar.on_train_batch_end(0, {"loss": 0.5})
    bar.on_epoch_end(1, {"loss": 0.25, "accuracy": 1.0})
    out = capsys.readouterr().out
    assert out.startswith("Epoch 2/3 - ") and out.endswith("loss: 0.2500 - accuracy: 1.0000\n")
