"""How large a page may be: 3 MB, and 300 kB for a net of up to 2,000 parameters."""

import json
import re
import time

import numpy as np
import pytest

import minidl
from minidl import config, layers, models
from minidl.cli.networks import cnn
from minidl.datasets import fashion_mnist
from minidl.xray import page, record, render

from .conftest import batch, small_net


@pytest.fixture(scope="module")
def pictures():
    (x, y), _ = fashion_mnist.load_subset()
    return x[:32, ..., None].astype("float32") / 255, y[:32].astype("int64")


def compiled(*parts):
    config.set_global_seed(0)
    net = models.Sequential(list(parts))
    net.compile("adam", "sparse_categorical_crossentropy")
    return net


def deep_net():
    """1,949 parameters."""
    parts = [layers.Input((60,)), layers.Dense(24, "relu"), layers.Dense(16, "relu"), layers.Dropout(0.3)]
    return compiled(*parts, layers.Dense(5, "softmax"))


def wide_net():
    """1,800 parameters: convolutions, batch norm, pooling, dropout, an L2 penalty."""
    return compiled(
        layers.Input((28, 28, 1)), layers.Conv2D(6, 3, activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.2),
        layers.Flatten(), layers.Dense(6, "relu", kernel_regularizer="l2"), layers.Dense(10, "softmax"),
    )  # fmt: skip


def held(page):
    """The data in a page."""
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])


def cut(page):
    return [one for one in held(page)["tensors"] if "part" in one]


@pytest.mark.parametrize("count", [1, 4])
def test_the_page_of_the_demo_s_network_on_real_pictures(pictures, tmp_path, count):
    net = cnn((28, 28, 1), 10)
    net.compile("adam", "sparse_categorical_crossentropy")
    x, y = pictures
    path = minidl.explain(net, x[:count], y[:count], path=tmp_path / "cnn.html")
    assert path.stat().st_size <= 3_000_000
    assert count > 1 or cut(path.read_text("utf-8")) == []  # every number is there


@pytest.mark.parametrize("made, count, whole", [(deep_net, 8, True), (wide_net, 1, True), (wide_net, 32, False)])
def test_the_page_of_a_small_net(pictures, tmp_path, made, count, whole):
    net, (x, y) = made(), pictures
    assert 1700 < net.count_params() <= 2000
    x = x[:count].reshape(count, -1)[:, 200:260] if made is deep_net else x[:count]
    path = minidl.explain(net, x, y[:count] % net.output_shape[-1], path=tmp_path / "small.html")
    page = path.read_text("utf-8")
    assert path.stat().st_size <= 300_000
    assert (cut(page) == []) == whole == held(page)["live"]


@pytest.mark.parametrize("made, seconds", [(lambda: cnn((28, 28, 1), 10), 5), (wide_net, 1)])
def test_a_page_is_quickly_made(pictures, tmp_path, made, seconds):
    """Of the processor, and with kernels compiled; the quickest of three, as the machine may be busy."""
    net, (x, y), times = made(), pictures, []
    net.compile("adam", "sparse_categorical_crossentropy")
    minidl.explain(net, x[:1], y[:1], path=tmp_path / "first.html")
    for _ in range(3):
        start = time.process_time()
        minidl.explain(net, x[:1], y[:1], path=tmp_path / "page.html")
        times.append(time.process_time() - start)
    assert min(times) < seconds


@pytest.mark.parametrize("samples, whole", [(4, True), (40, False)])
def test_the_page_of_many_small_layers(samples, whole):
    """1,869 parameters in 45 layers, 773 arrays: what is said of them counts too."""
    net = compiled(layers.Input((6,)), *(layers.Dense(6, "relu") for _ in range(44)), layers.Dense(3, "softmax"))
    x = np.random.default_rng(0).normal(size=(samples, 6)).astype("float32")
    page = render(record(net, (x, np.arange(samples) % 3)))
    assert net.count_params() == 1869 and 250_000 < len(page.encode("utf-8")) <= 300_000
    assert (cut(page) == []) == whole and held(page)["live"]


def test_the_limit_is_kept_to_the_byte(monkeypatch):
    x, y = batch(128, "float32")
    step = record(small_net("float32"), (x, y))
    size = len(render(step).encode("utf-8"))
    for less in (0, 1, 6, 12):
        monkeypatch.setattr(page, "MOST_BYTES_SMALL", size - less)
        assert len(render(step).encode("utf-8")) <= size - less


def test_what_others_are_computed_from_is_cut_last():
    """128 samples of a small net do not fit; activations and gradients give way, so numbers can still be edited."""
    x, y = batch(128, "float32")
    page = render(record(small_net("float32"), (x, y)))
    data = held(page)
    assert len(page.encode("utf-8")) <= 300_000 and len(cut(page)) > 3 and data["live"]
    for value in data["values"]:
        assert "part" not in data["tensors"][value["t"]] or value["maker"] is not None


VISIT = """
const strange = [], marks = [];
for (let i = 0; i < xray.steps().length; i++) {
  xray.go(i);
  for (const cell of [...document.querySelectorAll(".tensor td[data-i]")].filter((c, n) => n % 41 === 0)) cell.click();
  document.querySelectorAll("pre").forEach(source => source.remove()); // the engine's own text may say NaN
  const text = document.getElementById("detail").innerText;
  if (/undefined|NaN|\\[object/.test(text)) strange.push([i, text.match(/.{0,60}(undefined|NaN|\\[object).{0,60}/)[0]]);
}
xray.edit(0, 20, 0.75);
return {strange, loss: +document.getElementById("loss").dataset.v, notes: document.body.innerText.includes("too large for the page")};
"""  # noqa: E501


def test_a_page_with_arrays_in_part_reads_well_and_still_computes(drive, tmp_path):
    net, (x, y) = small_net("float32"), batch(128, "float32")
    path = minidl.explain(net, x, y, path=tmp_path / "part.html")
    seen = drive(path, VISIT)
    assert seen.console == [] and seen.resources == [] and "error" not in seen.answer, seen.answer
    assert seen.answer["strange"] == []
    x.flat[20] = 0.75
    assert seen.answer["loss"] == pytest.approx(float(record(net, (x, y)).loss), rel=1e-5)
    assert np.isfinite(seen.answer["loss"])
