"""The page in a real browser: the engine's numbers bit for bit, stepping by keys, and what follows from an edit."""

import base64

import numpy as np
import pytest

from minidl import config, layers, models, ops, optimizers
from minidl.xray import record, render
from minidl.xray.story import story

from .conftest import batch, small_net

ALL = "return [...Array(COUNT).keys()].map(n => [xray.now(n).dtype, b64(xray.now(n).data), xray.outdated(n)])"
DTYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "u4": "<u4"}


def arrays_of(answer):
    return [np.frombuffer(base64.b64decode(text), DTYPES[dtype]) for dtype, text, _ in answer]


def write(step, path, language="en"):
    path.write_text(render(step, language), encoding="utf-8")
    return path


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_page_holds_the_numbers_of_the_engine_bit_for_bit(drive, tmp_path, dtype):
    step = record(small_net(dtype), batch(dtype=dtype))
    tensors = story(step)[1].arrays
    seen = drive(write(step, tmp_path / "page.html"), ALL.replace("COUNT", str(len(tensors))))
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
