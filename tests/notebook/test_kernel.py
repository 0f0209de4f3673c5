"""A real kernel of Jupyter: what arrives below the cells."""

from types import SimpleNamespace

import pytest

from .kernels import execute

CELLS = {
    "tensor": "import numpy as np, minidl as keras\nfrom minidl import layers, ops\nops.exp(keras.Tensor([0.0]))",
    "model": (
        "model = keras.Sequential([keras.Input((4,)), layers.Dense(8, 'relu'), layers.Dense(1)])\n"
        "model.compile('sgd', 'mse')\nmodel"
    ),
    "quick": "x = np.zeros((64, 4), 'float32')\nmodel.fit(x, x[:, :1], verbose=0)  # compiles\nmodel.fit(x, x[:, :1])",
    "slow": (
        "import time\n"
        "waits = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.15))\n"
        "model.fit(x, x[:, :1], epochs=2, batch_size=8, callbacks=[waits]);"
    ),
    "plain": "model.fit(x, x[:, :1], epochs=2, batch_size=8, callbacks=[waits], verbose=2);",
    "captured": (
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()) as out:\n"
        "    model.fit(x, x[:, :1], batch_size=8, callbacks=[waits])\n"
        "out.getvalue()"
    ),
    "predict": "model.predict(x, batch_size=8, callbacks=[keras.callbacks.LambdaCallback()], verbose=0).shape",
    "summary": "model.summary()",
    "wrong": (
        "from minidl.checking import diagnose\n"
        "class Double:\n"
        "    def forward(self, x):\n"
        "        self.x = x\n"
        "        return x * x\n"
        "    def backward(self, g):\n"
        "        dx = g * self.x\n"
        "        return dx\n"
        "diagnose(Double(), np.array([[1.0, 2.0, 3.0]]), language='en')"
    ),
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """By cell: the text that streamed, with how it arrived, and the data of its last value."""
    nbformat = pytest.importorskip("nbformat")
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]
    done = execute(nbformat.v4.new_notebook(cells=cells), tmp_path_factory.mktemp("notebook"))
    found = {}
    for name, cell in zip(CELLS, done.cells, strict=True):
        chunks = [one.text for one in cell.outputs if one.output_type == "stream"]
        values = [one.data for one in cell.outputs if one.output_type == "execute_result"]
        found[name] = SimpleNamespace(text="".join(chunks), data=values[-1] if values else {})
    return found


def on_screen(text):
    """Text as an eye sees it: what stands before a carriage return is written over."""
    lines = []
    for line in text.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


pytestmark = pytest.mark.slow


def test_values_are_shown_as_html_and_as_text(outputs):
    assert "made by exp" not in outputs["tensor"].data["text/html"] and "[1.]" in outputs["tensor"].data["text/html"]
    assert outputs["tensor"].data["text/plain"] == "Tensor([1.], shape=(1,), dtype=float32)"
    assert "(None, 8)" in outputs["model"].data["text/html"]
    assert "1 epoch" in outputs["quick"].data["text/html"]


def test_quick_epochs_are_plain_lines(outputs):
    (line, end) = outputs["quick"].text.split("\n")
    assert line.startswith("Epoch 1/1 - ") and end == "" and "\r" not in line


def test_slow_epochs_are_one_line_each_that_updates(outputs):
    text = outputs["slow"].text
    assert text.count("\r") > 6 and "8/8" not in on_screen(text)[0]
    first, second, end = on_screen(text)
    assert first.startswith("Epoch 1/2 - ") and second.startswith("Epoch 2/2 - ") and end == ""
    assert "━" not in first + second and "loss: " in second


def test_without_a_bar_where_none_was_asked_for(outputs):
    assert "\r" not in outputs["plain"].text and outputs["plain"].text.count("\n") == 2
    assert "\\r" not in outputs["captured"].data["text/plain"]
    assert outputs["predict"].data["text/plain"] == "(64, 1)"


def test_a_summary_is_text(outputs):
    assert 'Model: "sequential"' in outputs["summary"].text and "┏" in outputs["summary"].text


def test_the_line_to_read_again_is_named_by_its_cell(outputs):
    assert "read again: In[9]:7: dx = g * self.x" in outputs["wrong"].data["text/html"]
