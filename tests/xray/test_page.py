"""The page in a real browser: the engine's numbers bit for bit, stepping by keys, and what follows from an edit."""

import base64

import numpy as np
import pytest

from minidl import config, layers, models, ops, optimizers
from minidl.cli.networks import cnn
from minidl.datasets import fashion_mnist
from minidl.xray import record, render
from minidl.xray.story import story

from .conftest import batch, small_net
from .driving import READ

ALL = "return [...Array(COUNT).keys()].map(n => [xray.now(n).dtype, b64(xray.now(n).data), xray.outdated(n)])"
DTYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "u4": "<u4"}


def arrays_of(answer):
    return [np.frombuffer(base64.b64decode(text), DTYPES[dtype]) for dtype, text, _ in answer]


def write(step, path, language="en"):
    path.write_text(render(step, language), encoding="utf-8")
    return path


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_page_holds_the_numbers_of_the_engine_bit_for_bit(drive, tmp_path, dtype):
    holds_every_number(record(small_net(dtype), batch(dtype=dtype)), drive, tmp_path)


def test_so_does_that_of_the_demo_s_network_on_a_real_picture(drive, tmp_path):
    """Most of its arrays are not written down, but made again in the page from others."""
    (x, y), _ = fashion_mnist.load_subset()
    net = cnn((28, 28, 1), 10)
    net.compile("adam", "sparse_categorical_crossentropy")
    holds_every_number(record(net, (x[:1, ..., None].astype("float32") / 255, y[:1])), drive, tmp_path)


def holds_every_number(step, drive, folder):
    tensors = story(step)[1].arrays
    seen = drive(write(step, folder / "page.html"), ALL.replace("COUNT", str(len(tensors))))
    assert seen.console == [] and seen.resources == []
    found = arrays_of(seen.answer)
    assert len(found) == len(tensors) > 60
    for mine, theirs in zip(found, tensors, strict=True):
        if theirs.dtype.kind == "f":
            assert mine.dtype == theirs.dtype and mine.tobytes() == np.ascontiguousarray(theirs).tobytes()
        else:
            assert mine.tolist() == theirs.reshape(-1).tolist()


WALK = """
const visited = [], at = () => document.getElementById("detail").dataset.step;
for (let i = 0; i < xray.steps().length; i++) {
  const here = xray.steps()[xray.position()], detail = document.getElementById("detail");
  visited.push([here.phase, +at(), detail.querySelectorAll(".tensor").length, detail.innerText.includes("undefined") || detail.innerText.includes("null") || detail.innerText.includes("[object")]);
  press("ArrowRight");
}
press("Home"); const first = xray.position(); press("End"); const last = xray.position(); press("b"); const phase = xray.steps()[xray.position()].phase;
press("Home"); for (let i = 0; i < 3; i++) press("ArrowRight");
const before = xray.steps().length; press("Enter"); const more = xray.steps().length; press("ArrowRight"); const second = xray.position();
press("Enter"); const folded = xray.steps().length;
press("l"); press("Home");
const cells = [...document.querySelectorAll("td[data-i]")].filter(c => c.closest("[data-tensor]")).map(c => [+c.closest("[data-tensor]").dataset.tensor, +c.dataset.i, c.dataset.v]);
return {visited, first, last, phase, before, more, second, folded, language: [xray.language(), document.documentElement.lang, document.body.innerText.includes("순전파")], cells,
  sideways: document.documentElement.scrollWidth - innerWidth, scrolled: scrollY, background: getComputedStyle(document.body).backgroundColor};
"""  # noqa: E501


@pytest.mark.parametrize(("dark", "width"), [(False, 1366), (True, 500)])
def test_keys_step_through_all_of_it(drive, tmp_path, dark, width):
    step = record(small_net("float32"), batch(dtype="float32"))
    seen = drive(write(step, tmp_path / "page.html"), WALK, dark=dark, width=width)
    answer = seen.answer
    assert seen.console == [] and "error" not in answer, answer
    assert [number for _, number, *_ in answer["visited"]] == list(range(answer["last"] + 1))
    assert all(views > 0 and not strange for _, _, views, strange in answer["visited"])
    assert [phase for phase, *_ in answer["visited"]] == sorted(
        (phase for phase, *_ in answer["visited"]), key=["forward", "backward", "update"].index
    )
    assert (answer["first"], answer["phase"], answer["second"]) == (0, "backward", 4)
    assert answer["more"] == answer["before"] + 2 == answer["folded"] + 2  # conv2d_bias and sigmoid, both ways
    assert answer["language"] == ["ko", "ko", True]
    tensors = story(step)[1].arrays
    assert len(answer["cells"]) > 50
    for number, place, text in answer["cells"]:
        assert float(text) == float(tensors[number].reshape(-1)[place])
    assert answer["sideways"] <= 0 and answer["scrolled"] == 0
    light = sum(int(part) for part in answer["background"].removeprefix("rgb(").removesuffix(")").split(",")) / 3
    assert light < 60 if dark else light > 200


SOURCES = """
press("b"); press("l");
return [...document.querySelectorAll(".graph > li")].map(item => [item.querySelector("b").textContent, (item.querySelector(".from") || {}).textContent]);
"""  # noqa: E501


def test_the_list_says_where_branches_come_from(drive, tmp_path):
    x = layers.Input((4,), name="picture")
    left, right = layers.Dense(2, name="left")(x), layers.Dense(2, kernel_regularizer="l2", name="right")(x)
    y = layers.Dense(1, name="head")(layers.add([left, layers.Activation("tanh", name="bend")(right)], name="sum"))
    net = models.Model(x, y)
    net.compile("sgd", "mse")
    step = record(net, (np.ones((2, 4), "float32"), np.zeros((2, 1), "float32")))
    assert drive(write(step, tmp_path / "page.html"), SOURCES).answer == [
        ["left", None], ["right", "← x"], ["bend", None], ["sum", "← left, bend"], ["head", None],
        ["손실", None], ["규제항", None], ["손실의 합", None],
    ]  # fmt: skip
    step = record(small_net("float32"), batch(dtype="float32"))
    found = drive(write(step, tmp_path / "line.html"), SOURCES).answer
    assert len(found) > 10 and not any(source for _, source in found)


CHANNELS = """
const places = { forward: 7, backward: 8 }, call = xray.page.calls.find(c => c.op === "add");
const tensors = { forward: xray.page.values[call.out].t, backward: call.passes[0].parts[0][2] };
for (const phase of ["forward", "backward"]) {
  const root = section(phase, c => c.op === "add");
  pick(root, tensors[phase], places[phase]);
  const sliders = figure => [...figure.querySelectorAll(".slices input")].map(one => one.value);
  answer[phase] = [...root.querySelectorAll(".tensor")].flatMap(sliders);
}
return answer;
"""


def test_views_of_one_shape_show_the_same_channel(drive, tmp_path):
    x = layers.Input((2, 2, 3))
    y = layers.Conv2D(3, 1)(x)
    net = models.Model(x, layers.Flatten()(layers.add([layers.Activation("tanh")(y), y])))
    net.compile("sgd", "mse")
    arrays = np.random.default_rng(0).normal(size=(1, 2, 2, 3)), np.zeros((1, 12))
    seen = drive(write(record(net, arrays), tmp_path / "page.html"), READ + CHANNELS)
    assert seen.answer == {"forward": ["1"] * 3, "backward": ["2"] * len(seen.answer["backward"])}
    assert len(seen.answer["backward"]) > 2  # from above, the local derivative, the product


@pytest.fixture
def in_float64():
    before = config.floatx()
    config.set_floatx("float64")
    yield
    config.set_floatx(before)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_an_edit_changes_every_number_as_the_engine_would(drive, tmp_path, in_float64, optimizer):
    sgd = optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=0.1)
    net = small_net(optimizer="adam" if optimizer == "adam" else sgd)
    x, y = batch()
    net.train_on_batch(x, y)  # so that moments are not zero
    step = record(net, (x, y))
    made, tensors = story(step)
    places = {v["name"]: i for i, v in enumerate(made["values"]) if v["kind"] in ("input", "weight")}
    kernel = next(name for name in places if name.endswith("first/kernel"))
    script = f"xray.edit({places['x']}, 20, 0.75); xray.edit({places[kernel]}, 5, -0.4); "
    seen = drive(write(step, tmp_path / "page.html"), script + ALL.replace("COUNT", str(len(tensors.arrays))))
    assert seen.console == []
    x = x.copy()
    x.flat[20] = 0.75
    weight = next(w for w in net.weights if w.path.endswith(kernel))
    value = weight.numpy()
    value.flat[5] = -0.4
    weight.assign(value)
    after = story(record(net, (x, y)))[1].arrays
    changed = 0
    for number, (mine, theirs, old) in enumerate(zip(arrays_of(seen.answer), after, tensors.arrays, strict=True)):
        assert not seen.answer[number][2], f"tensor {number} was left behind"
        error = np.abs(mine - theirs.reshape(-1)).max(initial=0.0)
        assert error <= 1e-12 * max(np.abs(theirs).max(initial=0.0), 1e-300), f"tensor {number}: {error}"
        changed += not np.array_equal(theirs, old)
    assert changed > 40


TERMS = """
const bad = [], near = (a, b) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b));
let checked = 0;
xray.page.calls.forEach((call, c) => {
  const size = xray.now(xray.page.values[call.out].t).size;
  for (const flat of [0, size >> 1, size - 1]) {
    const found = xray.forwardTerms(call, flat), then = found ? found.then : [];
    const last = found && (then.length ? then[then.length - 1][1]
      : found.sign === "max" ? Math.max(...found.lines.map(l => l.value)) : found.sum);
    if (!found || !near(last, found.result)) bad.push([call.op, flat, last]);
  }
  for (const [name, , part] of call.passes.length ? call.passes[0].parts : []) {
    const size = xray.now(part).size;
    for (const flat of [0, size >> 1, size - 1]) {
      const found = xray.backwardTerms(call, call.passes[0], name, part, flat);
      checked++;
      if (!found || !near(found.sum, found.result)) bad.push([call.op, name, flat, found]);
    }
  }
});
return {bad, checked};
"""


def test_the_terms_of_a_number_add_up_to_it(drive, tmp_path, in_float64):
    step = record(small_net(), batch())
    seen = drive(write(step, tmp_path / "page.html"), TERMS)
    assert seen.answer.get("bad") == [], seen.answer
    assert seen.answer["checked"] > 60


def test_what_the_page_cannot_compute_is_marked_after_an_edit(drive, tmp_path, in_float64):
    net = models.Sequential([layers.Input((3,)), layers.Dense(2), layers.Lambda(ops.cos), layers.Dense(1)])
    net.compile("sgd", "mse")
    step = record(net, (np.ones((2, 3)), np.zeros((2, 1))))
    made, tensors = story(step)
    places = {call["op"]: made["values"][call["out"]]["t"] for call in made["calls"]}
    update = {u["name"].split("/")[-2]: u["after"] for u in made["updates"]}
    script = "xray.edit(0, 1, 2.5); return [COS, LOSS, FIRST, DENSE].map(n => xray.outdated(n));"
    for name, number in (("COS", places["cos"]), ("LOSS", places["mean"]), ("FIRST", list(update.values())[0])):
        script = script.replace(name, str(number))
    first_dense = next(made["values"][call["out"]]["t"] for call in made["calls"] if call["op"] == "dense")
    seen = drive(write(step, tmp_path / "page.html"), script.replace("DENSE", str(first_dense)))
    assert seen.answer == [True, True, True, False]
