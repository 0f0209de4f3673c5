"""What objects show in a notebook: well-formed HTML with their numbers, in the colours of the text around it."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import minidl as keras
from minidl import layers, ops
from minidl.checking import diagnose, diagnose_update
from minidl.engine.op import registered
from minidl.markup import box, framed, pre, table
from minidl.visualize import Page, Section, Words
from minidl.xray import Explained

EMPTY = {"br", "hr", "img", "meta", "link", "input"}


class Reader(HTMLParser):
    """The text of a piece of HTML; every element must be closed in its order."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.cells = [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.cells.append(data)


def shown(value):
    text = value._repr_html_()
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    assert not re.search(r"[;\"](color|background): ?(?!inherit|none)", text), "a colour that a theme may not suit"
    reader.text = " ".join(" ".join(reader.text).split())
    return reader


def small_model():
    return keras.Sequential([keras.Input((4,)), layers.Dense(8, "relu"), layers.Dense(3)], name="small")


def test_a_tensor_shows_what_made_it():
    w = keras.Variable([[0.5, -1.0], [2.0, 0.25]], name="w")
    text = shown(ops.tanh(keras.Tensor([[1.0, 2.0]]) @ w)).text
    assert "Tensor (1, 2) float32 · made by tanh; gradients flow on to x" in text
    assert "0.99975" in text and "-0.46212" in text  # tanh(4.5), tanh(-0.5)


@pytest.mark.parametrize(
    "tensor, words",
    [
        (keras.Tensor(2.5), "Tensor () float32 2.5"),
        (keras.Tensor([1, 2]), "Tensor (2,) int32 [1 2]"),
        (keras.Tensor([1.0], requires_grad=True), "Tensor (1,) float32 · a leaf that asks for its gradient [1.]"),
        (keras.Tensor(np.zeros((0, 3))), "Tensor (0, 3) float64 []"),
    ],
)
def test_leaves(tensor, words):
    assert shown(tensor).text == words


def test_a_large_tensor_shows_its_corners():
    text = shown(keras.Tensor(np.arange(600.0).reshape(20, 30))).text
    assert "..." in text and " 599." in text and " 300." not in text


def test_a_variable_shows_its_gradient_beside_its_value():
    w = keras.Variable([1.0, 2.0], name="w")
    assert shown(w).text == "Variable w (2,) float32 · trainable [1. 2.]"
    ops.sum(w * w * 1.5).backward()
    assert shown(w).text == "Variable w (2,) float32 · trainable value [1. 2.] gradient [3. 6.]"
    assert "frozen" in shown(keras.Variable([1.0], trainable=False)).text


def test_a_symbolic_tensor_has_no_values():
    x = keras.Input((4,), name="x")
    assert shown(x).text == "KerasTensor x (None, 4) float32 · made by x"
    assert "made by exp" in shown(ops.exp(x)).text


def test_a_sequential_model():
    model = small_model()
    found = shown(model)
    assert found.cells[:3] == ["Layer (type)", "Output Shape", "Param #"]
    assert found.cells[3:] == [f"{model.layers[0].name} (Dense)", "(None, 8)", "40",
                               f"{model.layers[1].name} (Dense)", "(None, 3)", "27"]  # fmt: skip
    assert "small Sequential" in found.text and "Total params: 67 (268.00 B)" in found.text


@pytest.mark.parametrize(
    "loss, words",
    [
        ("mse", "loss mse"),
        (keras.losses.MeanSquaredError(), "loss mean_squared_error"),
        (keras.losses.mean_squared_error, "loss mean_squared_error"),
        (["mse"], "loss mse"),
        ({"out": "mse"}, "loss out: mse"),
    ],
)
def test_what_compile_was_given(loss, words):
    x = keras.Input((2,))
    model = keras.Model(x, layers.Dense(1, name="out")(x))
    assert "optimizer" not in shown(model).text
    model.compile("adam", loss)
    assert f"Functional · optimizer Adam, {words}" in shown(model).text


def test_branches_and_models_not_built():
    x = keras.Input((4,), name="x")
    joined = layers.Add(name="sum")([layers.Dense(3, name="a")(x), layers.Dense(3, name="b")(x)])
    assert "a[0][0], b[0][0]" in shown(keras.Model(x, joined)).cells

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inside = layers.Dense(2)

        def call(self, x):
            return self.inside(x)

    assert "0 (unbuilt)" in shown(Own()).cells
    assert "Total params: 0" in shown(keras.Sequential()).text


def test_a_history_is_curves_and_a_table():
    model = small_model()
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    history = model.fit(x, x[:, :3], epochs=3, validation_split=0.25, verbose=0)
    found = shown(history)
    assert found.cells[:5] == ["first", "smallest", "largest", "last", "loss"]
    losses = history.history["loss"]
    assert found.cells[5:9] == [f"{v:.4g}" for v in (losses[0], min(losses), max(losses), losses[-1])]
    assert history._repr_html_().count("<svg") == 1  # loss and val_loss share a chart
    assert "3 epochs" in found.text


@pytest.mark.parametrize(
    "logs, note, charts",
    [
        ({}, "0 epochs", 0),
        ({"loss": [1.0]}, "1 epoch", 0),
        ({"loss": [float("nan")] * 2}, "2 epochs", 0),
        ({"loss": [1.0, 0.5], "each": [[1.0], [2.0]]}, "2 epochs", 1),
    ],
)
def test_histories_of_few_numbers(logs, note, charts):
    history = keras.callbacks.History()
    history.history = logs
    assert note in shown(history).text
    assert history._repr_html_().count("<svg") == charts


def test_a_right_gradient():
    report = keras.gradcheck(lambda x: ops.tanh(x) * x, [np.array([[1.0, 2.0], [3.0, -1.0]])], order=2)
    found = shown(report)
    assert found.cells[5:10] == ["✓", "x", "(2, 2)", f"{report['x'].max_error:.1g}", "4 elements, 2 directions"]
    assert "gradcheck of <lambda>: right" in found.text and "the gradient of the gradient" in found.text
    assert "✓" in found.cells and "✗" not in found.cells and "linear" in found.cells


def test_a_wrong_gradient(monkeypatch):
    def f(x):
        return x * x

    slipped = keras.op(f)
    monkeypatch.delitem(registered, "f")
    slipped.grad("x")(lambda g, x: g * x)
    report = keras.gradcheck(slipped, [np.array([1.0, 3.0])], raise_on_failure=False)
    found = shown(report)
    assert "gradcheck of f: WRONG (x)" in found.text and "✗" in found.cells
    assert "best scale 0.5" in found.text


def test_a_diagnosis_is_its_report():
    class Dense:
        def __init__(self):
            self.W = np.random.default_rng(0).normal(size=(4, 3))

        def forward(self, x):
            self.x = x
            return x @ self.W

        def backward(self, g):
            self.dW = self.x.T @ g / len(g)
            return g @ self.W.T

    report = diagnose(Dense(), np.random.default_rng(1).normal(size=(5, 4)), language="en")
    text = shown(report).text
    assert "Dense: WRONG, the gradient of W" in text and "mean over the batch where a sum was meant" in text
    assert "test_shown.py:" in text  # the line to read again

    class Plain:
        def step(self, params, grads):
            for name in params:
                params[name] -= 0.1 * grads[name]

    assert "follows sgd" in shown(diagnose_update(Plain(), "sgd", learning_rate=0.1, language="en")).text


def test_pages_stand_in_a_frame(tmp_path):
    path = keras.explain(lambda a: a * 2.0, np.ones(2), path=tmp_path / "step.html")
    assert type(path) is Explained
    assert isinstance(path, Path) and path.name == "step.html"
    source = re.search(r'srcdoc="([^"]*)"', path._repr_html_())[1]
    assert html.unescape(source) == path.read_text("utf-8")
    page = Page("t", "lead", sections=[Section(Words("a", "b"), "text")])
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', page._repr_html_())[1]) == page.render()
    assert 'title="t"' in page._repr_html_()


def test_markup_is_escaped():
    assert box("<b>", note="<i>").count("&lt;") == 2
    assert "<td" in table(["a"], [["<x>"]]) and "&lt;x&gt;" in table(["a"], [["<x>"]])
    assert "&lt;script&gt;" in pre("<script>", "<c>") and "<c>" not in pre("<script>", "<c>")
    assert 'srcdoc="&lt;p class=&quot;a&quot;&gt;"' in framed('<p class="a">', "t")
    w = keras.Variable(1.0, name="<w>")
    assert "<w>" not in w._repr_html_()
