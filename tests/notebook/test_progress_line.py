"""The line that progress writes anew in a notebook, step by step."""

import contextlib

import pytest

from minidl import callbacks, config


class Cell:
    """What a kernel puts in the place of the standard output."""

    __module__ = "ipykernel.iostream"

    def __init__(self):
        self.written = []

    def write(self, text):
        self.written.append(text)

    def flush(self):
        pass

    def isatty(self):
        return False


@pytest.fixture
def bar(monkeypatch):
    """A bar whose clock stands at ``bar.now``."""
    found = callbacks.ProgbarLogger()
    found.now = 0.0
    monkeypatch.setattr("time.perf_counter", lambda: found.now)
    return found


def train(bar, seconds, steps, numbers, end=True):
    """What one epoch writes whose batches end at ``seconds``."""
    cell = Cell()
    with contextlib.redirect_stdout(cell):
        bar.set_params({"verbose": 1, "epochs": 1, "steps": steps})
        bar.on_train_begin()
        bar.on_epoch_begin(0)
        for batch, (bar.now, loss) in enumerate(zip(seconds, numbers, strict=True)):
            bar.on_train_batch_end(batch, {"loss": loss})
        if end:
            bar.on_epoch_end(0, {"loss": loss})
        bar.close()
        bar.close()
    return "".join(cell.written)


def test_a_line_is_written_over_by_the_next(bar):
    text = train(bar, [0.3, 0.35, 0.6], 4, [1.0, 0.5, 0.25])
    first = f"\rEpoch 1/1 {'━' * 5}{'╌' * 15} 1/4 - loss: 1.0000"
    second = f"\rEpoch 1/1 {'━' * 15}{'╌' * 5} 3/4 - loss: 0.2500"
    blank = "\r" + " " * (len(second) - 1) + "\r"
    assert text == first + second + blank + "Epoch 1/1 - 0.6 s - loss: 0.2500\n"


def test_a_shorter_line_leaves_nothing_of_the_longer(bar):
    text = train(bar, [1.0, 2.0], None, [10000.0, 1.0])
    long, short = text.split("\r")[1:3]
    assert long == "Epoch 1/1 1/? - loss: 10000.0000" and short == "Epoch 1/1 2/? - loss: 1.0000    "


def test_what_is_over_at_once_leaves_the_last_line_only(bar):
    assert train(bar, [0.01, 0.02], 2, [1.0, 0.5]) == "Epoch 1/1 - 0.0 s - loss: 0.5000\n"


def test_a_training_that_breaks_off_leaves_a_clean_line(bar):
    line = f"\rEpoch 1/1 {'━' * 5}{'╌' * 15} 1/4 - loss: 1.0000"
    assert train(bar, [1.0], 4, [1.0], end=False) == f"{line}\r{' ' * (len(line) - 1)}\r"


def test_no_line_where_progress_goes_to_the_log(bar):
    config.disable_interactive_logging()
    try:
        assert train(bar, [1.0, 2.0], 2, [1.0, 0.5]) == ""
    finally:
        config.enable_interactive_logging()
