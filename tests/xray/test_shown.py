"""What a reader sees, read back from the page: every term of one number, beside what mathematics says it must be."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from minidl import config, layers, models, optimizers
from minidl.xray import record, render
from minidl.xray.story import story

from .conftest import batch, small_net
from .driving import READ, drive_page


class Shown(NamedTuple):
    """A page's data, its arrays, and what was read from it."""

    data: dict[str, Any]
    arrays: list[np.ndarray]
    read: dict[str, Any]

    def call(self, op: str) -> tuple[dict[str, np.ndarray], np.ndarray, dict[str, Any]]:
        """The arguments of the first call of an op, its output, and the call."""
        call = find(self.data, op)
        value = {name: self.arrays[self.data["values"][one["v"]]["t"]] for name, one in call["in"] if "v" in one}
        return value, self.arrays[out(self.data, call)], call


def find(data, op):
    return next(one for one in data["calls"] if one["op"] == op)


def out(data, call):
    return data["values"][call["out"]]["t"]


def show(net, x, y, script, chromium, folder):
    """Record a step, and read from its page; ``script`` may name numbers of tensors, by a function of the data."""
    step = record(net, (x, y))
    data, tensors = story(step)
    page = folder / "shown.html"
    page.write_text(render(step), encoding="utf-8")
    seen = drive_page(chromium, folder, page, READ + script(data) + "return answer;")
    assert seen.console == [] and seen.resources == [] and "error" not in seen.answer, seen
    return Shown(data, tensors.arrays, seen.answer)


@pytest.fixture(scope="module")
def dense(chromium, tmp_path_factory):
    """Two layers, SGD with momentum, in its second step."""
    config.set_global_seed(3)
    net = models.Sequential([layers.Input((5,)), layers.Dense(3, "relu", name="below"), layers.Dense(2, name="above")])
    net.compile(optimizers.SGD(0.1, momentum=0.9), "mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 5)).astype("float32"), rng.normal(size=(4, 2)).astype("float32")
    net.train_on_batch(x, y)

    def script(data):
        call, update = find(data, "dense"), data["updates"][0]
        part = next(part for name, _, part in call["passes"][0]["parts"] if name == "kernel")
        return f"""
          let one = section("forward", c => c.op === "dense");
          pick(one, {out(data, call)}, 7); answer.forward = terms(one);
          one = section("backward", c => c.op === "dense" && c.passes[0].parts.some(p => p[2] === {part}));
          pick(one, {part}, 4); answer.backward = terms(one);
          one = section("update", u => true); pick(one, {update["after"]}, 4);
          answer.update = terms(one); answer.formula = one.querySelector(".formula").textContent;
          one = section("forward", c => c.op === "dense"); pick(one, {x_number(data)}, 3);
          const field = one.querySelector(`figure[data-tensor="{x_number(data)}"] .readout input`);
          field.value = "2.5"; field.dispatchEvent(new KeyboardEvent("keydown", {{ key: "Enter", bubbles: true }}));
          const loss = () => +document.getElementById("loss").dataset.v;
          answer.edited = [document.querySelector(".edited").textContent, xray.now({x_number(data)}).data[3], loss()];
          pick(section("forward", c => c.op === "dense"), {out(data, call)}, 0);
          answer.computed = terms(document.getElementById("detail")).totals;
          document.querySelector(".edited button").click(); answer.reset = [document.querySelector(".edited"), loss()];
        """

    def x_number(data):
        return next(value["t"] for value in data["values"] if value["name"] == "x")

    return show(net, x, y, script, chromium, tmp_path_factory.mktemp("dense"))


@pytest.fixture(scope="module")
def pictures(chromium, tmp_path_factory):
    """Every kind of layer, the second convolution frozen, Adam in its second step."""
    net = small_net("float32", optimizers.Adam(0.01))
    net.layers[3].trainable = False
    net.compile(net.optimizer, "sparse_categorical_crossentropy")
    x, y = batch(dtype="float32")
    net.train_on_batch(x, y)

    def script(data):
        conv, pool, norm = (out(data, find(data, op)) for op in ("conv2d_bias_relu", "max_pool2d", "batch_norm"))
        update = next(one for one in data["updates"] if one["name"].endswith("first/kernel"))
        return f"""
          let one = section("forward", c => c.op === "conv2d_bias_relu");
          pick(one, {conv}, 0); answer.corner = terms(one); pick(one, {conv}, {(2 * 3 + 1) * 3}); answer.middle = terms(one);
          one = section("forward", c => c.op === "max_pool2d"); pick(one, {pool}, 0); answer.pooled = terms(one);
          one = section("forward", c => c.op === "batch_norm"); pick(one, {norm}, 1); answer.norm = terms(one);
          one = section("forward", c => c.op === "masked_dropout");
          const mask = one.querySelector(`figure[data-tensor="{find(data, "masked_dropout")["mask"]}"]`);
          answer.mask = [mask.querySelector("figcaption b").textContent, cells(mask)];
          one = section("backward", c => c.op === "softmax_last");
          answer.jacobian = cells([...one.querySelectorAll("figure")].find(f => f.textContent.includes("Jacobian")));
          one = section("backward", c => c.op === "conv2d_bias_relu" && c.passes[0].parts.some(p => p[0] === "kernel"));
          answer.shares = [...one.querySelectorAll(".added .terms tr")].map(r => [...r.children].map(c => c.textContent));
          answer.kernels = one.querySelector(".kernels").textContent;
          one = section("backward", c => c.op === "conv2d_bias" && !c.passes[0].parts.some(p => p[0] === "kernel"));
          answer.frozen = [...one.querySelectorAll(".note")].map(n => n.textContent);
          answer.snow = [...document.querySelectorAll(".block")].filter(b => b.textContent.includes("❄")).length;
          one = section("update", u => u.name === {update["name"]!r}); pick(one, {update["after"]}, 0, true);
          answer.update = terms(one);
        """  # noqa: E501

    return show(net, x, y, script, chromium, tmp_path_factory.mktemp("pictures"))


def test_one_output_of_a_dense_layer(dense):
    a, y, _ = dense.call("dense")
    found, row, unit = dense.read["forward"], 2, 1
    expected = [*(a["x"][row].astype("float64") * a["kernel"][:, unit]), float(a["bias"][unit])]
    assert found["title"].endswith("[2, 1]") and found["seen"] >= 11
    np.testing.assert_allclose([value for _, value, _ in found["lines"]], expected, rtol=1e-15)
    assert found["lines"][3][0] == "x[2, 3] · kernel[3, 1]" and found["lines"][5][0] == "bias[1]"
    assert found["totals"]["Σ (6)"] == pytest.approx(sum(expected), rel=1e-14)
    assert found["totals"]["max(Σ, 0)"] == found["totals"]["the engine has"] == float(y[row, unit])


def test_a_number_typed_into_the_page(dense):
    """In the field beside the number, then Enter; the button takes it back."""
    value = {one["name"]: dense.arrays[one["t"]].astype("float64") for one in dense.data["values"] if one["name"]}
    weights = [value[name] for name in ("below/kernel", "below/bias", "above/kernel", "above/bias")]

    def loss(x):
        hidden = np.maximum(x @ weights[0] + weights[1], 0)
        return np.mean((hidden @ weights[2] + weights[3] - value["y"]) ** 2)

    x = value["x"].copy()
    x.flat[3] = 2.5
    words, number, edited = dense.read["edited"]
    assert words.startswith("Edited.") and number == 2.5 and edited == pytest.approx(loss(x), rel=1e-12)
    hidden = max(x[0] @ weights[0][:, 0] + weights[1][0], 0.0)
    assert dense.read["computed"]["this page has"] == pytest.approx(hidden, rel=1e-12)
    assert "the engine has" not in dense.read["computed"] and "this page has" not in dense.read["forward"]["totals"]
    assert dense.read["reset"] == [None, dense.data["loss"]]
    assert dense.data["loss"] == pytest.approx(loss(value["x"]), rel=1e-5) != pytest.approx(edited, rel=1e-3)


def test_one_weight_s_gradient(dense):
    a, _, call = dense.call("dense")
    g = dense.arrays[call["passes"][0]["after"]].astype("float64")
    found = dense.read["backward"]
    np.testing.assert_allclose([value for _, value, _ in found["lines"]], a["x"][:, 1] * g[:, 1], rtol=1e-15)
    part = next(part for name, _, part in call["passes"][0]["parts"] if name == "kernel")
    assert found["totals"]["the engine has"] == float(dense.arrays[part][1, 1])


def test_one_pixel_of_a_convolution(pictures):
    """Padding "same": at the corner only the part of the window that lies on the picture has terms."""
    a, y, _ = pictures.call("conv2d_bias_relu")
    assert y.shape == (2, 7, 3, 3)
    x, kernel = a["x"].astype("float64"), a["kernel"].astype("float64")
    top, left = (max((n - 1) * stride + 3 - extent, 0) // 2 for n, stride, extent in ((7, 1, 7), (3, 2, 6)))
    for name, (i, j), count in (("corner", (0, 0), 12), ("middle", (2, 1), 18)):
        found = pictures.read[name]
        places = [(i + u - top, 2 * j + v - left, u, v, c) for u in range(3) for v in range(3) for c in range(2)]
        inside = [one for one in places if 0 <= one[0] < 7 and 0 <= one[1] < 6]
        expected = [*(x[0, p, q, c] * kernel[u, v, c, 0] for p, q, u, v, c in inside), float(a["bias"][0])]
        assert len(found["lines"]) == len(inside) + 1 == count + 1
        np.testing.assert_allclose([value for _, value, _ in found["lines"]], expected, rtol=1e-15)
        p, q, u, v, c = inside[-1]
        assert found["lines"][-2][0] == f"x[0, {p}, {q}, {c}] · kernel[{u}, {v}, {c}, 0]"
        assert found["lines"][-1][0] == "bias[0]"
        assert found["totals"]["the engine has"] == float(y[0, i, j, 0])
        assert found["totals"][f"Σ ({count + 1})"] == pytest.approx(sum(expected), rel=1e-12)
        assert found["totals"]["max(Σ, 0)"] == pytest.approx(max(sum(expected), 0), rel=1e-5)


def test_the_winner_of_a_window(pictures):
    a, y, _ = pictures.call("max_pool2d")
    found, window = pictures.read["pooled"], a["x"][0, :2, :2, 0].reshape(-1)
    assert [value for _, value, _ in found["lines"]] == window.tolist() and found["won"] == 1
    assert [kind for _, _, kind in found["lines"]].index("won") == window.argmax()
    assert found["totals"]["the engine has"] == window.max() == y[0, 0, 0, 0]


def test_the_mask_of_dropout(pictures):
    a, kept, _ = pictures.call("masked_dropout")
    label, mask = pictures.read["mask"]
    assert label == "Mask of this step" and len(mask) == 12
    assert len(set(mask)) == 2 and min(mask) == 0 and max(mask) == pytest.approx(1 / 0.7, rel=1e-6)
    np.testing.assert_allclose(a["x"].reshape(-1) * np.array(mask), kept.reshape(-1), rtol=1e-6)


def test_the_terms_of_batch_norm(pictures):
    a, y, _ = pictures.call("batch_norm")
    x, totals = a["x"][..., 1].astype("float64"), pictures.read["norm"]["totals"]
    normal = (x.reshape(-1)[0] - x.mean()) / np.sqrt(x.var() + 1e-3)
    assert totals["μ = Σ"] == pytest.approx(x.mean(), rel=1e-12)
    assert totals["σ²"] == pytest.approx(x.var(), rel=1e-12)
    assert totals["x̂ = (x − μ) / √(σ² + ε)"] == pytest.approx(normal, rel=1e-12)
    last = a["gamma"][1] * normal + a["beta"][1]
    assert totals["γ[1] · x̂ + β[1]"] == pytest.approx(float(last), rel=1e-6)
    assert totals["the engine has"] == float(y.reshape(-1)[1]) == pytest.approx(float(last), rel=1e-5)


def test_the_jacobian_of_softmax(pictures):
    row = pictures.call("softmax_last")[1][0].astype("float64")
    expected = (np.diag(row) - np.outer(row, row)).reshape(-1)
    np.testing.assert_allclose(pictures.read["jacobian"], expected, rtol=1e-12, atol=1e-300)


def test_the_share_of_the_penalty(pictures):
    value = next(v for v in pictures.data["values"] if v["name"] == "first/kernel")
    norms = [float(np.linalg.norm(pictures.arrays[part].astype("float64"))) for _, _, part in value["parts"]]
    shares = pictures.read["shares"]
    assert sorted(name.split(" · ")[1] for name, _, _ in shares) == ["conv2d_bias_relu.kernel", "square.x"]
    for (_, shown, percent), norm in zip(shares, norms, strict=True):
        assert float(shown.split("= ")[1]) == pytest.approx(norm, rel=6e-3)
        assert percent == f"{100 * norm / sum(norms):.1f} %"


def test_kernels_and_what_is_frozen(pictures):
    assert "conv2d_kernel_grad ran: " in pictures.read["kernels"] and "refused: " in pictures.read["kernels"]
    assert sum("/kernel — Frozen" in note for note in pictures.read["frozen"]) == 1 == pictures.read["snow"]
    (still,) = (block["name"] for block in pictures.data["blocks"] if block.get("frozen"))
    assert not any(still in update["name"] for update in pictures.data["updates"])


def first_numbers(shown, flat, ending):
    """w, g, what became of w, and the slots before, of one number."""
    update = next(u for u in shown.data["updates"] if u["name"].endswith(ending))
    numbers = (update["before"], update["g"], update["after"], *(before for _, before, _ in update["slots"]))
    return [float(shown.arrays[i].flat[flat]) for i in numbers]


def test_the_momentum_of_sgd(dense):
    w, g, after, before = first_numbers(dense, 4, "below/kernel")
    lines, totals = {one[0]: one[1] for one in dense.read["update"]["lines"]}, dense.read["update"]["totals"]
    assert (lines["w"], lines["g"], lines["momentums before"]) == (w, g, before) and before
    assert totals["momentums after"] == pytest.approx(0.9 * before - 0.1 * g, rel=1e-5)
    assert totals["the engine has"] == after == pytest.approx(w + 0.9 * before - 0.1 * g, rel=1e-6)
    assert totals["change"] == after - w and dense.read["formula"] == "m ← μ·m − η·g,  w ← w + m"


def test_the_moments_of_adam(pictures):
    w, g, after, m, v = first_numbers(pictures, 0, "first/kernel")
    lines, totals = {one[0]: one[1] for one in pictures.read["update"]["lines"]}, pictures.read["update"]["totals"]
    assert [lines[name] for name in ("w", "g", "moments before", "velocities before")] == [w, g, m, v] and m and v
    m, v = m + (g - m) * 0.1, v + (g * g - v) * 0.001
    rate = 0.01 * np.sqrt(1 - 0.999**2) / (1 - 0.9**2)
    assert totals["moments after"] == pytest.approx(m, rel=1e-4)
    assert totals["velocities after"] == pytest.approx(v, rel=1e-4)
    assert totals["α"] == pytest.approx(rate, rel=1e-6)
    assert totals["change"] == after - w == pytest.approx(-rate * m / (np.sqrt(v) + 1e-7), rel=1e-3)
