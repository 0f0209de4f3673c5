"""What fit, evaluate and predict print: plain lines into files, a bar on a terminal."""

import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest

import minidl
from minidl import layers

X, Y = np.ones((10, 3), "float32"), np.zeros(10, "float32")
LINE = r"Epoch {}/3 - \d+\.\d s - loss: \d+\.\d{{4}} - mae: \d+\.\d{{4}}"


def compiled():
    model = minidl.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("verbose", [1, 2, "auto", True])
def test_one_plain_line_an_epoch(verbose, capsys):
    compiled().fit(X, Y, epochs=3, verbose=verbose)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    for epoch, line in enumerate(lines, 1):
        assert re.fullmatch(LINE.format(epoch), line), line


def test_silence(capsys):
    model = compiled()
    model.fit(X, Y, validation_data=(X, Y), verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err == ""


def test_validation_numbers_join_the_line_and_print_none_of_their_own(capsys):
    compiled().fit(X, Y, epochs=2, validation_data=(X, Y))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all("val_loss: " in line and "val_mae: " in line for line in lines)


def test_evaluate_and_predict_print_a_line(capsys):
    model = compiled()
    model.evaluate(X, Y)
    model.predict(X)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and "loss: " in lines[0] and "mae: " in lines[0]


def test_no_control_characters(capsys):
    compiled().fit(X, Y, epochs=3)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", capsys.readouterr().out)


@pytest.mark.parametrize("wrong", [3, -1, "yes", None, 0.5])
def test_unknown_verbose(wrong):
    with pytest.raises(ValueError, match="verbose must be 0, 1, 2 or 'auto'"):
        compiled().fit(X, Y, verbose=wrong)


PROGRAM = """
import time, numpy as np, minidl
from minidl import callbacks, layers
model = minidl.Sequential([layers.Input((3,)), layers.Dense(1)])
model.compile("sgd", "mse")
slow = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.06))
model.fit(np.ones((20, 3)), np.zeros(20), batch_size=2, epochs=2, verbose=VERBOSE, callbacks=[slow])
print("the end")
"""


def on_a_terminal(program):
    """What a program writes when its output is a terminal."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", program], stdout=theirs, stderr=subprocess.PIPE, env=environment)
    os.close(theirs)
    written, end = b"", time.monotonic() + 120
    while time.monotonic() < end:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    assert process.wait(timeout=60) == 0, process.stderr.read().decode()
    return written.decode()


@pytest.mark.slow
def test_a_bar_on_a_terminal():
    text = on_a_terminal(PROGRAM.replace("VERBOSE", "1"))
    assert re.search(r"Epoch 1/2 .*━.* \d+/10", text)  # the bar, and how many batches are done
    assert "\x1b[?25l" in text and text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is given back
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert len(re.findall(r"Epoch \d/2 - \d+\.\d s - loss: \d+\.\d{4}", plain)) == 2  # one line an epoch is left
    assert plain.rstrip().endswith("the end")


@pytest.mark.slow
def test_no_bar_on_a_terminal_with_verbose_2():
    text = on_a_terminal(PROGRAM.replace("VERBOSE", "2"))
    assert "\x1b" not in text and len(re.findall(r"Epoch \d/2 - ", text)) == 2
